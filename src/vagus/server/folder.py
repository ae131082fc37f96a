"""The data folder: the secrets that a server makes for itself, and where it can be found while it runs.

The folder is its owner's alone (0700), so are the files (0600). A file appears whole or not at all, and the first of
two servers that start together wins, so that both use the same secret. Who serves holds the folder: alone, or together
with the other nodes on a broker that connects them.
"""

import contextlib
import os
import secrets
import socket
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from vagus.auth.keys import new_key

if sys.platform != "win32":
    import fcntl

TOKEN_SECRET: Final = "token_secret"
API_KEY: Final = "api_key"
ADDRESS: Final = "address"
"""The file of where servers on the folder listen, one a line, the newest last. One that was killed leaves its own."""
LOCK: Final = "lock"

ANSWER_S: Final = 3.0
"""How long a server that listens may take to say so."""

_LOST: Final = {
    TOKEN_SECRET: "which ends every token that was signed before",
    API_KEY: "which every program needs then",
}
"""What it means to have a secret made anew."""

_NOT_FOR_GIT: Final = "# Secrets: none of this belongs into a repository.\n*\n"


class FolderError(OSError):
    """The folder is there and must not be used as it is; the text says why and what helps."""


class DataFolder:
    """Constructing it touches nothing. Methods raise ``OSError`` for a folder that cannot be read or written.

    ``configuration`` is the server's, wherever that is: it may hold secrets too.
    """

    def __init__(self, path: Path, configuration: Path | None = None) -> None:
        self.path = path
        self._configuration = configuration

    def read(self, name: str) -> str | None:
        """The text of a file, ``None`` if there is none."""
        try:
            return (self.path / name).read_text("utf-8").strip()
        except FileNotFoundError:
            return None

    @property
    def secrets(self) -> tuple[Path, ...]:
        """The files that hold some."""
        own = self.path / TOKEN_SECRET, self.path / API_KEY
        return own if self._configuration is None else (*own, self._configuration)

    def secret(self, name: str) -> str | None:
        """The secret in a file, ``None`` if there is none. Raises ``FolderError`` for a file that cannot be one."""
        try:
            text = self.read(name)
        except UnicodeDecodeError:
            text = "\0"
        if text is None or (text and text.isprintable()):
            return text
        state = "is damaged" if text else "is empty"
        raise FolderError(
            f"{name} {state}: restore it from a backup, or remove it to have a new one made, {_LOST[name]}"
        )

    def token_secret(self) -> str:
        """The secret of this server's own tokens, made when it is first asked for."""
        return self.secret(TOKEN_SECRET) or self._keep(TOKEN_SECRET, secrets.token_urlsafe(48))

    def api_key(self) -> str:
        """The key of this server's API, made when it is first asked for."""
        return self.secret(API_KEY) or self._keep(API_KEY, new_key())

    @contextlib.contextmanager
    def held(self, *, alone: bool) -> Iterator[None]:
        """Have the folder while serving, which makes it if need be. Where the disk knows no locks, nobody is kept out.

        Raises ``FolderError`` if another server has it, unless neither is ``alone``.
        """
        self.make()
        descriptor = os.open(self.path / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if sys.platform != "win32":
                self._lock(descriptor, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
            yield
        finally:
            os.close(descriptor)

    def _lock(self, descriptor: int, kind: int) -> None:
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            others = self.address()
            place = f" at {others}" if others else ""
            raise FolderError(
                f"another server{place} has it, and without a broker in common they would be two hubs on one store: "
                "stop that one, give this one a folder of its own (--data-dir), or both the same Redis (broker.url)"
            ) from None
        except OSError:
            pass

    def announce(self, url: str) -> None:
        """Leave word of where the server listens, for commands on the same machine."""
        self.make()
        with self._alone():
            self._write_addresses([*(other for other in self._addresses() if other != url and answers(other)), url])

    def withdraw(self, url: str) -> None:
        """Take back what ``announce`` left."""
        with self._alone():
            self._write_addresses([other for other in self._addresses() if other != url])

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Others who would change a file of the folder wait meanwhile."""
        if sys.platform == "win32" or not self.path.is_dir():
            yield
            return
        descriptor = os.open(self.path, os.O_RDONLY)
        try:
            with contextlib.suppress(OSError):  # the disk knows no locks
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def address(self) -> str | None:
        """Where a server on the folder listens, or the last one did if none does."""
        known = self._addresses()
        if len(known) < 2:
            return known[0] if known else None
        return next((url for url in reversed(known) if answers(url)), known[-1])

    def _addresses(self) -> list[str]:
        try:
            return [url for url in (self.read(ADDRESS) or "").split() if url.startswith(("http://", "https://"))]
        except UnicodeDecodeError:
            return []  # damaged, and of no further use

    def _write_addresses(self, urls: list[str]) -> None:
        if urls:
            with self._written(ADDRESS, "\n".join(urls)) as temporary:
                os.replace(temporary, self.path / ADDRESS)
        else:
            (self.path / ADDRESS).unlink(missing_ok=True)

    @property
    def is_exposed(self) -> bool:
        """Whether other users of the machine may look into the folder."""
        return self.path.is_dir() and bool(self.path.stat().st_mode & 0o077)

    def _keep(self, name: str, text: str) -> str:
        """Write a file that is not there yet; what another process wrote first stays and is returned."""
        with self._written(name, text) as temporary, contextlib.suppress(FileExistsError):
            os.link(temporary, self.path / name)  # unlike a rename, it never replaces
        return self.read(name) or text

    @contextlib.contextmanager
    def _written(self, name: str, text: str) -> Iterator[str]:
        """A file with this text under a name for the moment, to be given the right one."""
        self.make()
        descriptor, temporary = tempfile.mkstemp(dir=self.path, prefix=f".{name}.")  # mkstemp gives mode 0600
        try:
            with open(descriptor, "w", encoding="utf-8") as file:
                file.write(f"{text}\n")
                file.flush()
                os.fsync(file.fileno())
            yield temporary
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary)

    def make(self) -> None:
        """Make the folder, unless it is there."""
        if self.path.is_dir():
            return
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path.chmod(0o700)  # whatever the umask was
        (self.path / ".gitignore").write_text(_NOT_FOR_GIT, "utf-8")


def answers(url: str) -> bool:
    """Whether somebody listens at an address."""
    place = urlsplit(url)
    try:
        socket.create_connection((place.hostname or "", place.port or 0), ANSWER_S).close()
    except (OSError, ValueError):
        return False
    return True
