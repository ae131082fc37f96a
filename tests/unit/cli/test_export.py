"""Copies and lines are written, refused and put back, each with one line of what happened."""

import json
import os
from pathlib import Path

import pytest

from .conftest import Run


@pytest.fixture
def made(run: Run) -> None:
    """A store with a key in it."""
    assert run("key", "new", "--name", "kept", "--save").code == 0


def names(run: Run, *arguments: str) -> list[str]:
    return [row["name"] for row in json.loads(run("key", "list", "--json", *arguments).out)]


@pytest.mark.usefixtures("made")
def test_a_copy_brings_back_what_was_there(run: Run, empty_folder: Path) -> None:
    ran = run("export", "copy.db")
    assert ran.out.startswith("copy.db: ")
    assert run("key", "revoke", "kept").code == 0
    said = json.loads(run("import", "copy.db", "--json").out)
    assert names(run) == ["kept"]
    assert Path(said["kept_before"]).is_file()
    assert said["restored"] == "vagus-data/vagus.db"


@pytest.mark.usefixtures("made")
def test_a_file_that_is_there_is_replaced_by_force_only(run: Run, empty_folder: Path) -> None:
    (empty_folder / "copy.db").write_text("precious")
    for lines in ([], ["--lines"]):
        ran = run("export", "copy.db", *lines)
        assert (ran.code, ran.err) == (1, "vagus: copy.db is there already: --force replaces it\n")
    assert run("export", "copy.db", "--force", "--json").code == 0


@pytest.mark.usefixtures("made")
@pytest.mark.parametrize("name", ["vagus.db", "vagus.db-wal", "link", "twin"])
def test_the_store_itself_is_no_place_for_a_copy_and_no_copy(run: Run, empty_folder: Path, name: str) -> None:
    folder = empty_folder / "vagus-data"
    (folder / "link").symlink_to("vagus.db")
    (folder / "twin").hardlink_to(folder / "vagus.db")
    for arguments in (("export", "--force"), ("export", "--force", "--lines"), ("import",)):
        if arguments == ("import",) and name == "vagus.db-wal":
            continue  # it is not there
        ran = run(*arguments, f"vagus-data/{name}")
        assert (ran.code, ran.err) == (1, f"vagus: vagus-data/{name} is the store itself: name another file\n")
    assert names(run) == ["kept"]


@pytest.mark.usefixtures("made")
@pytest.mark.parametrize("lines", [True, False])
def test_what_is_no_ordinary_file_is_never_replaced(run: Run, empty_folder: Path, lines: bool) -> None:
    os.mkfifo(empty_folder / "pipe")
    ran = run("export", "pipe", "--force", *(["--lines"] if lines else []))
    assert (ran.code, ran.err) == (1, "vagus: pipe is no ordinary file, and cannot be replaced by one\n")


@pytest.mark.usefixtures("made")
def test_lines_go_into_an_empty_database(run: Run) -> None:
    assert run("export", "--lines", "all.jsonl").code == 0
    assert run("import", "all.jsonl", "--data-dir", "other").out == "rows: 1\n"
    assert names(run, "--data-dir", "other") == ["kept"]
    again = run("import", "all.jsonl", "--data-dir", "other")
    assert again.code == 1
    assert "not empty" in again.err


def test_there_is_nothing_to_copy_before_the_first_start(run: Run, empty_folder: Path) -> None:
    for arguments in (("export", "copy.db"), ("export", "--lines", "all.jsonl"), ("key", "list"), ("migrate",)):
        ran = run(*arguments)
        assert ran.code == 1
        assert "there is no database at vagus-data/vagus.db" in ran.err
    assert list(empty_folder.iterdir()) == []


def test_what_is_no_copy_is_refused(run: Run, empty_folder: Path) -> None:
    (empty_folder / "text").write_text("hello")
    (empty_folder / "cut.db").write_bytes(b"SQLite format 3\0rubbish")
    for name in ("text", "cut.db"):
        ran = run("import", name)
        assert ran.code == 1
        assert len(ran.err.splitlines()) == 1


@pytest.mark.usefixtures("made")
def test_a_copy_that_is_cut_off_is_said_to_be_damaged_itself(run: Run, empty_folder: Path) -> None:
    run("export", "copy.db")
    whole = (empty_folder / "copy.db").read_bytes()
    (empty_folder / "copy.db").write_bytes(whole[: len(whole) // 2])
    ran = run("import", "copy.db")
    assert (ran.code, ran.err) == (1, "vagus: copy.db: it is damaged: another copy is needed\n")


@pytest.mark.parametrize("lines", [True, False])
def test_a_folder_that_is_not_there_is_an_error(run: Run, made: None, lines: bool) -> None:
    ran = run("export", "nowhere/copy.db", *(["--lines"] if lines else []))
    assert ran.code == 1
    assert "No such file" in ran.err


def test_postgresql_has_tools_of_its_own(run: Run, empty_folder: Path) -> None:
    (empty_folder / "vagus.toml").write_text('[store]\nurl = "postgresql://u:secret@127.0.0.1:1/d"\n')
    (empty_folder / "copy.db").write_bytes(b"SQLite format 3\0")
    for arguments in (("export", "new.db"), ("import", "copy.db")):
        ran = run(*arguments)
        assert ran.code == 1
        assert "PostgreSQL" in ran.err
        assert "secret" not in ran.err


def test_a_useless_address_is_a_wrong_configuration(run: Run, empty_folder: Path) -> None:
    (empty_folder / "vagus.toml").write_text('[store]\nurl = "sqlite://"\n')
    for arguments in (("export", "new.db"), ("migrate",), ("check-config",)):
        ran = run(*arguments)
        assert ran.code == 2
        assert "store.url: a file is needed" in ran.err
