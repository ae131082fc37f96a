"""Copies of a database: whole or not there, and put back only where nobody is disturbed."""

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from vagus.kernel.errors import StoreError
from vagus.store.backups import export, restore, verify
from vagus.store.schema import HEAD, VERSION_TABLE

Database = Callable[..., Path]


def silent(_done: int, _total: int) -> None:
    return None


@pytest.fixture
def open_here() -> Iterator[Callable[[Path], sqlite3.Connection]]:
    connections: list[sqlite3.Connection] = []

    def open_one(path: Path) -> sqlite3.Connection:
        connections.append(sqlite3.connect(path, isolation_level=None))
        return connections[-1]

    yield open_one
    for connection in connections:
        connection.close()


@pytest.fixture
def database(tmp_path: Path) -> Database:
    """Make a database with some rows, in the form that the store has it."""

    def make(name: str, rows: int = 3, version: str = HEAD) -> Path:
        path = tmp_path / name
        connection = sqlite3.connect(path, isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"CREATE TABLE {VERSION_TABLE} (version_num TEXT)")
        connection.execute(f"INSERT INTO {VERSION_TABLE} VALUES (?)", (version,))
        connection.execute("CREATE TABLE t (x)")
        connection.execute("BEGIN")
        connection.executemany("INSERT INTO t VALUES (?)", ((f"{number:0500}",) for number in range(rows)))
        connection.execute("COMMIT")
        connection.close()
        return path

    return make


def count(path: Path) -> int:
    connection = sqlite3.connect(path)
    try:
        found: int = connection.execute("SELECT count(*) FROM t").fetchone()[0]
        return found
    finally:
        connection.close()


def test_a_copy_has_what_was_committed_and_is_one_file_of_its_owner(
    database: Database, open_here: Callable[[Path], sqlite3.Connection], tmp_path: Path
) -> None:
    source, copy = database("a.db"), tmp_path / "copy.db"
    writer = open_here(source)
    writer.execute("INSERT INTO t VALUES ('in the log')")
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("INSERT INTO t VALUES ('not committed')")
    assert export(source, copy, replace=False, progress=silent).present == HEAD
    assert count(copy) == 4
    assert copy.stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in tmp_path.iterdir() if not path.name.startswith("a.db")) == ["copy.db"]


def test_a_copy_tells_of_its_progress(database: Database, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    export(database("a.db", rows=10_000), tmp_path / "copy.db", replace=False, progress=lambda *p: told.append(p))
    assert len(told) > 1
    assert told[-1][0] == told[-1][1]
    assert told == sorted(told)


def test_writers_go_on_while_a_copy_is_made(
    database: Database, open_here: Callable[[Path], sqlite3.Connection], tmp_path: Path
) -> None:
    source, copy = database("a.db", rows=10_000), tmp_path / "copy.db"
    writer = open_here(source)

    def write(_done: int, _total: int) -> None:
        writer.execute("INSERT INTO t VALUES ('meanwhile')")

    export(source, copy, replace=False, progress=write)
    assert count(copy) == 10_000
    assert count(source) > 10_000


def test_a_file_that_is_there_stays_unless_it_may_be_replaced(database: Database, tmp_path: Path) -> None:
    source, copy = database("a.db"), tmp_path / "copy.db"
    copy.write_text("precious")
    with pytest.raises(FileExistsError):
        export(source, copy, replace=False, progress=silent)
    assert copy.read_text() == "precious"
    export(source, copy, replace=True, progress=silent)
    assert count(copy) == 3


def test_a_copy_that_fails_leaves_nothing(database: Database, tmp_path: Path) -> None:
    source, folder = database("a.db", rows=10_000), tmp_path / "copies"
    folder.mkdir()

    def fail(_done: int, _total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export(source, folder / "copy.db", replace=False, progress=fail)
    assert list(folder.iterdir()) == []


def test_a_copy_of_nothing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="there is no database"):
        export(tmp_path / "absent.db", tmp_path / "copy.db", replace=False, progress=silent)
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_database_is_found_out(database: Database, tmp_path: Path) -> None:
    path = database("a.db", rows=10_000)
    content = bytearray(path.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 8192] = b"x" * 8192
    path.write_bytes(content)
    with pytest.raises(StoreError, match="damaged"):
        verify(path)


def test_a_copy_is_put_back_and_what_was_there_is_kept(database: Database, tmp_path: Path) -> None:
    copy, present, aside = database("copy.db", rows=5), database("vagus.db", rows=2), tmp_path / "aside.db"
    assert restore(copy, present, aside=aside, progress=silent).present == HEAD
    assert (count(present), count(aside), count(copy)) == (5, 2, 5)
    assert verify(present).present == HEAD


def test_a_copy_is_put_where_there_was_nothing(database: Database, tmp_path: Path) -> None:
    present, aside = tmp_path / "new" / "vagus.db", tmp_path / "aside.db"
    restore(database("copy.db"), present, aside=aside, progress=silent)
    assert count(present) == 3
    assert present.stat().st_mode & 0o777 == 0o600
    assert not aside.exists()


def test_a_copy_replaces_what_is_no_database_any_more(database: Database, tmp_path: Path) -> None:
    present, aside = tmp_path / "vagus.db", tmp_path / "aside.db"
    present.write_bytes(b"rubbish" * 1000)
    restore(database("copy.db"), present, aside=aside, progress=silent)
    assert count(present) == 3
    assert aside.read_bytes() == b"rubbish" * 1000


def test_nothing_is_put_back_where_a_server_runs(
    database: Database,
    open_here: Callable[[Path], sqlite3.Connection],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("vagus.store.backups.BUSY_S", 0.0)
    present = database("vagus.db", rows=2)
    server = open_here(present)
    server.execute("SELECT * FROM t").fetchall()
    with pytest.raises(StoreError, match="stop it first"):
        restore(database("copy.db", rows=5), present, aside=tmp_path / "aside.db", progress=silent)
    assert server.execute("SELECT count(*) FROM t").fetchone() == (2,)
    assert not (tmp_path / "aside.db").exists()


@pytest.mark.parametrize("version", ["9999", "other"])
def test_a_copy_of_another_schema_is_refused(database: Database, tmp_path: Path, version: str) -> None:
    present = database("vagus.db", rows=2)
    with pytest.raises(StoreError, match=version):
        restore(database("copy.db", version=version), present, aside=tmp_path / "aside.db", progress=silent)
    assert count(present) == 2


def test_a_database_of_somebody_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE t (x)")
    connection.close()
    with pytest.raises(StoreError, match="not a database of Vagus"):
        restore(path, tmp_path / "vagus.db", aside=tmp_path / "aside.db", progress=silent)
    assert not (tmp_path / "vagus.db").exists()
