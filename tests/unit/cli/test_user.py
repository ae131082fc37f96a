"""Users are added, listed and removed in the store, with passwords that no argument and no list shows."""

import io
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from .conftest import Ran, Run

PASSWORD = "correct horse battery"

pytestmark = pytest.mark.usefixtures("store")


@pytest.fixture
def types(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n{PASSWORD}\n"))


def added(run: Run, name: str = "ada", *roles: str) -> Ran:
    return run("user", "add", name, *(part for role in roles or ("admin",) for part in ("--role", role)))


def given(run: Run, name: str, *roles: str) -> Ran:
    return run("user", "role", name, *(part for role in roles for part in ("--role", role)))


@pytest.mark.usefixtures("types")
def test_a_user_is_added_and_listed(run: Run) -> None:
    assert added(run, "ada", "viewer", "auditor").out == "added ada (auditor, viewer)\n"
    said = run("user", "list", "--json").out
    (row,) = json.loads(said)
    assert (row["name"], row["roles"]) == ("ada", ["auditor", "viewer"])
    assert "argon2" not in said
    assert "auditor viewer" in run("user", "list").out


@pytest.mark.usefixtures("types")
def test_a_list_says_when_a_user_signed_in_last(run: Run, empty_folder: Path) -> None:
    for name in ("ada", "bob"):
        added(run, name)
    with closing(sqlite3.connect(empty_folder / "vagus-data" / "vagus.db")) as database, database:
        database.execute("UPDATE vagus_console_users SET signed_in_at = 1700000000.5 WHERE name = 'ada'")
    assert [row["signed_in_at"] for row in json.loads(run("user", "list", "--json").out)] == [1700000000.5, None]
    head, *lines = run("user", "list").out.splitlines()
    assert [line[head.index("SIGNED IN") :] for line in lines] == ["2023-11-14 22:13", "never"]


@pytest.mark.usefixtures("types")
def test_a_name_is_taken_once_and_free_again_when_its_user_is_removed(run: Run) -> None:
    added(run)
    assert "there is a user ada already" in added(run).err
    assert run("user", "remove", "ada").out == "removed ada\n"
    assert json.loads(run("user", "list", "--json").out) == []


@pytest.mark.usefixtures("types")
def test_a_password_can_be_changed(run: Run) -> None:
    added(run)
    assert run("user", "password", "ada").out == "changed the password of ada\n"


@pytest.mark.usefixtures("types")
def test_a_user_has_the_roles_that_were_given_last_and_no_others(run: Run) -> None:
    added(run, "ada", "admin")
    assert given(run, "ada", "viewer", "auditor").out == "ada now has the roles auditor, viewer\n"
    assert given(run, "ada", "auditor", "viewer").out == "ada already had the roles auditor, viewer\n"
    (row,) = json.loads(run("user", "list", "--json").out)
    assert row["roles"] == ["auditor", "viewer"]


@pytest.mark.usefixtures("types")
@pytest.mark.parametrize("role", ["king", "service", ""])
def test_a_role_of_nobody_changes_nothing(run: Run, role: str) -> None:
    added(run, "ada", "admin")
    ran = given(run, "ada", "viewer", role)
    assert (ran.code, "one or more of the roles" in ran.err) == (1, True)
    assert json.loads(run("user", "list", "--json").out)[0]["roles"] == ["admin"]


@pytest.mark.usefixtures("types")
def test_what_is_for_nobody_is_refused(run: Run) -> None:
    added(run)
    assert "there is no user bob" in run("user", "remove", "bob").err
    assert "there is no user bob" in given(run, "bob", "viewer").err
    assert "there is no user bob" in run("user", "password", "bob").err


@pytest.mark.usefixtures("types")
@pytest.mark.parametrize(("name", "role"), [("ada", "king"), ("ada", "service"), (" ada", "admin"), ("a\nb", "admin")])
def test_a_name_or_role_of_nobody_is_refused(run: Run, name: str, role: str) -> None:
    ran = added(run, name, role)
    assert (ran.code, "a user" in ran.err) == (1, True)


def test_a_short_password_is_refused(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("short\n"))
    assert "12 to 256 characters" in added(run).err
