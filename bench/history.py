"""The stage that measures the history in SQLite: writing, charts, exports, and what it takes on the disk.

It measures the library in this process, on the servers' core: a question is timed from the call to the JSON that is
sent. The database has a day of 50 metrics at one point a second; half are counts, half go up and down by chance.
"""

import asyncio
import contextlib
import random
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Final

import msgspec

from bench.figures import Row, Samples, Target, at_most
from bench.machine import BUILD, SERVER_CORE, pinned_to
from bench.measuring import Bench, say
from vagus.apps.fusion.history import History
from vagus.store.sqlite import sqlite_store

SERIES: Final = 50
DAY_S: Final = 86_400
START_MS: Final = 1_700_006_400_000
END_MS: Final = START_MS + DAY_S * 1000
METRICS: Final = [f"metric {number}" for number in range(SERIES)]
SOURCES: Final = 200
CHARTS: Final[tuple[tuple[str, int, int, int, Target | None], ...]] = (
    ("24 hours of 50 metrics, 1,500 points", SERIES, DAY_S, 1500, at_most(100, "ms")),
    ("24 hours of 50 metrics, 800 points", SERIES, DAY_S, 800, at_most(100, "ms")),
    ("24 hours of one metric, 1,500 points", 1, DAY_S, 1500, None),
    ("24 hours of one metric from its 86,400 points", 1, DAY_S, 4000, None),
    ("10 minutes of 50 metrics, each second", SERIES, 600, 1500, None),
    ("an hour of 50 metrics from 180,000 points", SERIES, 3600, 1500, None),
)
"""What it is, metrics, seconds, points, target."""


def history(bench: Bench) -> Iterator[Row]:
    """A day of 50 metrics: what writing costs, how long charts take, what it takes on the disk."""
    BUILD.mkdir(parents=True, exist_ok=True)
    with _folder() as folder, pinned_to(SERVER_CORE):
        say("== history: a day of 50 metrics")
        rows = asyncio.run(_measured(folder / "vagus.db", rounds=3 if bench.quick else 9))
    yield from rows


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    """On a disk: where temporary files are kept may be memory."""
    folder = Path(tempfile.mkdtemp(prefix="history-", dir=BUILD))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


async def _measured(file: Path, rounds: int) -> list[Row]:
    store = sqlite_store(file)
    await store.start()
    one = History(store, clock=lambda: END_MS / 1000)
    points, size = SERIES * DAY_S, await asyncio.to_thread(_fill, file)
    rows = [Row("room of a point on the disk", Samples((size / points,), "bytes"))]
    rolled = await _wall_ms(one.roll_up, 1)
    note = f"{points:,} points, of which none was rolled up"
    rows.append(Row("rolling up a day of 50 metrics at once", Samples((rolled.median / 1000,), "s"), note=note))
    for what, count, seconds, width, target in CHARTS:
        say(f"   {what}")
        rows.append(await _chart(one, what, count, seconds, width, target, rounds))
    rows.append(await _export(one))
    rows.append(await _writing(one))
    await store.close()
    return rows


def _fill(file: Path) -> int:
    """Put the points in as they would lie there, and say how large the file is then."""
    chance = random.Random(1)
    with contextlib.closing(sqlite3.connect(file)) as connection:
        for number, metric in enumerate(METRICS, 1):
            connection.execute("INSERT INTO vagus_history_series VALUES (?, ?)", (number, metric))
            rows = (
                (number, START_MS + second * 1000, float(second) if number % 2 else round(chance.gauss(50, 9), 3))
                for second in range(DAY_S)
            )
            connection.executemany("INSERT INTO vagus_history_points VALUES (?, ?, ?)", rows)
        connection.commit()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return file.stat().st_size


async def _chart(
    one: History, what: str, count: int, seconds: int, width: int, target: Target | None, rounds: int
) -> Row:
    told = ""

    async def ask() -> None:
        nonlocal told
        chart = await one.query(METRICS[:count], END_MS - seconds * 1000, END_MS, width)
        body = msgspec.json.encode(chart)
        told = f"{chart.tier}, a step is {chart.step_ms / 1000:g} s, {len(body) / 1e6:.2f} MB of JSON"

    await ask()
    cpu = time.process_time()
    found = await _wall_ms(ask, rounds)
    told += f"; CPU {(time.process_time() - cpu) / rounds * 1000:.0f} ms"
    return Row(f"chart of {what}", found, target=target, note=told)


async def _wall_ms(work: Callable[[], Awaitable[object]], rounds: int) -> Samples:
    found = []
    for _ in range(rounds):
        started = time.perf_counter()
        await work()
        found.append((time.perf_counter() - started) * 1000)
    return Samples(tuple(found), "ms")


async def _export(one: History) -> Row:
    started, size = time.process_time(), 0
    async for piece in one.export(METRICS[:2], START_MS, END_MS, tier="raw"):
        size += len(piece)
    cpu = time.process_time() - started
    return Row(
        "rows exported as CSV a second of one core", Samples((2 * DAY_S / cpu,), "/s"), note=f"{size / 1e6:.1f} MB"
    )


async def _writing(one: History) -> Row:
    """A minute of 200 sources at once a second, with its roll-ups, as fast as it goes."""
    started = time.process_time()
    for second in range(60):
        one.add(END_MS + second * 1000, {f"source {number}": second * 0.1 for number in range(SOURCES)})
        await one.flush()
        if second % 15 == 14:
            await one.roll_up()
    share = (time.process_time() - started) / 60 * 100
    return Row("share of a core to write 200 points a second", Samples((share,), "%"), target=at_most(5, "%"))
