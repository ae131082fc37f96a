"""PostgreSQL: a server of its own, which several nodes share.

The address is libpq's and is read by asyncpg itself, so that ``sslmode``, sockets and several hosts work as people
know them, and the password is in nobody else's hands. A connection is tried before it is used, so that the first
transaction after a restart of the server finds a new one, and so does the first after a cut of which nobody was told:
one that does not answer at once is given up, with all that were made before. Statements have a time limit on both
sides, since a server that is cut off says nothing.
"""

import asyncio
import errno
import os
import socket
import ssl
from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, Final

import asyncpg  # type: ignore[import-untyped]  # it has annotations, but no py.typed
from sqlalchemy import event, text
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from vagus.kernel.errors import ConflictError, StoreError, VagusError

from .engine import Engines, SqlStore

CONNECTIONS: Final = 10
CONNECT_S: Final = 5.0
POOL_S: Final = 10.0
TRIAL_S: Final = 2.0
"""How long a connection that rested may take to show that it is still there."""
STATEMENT_S: Final = 30.0
GOODBYE_S: Final = 0.5
"""How long a connection may take to be closed in order. A server that is cut off takes for ever, for each."""
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


class _Connection(asyncpg.Connection):  # type: ignore[misc]  # it has no types
    """One that is closed soon, in order or not."""

    async def close(self, *, timeout: float | None = None) -> None:  # noqa: ASYNC109  # as in asyncpg
        try:
            await super().close(timeout=GOODBYE_S)
        except (OSError, asyncpg.InterfaceError, asyncpg.PostgresError):
            self.terminate()


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
            pool_use_lifo=True,  # those at the bottom may be cut off meanwhile, and nobody waits to find out
            hide_parameters=True,
        )
        event.listen(shared.sync_engine, "checkout", _try)
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
                self._url,
                timeout=CONNECT_S,
                command_timeout=command_s,
                server_settings=settings,
                connection_class=_Connection,
            )
        except ssl.SSLError:  # some are a ValueError too
            raise
        except (ValueError, OverflowError, asyncpg.InterfaceError) as error:
            # Their texts repeat parts of the address.
            is_blind = "sslmode=verify" in self._url and "sslrootcert" not in self._url
            hint = ": sslmode asks for a certificate to be verified, so sslrootcert is needed too" if is_blind else ""
            raise StoreError(f"PostgreSQL: store.url cannot be understood{hint}", retryable=False) from error

    async def take_turn(self, connection: AsyncConnection, name: str) -> None:
        await connection.execute(
            text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": f"vagus {name}"}
        )

    def explain(self, error: BaseException) -> VagusError | None:
        return explained(error)


def _try(connection: Any, record: Any, _proxy: object) -> None:
    """Give up a connection that rested and is gone, with all others of before.

    SQLAlchemy's own trial has no time limit but that of statements, and one by one for each connection.
    """
    if record.info.setdefault("rested", False) and not connection.run_async(_is_there):
        raise InvalidatePoolError
    record.info["rested"] = True


async def _is_there(connection: Any) -> bool:
    try:
        await connection.execute("SELECT 1", timeout=TRIAL_S)
    except (OSError, asyncpg.InterfaceError, asyncpg.PostgresError):  # TimeoutError is an OSError
        connection.terminate()  # to say goodbye would take as long again
        return False
    return True


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
        return _unreachable(error)
    return None


def _unreachable(error: OSError) -> StoreError:
    """Most texts of the system's errors have the address in them, so the number says it."""
    match error:
        case ssl.SSLCertVerificationError():
            said = f"its certificate is not believed: {error.verify_message}"
            return StoreError(f"PostgreSQL: {said}: see sslmode and sslrootcert of store.url", retryable=False)
        case ssl.SSLError():
            said = f"no TLS with it ({error.reason})"
            return StoreError(f"PostgreSQL: {said}: see sslmode and the certificates of store.url", retryable=True)
        case socket.gaierror():
            reason, hint = f" ({error.strerror})", "is the name in store.url right?"
        case FileNotFoundError():
            reason, hint = (
                f" ({os.strerror(errno.ENOENT)})",
                "is it running, and are the files that store.url names there?",
            )
        case ConnectionError(errno=None):  # asyncpg's own
            reason, hint = "", "is it running, and does it speak TLS if store.url wants that?"
        case _:
            reason, hint = f" ({os.strerror(error.errno)})" if error.errno else "", "is it running?"
    return StoreError(f"PostgreSQL cannot be reached{reason}: {hint}", retryable=True)
