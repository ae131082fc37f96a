"""Exports: rows of a tier as CSV or JSON, as a stream of pieces of bytes.

Each piece is read in a transaction of its own, which is over before the piece is handed on: a reader who takes hours
holds neither memory nor an old state of the database. Rows come metric by metric, in the order of time.
"""

import csv
import io
import re
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

import msgspec
from sqlalchemy import Select, bindparam, select

from vagus.apps.fusion.promptness import read_promptly
from vagus.store import Store

from .tiers import RAW, Tier, Window, kept_whole
from .writing import numbers_of, read_marks

Form = Literal["csv", "json"]
Row = tuple[str, str, *tuple[float | None, ...]]
"""Time, metric, and the columns of the tier."""

ROWS: Final = 2_000
"""Rows of a piece: some 100 KB, made in a few milliseconds."""

_EPOCH: Final = datetime.fromtimestamp(0, UTC)
_NAMED: Final = 3
_ODD: Final = re.compile(r"[^A-Za-z0-9_.]")
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""With these a cell begins that a spreadsheet would execute (OWASP, CSV injection)."""


def file_name(metrics: Sequence[str], from_ms: int, to_ms: int, form: Form) -> str:
    """What a file of these rows is called: its metrics and its times, in letters that every system takes."""
    names = "-".join(_ODD.sub("_", metric) for metric in metrics[:_NAMED])
    more = f"-and-{len(metrics) - _NAMED}-more" if len(metrics) > _NAMED else ""
    start, end = (f"{_EPOCH + timedelta(milliseconds=at):%Y-%m-%dT%H%M%SZ}" for at in (from_ms, to_ms))
    return f"{names}{more}_{start}_{end}.{form}"


async def exported(
    store: Store, metrics: Sequence[str], window: Window, tier: Tier | None, form: Form
) -> AsyncIterator[bytes]:
    """The pieces; without a tier, of the finest one that reaches back so far. May raise ``StoreError`` between them."""
    async with read_promptly(store) as transaction:
        numbers = await numbers_of(transaction, metrics)
        tier = tier or kept_whole(window, await read_marks(transaction))
    columns = ("value",) if tier is RAW else ("min", "max", "mean", "count", "last")
    names = ("time", "metric", *columns)
    yield _csv([names]) if form == "csv" else b"["
    is_first = True
    known = {metric: numbers[metric] for metric in metrics if metric in numbers}
    async for rows in _pieces(store, known, window, tier):
        if form == "csv":
            yield _csv(rows)
        else:
            lines = (msgspec.json.encode(dict(zip(names, row, strict=True))) for row in rows)
            yield (b"\n" if is_first else b",\n") + b",\n".join(lines)
        is_first = False
    if form == "json":
        yield b"\n]\n"


async def _pieces(store: Store, known: Mapping[str, int], window: Window, tier: Tier) -> AsyncIterator[list[Row]]:
    statement = _rows(tier)
    for metric, number in known.items():
        start = window.from_ms
        while start < window.to_ms:
            parameters = {"number": number, "start": start, "end": window.to_ms}
            async with read_promptly(store) as transaction:
                found = (await transaction.execute(statement, parameters)).all()
            if found:
                yield [(_time(t), metric, *values) for t, *values in found]
            start = found[-1].at_ms + 1 if len(found) == ROWS else window.to_ms


def _rows(tier: Tier) -> Select[Any]:
    table = tier.table
    columns = (
        (table.c.value,)
        if tier is RAW
        else (table.c.min, table.c.max, table.c.sum / table.c.count, table.c.count, table.c.last)
    )
    return (
        select(table.c.at_ms, *columns)
        .where(
            table.c.series == bindparam("number"), table.c.at_ms >= bindparam("start"), table.c.at_ms < bindparam("end")
        )
        .order_by(table.c.at_ms)
        .limit(ROWS)
    )


def _time(t: int) -> str:
    """ISO 8601 in UTC, which spreadsheets and programs read alike."""
    moment = _EPOCH + timedelta(milliseconds=t)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{t % 1000:03}Z"


def _csv(rows: Iterable[Sequence[object]]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows([_cell(cell) for cell in row] for row in rows)
    return out.getvalue().encode()


def _cell(cell: object) -> object:
    """Numbers as they are; text that a spreadsheet would execute behind an apostrophe."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell
