"""Writing points, and keeping the roll-ups what they would be if they were made from all points at once.

A bucket, which is a minute or an hour of a series, is always made anew from the finer tier and replaces what was there.
So doing it twice does no harm, a crash in between neither, and a point that comes late mends its buckets. ``roll_up``
does that now and then for whatever came since it did it last; ``save`` at once for points from before that.

Functions take the transaction that they belong to, which has taken the turn ``TURN``.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import Select, bindparam, exists, func, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from vagus.store.tables import upsert

from .tables import HOUR_MS, MINUTE_MS, marks, minutes, points, series
from .tiers import END_MS, HOURS, MINUTES, Marks, Tier

_NAMES_AT_A_TIME: Final = 1_000
"""Names in one question: databases have limits for those."""


class Point(NamedTuple):
    """One measurement."""

    at_ms: int
    metric: str
    value: float


class Saved(msgspec.Struct, frozen=True):
    """What became of points. ``late`` ones are from before what is kept whole; there was no room for ``refused`` ones'

    metrics.
    """

    written: int
    late: int
    refused: int


class Span(NamedTuple):
    """A time of a series whose buckets are to be made."""

    series: int
    start: int
    end: int = END_MS


async def save(transaction: AsyncConnection, batch: Iterable[Point], *, max_metrics: int) -> Saved:
    """Write points; of those of one metric at one moment the last one counts."""
    known = await read_marks(transaction)
    wanted = {(point.metric, point.at_ms): point.value for point in batch}
    in_time = {key: value for key, value in wanted.items() if key[1] >= known.raw}
    numbers = await _numbers(transaction, {metric for metric, _ in in_time}, max_metrics)
    rows = [(numbers[metric], at_ms, value) for (metric, at_ms), value in in_time.items() if metric in numbers]
    if rows:
        insert = upsert(transaction, points)
        changes = {"value": insert.excluded["value"]}
        statement = insert.on_conflict_do_update(index_elements=["series", "at_ms"], set_=changes)
        await transaction.execute(statement, [{"series": row[0], "at_ms": row[1], "value": row[2]} for row in rows])
        for tier in (MINUTES, HOURS):
            starts = {(number, t - t % tier.width_ms) for number, t, _ in rows if t < known.rolled}
            await _make(transaction, tier, [Span(number, t, t + tier.width_ms) for number, t in starts])
    return Saved(written=len(rows), late=len(wanted) - len(in_time), refused=len(in_time) - len(rows))


async def roll_up(transaction: AsyncConnection, now_ms: int) -> None:
    """Bring the roll-ups up to date, the minute and the hour that are not over yet included."""
    rolled = (await read_marks(transaction)).rolled
    since_minute, since_hour = rolled - rolled % MINUTE_MS, rolled - rolled % HOUR_MS
    touched = select(series.c.id).where(exists().where(points.c.series == series.c.id, points.c.at_ms >= since_minute))
    numbers = (await transaction.execute(touched)).scalars().all()
    await _make(transaction, MINUTES, [Span(number, since_minute) for number in numbers])
    await _make(transaction, HOURS, [Span(number, since_hour) for number in numbers])
    await write_marks(transaction, {"rolled": now_ms})


async def read_marks(transaction: AsyncConnection) -> Marks:
    return Marks(**{row.name: row.at_ms for row in await transaction.execute(select(marks))})


async def write_marks(transaction: AsyncConnection, changed: Mapping[str, int]) -> None:
    insert = upsert(transaction, marks)
    statement = insert.on_conflict_do_update(index_elements=["name"], set_={"at_ms": insert.excluded["at_ms"]})
    await transaction.execute(statement, [{"name": name, "at_ms": t} for name, t in changed.items()])


async def numbers_of(transaction: AsyncConnection, metrics: Iterable[str]) -> dict[str, int]:
    """The numbers of those metrics that are known."""
    wanted = list(metrics)
    found: dict[str, int] = {}
    for start in range(0, len(wanted), _NAMES_AT_A_TIME):
        names = wanted[start : start + _NAMES_AT_A_TIME]
        rows = await transaction.execute(select(series.c.metric, series.c.id).where(series.c.metric.in_(names)))
        found |= {row.metric: row.id for row in rows}
    return found


async def _numbers(transaction: AsyncConnection, metrics: set[str], max_metrics: int) -> dict[str, int]:
    """The same, after as many new ones as there is room for got one."""
    found = await numbers_of(transaction, metrics)
    if new := sorted(metrics - found.keys()):
        present = (await transaction.execute(select(func.count()).select_from(series))).scalar_one()
        if taken := new[: max(max_metrics - present, 0)]:
            await transaction.execute(series.insert(), [{"metric": metric} for metric in taken])
            found |= await numbers_of(transaction, taken)
    return found


async def _make(transaction: AsyncConnection, tier: Tier, spans: Sequence[Span]) -> None:
    """Make the buckets of a tier in these spans, which begin where a bucket does."""
    if not spans:
        return
    columns = ["series", "at_ms", "min", "max", "sum", "count", "last"]
    insert = upsert(transaction, tier.table).from_select(columns, _buckets(tier))
    changes = {name: insert.excluded[name] for name in columns[2:]}
    statement = insert.on_conflict_do_update(index_elements=["series", "at_ms"], set_=changes)
    rows = [{"number": span.series, "start": span.start, "end": span.end} for span in spans]
    await transaction.execute(statement, rows)


def _buckets(tier: Tier) -> Select[Any]:
    """The rows of a tier in a span, made from the tier below it."""
    finer = points if tier is MINUTES else minutes
    low, high, total, count, last = (
        (finer.c.value, finer.c.value, finer.c.value, func.count(), finer.c.value)
        if tier is MINUTES
        else (finer.c.min, finer.c.max, finer.c.sum, func.sum(finer.c.count), finer.c.last)
    )
    start = (finer.c.at_ms - finer.c.at_ms % tier.width_ms).label("start")
    grouped = (
        select(
            start,
            func.min(low).label("low"),
            func.max(high).label("high"),
            func.sum(total).label("total"),
            count.label("count"),
            func.max(finer.c.at_ms).label("newest"),
        )
        .where(
            finer.c.series == bindparam("number"), finer.c.at_ms >= bindparam("start"), finer.c.at_ms < bindparam("end")
        )
        .group_by(start)
        .subquery()
    )
    ending = finer.alias()
    newest = select(ending.c[last.name]).where(
        ending.c.series == bindparam("number"), ending.c.at_ms == grouped.c.newest
    )
    # The WHERE keeps SQLite from taking ON CONFLICT for a part of a join.
    return select(
        bindparam("number", type_=series.c.id.type),
        grouped.c.start,
        grouped.c.low,
        grouped.c.high,
        grouped.c.total,
        grouped.c.count,
        newest.scalar_subquery(),
    ).where(true())
