"""The history keeps its promises over every database: roll-ups, charts, what is late, what is removed, exports.

The model is too simple to be wrong: a dictionary of all points, from which everything is reckoned anew.
"""

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, select

from vagus.apps.fusion.history import Chart, History
from vagus.apps.fusion.history.tables import HOUR_MS, MINUTE_MS, TURN, hours, marks, minutes, points, series
from vagus.apps.fusion.history.tiers import Plan, Window, planned
from vagus.apps.fusion.history.writing import Point, read_marks, roll_up, save
from vagus.settings.history import History as Settings
from vagus.store import Store
from vagus.store.postgresql import postgresql_store
from vagus.store.sqlite import sqlite_store
from vagus.store.tables import METADATA
from vagus.testing import FakeClock

if TYPE_CHECKING:
    from tests.integration.store.postgres import Postgres

HOUR = 1_700_006_400_000
"""A full hour, in milliseconds since 1970."""

NOW = HOUR + 10 * HOUR_MS
Model = dict[tuple[str, int], float]


@pytest.fixture(params=["sqlite", "postgresql"])
async def new_store(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Store]:
    """Makes stores of one database that nobody has used yet."""
    if request.param == "sqlite":
        return lambda: sqlite_store(tmp_path / "vagus.db")
    server: Postgres = request.getfixturevalue("postgres")
    url = server.url(await server.new_database())
    return lambda: postgresql_store(url)


@pytest.fixture
async def store(new_store: Callable[[], Store]) -> AsyncIterator[Store]:
    made = new_store()
    await made.start()
    yield made
    await made.close()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOW / 1000)


@pytest.fixture
def history(store: Store, clock: FakeClock) -> History:
    return History(store, clock=clock)


async def written(history: History, *measured: tuple[int, str, float]) -> None:
    """Add points, write them, and bring the roll-ups up to date."""
    for at_ms, metric, value in measured:
        history.add(at_ms, {metric: value})
    await history.flush()
    await history.roll_up()


async def each_second(history: History, metric: str, start: int, count: int) -> None:
    for number in range(count):
        history.add(start + number * 1000, {metric: float(number)})
    await history.flush()
    await history.roll_up()


def columns(chart: Chart, number: int = 0) -> dict[str, list[Any]]:
    """The arrays of a line, as somebody gets them who reads JSON."""
    line: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(chart))["series"][number]
    return {name: line[name] for name in ("at", "min", "max", "mean")}


async def rows(store: Store, table: Any) -> list[tuple[Any, ...]]:
    async with store.reading() as transaction:
        return [tuple(row) for row in await transaction.execute(select(table).order_by(table.c.series, table.c.at_ms))]


# --- The schema ---


async def test_what_migrations_make_is_what_the_tables_say(store: Store) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.runtime.migration import MigrationContext

    def differences(connection: Any) -> list[Any]:
        ours = {"include_name": lambda name, kind, _: kind != "table" or name in METADATA.tables}
        return list(compare_metadata(MigrationContext.configure(connection, opts=ours), METADATA))

    assert points.name in METADATA.tables
    async with store.begin() as transaction:
        assert await transaction.run_sync(differences) == []


# --- Roll-ups ---


async def test_a_minute_has_its_extremes_its_sum_its_count_and_its_last_value(store: Store, history: History) -> None:
    await written(history, (HOUR + 1000, "m", 3.0), (HOUR + 2000, "m", 9.0), (HOUR + 59_999, "m", -1.0))
    assert await rows(store, minutes) == [(1, HOUR, -1.0, 9.0, 11.0, 3, -1.0)]
    assert await rows(store, hours) == [(1, HOUR, -1.0, 9.0, 11.0, 3, -1.0)]


