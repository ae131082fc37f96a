"""Rows of PostgreSQL for the source ``sql``. Imported when there is such a source, since its driver takes its time."""

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit

import asyncpg  # type: ignore[import-untyped]  # it has annotations, but no py.typed

from . import SourceError
from .sql import Catch


class PostgresqlRows:
    """See ``Rows``. One connection is kept; the address is never shown, since it may hold a password.

    One that ``is_fenced`` has that password or none: those in the environment and in the files of the server's user,
    which the driver would look for, are not for whoever may name a host.
    """

    def __init__(self, url: str, query: str, *, is_fenced: bool = False) -> None:
        self._url = url
        self._query = query
        self._login = {"password": ""} if is_fenced and not has_password(url) else {}
        self._connection: Any = None

    async def fetch(self, timeout_s: float) -> tuple[Sequence[str], Sequence[Sequence[object]]]:
        connection, self._connection = self._connection, None
        try:
            if connection is None or connection.is_closed():
                connection = await self._connect(timeout_s)
            async with connection.transaction(readonly=True):
                statement = await connection.prepare(self._query)
                catch = Catch()
                async for row in statement.cursor():
                    if not catch.takes(row):
                        break
            columns = [attribute.name for attribute in statement.get_attributes()]
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError, ValueError) as error:
            raise SourceError(f"PostgreSQL: {_said(error)}") from None
        else:
            self._connection = connection
            return columns, catch.rows
        finally:
            if self._connection is None and connection is not None:
                connection.terminate()

    async def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError):
                async with asyncio.timeout(1):
                    await connection.close()

    async def _connect(self, timeout_s: float) -> Any:
        settings = {
            "application_name": "vagus fusion",
            "default_transaction_read_only": "on",
            "statement_timeout": f"{timeout_s * 1000:.0f}",
        }
        return await asyncpg.connect(self._url, timeout=timeout_s, server_settings=settings, **self._login)


def has_password(url: str) -> bool:
    parts = urlsplit(url)
    return bool(parts.password) or "password" in parse_qs(parts.query)


def _said(error: BaseException) -> str:
    state = getattr(error, "sqlstate", None)
    if isinstance(error, asyncpg.PostgresError) and state:
        if state == "57014":
            return "the query took too long"
        if state == "25006":
            return "the query does more than read"
        return f"{str(error).splitlines()[0][:300]} ({state})"
    if isinstance(error, OSError | TimeoutError):
        return "does not answer: is it running, and is the address right?"
    return "the address cannot be understood, or the connection was lost"
