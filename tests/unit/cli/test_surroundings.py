"""What a command finds around it, and to which servers it shows what comes of the secrets there."""

from collections.abc import Callable
from pathlib import Path

import pytest

from vagus.cli.faults import CommandError
from vagus.cli.surroundings import Surroundings
from vagus.cli.tail import tokens_from
from vagus.server.folder import API_KEY, TOKEN_SECRET, DataFolder

FAR = "https://live.example.com"


@pytest.fixture(autouse=True)
def folder(empty_folder: Path) -> DataFolder:
    """The default one, with its secrets."""
    folder = DataFolder(empty_folder / "vagus-data")
    folder.token_secret()
    folder.api_key()
    return folder


def shows(found: Surroundings, url: str | None) -> bool:
    """Whether a server at this address is shown a key and tokens; both or neither."""
    tokens = tokens_from(found, ["news"], url)
    shown = {bool(found.key(None, url)), bool(tokens.connection), "news" in tokens.subscriptions}
    assert len(shown) == 1
    return shown.pop()


@pytest.mark.parametrize("url", [None, "http://127.0.0.1:1", "https://localhost", "http://[::1]:8000/below"])
def test_a_server_of_this_machine_is_shown_what_comes_of_the_secrets_here(url: str | None) -> None:
    assert shows(Surroundings.found(None, None), url)


@pytest.mark.parametrize("url", [FAR, "http://127.0.0.1@live.example.com", "http://localhost.example.com"])
def test_a_server_elsewhere_is_not(url: str) -> None:
    assert not shows(Surroundings.found(None, None), url)


def test_a_server_elsewhere_is_if_it_said_itself_that_it_is_there(folder: DataFolder) -> None:
    folder.announce(FAR)
    assert shows(Surroundings.found(None, None), f"{FAR}/")


def by_flag(empty_folder: Path) -> Surroundings:
    return Surroundings.found(None, "vagus-data")


def by_file(empty_folder: Path) -> Surroundings:
    (empty_folder / "my.toml").touch()
    return Surroundings.found("my.toml", None)


def by_setting(empty_folder: Path) -> Surroundings:
    (empty_folder / "vagus-data").rename(empty_folder / "kept")
    (empty_folder / "vagus.toml").write_text('[server]\ndata_dir = "kept"')
    return Surroundings.found(None, None)


def by_secret(empty_folder: Path) -> Surroundings:
    (empty_folder / "vagus.toml").write_text('[tokens]\nhmac_secret = "s"\n[[keys]]\nname = "k"\nsecret = "s"')
    return Surroundings.found(None, None)


@pytest.mark.parametrize("name", [by_flag, by_file, by_setting, by_secret])
def test_a_server_elsewhere_is_if_somebody_said_so(empty_folder: Path, name: Callable[[Path], Surroundings]) -> None:
    assert shows(name(empty_folder), FAR)


def test_what_cannot_be_read_is_an_error_where_the_folder_was_given(folder: DataFolder) -> None:
    for name in (TOKEN_SECRET, API_KEY):
        (folder.path / name).unlink()
        (folder.path / name).mkdir()
    assert not shows(Surroundings.found(None, None), None)
    for ask in (Surroundings.secret, lambda found: found.key(None)):
        with pytest.raises(CommandError, match="data folder vagus-data: Is a directory"):
            ask(Surroundings.found(None, "vagus-data"))
