"""The store keeps what must outlive the process, in a SQLite file or in PostgreSQL, and works with both in one way.

``Store`` is the contract; ``sqlite`` and ``postgresql`` say how each database is opened and what its errors mean, and
``engine`` makes a store of one. A transaction is SQLAlchemy's ``AsyncConnection``, for statements of SQLAlchemy Core::

    async with store.begin() as transaction:
        await settings.put(transaction, "fusion.interval", b"180", by="user:ada")
        await transaction.execute(audit.insert().values(...))  # happens with it, or neither does

What every store promises:

* what ``begin`` wrote is there for good when its block was left: after ``kill -9``, and after a power failure;
* a transaction happens as a whole or not at all, also when it is cancelled or raises;
* ``reading`` sees one state of the database throughout, and delays no writer;
* nothing here blocks the event loop, and every wait has a deadline;
* what goes wrong in the database is a ``StoreError`` or a ``ConflictError``, raised by the statement or by leaving the
  block. After either the transaction is over: leave the block. Wrong statements raise SQLAlchemy's own errors.

Every table begins with ``vagus_``, so that an application's tables may lie beside them. Whoever owns data declares its
tables (``tables`` here, an app's own module there) and writes its statements; all of them share the one history of
migrations in ``migrations``, because a schema with one number is one thing to check at the start, to refuse and to back
up. A revision spells out what it changes and imports no tables: those go on changing, and it does not. The tests hold
both against each other.
"""

from typing import TYPE_CHECKING, Protocol

from .schema import Schema, Step

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from sqlalchemy.ext.asyncio import AsyncConnection

__all__ = ["Schema", "Step", "Store"]


class Store(Protocol):
    """Usable from ``start`` until ``close``. Everything raises ``StoreError`` for what the database cannot do now."""

    async def start(self) -> tuple[Step, ...]:
        """Open the database, bring its schema up to date, and say what that took. Of several nodes that start together

        one does it.
        """
        ...

    async def open(self) -> None:
        """Open the database as it is. ``start`` does it by itself."""
        ...

    async def close(self) -> None:
        """Let go of the database. Transactions that are under way are cut."""
        ...

    def begin(self, *, alone: str = "") -> "AbstractAsyncContextManager[AsyncConnection]":
        """A transaction that may write. On SQLite one runs at a time. On PostgreSQL many do, and each sees what others

        have committed meanwhile: put a condition into the statement, or give a name with ``alone``; of transactions
        with the same name only one runs at a time, over all nodes.
        """
        ...

    def reading(self) -> "AbstractAsyncContextManager[AsyncConnection]":
        """A transaction that cannot write."""
        ...

    async def check(self) -> None:
        """Raises ``StoreError`` unless something could be written now. Cheap enough to be asked by everybody."""
        ...

    async def schema(self) -> Schema:
        """Which schema the database has. Raises ``StoreError`` if this version of Vagus does not know it."""
        ...

    async def migrate(self) -> tuple[Step, ...]:
        """Bring the schema up to date, and say what was done. All of it happens, or nothing."""
        ...
