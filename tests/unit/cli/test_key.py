"""Keys are shown once, and what is printed for the file works in it."""

import io
import json
from pathlib import Path

import pytest

from vagus.auth.keys import PREFIX, key_hash
from vagus.settings import load

from .conftest import Run


def test_a_new_key_comes_with_what_to_write_into_the_file(run: Run, empty_folder: Path) -> None:
    key, _, snippet = run("key", "new", "--name", 'the "bill"', "--scope", "publish").out.partition("\n")
    assert key.startswith(PREFIX)
    file = empty_folder / "vagus.toml"
    file.write_text(snippet[snippet.index("[[keys]]") :])
    (row,) = load(file=file).settings.keys
    assert (row.name, row.hash, row.scopes) == ('the "bill"', key_hash(key), frozenset({"publish"}))


def test_a_key_without_scopes_is_for_everything(run: Run) -> None:
    made = json.loads(run("key", "new", "--name", "a", "--json").out)
    assert made["scopes"] == ["*"]
    assert made["hash"] == key_hash(made["key"])


def test_the_hash_of_a_key_is_printed(run: Run) -> None:
    assert run("key", "hash", "secret").out == f"{key_hash('secret')}\n"


def test_a_key_may_be_read_from_standard_input(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("secret\n"))
    assert run("key", "hash").out == f"{key_hash('secret')}\n"
