"""What databases say becomes what happened and what helps, without a statement, a value or a password."""

import sqlite3
from pathlib import Path

import pytest

from vagus.kernel.errors import ConflictError, StoreError
from vagus.store.explaining import explained
from vagus.store.postgresql import explained as explained_by_postgresql


class ServerError(Exception):
    """An error as SQLAlchemy's adapter makes it: with PostgreSQL's code."""

    def __init__(self, sqlstate: str) -> None:
        super().__init__("INSERT INTO secret")
        self.sqlstate = sqlstate


def meaning_of(*statements: str, path: str = ":memory:") -> object:
    connection = sqlite3.connect(path)
    try:
        for statement in statements:
            connection.execute(statement)
    except sqlite3.Error as error:
        return explained(error)
    finally:
        connection.close()
    return None


def test_a_full_database_will_do_again_once_there_is_room() -> None:
    filler = "INSERT INTO secret SELECT hex(randomblob(9999))"
    found = meaning_of("PRAGMA max_page_count = 2", "CREATE TABLE secret (x)", filler)
    assert isinstance(found, StoreError)
    assert found.retryable
    assert str(found) == "the disk is full: make room, and it goes on by itself (SQLITE_FULL)"


def test_what_contradicts_is_a_conflict() -> None:
    found = meaning_of("CREATE TABLE t (secret UNIQUE)", "INSERT INTO t VALUES (1)", "INSERT INTO t VALUES (1)")
    assert isinstance(found, ConflictError)
    assert "secret" not in str(found)


def test_a_file_that_is_no_database_is_named_as_such(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"rubbish" * 1000)
    found = meaning_of("SELECT * FROM sqlite_master", path=str(tmp_path / "x"))
    assert isinstance(found, StoreError)
    assert not found.retryable
    assert "vagus import" in str(found)


def test_a_wrong_statement_is_not_repeated() -> None:
    found = meaning_of("SELECT secret FROM nowhere")
    assert isinstance(found, StoreError)
    assert not found.retryable
    assert "secret" not in str(found)


@pytest.mark.parametrize("error", [ValueError("x"), sqlite3.ProgrammingError("x"), OSError("x")])
def test_what_is_none_of_the_databases_stays_as_it_is(error: Exception) -> None:
    assert explained(error) is None


@pytest.mark.parametrize(
    ("states", "retryable"),
    [("53100 08006 57P01 40001 25006 57014", True), ("28P01 3D000 42601 XX001", False)],
)
def test_codes_of_postgresql_say_whether_to_try_again(states: str, retryable: bool) -> None:
    for state in states.split():
        found = explained_by_postgresql(ServerError(state))
        assert isinstance(found, StoreError)
        assert found.retryable is retryable
        assert state in str(found)
        assert "secret" not in str(found)


def test_a_conflict_of_postgresql_is_one() -> None:
    assert isinstance(explained_by_postgresql(ServerError("23505")), ConflictError)


@pytest.mark.parametrize("error", [ConnectionRefusedError(111, "no route to 10.0.0.7"), TimeoutError(), OSError()])
def test_a_server_that_is_not_there_will_be_asked_again(error: Exception) -> None:
    found = explained_by_postgresql(error)
    assert isinstance(found, StoreError)
    assert found.retryable
    assert "10.0.0.7" not in str(found)
