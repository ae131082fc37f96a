"""PostgreSQL: a server of its own, which several nodes share.

The address is libpq's and is read by asyncpg itself, so that ``sslmode``, sockets and several hosts work as people
know them, and the password is in nobody else's hands. A connection is tried before it is used, so that the first
transaction after a restart of the server finds a new one. Statements have a time limit on both sides, since a server
that is cut off says nothing.
"""

import asyncio
import os
from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, Final

import asyncpg  # type: ignore[import-untyped]  # it has annotations, but no py.typed
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from vagus.kernel.errors import ConflictError, StoreError, VagusError

from .engine import Engines, SqlStore

CONNECTIONS: Final = 10
CONNECT_S: Final = 5.0
POOL_S: Final = 10.0
STATEMENT_S: Final = 30.0
SILENCE_S: Final = STATEMENT_S + 5
"""How long we wait for a server that should have ended the statement itself."""

_PATIENT: Final = {"application_name": "vagus"}
_HURRIED: Final = _PATIENT | {
    "statement_timeout": f"{STATEMENT_S:.0f}s",
    "idle_in_transaction_session_timeout": "60s",
}

_BY_STATE: Final = {
    "53100": ("its disk is full: make room, and it goes on by itself", True),
    "53300": ("it has no connection left: raise its max_connections", True),
    "55P03": ("another transaction holds what is needed: try again", True),
    "57014": (f"a statement took longer than {STATEMENT_S:.0f} seconds", True),
    "25006": ("it is read-only: is it a standby?", True),
    "3D000": ("it has no database of that name: make it, or see store.url", False),
    "42501": ("the user of store.url may not do this: see its rights", False),
}
_BY_CLASS: Final = {
    "08": ("the connection was lost", True),
    "28": ("the user or the password of store.url is refused", False),
    "40": ("transactions got into each other's way: try again", True),
    "53": ("it has not enough of something: see its log", True),
    "57": ("it is starting, stopping or was stopped", True),
    "58": ("its disk cannot be read or written: see its log", True),
    "XX": ("it found its data damaged: see its log", False),
}


def postgresql_store(url: str) -> SqlStore:
    """A store in the database at this address."""
    return SqlStore(PostgresqlDatabase(url))


class PostgresqlDatabase:
    """See ``Database``. The url is never shown: it may hold a password."""

    reading: Mapping[str, Any] = MappingProxyType({"isolation_level": "REPEATABLE READ", "postgresql_readonly": True})

    def __init__(self, url: str) -> None:
        self._url = url

    async def open(self) -> Engines:
        return await asyncio.to_thread(self._make)

    def _make(self) -> Engines:
        shared = create_async_engine(
            "postgresql+asyncpg://",
            async_creator=partial(self._connect, _HURRIED, SILENCE_S),
            pool_size=CONNECTIONS,
            max_overflow=0,
            pool_timeout=POOL_S,
            pool_pre_ping=True,
            hide_parameters=True,
        )
        patient = create_async_engine(
            "postgresql+asyncpg://",
            async_creator=partial(self._connect, _PATIENT, None),
            poolclass=NullPool,
            hide_parameters=True,
        )
        return Engines(reader=shared, patient=patient, writer=shared)

    async def _connect(self, settings: dict[str, str], command_s: float | None) -> Any:
        try:
            return await asyncpg.connect(
                self._url, timeout=CONNECT_S, command_timeout=command_s, server_settings=settings
            )
        except (ValueError, asyncpg.InterfaceError) as error:
            # Their texts repeat parts of the address.
            raise StoreError("PostgreSQL: store.url cannot be understood", retryable=False) from error

    async def take_turn(self, connection: AsyncConnection, name: str) -> None:
        await connection.execute(
            text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": f"vagus {name}"}
        )

    def explain(self, error: BaseException) -> VagusError | None:
        return explained(error)


def explained(error: BaseException) -> VagusError | None:
    """What an error of asyncpg, or of SQLAlchemy's adapter for it, means; ``None`` for any other."""
    state = getattr(error, "sqlstate", None)
    if isinstance(state, str):
        if state.startswith("23"):
            return ConflictError("what was to be stored contradicts what is there already")
        found = _BY_STATE.get(state) or _BY_CLASS.get(state[:2]) or ("it refuses a statement", False)
        return StoreError(f"PostgreSQL: {found[0]} ({state})", retryable=found[1])
    if isinstance(error, TimeoutError):
        return StoreError("PostgreSQL does not answer: is it running, and is store.url right?", retryable=True)
    if isinstance(error, OSError):
        reason = f" ({os.strerror(error.errno)})" if error.errno else ""  # its own text has the address
        return StoreError(f"PostgreSQL cannot be reached{reason}: is it running?", retryable=True)
    return None
