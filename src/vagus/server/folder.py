"""The data folder: the secrets that a server makes for itself, and where it can be found while it runs.

The folder is its owner's alone (0700), so are the files (0600). A file appears whole or not at all, and the first of
two servers that start together wins, so that both use the same secret.
"""

import contextlib
import os
import secrets
import tempfile
from pathlib import Path
from typing import Final

from vagus.auth.keys import new_key

TOKEN_SECRET: Final = "token_secret"
API_KEY: Final = "api_key"
ADDRESS: Final = "address"

_NOT_FOR_GIT: Final = "# Secrets: none of this belongs into a repository.\n*\n"


class DataFolder:
    """Constructing it touches nothing. Methods raise ``OSError`` for a folder that cannot be read or written."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self, name: str) -> str | None:
        """The text of a file, ``None`` if there is none."""
        try:
            return (self.path / name).read_text("utf-8").strip()
        except FileNotFoundError:
            return None

    @property
    def secrets(self) -> tuple[Path, ...]:
        return self.path / TOKEN_SECRET, self.path / API_KEY

    def token_secret(self) -> str:
        """The secret of this server's own tokens, made when it is first asked for."""
        return self.read(TOKEN_SECRET) or self._keep(TOKEN_SECRET, secrets.token_urlsafe(48))

    def api_key(self) -> str:
        """The key of this server's API, made when it is first asked for."""
        return self.read(API_KEY) or self._keep(API_KEY, new_key())

    def announce(self, url: str) -> None:
        """Leave word of where the server listens, for commands on the same machine."""
        self.withdraw()
        self._keep(ADDRESS, url)

    def withdraw(self) -> None:
        (self.path / ADDRESS).unlink(missing_ok=True)

    @property
    def is_exposed(self) -> bool:
        """Whether other users of the machine may look into the folder."""
        return self.path.is_dir() and bool(self.path.stat().st_mode & 0o077)

    def _keep(self, name: str, text: str) -> str:
        """Write a file that is not there yet; what another process wrote first stays and is returned."""
        self.make()
        descriptor, temporary = tempfile.mkstemp(dir=self.path, prefix=f".{name}.")  # mkstemp gives mode 0600
        try:
            with open(descriptor, "w", encoding="utf-8") as file:
                file.write(f"{text}\n")
                file.flush()
                os.fsync(file.fileno())
            with contextlib.suppress(FileExistsError):
                os.link(temporary, self.path / name)  # unlike a rename, it never replaces
        finally:
            os.unlink(temporary)
        return self.read(name) or text

    def make(self) -> None:
        """Make the folder, unless it is there."""
        if self.path.is_dir():
            return
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path.chmod(0o700)  # whatever the umask was
        (self.path / ".gitignore").write_text(_NOT_FOR_GIT, "utf-8")