async def test_a_point_that_comes_late_mends_its_minute_and_its_hour_at_once(store: Store, history: History) -> None:
    await written(history, (HOUR, "m", 1.0), (HOUR + 2 * MINUTE_MS, "m", 2.0))
    history.add(HOUR + 1000, {"m": -7.0})
    await history.flush()
    assert (await rows(store, minutes))[0] == (1, HOUR, -7.0, 1.0, -6.0, 2, -7.0)
    assert await rows(store, hours) == [(1, HOUR, -7.0, 2.0, -4.0, 3, 2.0)]


async def test_an_hour_that_goes_on_keeps_what_it_had_when_it_was_rolled_up_before(store: Store) -> None:
    clock = FakeClock(HOUR / 1000)
    history = History(store, clock=clock)
    for minute in (0, 20, 40):
        await written(history, (HOUR + minute * MINUTE_MS, "m", float(minute)))
        clock.advance(20 * 60)
    assert await rows(store, hours) == [(1, HOUR, 0.0, 40.0, 60.0, 3, 40.0)]


async def test_a_point_that_comes_twice_counts_once_with_its_last_value(store: Store, history: History) -> None:
    await written(history, (HOUR, "m", 1.0))
    await written(history, (HOUR, "m", 5.0), (HOUR, "m", 6.0))
    assert await rows(store, hours) == [(1, HOUR, 6.0, 6.0, 6.0, 1, 6.0)]


async def test_what_a_crash_left_out_of_the_roll_ups_is_in_them_after_the_next_start(
    new_store: Callable[[], Store], store: Store, history: History, clock: FakeClock
) -> None:
    history.add(HOUR, {"m": 1.0})
    await history.flush()  # and nothing else: this process is gone
    assert await rows(store, hours) == []
    other = new_store()
    await other.start()
    after = History(other, clock=clock)
    await after.start()
    await after.stop()
    await other.close()
    assert len(await rows(store, hours)) == 1


async def test_several_nodes_write_one_history(
    new_store: Callable[[], Store], store: Store, history: History, clock: FakeClock
) -> None:
    other = new_store()
    await other.start()
    histories = history, History(other, clock=clock)
    for number, one in enumerate(histories):
        for second in range(30):
            one.add(HOUR + (2 * second + number) * 1000, {"both": 1.0, f"own {number}": 1.0})
    await asyncio.gather(*(one.flush() for one in histories))
    await asyncio.gather(*(one.roll_up() for one in histories))
    await other.close()
    assert {row.metric: row.count for row in await history.metrics()} == {"both": 60, "own 0": 30, "own 1": 30}


TIMES = st.builds(
    lambda hour, minute, step: HOUR + hour * HOUR_MS + minute * MINUTE_MS + step * 7000,
    st.integers(0, 2),
    st.sampled_from([0, 1, 2, 58, 59]),
    st.integers(0, 8),
)
"""Few moments, near the ends of hours, so that many meet in a bucket."""

POINTS = st.lists(st.tuples(TIMES, st.sampled_from("ab"), st.integers(-1000, 1000).map(float)), max_size=40)
STEPS = st.lists(st.one_of(POINTS, TIMES), max_size=8)
"""Points to write, or a moment at which the roll-ups are brought up to date."""

WINDOWS = st.builds(lambda start, length: Window(start, start + length), TIMES, st.integers(1, 4 * HOUR_MS))


def test_whatever_comes_in_whatever_order_the_roll_ups_and_charts_are_those_of_all_points(
    new_store: Callable[[], Store],
) -> None:
    store = new_store()

    @given(STEPS, WINDOWS, st.integers(1, 100))
    def compare(steps: list[Any], window: Window, width: int) -> None:
        runner.run(compared(store, steps, window, width))

    with asyncio.Runner() as runner:
        runner.run(store.start())
        compare()
        runner.run(store.close())


