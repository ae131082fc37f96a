"""The store's own tables. Times are seconds since 1970, JSON is text: both databases keep those exactly as they are."""

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import BigInteger, Column, Double, Index, MetaData, Table, Text

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite
    from sqlalchemy.ext.asyncio import AsyncConnection

METADATA: Final = MetaData()

nodes: Final = Table(
    "vagus_nodes",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("program", Text, nullable=False),
    Column("seen_at", Double, nullable=False),
)
"""Which nodes use the store, with their version of Vagus. Each writes at its start and when it is asked how it is."""

keys: Final = Table(
    "vagus_keys",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("hash", Text, nullable=False, unique=True),
    Column("scopes", Text, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("expires_at", Double),
    Column("revoked_at", Double),
    Column("used_at", Double),
)
"""Service keys. Rows are never removed, so their counts tell whether anything changed. ``used_at`` lags behind what
happens by up to a minute."""

Index(
    "vagus_keys_name",
    keys.c.name,
    unique=True,
    sqlite_where=keys.c.revoked_at.is_(None),
    postgresql_where=keys.c.revoked_at.is_(None),
)

settings: Final = Table(
    "vagus_settings",
    METADATA,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("changed_at", Double, nullable=False),
    Column("changed_by", Text, nullable=False),
)
"""What is set while servers run, such as a pace; what a file sets is not here."""


def upsert(connection: "AsyncConnection", table: Table) -> "sqlite.Insert | postgresql.Insert":
    """An INSERT that knows ON CONFLICT, which both databases spell alike and SQLAlchemy keeps apart."""
    dialects: Any
    from sqlalchemy.dialects import postgresql, sqlite

    dialects = {"sqlite": sqlite, "postgresql": postgresql}
    insert: sqlite.Insert | postgresql.Insert = dialects[connection.dialect.name].insert(table)
    return insert
