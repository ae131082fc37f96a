"""Copies of a SQLite database: taken while it is in use, proven whole, and put back when nobody uses it.

A copy appears under its name only when it is complete, checked and on the disk. Putting one back is a transaction of
the database whose content it replaces: killed in the middle, the old content is there. None of this loads SQLAlchemy.
"""

import contextlib
import os
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from vagus.kernel.errors import StoreError

from .explaining import explained
from .schema import VERSION_TABLE, Schema, known

PAGES: Final = 1024
"""Pages of a step, between which progress is told: 4 MiB."""

BUSY_S: Final = 5.0

_ENDINGS: Final = ("", "-wal", "-shm", "-journal")
"""Of the names of a database's files."""

Progress = Callable[[int, int], None]
"""Told how many pages are done, of how many."""


def export(database: Path, copy: Path, *, replace: bool, progress: Progress) -> Schema:
    """Copy a database that others may be writing to: all of it as it is at one moment. Returns its schema.

    Raises ``StoreError``, and ``FileExistsError`` if the copy is there and may not be replaced.
    """
    check_target(copy, database, replace=replace)
    if not database.is_file():
        raise StoreError(f"there is no database at {database}", retryable=False)
    with temporary_beside(copy) as unfinished:
        with _opened(database) as source, _opened(unfinished) as target:
            source.execute("BEGIN")
            source.execute("SELECT count(*) FROM sqlite_master").fetchone()  # from here on we see this one state
            source.backup(target, pages=PAGES, progress=_steps(progress))
            target.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it
        schema = verify(unfinished)
        keep(unfinished, copy)
    return schema


def check_target(file: Path, database: Path | None, *, replace: bool) -> None:
    """Raises ``FileExistsError`` if the file is there and may not be replaced; ``StoreError`` for one that never may,

    which are devices, pipes, the database itself and the files beside it.
    """
    if database is not None:
        _check_other(file, database)
    if file.exists() and not replace:
        raise FileExistsError(file)
    if file.exists() and not file.is_file():
        raise StoreError(f"{file} is no ordinary file, and cannot be replaced by one", retryable=False)


def _check_other(file: Path, database: Path) -> None:
    for own in (Path(f"{database}{ending}") for ending in _ENDINGS):
        if file.resolve() == own.resolve() or (file.exists() and own.exists() and file.samefile(own)):
            raise StoreError(f"{file} is the store itself: name another file", retryable=False)


def verify(file: Path) -> Schema:
    """Read all of a database and say which schema it has. Raises ``StoreError`` unless it is whole and known."""
    try:
        with _opened(file) as connection:
            if connection.execute("PRAGMA integrity_check(1)").fetchone()[0] != "ok":
                raise StoreError("it is damaged: another copy is needed", retryable=False)
            has_version = "SELECT count(*) FROM sqlite_master WHERE name = ?"
            if not connection.execute(has_version, (VERSION_TABLE,)).fetchone()[0]:
                raise StoreError("it is not a database of Vagus", retryable=False)
            return known(connection.execute(f"SELECT version_num FROM {VERSION_TABLE}").fetchone()[0])
    except StoreError as error:
        text = "it is damaged: another copy is needed" if _is_damage(error) else str(error)
        raise StoreError(f"{file}: {text}", retryable=False) from error


def restore(file: Path, database: Path, *, aside: Path, progress: Progress) -> Schema:
    """Replace the content of the database by a copy, whose schema is returned. What was there is in ``aside`` then.

    Raises ``StoreError``, also while anybody has the database open; nothing has happened then.
    """
    _check_other(file, database)
    schema = verify(file)
    database.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if database.exists() and not _is_readable(database):
        _move_aside(database, aside)
    os.close(os.open(database, os.O_RDWR | os.O_CREAT, 0o600))
    is_new = not database.stat().st_size
    with _opened(file) as source, _opened(database) as target:
        _take_over(target)
        if not is_new:
            _copy_aside(target, aside)
        source.backup(target, pages=PAGES, progress=_steps(progress))
    return schema


def _take_over(database: sqlite3.Connection) -> None:
    """Have the database to oneself until the connection is closed, with all that was in its log."""
    try:
        database.execute("PRAGMA locking_mode = EXCLUSIVE")
        database.execute("PRAGMA journal_mode = DELETE")
        database.execute("BEGIN EXCLUSIVE")
        database.execute("COMMIT")  # the lock stays
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            text = "a server or a command has the database open: stop it first"
            raise StoreError(text, retryable=True) from error
        raise


def _is_readable(database: Path) -> bool:
    """Whether SQLite takes the file for a database at all; its pages may still be damaged."""
    try:
        with _opened(database) as connection:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except StoreError as error:
        if _is_damage(error):
            return False
        raise
    return True


def _is_damage(error: StoreError) -> bool:
    """Whether SQLite said that the file is none of its databases, or no longer."""
    code: int = getattr(error.__cause__, "sqlite_errorcode", 0) & 0xFF
    return code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _move_aside(database: Path, aside: Path) -> None:
    for ending in _ENDINGS:
        with contextlib.suppress(FileNotFoundError):
            os.rename(f"{database}{ending}", f"{aside}{ending}")


def _copy_aside(database: sqlite3.Connection, aside: Path) -> None:
    with temporary_beside(aside) as unfinished:
        with _opened(unfinished) as target:
            database.backup(target)
        keep(unfinished, aside)


def _steps(progress: Progress) -> Callable[[int, int, int], None]:
    return lambda _status, remaining, total: progress(total - remaining, total)


@contextlib.contextmanager
def _opened(file: Path, mode: str = "rw") -> Iterator[sqlite3.Connection]:
    """A connection without transactions of its own. SQLite's errors become ``StoreError``."""
    try:
        connection = sqlite3.connect(f"{file.absolute().as_uri()}?mode={mode}", uri=True, timeout=BUSY_S)
        connection.isolation_level = None
        try:
            yield connection
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise (explained(error) or StoreError(str(error), retryable=False)) from error


@contextlib.contextmanager
def temporary_beside(file: Path) -> Iterator[Path]:
    """A file of this user alone in the same folder, gone afterwards unless it was renamed."""
    descriptor, name = tempfile.mkstemp(dir=file.absolute().parent, prefix=f".{file.name}.")
    os.close(descriptor)
    try:
        yield Path(name)
    finally:
        for leftover in (name, f"{name}-journal"):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(leftover)


def keep(unfinished: Path, file: Path) -> None:
    """Give it its name once it is on the disk."""
    _sync(unfinished, os.O_RDWR)
    os.replace(unfinished, file)
    if sys.platform != "win32":  # folders cannot be opened there
        _sync(file.absolute().parent, os.O_RDONLY)


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
