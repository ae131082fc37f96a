"""SQLite: one file, one writer at a time, and readers whom nobody disturbs.

The journal is a write-ahead log: readers go on with the state that they began with while one connection writes. A write
begins with ``BEGIN IMMEDIATE``, so that it waits for other processes at its beginning and never fails half way because
somebody else wrote meanwhile. ``synchronous`` is FULL, which waits for the disk once a transaction: NORMAL would lose
the last transactions in a power failure, and an audit trail may not.
"""

import asyncio
import contextlib
import errno
import os
import sqlite3
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import event
from sqlalchemy.engine import URL, Connection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from vagus.kernel.errors import StoreError, VagusError

from .engine import Engines, SqlStore
from .explaining import explained

BUSY_S: Final = 5.0
"""How long a transaction waits for others: those of this process before it, and those of other processes."""

READERS: Final = 4

LOG_BYTES: Final = 64 * 1024 * 1024
"""What the write-ahead log is cut back to after a large transaction."""


def sqlite_store(path: Path) -> SqlStore:
    """A store in this file, which is made, with its folder, when it is opened."""
    return SqlStore(SqliteDatabase(path))


class _Connection(sqlite3.Connection):
    """One that gives its locks back when it is closed.

    SQLite itself does so only once every cursor is gone, and a task that was cancelled within a transaction leaves one
    behind until the garbage collector comes by: until then nobody else could write.
    """

    def close(self) -> None:
        try:
            if self.in_transaction:
                self.rollback()
        except sqlite3.ProgrammingError:
            pass  # closed already
        finally:
            super().close()


class SqliteDatabase:
    """See ``Database``."""

    reading: Mapping[str, Any] = MappingProxyType({})

    def __init__(self, path: Path) -> None:
        self._path = path

    async def open(self) -> Engines:
        try:
            return await asyncio.to_thread(self._make)
        except OSError as error:
            text = f"{self._path} cannot be made or opened: {error.strerror or error}"
            raise StoreError(text, retryable=False) from error

    def _make(self) -> Engines:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._make_file()
        writer = self._engine(1, "BEGIN IMMEDIATE", "PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL")
        reader = self._engine(READERS, "BEGIN", "PRAGMA query_only = ON")
        return Engines(reader, patient=writer, writer=writer)

    def _make_file(self) -> None:
        """Make the file if there is none, for this user alone; SQLite gives the log beside it the same rights.

        One that is there is not opened. To close it again would drop the locks by which other processes know that this
        one has it open, if it has: the last of them to leave would then take the log away from under this one.
        """
        with contextlib.suppress(FileExistsError):
            os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        if not os.access(self._path, os.R_OK | os.W_OK):
            why = errno.EROFS if _is_on_read_only_disk(self._path) else errno.EACCES
            raise OSError(why, os.strerror(why))

    def _engine(self, connections: int, begin: str, *pragmas: str) -> AsyncEngine:
        engine = create_async_engine(
            URL.create("sqlite+aiosqlite", database=str(self._path)),
            connect_args={"timeout": BUSY_S, "factory": _Connection},
            poolclass=AsyncAdaptedQueuePool,
            pool_size=connections,
            max_overflow=0,
            pool_timeout=2 * BUSY_S,
            hide_parameters=True,
        )

        def furnish(connection: Any, _record: object) -> None:
            connection.isolation_level = None  # sqlite3 shall not begin transactions by itself
            cursor = connection.cursor()
            try:
                for pragma in (*pragmas, "PRAGMA foreign_keys = ON", f"PRAGMA journal_size_limit = {LOG_BYTES}"):
                    cursor.execute(pragma)
            except BaseException:
                connection.close()  # the pool does not know it yet
                raise
            cursor.close()

        def start(connection: Connection) -> None:
            connection.exec_driver_sql(begin)

        event.listen(engine.sync_engine, "connect", furnish)
        event.listen(engine.sync_engine, "begin", start)
        return engine

    async def take_turn(self, connection: AsyncConnection, name: str) -> None:
        """There is nothing to wait for: whoever writes is alone."""

    def explain(self, error: BaseException) -> VagusError | None:
        return explained(error)


def _is_on_read_only_disk(path: Path) -> bool:
    if sys.platform == "win32":
        return False
    return bool(os.statvfs(path).f_flag & os.ST_RDONLY)
