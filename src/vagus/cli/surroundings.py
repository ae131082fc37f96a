"""What a command finds around it: the configuration, the data folder, a server that runs, its key and its secret."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from vagus.server.folder import API_KEY, TOKEN_SECRET, DataFolder, FolderError
from vagus.settings import LOOPBACK, Loaded, Server, Settings, SettingsError, load
from vagus.settings.sources import FILE_NAME

from .faults import CommandError, ConfigurationError

Flags = Mapping[str, Mapping[str, object]]


def load_configuration(config: str | None, flags: Flags) -> Loaded:
    """Settings from file, environment and flags. Raises ``ConfigurationError`` with a line for each problem."""
    file = Path(config) if config else Path(FILE_NAME)
    try:
        return load(file=file if config or file.is_file() else None, environment=os.environ, flags=flags)
    except SettingsError as error:
        raise ConfigurationError.of(error.problems) from None


class Surroundings(msgspec.Struct, frozen=True):
    """The settings that a server here would use, and its data folder."""

    settings: Settings
    folder: DataFolder
    is_named: bool = False
    """Whether a flag or the configuration says which folder: the secrets of another one are for this machine alone."""
    is_given: bool = False
    """Whether a flag does: what cannot be read there is an error."""

    @classmethod
    def found(cls, config: str | None, data_dir: str | None, *, may_be_new: bool = False) -> "Surroundings":
        """Raises ``ConfigurationError``, also for a ``data_dir`` that is not there, unless it ``may_be_new``."""
        settings = load_configuration(config, {"server": {"data_dir": data_dir}}).settings
        folder = DataFolder(Path(settings.server.data_dir))
        if data_dir is not None and not may_be_new:
            _look_into(folder.path)
        is_named = bool(config or data_dir) or settings.server.data_dir != Server().data_dir
        return cls(settings, folder, is_named, data_dir is not None)

    def url(self, given: str | None) -> str:
        """Where the server is: as given, as the running one says, or where it would be."""
        if given:
            return given.rstrip("/")
        from vagus.server.addresses import url_of

        return self._read(self.folder.address) or url_of(self.settings.server.host, self.settings.server.port)

    def key(self, given: str | None, url: str | None = None) -> str:
        """A key for the API of the server at ``url``, or of the one here; empty if there is none."""
        configured = [key.secret for key in self.settings.keys if key.secret is not None]
        if given or configured or self.settings.keys:
            return given or next(iter(configured), "")
        return (self._secret(API_KEY) or "") if self._is_for(url) else ""

    def secret(self, url: str | None = None) -> str | None:
        """The secret that tokens can be signed with, for the server at ``url`` or the one here, if there is one."""
        tokens = self.settings.tokens
        if tokens.has_key:
            return tokens.hmac_secret
        return self._secret(TOKEN_SECRET) if self._is_for(url) else None

    def subscription_secret(self, url: str | None = None) -> str | None:
        tokens = self.settings.subscription_tokens
        return self.secret(url) if tokens is None else tokens.hmac_secret

    def _is_for(self, url: str | None) -> bool:
        """Whether the server at ``url`` may be shown what comes of the folder's secrets."""
        return self.is_named or not url or urlsplit(url).hostname in LOOPBACK or url.rstrip("/") == self.url(None)

    def _secret(self, name: str) -> str | None:
        return self._read(lambda: self.folder.secret(name))

    def _read(self, read: Callable[[], str | None]) -> str | None:
        try:
            return read()
        except FolderError as error:
            raise CommandError(f"data folder {self.folder.path}: {error}") from None
        except OSError as error:
            if self.is_given:
                raise CommandError(f"data folder {self.folder.path}: {error.strerror or error}") from None
            return None  # another user's server: its secrets are not ours to read


def _look_into(path: Path) -> None:
    """Raises ``ConfigurationError`` unless there is a folder that may be read."""
    try:
        os.scandir(path).close()
    except OSError as error:
        raise ConfigurationError(f"data folder {path}: {error.strerror or error}") from None
