"""Keys are shown once, and what is printed for the file works in it."""

import io
import json
import sqlite3
import time
from contextlib import closing
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


def test_a_key_that_ends_says_when(run: Run, empty_folder: Path) -> None:
    snippet = run("key", "new", "--name", "a", "--expires", "90d").out
    file = empty_folder / "vagus.toml"
    file.write_text(snippet[snippet.index("[[keys]]") :])
    (row,) = load(file=file).settings.keys
    assert row.expires_at is not None
    assert row.expires_at - time.time() == pytest.approx(90 * 86_400, abs=60)


def test_a_saved_key_is_listed_without_its_secret_or_hash(run: Run) -> None:
    made = json.loads(run("key", "new", "--name", "billing", "--scope", "publish", "--save", "--json").out)
    (row,) = json.loads(run("key", "list", "--json").out)
    assert (row["id"], row["name"], row["scopes"]) == (made["id"], "billing", ["publish"])
    shown = run("key", "list")
    assert "billing" in shown.out
    for secret in (made["key"], made["hash"]):
        assert secret not in shown.out + json.dumps(row)


def test_a_list_says_when_a_key_was_used_last(run: Run, empty_folder: Path) -> None:
    for name in ("used", "unused"):
        run("key", "new", "--name", name, "--save")
    with closing(sqlite3.connect(empty_folder / "vagus-data" / "vagus.db")) as database, database:
        database.execute("UPDATE vagus_keys SET used_at = 1700000000.5 WHERE name = 'used'")
    assert [row["used_at"] for row in json.loads(run("key", "list", "--json").out)] == [1700000000.5, None]
    head, *lines = run("key", "list").out.splitlines()
    place = head.index("USED")
    assert [line[place:].split("  ")[0] for line in lines] == ["2023-11-14 22:13", "never"]


def test_a_saved_key_is_revoked_by_id_or_name(run: Run) -> None:
    made = json.loads(run("key", "new", "--name", "a", "--save", "--json").out)
    run("key", "new", "--name", "b", "--save")
    assert run("key", "revoke", made["id"]).out == f"revoked {made['id']} (a)\n"
    assert json.loads(run("key", "revoke", "b", "--json").out)["name"] == "b"
    assert json.loads(run("key", "list", "--json").out) == []
    assert run("key", "list", "--all").out.count("revoked") == 2
    assert run("key", "revoke", "a").code == 1


def test_a_name_is_given_once(run: Run, empty_folder: Path) -> None:
    (empty_folder / "vagus.toml").write_text('[[keys]]\nname = "configured"\nsecret = "s"\n')
    assert run("key", "new", "--name", "a", "--save").code == 0
    for name in ("a", "configured", "\n"):
        ran = run("key", "new", "--name", name, "--save")
        assert ran.code == 1
        assert len(ran.err.splitlines()) == 1
