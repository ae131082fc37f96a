"""Reading: charts, and what there is.

A chart is written as JSON by the database: one row a series, with all its columns as arrays. To make Python objects of
72,000 rows, and JSON of those, takes twice as long, and holds up the event loop meanwhile.
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, Select, Text, bindparam, cast, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from .gaps import gaps
from .tables import HOUR_MS, hours, points, series
from .tiers import RAW, Plan, Window, planned
from .writing import read_marks

_ARRAYS: Final = msgspec.json.Decoder(tuple[list[int] | None, msgspec.Raw, msgspec.Raw, msgspec.Raw])
_VALUES: Final = msgspec.json.Decoder(list[float | None])
_EMPTY: Final = msgspec.Raw(b"[]")
_NOTHING: Final = "[[],[],[],[]]"


class Series(msgspec.Struct, frozen=True):
    """A line of a chart: arrays of equal length, one entry a step in which something was measured.

    ``at`` is where the step begins, in milliseconds since 1970; ``min``, ``max`` and ``mean`` are JSON arrays, of what
    was measured within it. A gap is an entry whose values are null.
    """

    metric: str
    at: list[int]
    min: msgspec.Raw
    max: msgspec.Raw
    mean: msgspec.Raw


class Chart(msgspec.Struct, frozen=True, rename="camel"):
    """The answer to a query. ``tier`` says what it was made from, and ``step_ms`` how long a step is."""

    from_ms: int
    to_ms: int
    step_ms: int
    tier: str
    series: list[Series]


class Metric(msgspec.Struct, frozen=True, rename="camel"):
    """A metric, the first and last time of which something is kept, and how many measurements that stands for."""

    metric: str
    first_ms: int
    last_ms: int
    count: int


async def read_chart(transaction: AsyncConnection, metrics: Sequence[str], window: Window, width: int) -> Chart:
    """The chart of these metrics with about ``width`` steps; of an unknown metric there is nothing in it."""
    known = await read_marks(transaction)
    plan = planned(window, points=width, series=len(metrics), marks=known)
    parameters = {
        "metrics": metrics,
        "start": max(window.from_ms - window.from_ms % plan.step_ms, known.since(plan.tier)),
        "end": window.to_ms,
        "step": plan.step_ms,
    }
    answer = await transaction.execute(_lines(plan, transaction.dialect.name), parameters)
    found = {row[0]: row[1] for row in answer}
    lines = [_line(metric, plan.step_ms, found.get(metric, _NOTHING)) for metric in metrics]
    return Chart(window.from_ms, window.to_ms, plan.step_ms, plan.tier.name, lines)


async def read_metrics(transaction: AsyncConnection) -> list[Metric]:
    """What there is, by name. What was measured in the last seconds may be missing from a count."""
    known = await read_marks(transaction)
    totals = (
        select(hours.c.series, func.min(hours.c.at_ms).label("first"), func.sum(hours.c.count).label("count"))
        .where(hours.c.at_ms >= known.hours)
        .group_by(hours.c.series)
        .subquery()
    )
    first, last = (
        select(end(points.c.at_ms)).where(points.c.series == series.c.id).scalar_subquery()
        for end in (func.min, func.max)
    )
    last_hour = select(func.max(hours.c.at_ms)).where(hours.c.series == series.c.id).scalar_subquery()
    rows = await transaction.execute(
        select(series.c.metric, totals.c.first, first, func.coalesce(last, last_hour), totals.c.count)
        .join_from(series, totals, totals.c.series == series.c.id, isouter=True)
        .order_by(series.c.metric)
    )
    return [
        Metric(metric, _first(hour, point), newest, int(count or 0))
        for metric, hour, point, newest, count in rows
        if newest is not None
    ]


async def read_newest(transaction: AsyncConnection, metric: str, before_ms: int, count: int) -> list[tuple[int, float]]:
    """The newest points of a metric before a moment, the newest first: when, and what."""
    rows = await transaction.execute(
        select(points.c.at_ms, points.c.value)
        .join_from(points, series, points.c.series == series.c.id)
        .where(series.c.metric == metric, points.c.at_ms < before_ms)
        .order_by(points.c.at_ms.desc())
        .limit(count)
    )
    return [(row.at_ms, row.value) for row in rows]


def _first(hour: int | None, point: int | None) -> int:
    """The first point that is kept is exact; where there is none any more, or there was an hour before, that hour."""
    if hour is None or point is None:
        return hour or point or 0
    return point if point - point % HOUR_MS == hour else hour


def _lines(plan: Plan, dialect: str) -> Select[Any]:
    """A row for each series: its metric, and the arrays of its line as one JSON array.

    Both databases take what they put into an array as it comes. SQLite's tables and groups come in their order; to have
    it sorted would cost it a fifth more, and PostgreSQL nothing.
    """
    steps = _steps(plan).correlate(series)
    if dialect == "sqlite":
        line: ColumnElement[Any] = func.json_array(*(func.json_group_array(column) for column in steps.subquery().c))
    else:
        ordered = steps.order_by(steps.selected_columns.at).subquery()
        line = cast(func.json_build_array(*(func.json_agg(column) for column in ordered.c)), Text)
    wanted = series.c.metric.in_(bindparam("metrics", expanding=True))
    return select(series.c.metric, select(line).scalar_subquery()).where(wanted)


def _steps(plan: Plan) -> Select[Any]:
    """What the line of a series is made of: its steps, and what is in each."""
    table = plan.tier.table
    low: ColumnElement[Any]
    high: ColumnElement[Any]
    mean: ColumnElement[Any]
    if plan.tier is RAW:
        low, high, mean = func.min(table.c.value), func.max(table.c.value), func.avg(table.c.value)
    elif plan.is_joined:
        low, high, mean = func.min(table.c.min), func.max(table.c.max), func.sum(table.c.sum) / func.sum(table.c.count)
    else:
        low, high, mean = table.c.min, table.c.max, table.c.sum / table.c.count
    at = (table.c.at_ms - table.c.at_ms % bindparam("step") if plan.is_joined else table.c.at_ms).label("at")
    found = select(at, low.label("min"), high.label("max"), mean.label("mean")).where(
        table.c.series == series.c.id, table.c.at_ms >= bindparam("start"), table.c.at_ms < bindparam("end")
    )
    return found.group_by(at) if plan.is_joined else found


def _line(metric: str, step_ms: int, arrays: str) -> Series:
    """A line of what the database gave for a series, with an entry of nulls in each gap."""
    at, *columns = _ARRAYS.decode(arrays)
    if at is None:  # PostgreSQL's word for nothing
        at, columns = [], [_EMPTY] * len(columns)
    if positions := gaps(at, step_ms):
        before = [at[position - 1] for position in positions]
        columns = [_with_nulls(column, positions) for column in columns]
        for position, time in zip(reversed(positions), reversed(before), strict=True):
            at.insert(position, time + step_ms)
    return Series(metric, at, *columns)


def _with_nulls(column: msgspec.Raw, positions: Sequence[int]) -> msgspec.Raw:
    values = _VALUES.decode(column)
    for position in reversed(positions):
        values.insert(position, None)
    return msgspec.Raw(msgspec.json.encode(values))
