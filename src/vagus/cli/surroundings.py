"""What a command finds around it: the configuration, the data folder, a server that runs, its key and its secret."""

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from vagus.server.folder import ADDRESS, API_KEY, TOKEN_SECRET, DataFolder
from vagus.settings import Loaded, Settings, SettingsError, load
from vagus.settings.sources import FILE_NAME

from .faults import ConfigurationError

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

    @classmethod
    def found(cls, config: str | None, data_dir: str | None) -> "Surroundings":
        settings = load_configuration(config, {"server": {"data_dir": data_dir}}).settings
        return cls(settings, DataFolder(Path(settings.server.data_dir)))

    def url(self, given: str | None) -> str:
        """Where the server is: as given, as the running one says, or where it would be."""
        if given:
            return given.rstrip("/")
        from vagus.server.addresses import url_of

        return self._read(ADDRESS) or url_of(self.settings.server.host, self.settings.server.port)

    def key(self, given: str | None) -> str:
        """A key for the API; empty if there is none here."""
        configured = [key.secret for key in self.settings.keys if key.secret is not None]
        if given or configured or self.settings.keys:
            return given or next(iter(configured), "")
        return self._read(API_KEY) or ""

    def secret(self) -> str | None:
        """The secret that tokens can be signed with here, if there is one already."""
        tokens = self.settings.tokens
        return tokens.hmac_secret if tokens.has_key else self._read(TOKEN_SECRET)

    def subscription_secret(self) -> str | None:
        tokens = self.settings.subscription_tokens
        return self.secret() if tokens is None else tokens.hmac_secret

    def _read(self, name: str) -> str | None:
        try:
            return self.folder.read(name)
        except OSError:
            return None  # another user's server: its secrets are not ours to read
