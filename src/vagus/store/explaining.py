"""What SQLite's errors mean, and what helps. Its own texts may hold statements, so they are not passed on."""

import sqlite3
from typing import Final

from vagus.kernel.errors import ConflictError, StoreError, VagusError

_EXPLANATIONS: Final = {
    sqlite3.SQLITE_FULL: ("the disk is full: make room, and it goes on by itself", True),
    sqlite3.SQLITE_READONLY: ("the database or its disk is read-only: see to its rights and its mount", True),
    sqlite3.SQLITE_PERM: ("this user may not open the database", False),
    sqlite3.SQLITE_BUSY: ("another process is writing to the database for long: try again", True),
    sqlite3.SQLITE_LOCKED: ("another transaction holds the database: try again", True),
    sqlite3.SQLITE_IOERR: ("the disk cannot be read or written: see the system's log, and whether it is full", True),
    sqlite3.SQLITE_CANTOPEN: ("the database cannot be opened: see to its folder and its rights", True),
    sqlite3.SQLITE_CORRUPT: ("the database is damaged: stop, and restore a backup with vagus import", False),
    sqlite3.SQLITE_NOTADB: ("this is no SQLite database: see store.url, or restore a backup with vagus import", False),
    sqlite3.SQLITE_NOMEM: ("there is no memory left", True),
    sqlite3.SQLITE_INTERRUPT: ("the database was closed meanwhile", True),
}


def explained(error: BaseException) -> VagusError | None:
    """What an error of SQLite means; ``None`` for any other."""
    if not isinstance(error, sqlite3.Error):
        return None
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        return None  # the module refuses a call: a mistake of ours
    if code & 0xFF == sqlite3.SQLITE_CONSTRAINT:
        return ConflictError("what was to be stored contradicts what is there already")
    text, retryable = _EXPLANATIONS.get(code & 0xFF, ("the database refuses a statement", False))
    return StoreError(f"{text} ({error.sqlite_errorname})", retryable=retryable)
