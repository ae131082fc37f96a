"""The history on a disk that is full or read-only: it says so, keeps what it can in memory, and goes on by itself."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from tests.integration.store.test_disk import disk, fill, remount
from tests.patience import DEADLINE_S
from vagus.apps.fusion.history import History, history
from vagus.kernel.errors import StoreError
from vagus.settings.history import History as Settings
from vagus.store.backups import verify
from vagus.store.sqlite import sqlite_store

__all__ = ["disk"]

PENDING = 20_000


@pytest.fixture
async def one(disk: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[History]:
    monkeypatch.setattr(history, "FLUSH_S", 0.01)
    store = sqlite_store(disk / "vagus.db")
    await store.start()
    made = History(store, Settings(max_pending=PENDING))
    await made.start()
    yield made
    await made.stop()
    await store.close()


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not condition():  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(0.01)


async def add_until_it_fails(one: History) -> int:
    """How many points were added before the history noticed, never more at a time than half of what may wait."""
    start, added = int(time.time() * 1000) - 3_600_000, 0
    async with asyncio.timeout(DEADLINE_S):
        while not one.figures.failures:
            if one.figures.pending < PENDING // 2:
                one.add(start + added, {f"m{number}": 1.0 for number in range(100)})
                added += 100
            await asyncio.sleep(0)
    return added


async def test_a_full_disk_loses_nothing_that_fits_into_memory(one: History, disk: Path) -> None:
    filler = fill(disk)
    added = await add_until_it_fails(one)
    filler.unlink()
    await until(lambda: not one.figures.pending)
    await one.roll_up()
    assert one.figures.dropped == 0
    assert sum(row.count for row in await one.metrics()) == one.figures.written == added
    await asyncio.to_thread(verify, disk / "vagus.db")


async def test_a_disk_that_stays_full_costs_a_bounded_memory_and_what_is_dropped_is_counted(
    one: History, disk: Path
) -> None:
    fill(disk)
    added = await add_until_it_fails(one)
    start = int(time.time() * 1000)
    for number in range(2 * PENDING):
        one.add(start + number, {"more": 1.0})
    figures = one.figures
    assert figures.pending <= PENDING
    assert figures.written + figures.dropped + figures.pending <= added + 2 * PENDING
    assert figures.dropped >= PENDING


async def test_a_disk_that_is_read_only_is_said_and_what_was_written_can_be_read(disk: Path) -> None:
    store = sqlite_store(disk / "vagus.db")
    await store.start()
    made = History(store)
    now = int(time.time() * 1000)
    made.add(now, {"a": 1.0})
    await made.flush()
    await store.close()
    remount(disk, "ro")
    with pytest.raises(StoreError, match=r"[Rr]ead-only"):
        await store.start()
    made.add(now + 1, {"a": 2.0})
    with pytest.raises(StoreError):
        await made.flush()
    remount(disk, "rw")
    await store.start()
    await made.flush()
    chart = await made.query(["a"], now - 10, now + 10, 20)
    assert chart.series[0].at == [now, now + 1]
    await store.close()
