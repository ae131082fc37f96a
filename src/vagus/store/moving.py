"""All rows as lines of JSON, to move from one kind of database to another: out of SQLite when it gets too small.

The first line says which schema it is. Reading sees one state; writing is one transaction into an empty database of the
same schema. Which tables there are is looked up, so nobody's are forgotten.
"""

import asyncio
import base64
from collections.abc import AsyncIterator
from itertools import groupby, islice
from typing import Any, BinaryIO, Final

import msgspec
from sqlalchemy import Connection, MetaData, Table, func, select
from sqlalchemy import text as sql
from sqlalchemy.exc import StatementError
from sqlalchemy.ext.asyncio import AsyncConnection

from vagus.kernel.errors import ConflictError, StoreError
from vagus.version import VERSION

from . import Store
from .schema import VERSION_TABLE
from .tables import nodes

BATCH: Final = 500
"""Rows read and written at a time."""

_LEFT_OUT: Final = {VERSION_TABLE, nodes.name}
_CUT: Final = "the export is damaged or cut short: nothing was imported"


class Head(msgspec.Struct, frozen=True):
    """The first line. ``rows`` are how many each table has, so that nothing is missed at the end."""

    vagus: str
    schema: str
    rows: dict[str, int]


class Line(msgspec.Struct, frozen=True):
    """Every other one: a row of a table."""

    table: str
    row: dict[str, Any]


async def lines_of(store: Store) -> AsyncIterator[bytes]:
    """Everything in the store, a line at a time."""
    schema = await store.schema()
    if schema.is_due:
        raise StoreError("the database has an older schema: vagus migrate brings it up to date", retryable=False)
    async with store.reading() as transaction:
        tables = await transaction.run_sync(_tables)
        rows = {str(table.name): await _size(transaction, table) for table in tables}
        yield msgspec.json.encode(Head(VERSION, schema.present, rows)) + b"\n"
        for table in tables:
            names = [str(column.name) for column in table.columns]  # a kind of text of SQLAlchemy's own
            async with transaction.stream(select(table)) as found:
                async for row in found:
                    yield msgspec.json.encode(Line(str(table.name), dict(zip(names, row, strict=True)))) + b"\n"


async def write_lines(store: Store, out: BinaryIO) -> None:
    """Write everything into a file."""
    lines = []
    async for line in lines_of(store):
        lines.append(line)
        if len(lines) == BATCH:
            await asyncio.to_thread(out.writelines, lines)
            lines = []
    await asyncio.to_thread(out.writelines, lines)


async def read_lines(store: Store, source: BinaryIO) -> int:
    """Put everything from a file into a store whose tables are empty, or nothing. Returns how many rows there were.

    Raises ``StoreError`` for lines of another schema or of no export, ``ConflictError`` if there is anything already.
    """
    head = await asyncio.to_thread(_head, source)
    needed = (await store.schema()).needed
    if head.schema != needed:
        meaning = f"the export has schema {head.schema}, and this version of Vagus {needed}"
        raise StoreError(f"{meaning}: export and import with the same version", retryable=False)
    async with store.begin(alone="import") as transaction:
        tables = {table.name: table for table in await transaction.run_sync(_tables)}
        for table in tables.values():
            if await _size(transaction, table):
                raise ConflictError(f"the database is not empty ({table.name}): nothing was imported")
        while lines := await asyncio.to_thread(_lines, source):
            for name, group in groupby(lines, key=lambda line: line.table):
                if name not in tables:
                    raise StoreError(f"the export has a table that is unknown here ({name})", retryable=False)
                rows = [_values(tables[name], line.row) for line in group]
                try:
                    await transaction.execute(tables[name].insert(), rows)
                except (StatementError, OverflowError, ConflictError) as error:  # what the table does not take
                    raise StoreError(_CUT, retryable=False) from error
        for table in tables.values():
            if await _size(transaction, table) != head.rows.get(table.name, 0):
                raise StoreError(_CUT, retryable=False)
            await _count_on(transaction, table)
    return sum(head.rows.values())


def _head(source: BinaryIO) -> Head:
    try:
        return msgspec.json.decode(source.readline(), type=Head)
    except msgspec.DecodeError:
        text = "this is neither a copy of a database nor an export as lines"
        raise StoreError(text, retryable=False) from None


def _lines(source: BinaryIO) -> list[Line]:
    try:
        return [msgspec.json.decode(line, type=Line) for line in islice(source, BATCH)]
    except msgspec.DecodeError:
        raise StoreError(_CUT, retryable=False) from None


async def _size(transaction: AsyncConnection, table: Table) -> int:
    return (await transaction.execute(select(func.count()).select_from(table))).scalar_one()


def _tables(connection: Connection) -> list[Table]:
    """Ours, those that others refer to first."""
    metadata = MetaData()
    metadata.reflect(connection, only=lambda name, _: name.startswith("vagus_") and name not in _LEFT_OUT)
    return metadata.sorted_tables


def _values(table: Table, row: dict[str, Any]) -> dict[str, Any]:
    """JSON has no bytes: they are base64 there."""
    try:
        columns = {name: table.c[name] for name in row}
        return {
            name: base64.b64decode(value) if value is not None and columns[name].type.python_type is bytes else value
            for name, value in row.items()
        }
    except (KeyError, ValueError, TypeError):
        raise StoreError(_CUT, retryable=False) from None


async def _count_on(transaction: AsyncConnection, table: Table) -> None:
    """Have PostgreSQL number the next row after those that were imported; SQLite does by itself."""
    if transaction.dialect.name != "postgresql":
        return
    for column in table.primary_key:
        if column.type.python_type is int:
            find = sql("SELECT pg_get_serial_sequence(:table, :column)")
            sequence = await transaction.scalar(find, {"table": table.name, "column": column.name})
            highest = await transaction.scalar(select(func.max(column)))
            if sequence is not None and highest is not None:
                await transaction.execute(select(func.setval(sequence, highest)))