async def compared(store: Store, steps: list[Any], window: Window, width: int) -> None:
    """Take the steps in an empty database, and compare what is there then with the model."""
    model: Model = {}
    async with store.begin(alone=TURN) as transaction:
        for table in (series, points, minutes, hours, marks):
            await transaction.execute(delete(table))
        for step in steps:
            if isinstance(step, int):
                await roll_up(transaction, step)
            else:
                await save(transaction, [Point(*point) for point in step], max_metrics=10)
                model |= {(metric, at_ms): value for at_ms, metric, value in step}
        await roll_up(transaction, NOW)
        numbers = {metric: number for number, metric in await transaction.execute(select(series))}
        known = await read_marks(transaction)
    for table, length in ((minutes, MINUTE_MS), (hours, HOUR_MS)):
        found = {(number, at_ms): values for number, at_ms, *values in await rows(store, table)}
        expected = rolled_up(model, length)
        assert found == {(numbers[metric], at_ms): values for (metric, at_ms), values in expected.items()}
    chart = await History(store, clock=lambda: NOW / 1000).query("ab", window.from_ms, window.to_ms, width)
    plan = planned(window, points=width, series=2, marks=known)
    for number, metric in enumerate("ab"):
        assert without_gaps(columns(chart, number)) == drawn(model, metric, window, plan)


def rolled_up(model: Model, length: int) -> dict[tuple[str, int], list[float]]:
    buckets: dict[tuple[str, int], list[float]] = {}
    for (metric, at_ms), value in sorted(model.items()):
        buckets.setdefault((metric, at_ms - at_ms % length), []).append(value)
    return {key: [min(values), max(values), sum(values), len(values), values[-1]] for key, values in buckets.items()}


def drawn(model: Model, metric: str, window: Window, plan: Plan) -> list[Any]:
    """What a chart has: all of its first step, and of its last one the rows that begin before the window's end."""
    start, width = window.from_ms - window.from_ms % plan.step_ms, plan.tier.width_ms
    inside = {
        (name, at_ms): value
        for (name, at_ms), value in model.items()
        if name == metric and start <= at_ms and at_ms - at_ms % width < window.to_ms
    }
    found = rolled_up(inside, plan.step_ms)
    return [(t, low, high, pytest.approx(total / count)) for (_, t), (low, high, total, count, _) in found.items()]


def without_gaps(line: dict[str, list[Any]]) -> list[tuple[float, ...]]:
    return [row for row in zip(line["at"], line["min"], line["max"], line["mean"], strict=True) if row[1] is not None]


# --- Charts ---


async def test_a_peak_of_one_second_is_seen_in_a_chart_of_a_day(history: History) -> None:
    await each_second(history, "m", HOUR, 600)
    await written(history, (HOUR + 300_500, "m", 1e6))
    chart = await history.query(["m"], HOUR - 12 * HOUR_MS, HOUR + 12 * HOUR_MS, 100)
    assert max(value for value in columns(chart)["max"] if value is not None) == 1e6


