"""Values that a query gives, of SQLite or PostgreSQL: one row, whose columns they are, or rows of a name and a value.

The drivers are used as they are, and not through SQLAlchemy, since what matters differs between them: SQLite reads
under an authorizer that allows nothing else, in a thread, and is interrupted; ``postgresql`` is asked in a transaction
that cannot write, through a cursor, so that a million rows are not fetched to be refused.
"""

import contextlib
import sqlite3
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import quote

from vagus.apps.fusion.threads import Threads
from vagus.apps.fusion.values import Reading, Terms

from . import SourceError
from .fence import Fence

ROWS: Final = 1000
MAX_BYTES: Final = 16 * 1024 * 1024
"""What the rows, and with SQLite any value on the way to them, may hold."""
_STEPS: Final = 10_000
"""Instructions of SQLite between two looks at the clock."""


class Rows(Protocol):
    """A query to a database."""

    async def fetch(self, timeout_s: float) -> tuple[Sequence[str], Sequence[Sequence[object]]]:
        """Names of columns, and rows as ``Catch`` takes them. Raises ``SourceError``."""
        ...

    async def close(self) -> None: ...


class Catch:
    """The rows of a query, taken one by one."""

    def __init__(self) -> None:
        self.rows: list[tuple[object, ...]] = []
        self._bytes = 0

    def takes(self, row: Sequence[object]) -> bool:
        """Keep a row; whether another may come. Raises ``SourceError`` where they hold too much."""
        self.rows.append(tuple(row))
        self._bytes += sum(len(value) for value in row if isinstance(value, str | bytes))
        if self._bytes > MAX_BYTES:
            raise SourceError(f"the query gives more than {MAX_BYTES:,} bytes: select what is shown")
        return len(self.rows) <= ROWS


class Sql:
    """See ``Source``."""

    def __init__(self, terms: Terms, rows: Rows) -> None:
        self.terms = terms
        self._rows = rows

    async def collect(self) -> Reading:
        columns, rows = await self._rows.fetch(self.terms.timeout_s)
        return Reading(values_of(self.terms, columns, rows))

    async def close(self) -> None:
        await self._rows.close()


def values_of(terms: Terms, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> dict[str, object]:
    """Values by name. A lone field takes the first column of a lone row, whatever that is called."""
    if not rows:
        raise SourceError("the query gives no row")
    if len(rows) > ROWS:
        raise SourceError(f"the query gives more than {ROWS:,} rows: let the database count and sum")
    wanted = [field.name for field in terms.fields]
    if len(rows) == 1 and (len(wanted) == 1 and wanted[0] not in columns):
        return {wanted[0]: rows[0][0]}
    if len(rows) == 1 and set(wanted) & set(columns):
        return dict(zip(columns, rows[0], strict=True))
    if len(columns) == 2:
        return {str(name): value for name, value in rows}
    raise SourceError(
        f"the query gives {len(rows)} rows of {len(columns)} columns: "
        "one row is wanted whose columns are the fields, or rows of a name and a value"
    )


class SqliteRows:
    """See ``Rows``. The file is opened for each query, so that it may be replaced meanwhile."""

    def __init__(self, path: Path, query: str, threads: Threads, fence: Fence | None = None) -> None:
        self._path = path
        self._query = query
        self._threads = threads
        self._fence = fence

    async def fetch(self, timeout_s: float) -> tuple[Sequence[str], Sequence[Sequence[object]]]:
        work = partial(self._fetch, time.monotonic() + timeout_s)
        return await self._threads.run(f"sqlite {self._path}", work)

    async def close(self) -> None:
        pass

    def _fetch(self, give_up_at: float) -> tuple[Sequence[str], Sequence[Sequence[object]]]:
        if self._fence is not None:
            self._fence.check_target(self._path)
        try:
            uri = f"file:{quote(str(self._path))}?mode=ro"
            with contextlib.closing(sqlite3.connect(uri, uri=True, timeout=1)) as connection:
                connection.set_authorizer(_reads_only)
                connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_BYTES)
                connection.set_progress_handler(lambda: time.monotonic() > give_up_at, _STEPS)
                cursor = connection.execute(self._query)
                catch = Catch()
                while (row := cursor.fetchone()) is not None and catch.takes(row):
                    pass
                return [column[0] for column in cursor.description or ()], catch.rows
        except (sqlite3.Error, sqlite3.Warning) as error:
            raise SourceError(f"{self._path}: {_SQLITE.get(str(error), str(error))}") from None


_SQLITE: Final = {
    "interrupted": "the query took too long",
    "not authorized": "the query does more than read",
    "unable to open database file": "there is no database, or it may not be read",
    "database is locked": "the database is locked by a writer",
    "string or blob too big": f"a value, or a row that is read, has more than {MAX_BYTES:,} bytes",
}

_READING: Final = frozenset(
    {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}
)


def _reads_only(action: int, first: str | None, second: str | None, *_: object) -> int:
    if action == sqlite3.SQLITE_FUNCTION and (second or first or "").lower() == "load_extension":
        return sqlite3.SQLITE_DENY
    return sqlite3.SQLITE_OK if action in _READING else sqlite3.SQLITE_DENY
