"""The data folder: secrets that are made once, and are for their owner alone."""

import os
from pathlib import Path

import pytest

from vagus.server.folder import ADDRESS, API_KEY, TOKEN_SECRET, DataFolder, FolderError


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    return DataFolder(tmp_path / "deep" / "data")


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_reading_makes_nothing(folder: DataFolder) -> None:
    assert folder.read(TOKEN_SECRET) is None
    assert not folder.path.exists()


def test_secrets_are_made_once_and_differ(folder: DataFolder) -> None:
    secret, key = folder.token_secret(), folder.api_key()
    assert secret != key
    assert (folder.token_secret(), folder.api_key()) == (secret, key)
    assert (folder.read(TOKEN_SECRET), folder.read(API_KEY)) == (secret, key)


def test_folder_and_files_are_their_owners_alone_whatever_the_umask(folder: DataFolder) -> None:
    before = os.umask(0)
    try:
        folder.token_secret()
    finally:
        os.umask(before)
    assert (mode(folder.path), mode(folder.path / TOKEN_SECRET)) == (0o700, 0o600)
    assert not folder.is_exposed


def test_a_folder_that_others_may_read_is_exposed(folder: DataFolder) -> None:
    folder.token_secret()
    folder.path.chmod(0o750)
    assert folder.is_exposed


def test_the_folder_keeps_itself_out_of_repositories(folder: DataFolder) -> None:
    folder.token_secret()
    assert "*" in (folder.path / ".gitignore").read_text().splitlines()


def test_nothing_unfinished_is_left_behind(folder: DataFolder) -> None:
    folder.token_secret()
    folder.announce("http://127.0.0.1:1")
    assert sorted(path.name for path in folder.path.iterdir()) == [".gitignore", ADDRESS, TOKEN_SECRET]


def test_of_two_that_make_a_secret_together_the_first_wins(folder: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    other = DataFolder(folder.path)
    found = folder.read
    answers = [lambda name: None, found]  # the other one writes between our look and our own writing
    monkeypatch.setattr(folder, "read", lambda name: answers.pop(0)(name))
    assert other.token_secret() == folder.token_secret()


def test_an_address_goes_with_the_server_that_left_it(folder: DataFolder) -> None:
    folder.announce("http://127.0.0.1:1")
    folder.withdraw("http://127.0.0.1:2")
    assert folder.address() == "http://127.0.0.1:1"
    folder.withdraw("http://127.0.0.1:1")
    folder.withdraw("http://127.0.0.1:1")
    assert folder.address() is None


@pytest.mark.parametrize("content", [b"", b"\0" * 20, b"\xff", b"elsewhere"])
def test_an_address_that_is_damaged_is_none(folder: DataFolder, content: bytes) -> None:
    folder.make()
    (folder.path / ADDRESS).write_bytes(content)
    assert folder.address() is None
    folder.announce("http://127.0.0.1:1")
    assert folder.address() == "http://127.0.0.1:1"


@pytest.mark.parametrize("name", [TOKEN_SECRET, API_KEY])
@pytest.mark.parametrize(
    ("content", "state"), [(b"", "empty"), (b" \n", "empty"), (b"\0" * 64, "damaged"), (b"\xff\xfe", "damaged")]
)
def test_a_secret_that_is_none_is_refused_and_left_alone(
    folder: DataFolder, name: str, content: bytes, state: str
) -> None:
    folder.make()
    (folder.path / name).write_bytes(content)
    with pytest.raises(FolderError, match=f"{name} is {state}: restore it from a backup, or remove it"):
        folder.token_secret() if name == TOKEN_SECRET else folder.api_key()
    assert (folder.path / name).read_bytes() == content


@pytest.mark.parametrize(("first", "second"), [(True, True), (True, False), (False, True)])
def test_who_serves_alone_keeps_others_out_until_it_ends(folder: DataFolder, first: bool, second: bool) -> None:
    other = DataFolder(folder.path)
    with folder.held(alone=first), pytest.raises(FolderError, match="another server has it"), other.held(alone=second):
        pass
    with other.held(alone=second):
        pass


def test_nodes_of_one_hub_share_a_folder(folder: DataFolder) -> None:
    with folder.held(alone=False), DataFolder(folder.path).held(alone=False):
        folder.announce("http://127.0.0.1:1")
        with pytest.raises(FolderError, match=r"another server at http://127\.0\.0\.1:1 has it"):
            DataFolder(folder.path).held(alone=True).__enter__()


def test_a_folder_that_is_a_file_is_an_error_of_the_system(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(OSError, match="data"):
        DataFolder(tmp_path / "data").token_secret()
