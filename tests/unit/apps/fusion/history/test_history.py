"""Writing behind: what is taken, what waits, what is lost and says so."""

import asyncio
import math
from collections.abc import AsyncIterator, Callable, MutableMapping
from pathlib import Path
from typing import Any

import pytest

from tests.patience import DEADLINE_S
from vagus.apps.fusion.history import History, history
from vagus.apps.fusion.history.tables import DAY_MS, HOUR_MS
from vagus.kernel.errors import StoreError
from vagus.settings.history import History as Settings
from vagus.store import Store
from vagus.store.sqlite import sqlite_store

NOW = 1_700_006_400_000


def clock() -> float:
    return NOW / 1000


@pytest.fixture
def closed(tmp_path: Path) -> Store:
    """A store that cannot be used yet."""
    return sqlite_store(tmp_path / "vagus.db")


@pytest.fixture
async def store(closed: Store) -> AsyncIterator[Store]:
    await closed.start()
    yield closed
    await closed.close()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "FLUSH_S", 0.01)
    monkeypatch.setattr(history, "ROLL_UP_S", 0.0)


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not condition():  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(0.005)


async def test_points_are_written_by_themselves(store: Store, quick: None) -> None:
    one = History(store, clock=clock)
    await one.start()
    one.add(NOW, {"a": 1, "b": 2.5})
    await until(lambda: one.figures.written == 2)
    await one.stop()
    assert [(row.metric, row.count) for row in await one.metrics()] == [("a", 1), ("b", 1)]


async def test_stopping_writes_what_waits_and_rolls_it_up(store: Store) -> None:
    one = History(store, clock=clock)
    await one.start()
    for number in range(12_000):  # more than a transaction takes
        one.add(NOW - number, {"a": number})
    await one.stop()
    await one.stop()
    assert (one.figures.written, one.figures.pending) == (12_000, 0)
    assert [row.count for row in await one.metrics()] == [12_000]


async def test_stopping_in_the_midst_of_whatever_it_does_writes_what_waits(store: Store) -> None:
    one = History(store, clock=clock)
    for moment in range(40):
        await one.start()
        one.add(NOW + moment, {"a": moment})
        for _ in range(moment):
            await asyncio.sleep(0)
        await one.stop()
    assert [row.count for row in await one.metrics()] == [40]


async def test_a_history_may_be_stopped_and_started_again(store: Store) -> None:
    one = History(store, clock=clock)
    for number in range(3):
        await one.start()
        one.add(NOW + number, {"a": number})
        await one.stop()
    assert one.figures.written == 3


async def test_while_the_store_is_away_points_wait_and_then_all_are_written(
    closed: Store, quick: None, logs: list[MutableMapping[str, Any]]
) -> None:
    one = History(closed, clock=clock)
    await one.start()
    for number in range(50):
        one.add(NOW + number, {"a": number})
    await until(lambda: one.figures.failures > 2)
    assert one.figures.pending == 50
    assert "closed" in one.figures.error
    await closed.start()
    await until(lambda: one.figures.written == 50)
    assert one.figures.error == ""
    await one.stop()
    await closed.close()
    assert [entry["event"] for entry in logs if "history" in entry["event"]] == ["history_failed", "history_went_on"]


async def test_when_too_many_wait_the_oldest_are_dropped_and_counted(closed: Store) -> None:
    one = History(closed, Settings(max_pending=10), clock)
    for number in range(25):
        one.add(NOW + number, {"a": number})
    with pytest.raises(StoreError, match="closed"):
        await one.flush()
    for number in range(25, 30):
        one.add(NOW + number, {"a": number})
    assert (one.figures.dropped, one.figures.pending) == (20, 10)
    await closed.start()
    await one.flush()
    chart = await one.query(["a"], NOW, NOW + 100, 100)
    assert chart.series[0].at == [NOW + number for number in range(20, 30)]
    await closed.close()


async def test_what_cannot_be_written_at_the_end_is_counted_and_logged(
    closed: Store, logs: list[MutableMapping[str, Any]]
) -> None:
    one = History(closed, clock=clock)
    await one.start()
    one.add(NOW, {"a": 1})
    await one.stop()
    assert (one.figures.dropped, one.figures.pending) == (1, 0)
    assert logs[-1]["event"] == "history_lost"
    assert logs[-1]["points"] == 1


async def test_a_flush_that_is_cancelled_at_any_moment_loses_nothing(store: Store) -> None:
    one = History(store, clock=clock)
    for moment in range(40):
        one.add(NOW + moment, {"a": moment})
        task = asyncio.create_task(one.flush())
        for _ in range(moment):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait({task})
    await one.flush()
    await one.roll_up()
    assert [row.count for row in await one.metrics()] == [40]


async def test_metrics_beyond_the_bound_are_refused_and_counted(store: Store) -> None:
    one = History(store, Settings(max_metrics=2), clock)
    one.add(NOW, {"a": 1})
    one.add(NOW, {"a": 1, "b": 1, "c": 1, "d": 1})
    await one.flush()
    await one.roll_up()
    assert [row.metric for row in await one.metrics()] == ["a", "b"]
    assert one.figures.refused == 2


async def test_what_is_no_number_leaves_a_gap_and_is_counted(store: Store) -> None:
    one = History(store, clock=clock)
    one.add(NOW, {"a": math.nan, "b": math.inf, "c": -1e300, "d": 10**400, "e": 4.0})
    await one.flush()
    assert (one.figures.refused, one.figures.written) == (4, 1)


@pytest.mark.parametrize("metric", ["", "a\nb", "x" * 201])
def test_a_name_that_is_none_is_refused_and_nothing_taken(closed: Store, metric: str) -> None:
    one = History(closed, clock=clock)
    with pytest.raises(ValueError, match="name of a metric"):
        one.add(NOW, {"good": 1.0, metric: 1.0})
    assert one.figures.pending == 0


@pytest.mark.parametrize("at_ms", [-1, NOW + DAY_MS + 1, 10**30])
def test_a_moment_that_cannot_be_is_refused(closed: Store, at_ms: int) -> None:
    with pytest.raises(ValueError, match="moment"):
        History(closed, clock=clock).add(at_ms, {"a": 1.0})


async def test_questions_about_the_future_are_refused(store: Store) -> None:
    one, ahead = History(store, clock=clock), NOW + 2 * DAY_MS
    with pytest.raises(ValueError, match="future"):
        await one.query(["a"], ahead, ahead + 1, 10)
    with pytest.raises(ValueError, match="future"):
        one.export(["a"], ahead, ahead + 1)


async def test_an_export_in_an_unknown_form_is_refused_at_once(store: Store) -> None:
    one = History(store, clock=clock)
    with pytest.raises(ValueError, match="csv or json"):
        one.export(["a"], NOW, NOW + 1, form="xml")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="raw, minutes, hours"):
        one.export(["a"], NOW, NOW + 1, tier="days")


async def test_what_is_over_is_removed_by_itself(store: Store, logs: list[MutableMapping[str, Any]]) -> None:
    one = History(store, Settings(raw_hours=1), clock)
    one.add(NOW - 5 * HOUR_MS, {"a": 1})
    one.add(NOW - 1, {"a": 2})
    await one.flush()
    await one.start()
    await until(lambda: logs)
    await one.stop()
    assert [(entry["event"], entry["rows"]) for entry in logs] == [("history_pruned", 1)]
    pieces = [piece async for piece in one.export(["a"], 0, NOW, tier="raw")]
    assert b"".join(pieces).count(b"\n") == 2
