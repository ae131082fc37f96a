"""What sources from the network may read: files of one folder, and of these not the server's own.

Their authors may run the hub without being free to read every file of its machine, or its secrets. Names are looked at
whenever such a source is made, wherever it was kept meanwhile; what a name leads to, whenever its file is opened, since
links come and go. A link out of the folder is followed: whoever may write there has put it there on purpose.
"""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

from vagus.settings.fusion import SourceSettings, SqlSource

from . import SourceError

_BESIDE: Final = ("", "-journal", "-wal", "-shm")
"""What SQLite puts beside a database has its content too."""

_SYSTEM: Final = "/proc/"
"""There a process finds its own environment and all files that it has open."""

_NAMING_FILES: Final = frozenset({"passfile", "service", "servicefile", "sslcert", "sslkey", "sslrootcert", "sslcrl"})
"""Options of addresses of PostgreSQL that make it use files of the server's user."""


class Fence:
    """``own`` are the server's own files; what lies beside one and begins like it is too."""

    def __init__(self, folder: Path, own: Iterable[Path] = ()) -> None:
        self.folder = Path(os.path.normpath(folder.absolute()))
        self._own = tuple(path.absolute() for path in own)
        self._names = [os.path.split(_normal(path)) for path in self._own]

    def check(self, settings: SourceSettings) -> None:
        """Raise ``ValueError``, which begins with the option, for a source that names what it may not read."""
        names = {option: getattr(settings, option, "") for option in ("path", "ca_file")}
        if isinstance(settings, SqlSource):
            scheme, _, rest = settings.url.partition("://")
            if scheme == "sqlite":
                names["url"] = rest[1:]
            else:
                _check_server(settings.url)
        for option, name in names.items():
            if not name:
                continue
            path = Path(os.path.normpath(self.folder / name))
            if not path.is_relative_to(self.folder):
                raise ValueError(f"{option}: must be in {self.folder}; name other files in the server's configuration")
            if self._is_named_own(path):
                raise ValueError(f"{option}: {path.name} is the server's own, and holds its secrets")

    def check_target(self, path: Path) -> None:
        """Raise ``SourceError`` for a file that is the server's own by another name. It asks the disk."""
        target = os.path.realpath(path)
        if target.startswith(_SYSTEM) or self._is_own(target):
            raise SourceError(f"{path} leads to a file of the server's own, which holds its secrets: name another one")

    def _is_named_own(self, path: Path) -> bool:
        text = _normal(path)
        folder, name = os.path.split(text)
        return text.startswith(_SYSTEM) or any(folder == where and name.startswith(own) for where, own in self._names)

    def _is_own(self, target: str) -> bool:
        found = _status(target)
        if found is None:
            return False
        own = (_status(f"{path}{end}") for path in self._own for end in _BESIDE)
        return any(os.path.samestat(found, one) for one in own if one is not None)


def _check_server(url: str) -> None:
    """Raise ``ValueError`` for an address that has the server's user vouch for who asks, or read files of theirs."""
    parts = urlsplit(url)
    user, at, rest = parts.netloc.partition("@")
    hosts = unquote(rest if at else user)
    if not hosts or "/" in hosts:
        raise ValueError("url: must name a host; a socket of this machine is for the server's configuration")
    if naming := _NAMING_FILES & parse_qs(parts.query).keys():
        raise ValueError(f"url: {min(naming)} is for the server's configuration, since it names files")


def _status(path: str) -> os.stat_result | None:
    try:
        return os.stat(path)
    except OSError:
        return None


def _normal(path: Path) -> str:
    """A path as one text, alike for all that a file system may take for the same."""
    return os.path.normpath(path).casefold()