async def test_a_short_time_is_drawn_from_the_points_and_a_long_one_from_roll_ups(history: History) -> None:
    await each_second(history, "m", HOUR, 120)
    tiers = {}
    for length in (10 * MINUTE_MS, 24 * HOUR_MS, 90 * 24 * HOUR_MS):
        chart = await history.query(["m"], HOUR - length // 2, HOUR + length // 2, 1500)
        tiers[chart.tier] = chart.step_ms
    assert tiers == {"raw": 400, "minutes": MINUTE_MS, "hours": 2 * HOUR_MS}


async def test_the_mean_of_a_step_is_that_of_its_points_and_not_of_its_minutes(history: History) -> None:
    await written(history, *((HOUR + step * 1000, "m", 0.0) for step in range(3)), (HOUR + MINUTE_MS, "m", 8.0))
    chart = await history.query(["m"], HOUR, HOUR + 4 * HOUR_MS, 120)
    assert (chart.tier, chart.step_ms, columns(chart)["mean"]) == ("minutes", 2 * MINUTE_MS, [2.0])


async def test_a_time_without_points_is_a_gap_and_the_pace_is_none(history: History) -> None:
    await each_second(history, "m", HOUR, 10)
    await each_second(history, "m", HOUR + 60_000, 10)
    line = columns(await history.query(["m"], HOUR, HOUR + 120_000, 120))
    gap = line["max"].index(None)
    assert (line["at"][gap - 1], line["at"][gap + 1]) == (HOUR + 9_000, HOUR + 60_000)
    assert (line["mean"].count(None), len(line["at"])) == (1, 21)


async def test_a_metric_that_nobody_knows_is_an_empty_line(history: History) -> None:
    await written(history, (HOUR, "m", 1.0))
    chart = await history.query(["m", "never"], HOUR, NOW, 10)
    assert [line.metric for line in chart.series] == ["m", "never"]
    assert columns(chart, 1) == {"at": [], "min": [], "max": [], "mean": []}


async def test_names_and_values_come_back_as_they_were(history: History) -> None:
    odd = {"a'b\"; DROP TABLE vagus_keys; --": 0.1, "größe % of {all}": -2.5e-7, "=1+1": 123456789.125}
    history.add(HOUR, odd)
    await history.flush()
    chart = await history.query(list(odd), HOUR - 1000, HOUR + 1000, 10)
    found = {line.metric: columns(chart, number)["mean"] for number, line in enumerate(chart.series)}
    assert found == {name: [pytest.approx(value, rel=1e-14)] for name, value in odd.items()}


async def test_the_list_of_metrics_says_since_when_and_how_many(history: History) -> None:
    await written(history, (HOUR + 5, "b", 1.0), (HOUR + 7 * MINUTE_MS, "b", 1.0), (HOUR + 3, "a", 1.0))
    found = [(row.metric, row.first_ms, row.last_ms, row.count) for row in await history.metrics()]
    assert found == [("a", HOUR + 3, HOUR + 3, 1), ("b", HOUR + 5, HOUR + 7 * MINUTE_MS, 2)]


# --- Removing ---


async def test_points_go_first_and_their_roll_ups_stay(store: Store, clock: FakeClock) -> None:
    history = History(store, Settings(raw_hours=2), clock)
    await written(history, (HOUR, "m", 1.0), (NOW - 1000, "m", 2.0))
    await history.prune()
    assert [row[1] for row in await rows(store, points)] == [NOW - 1000]
    assert [row[1] for row in await rows(store, minutes)] == [HOUR, NOW - MINUTE_MS]


async def test_each_tier_has_its_own_time(store: Store, clock: FakeClock) -> None:
    history = History(store, Settings(raw_hours=1, minutes_days=2 / 24, hours_days=4 / 24), clock)
    for back in range(7):
        history.add(NOW - back * HOUR_MS - 1, {"m": 1.0})
    await history.flush()
    pruned = await history.prune()
    assert [len(await rows(store, table)) for table in (points, minutes, hours)] == [1, 2, 4]
    assert (pruned.rows, pruned.metrics) == (6 + 5 + 3, 0)


async def test_a_metric_of_which_nothing_is_left_is_forgotten_and_may_come_again(
    store: Store, clock: FakeClock
) -> None:
    history = History(store, Settings(raw_hours=1, minutes_days=1 / 24, hours_days=1 / 24), clock)
    await written(history, (HOUR, "old", 1.0), (NOW - 1, "new", 1.0))
    assert (await history.prune()).metrics == 1
    assert [row.metric for row in await history.metrics()] == ["new"]
    await written(history, (NOW, "old", 1.0))
    assert [row.metric for row in await history.metrics()] == ["new", "old"]


async def test_what_is_older_than_the_points_that_are_kept_is_refused_and_harms_no_roll_up(
    store: Store, clock: FakeClock
) -> None:
    history = History(store, Settings(raw_hours=2), clock)
    await written(history, (HOUR, "m", 1.0), (NOW - 1000, "m", 2.0))
    await history.prune()
    before = await rows(store, hours)
    await written(history, (HOUR + 1, "m", 99.0))
    assert await rows(store, hours) == before
    assert history.figures.late == 1


async def test_what_was_removed_stays_removed_when_more_is_to_be_kept(store: Store, clock: FakeClock) -> None:
    await written(History(store, clock=clock), (HOUR, "m", 1.0), (NOW - 1000, "m", 2.0))
    await History(store, Settings(raw_hours=2), clock).prune()
    history = History(store, Settings(raw_hours=48), clock)
    await history.prune()
    await written(history, (HOUR + 1, "m", 99.0))
    assert history.figures.late == 1
    assert (await rows(store, minutes))[0][2:] == (1.0, 1.0, 1.0, 1, 1.0)


async def test_a_clock_that_runs_ahead_removes_nothing(store: Store, clock: FakeClock) -> None:
    history = History(store, Settings(raw_hours=1, minutes_days=1, hours_days=2), clock)
    await written(history, (NOW - 1000, "m", 1.0))
    clock.advance(5 * 365 * 86_400)
    assert (await history.prune()).rows == 0


async def test_too_much_for_its_room_loses_the_oldest_points_first(store: Store, clock: FakeClock) -> None:
    room = 2**20
    history = History(store, Settings(max_bytes=room), clock)
    async with store.begin(alone=TURN) as transaction:
        batch = [Point(HOUR + step * 300, "m", 1.0) for step in range(10 * HOUR_MS // 300)]
        await save(transaction, batch, max_metrics=1)
    await history.prune()
    left = await rows(store, points)
    assert 0 < len(left) < len(batch)
    assert left[-1][1] == batch[-1].at_ms
    assert len(await rows(store, minutes)) == 600
    assert (await history.prune()).bytes <= room


# --- Exports ---


async def exported(history: History, *metrics: str, **options: Any) -> bytes:
    return b"".join([piece async for piece in history.export(metrics, HOUR, NOW, **options)])


async def test_an_export_has_every_row_once_in_order_whatever_the_size_of_its_pieces(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vagus.apps.fusion.history.exporting.ROWS", 3)
    await each_second(history, "m", HOUR, 10)
    await each_second(history, "n", HOUR, 3)
    table = list(csv.reader(io.StringIO((await exported(history, "n", "m")).decode())))
    assert table[0] == ["time", "metric", "value"]
    assert table[1] == ["2023-11-15T00:00:00.000Z", "n", "0.0"]
    assert [(row[1], float(row[2])) for row in table[1:]] == [
        *(("n", float(number)) for number in range(3)),
        *(("m", float(number)) for number in range(10)),
    ]


async def test_an_export_as_json_is_one_document(history: History) -> None:
    assert msgspec.json.decode(await exported(history, "m", form="json")) == []
    await each_second(history, "m", HOUR, 2)
    rows = msgspec.json.decode(await exported(history, "m", form="json"))
    assert rows[1] == {"time": "2023-11-15T00:00:01.000Z", "metric": "m", "value": 1.0}
    assert len(rows) == 2


async def test_roll_ups_are_exported_with_all_that_they_hold(history: History) -> None:
    await each_second(history, "m", HOUR, 10)
    (row,) = msgspec.json.decode(await exported(history, "m", form="json", tier="hours"))
    assert row == {
        "time": "2023-11-15T00:00:00.000Z",
        "metric": "m",
        "min": 0,
        "max": 9,
        "mean": 4.5,
        "count": 10,
        "last": 9,
    }


async def test_an_export_of_what_is_no_longer_kept_as_points_is_of_minutes(store: Store, clock: FakeClock) -> None:
    history = History(store, Settings(raw_hours=2), clock)
    await written(history, (HOUR, "m", 1.0), (NOW - 1000, "m", 2.0))
    await history.prune()
    assert b"mean" in await exported(history, "m")
