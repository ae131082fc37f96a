"""A store of a SQL database: transactions, the schema's number, and how the database is.

What differs between databases is a ``Database``. Errors are translated where they come up, by SQLAlchemy's hook for
them, so that a statement raises what the contract says and nobody sees a driver's.
"""

import asyncio
import contextlib
import time
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, Protocol

from sqlalchemy import delete, event, inspect, select, table
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.sql import column

from vagus.kernel.errors import StoreError, VagusError
from vagus.version import VERSION

from .schema import VERSION_TABLE, Schema, Step, known
from .tables import nodes, upsert

if TYPE_CHECKING:
    from .migrating import Migrations

CHECK_S: Final = 1.0
"""For how long a good answer of ``check`` holds: the question comes from outside, and each answer is a write."""

FORGOTTEN_S: Final = 86_400.0
"""When a node that does not write any more is taken off the list."""

CLOSE_S: Final = 5.0
"""How long closing waits for transactions that are under way."""

_versions: Final = table(VERSION_TABLE, column("version_num"))


class Engines(NamedTuple):
    """SQLAlchemy's engines of an open database; some may be the same one. ``patient`` is for what takes long."""

    reader: AsyncEngine
    patient: AsyncEngine
    writer: AsyncEngine


class Database(Protocol):
    """A kind of database, at one place. ``reading`` are the options of transactions that only read."""

    reading: Mapping[str, Any]

    async def open(self) -> Engines:
        """Make the engines, in a thread, since that loads drivers. Raises ``StoreError`` for a useless place."""
        ...

    async def take_turn(self, connection: AsyncConnection, name: str) -> None:
        """Wait, within a transaction, until no other one has taken a turn with this name."""
        ...

    def explain(self, error: BaseException) -> VagusError | None:
        """What a driver's error means; ``None`` for what is none of the database's."""
        ...


class SqlStore:
    """See ``Store`` for the contract. ``clock`` gives the time in seconds since the epoch."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock
        self._id = uuid.uuid4().hex
        self._engines: Engines | None = None
        self._under_way = 0
        self._idle = asyncio.Event()
        self._checking = asyncio.Lock()
        self._well_until = 0.0

    async def start(self) -> tuple[Step, ...]:
        await self.open()
        try:
            steps = await self.migrate()
            await self.check()
        except BaseException:
            await self.close()
            raise
        return steps

    async def open(self) -> None:
        engines = await self._database.open()
        for engine in set(engines):
            event.listen(engine.sync_engine, "handle_error", self._translate)
        self._engines = engines

    async def close(self) -> None:
        engines, self._engines, self._well_until = self._engines, None, 0.0
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_S):
                while self._under_way:
                    await self._idle.wait()
        for engine in dict.fromkeys(engines or ()):
            await engine.dispose()

    @asynccontextmanager
    async def begin(self, *, alone: str = "") -> AsyncIterator[AsyncConnection]:
        async with self._connected("writer") as connection, connection.begin():
            if alone:
                await self._database.take_turn(connection, alone)
            yield connection

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        async with self._connected("reader") as connection:
            await connection.execution_options(**self._database.reading)
            async with connection.begin():
                yield connection

    async def check(self) -> None:
        async with self._checking:
            now = asyncio.get_running_loop().time()
            if now < self._well_until:
                return
            async with self.begin() as transaction:
                await self._sign(transaction)
            self._well_until = now + CHECK_S

    async def schema(self) -> Schema:
        async with self.reading() as transaction:
            return known(await _present(transaction))

    async def migrate(self) -> tuple[Step, ...]:
        if not (await self.schema()).is_due:
            return ()
        migrations = await asyncio.to_thread(_migrations)
        async with self._connected("patient") as transaction, transaction.begin():
            await self._database.take_turn(transaction, "migration")
            schema = known(await _present(transaction))  # another node may have done it meanwhile
            return await transaction.run_sync(migrations.upgrade, schema.present)

    async def _sign(self, transaction: AsyncConnection) -> None:
        """Put this node on the list, and take those off that have been gone for long."""
        now = self._clock()
        insert = upsert(transaction, nodes).values(id=self._id, program=VERSION, seen_at=now)
        await transaction.execute(insert.on_conflict_do_update(index_elements=["id"], set_={"seen_at": now}))
        await transaction.execute(delete(nodes).where(nodes.c.seen_at < now - FORGOTTEN_S))

    @asynccontextmanager
    async def _connected(self, which: Literal["reader", "patient", "writer"]) -> AsyncIterator[AsyncConnection]:
        engines = self._engines
        if engines is None:
            raise StoreError("the store is closed", retryable=False)
        self._under_way += 1
        try:
            async with AsyncExitStack() as stack:
                connection = await self._connect(getattr(engines, which), stack)
                try:
                    yield connection
                finally:
                    if self._engines is not engines:
                        await connection.invalidate()  # its pool is gone, so nobody would close it
        finally:
            self._under_way -= 1
            if not self._under_way:
                self._idle.set()
                self._idle.clear()

    async def _connect(self, engine: AsyncEngine, stack: AsyncExitStack) -> AsyncConnection:
        try:
            return await stack.enter_async_context(engine.connect())
        except Exception as error:
            explained = self._explain(getattr(error, "orig", None) or error)
            if explained is None:
                raise
            raise explained from error

    def _explain(self, error: BaseException) -> VagusError | None:
        if isinstance(error, VagusError):
            return error
        if isinstance(error, PoolTimeoutError):
            return StoreError("the store is busy: all its connections are in use", retryable=True)
        return self._database.explain(error)

    def _translate(self, context: ExceptionContext) -> BaseException | None:
        original = context.original_exception
        if isinstance(original, OSError):
            context.is_disconnect = True  # a driver raises those only where its connection is gone
        explained = self._explain(original)
        if explained is None and context.is_disconnect and isinstance(original, Exception):
            return StoreError("the connection to the database was lost", retryable=True)
        return explained


async def _present(transaction: AsyncConnection) -> str:
    if not await transaction.run_sync(lambda connection: inspect(connection).has_table(VERSION_TABLE)):
        return ""
    found: str | None = await transaction.scalar(select(_versions.c.version_num))
    return found or ""


def _migrations() -> "Migrations":
    from .migrating import Migrations

    return Migrations()
