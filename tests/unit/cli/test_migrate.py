"""What is due is said, and done unless only that was asked."""

import json
import sqlite3
from pathlib import Path

from vagus.store.schema import HEAD

from .conftest import Run


def empty_database(folder: Path) -> None:
    (folder / "vagus-data").mkdir()
    sqlite3.connect(folder / "vagus-data" / "vagus.db").close()
    (folder / "vagus-data" / "vagus.db").touch()


def test_what_is_due_is_shown_and_not_done(run: Run, empty_folder: Path) -> None:
    empty_database(empty_folder)
    for _ in range(2):
        ran = run("migrate", "--check")
        assert ran.code == 1
        assert ran.out.startswith("0001  ")
        assert ran.out.endswith(f"the schema would be {HEAD}\n")


def test_what_is_due_is_done_once(run: Run, empty_folder: Path) -> None:
    empty_database(empty_folder)
    first = json.loads(run("migrate", "--json").out)
    assert first["steps"][-1]["revision"] == HEAD
    assert (first["present"], first["needed"], first["done"]) == ("", HEAD, True)
    assert json.loads(run("migrate", "--json").out)["steps"] == []
    done = run("migrate", "--check")
    assert (done.code, done.out) == (0, f"the schema is {HEAD}\n")
