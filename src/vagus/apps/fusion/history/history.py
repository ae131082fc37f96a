"""The history as the rest of Vagus sees it: points go in, charts and exports come out.

Points are written behind: ``add`` puts them into memory and returns, and once a second one transaction takes all that
came. What a crash may lose is therefore the last second. While the store cannot be written they wait, up to a bound
beyond which the oldest are dropped and counted.
"""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Final

import msgspec
import structlog

from vagus.apps.fusion.promptness import read_promptly
from vagus.kernel.errors import StoreError
from vagus.settings.history import History as Settings
from vagus.store import Store

from .exporting import Form, exported
from .pruning import Pruned, prune
from .reading import Chart, Metric, read_chart, read_metrics, read_newest
from .tables import TURN
from .tiers import AHEAD_MS, BY_NAME, Window, check_metric, check_points, checked_metrics
from .writing import Point, roll_up, save

log = structlog.get_logger()

FLUSH_S: Final = 1.0
"""How long a point waits to be written."""

ROLL_UP_S: Final = 15.0
"""How often roll-ups are brought up to date while points come: charts of them lag by so much at the most."""

PRUNE_S: Final = 3600.0

STOP_S: Final = 10.0
"""How long stopping waits for the last points to be written."""

BATCH: Final = 5_000
"""Points of a transaction: 50 ms of work, so that catching up keeps nobody else from writing for long."""

HIGHEST: Final = 1e200
"""Beyond it there is nothing to chart, and sums would become infinite."""


class Figures(msgspec.Struct, frozen=True):
    """What became of the points since the start."""

    written: int = 0
    late: int = 0
    """Older than what is kept as points."""
    refused: int = 0
    """No numbers, or of new metrics beyond ``max_metrics``."""
    dropped: int = 0
    """Lost, because the store could not be written for so long that there was no more room in memory."""
    failures: int = 0
    """How often the store could not do it."""
    pending: int = 0
    """Those that wait to be written."""
    error: str = ""
    """Why they cannot be written just now."""


class History:
    """Usable while the store is. ``start`` begins to write and to remove what is over, ``stop`` writes the rest.

    Reading needs neither. What asks the database raises ``StoreError`` for what it cannot do now, and soon where that
    does not answer. ``clock`` gives seconds since 1970.
    """

    def __init__(self, store: Store, settings: Settings | None = None, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._settings = settings if settings is not None else Settings()
        self._clock = clock
        self._pending: deque[Point] = deque()
        self._figures = Figures()
        self._writing = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self._is_behind = True  # what a crash left is rolled up at the start

    @property
    def figures(self) -> Figures:
        return msgspec.structs.replace(self._figures, pending=len(self._pending))

    def add(self, at_ms: int, values: Mapping[str, float]) -> None:
        """Take the values of some metrics at a moment. Nothing waits, and nothing fails because of the store.

        Raises ``ValueError``, having taken none, for the name of a metric that cannot be one and for a moment that lies
        more than a day ahead. NaN, infinity and the like are refused and counted: they leave a gap.
        """
        if not 0 <= at_ms <= self._now_ms() + AHEAD_MS:
            raise ValueError(f"the moment {at_ms} is before 1970 or more than a day ahead")
        for metric in values:
            check_metric(metric)
        good = [(metric, value) for metric, value in values.items() if abs(value) <= HIGHEST]  # which NaN is not
        self._pending.extend(Point(at_ms, metric, float(value)) for metric, value in good)
        self._count(refused=len(values) - len(good))
        self._trim()

    async def start(self) -> None:
        """Begin writing, in a task that ``stop`` ends. The store is started already."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Write what waits. What the store cannot take in time is lost, counted and logged."""
        task, self._task = self._task, None
        if task is None:
            return
        task.cancel()
        await asyncio.wait({task})
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_S):
                await self._try(self.flush)
                if self._is_behind:
                    await self._try(self.roll_up)
        if lost := len(self._pending):
            self._pending.clear()
            self._count(dropped=lost)
            log.error("history_lost", points=lost)

    async def flush(self) -> None:
        """Write what waits, now."""
        async with self._writing:
            while self._pending:
                batch = [self._pending.popleft() for _ in range(min(BATCH, len(self._pending)))]
                try:
                    async with self._store.begin(alone=TURN) as transaction:
                        saved = await save(transaction, batch, max_metrics=self._settings.max_metrics)
                except BaseException:
                    self._pending.extendleft(reversed(batch))
                    self._trim()
                    raise
                self._is_behind = True
                self._count(written=saved.written, late=saved.late, refused=saved.refused)

    async def roll_up(self) -> None:
        """Bring the roll-ups up to date with what was written."""
        async with self._writing, self._store.begin(alone=TURN) as transaction:
            await roll_up(transaction, self._now_ms())
        self._is_behind = False

    async def query(self, metrics: Sequence[str], from_ms: int, to_ms: int, points: int) -> Chart:
        """A chart of these metrics over a time, with at most ``points`` steps, or one more.

        It may have far fewer: half as many where that lets it be drawn from a coarser tier. Extremes survive, gaps stay
        gaps, and an unknown metric is an empty line. Raises ``ValueError`` for a question that makes no sense.
        """
        wanted, window = self._asked(metrics, from_ms, to_ms)
        check_points(points, len(wanted))
        async with read_promptly(self._store) as transaction:
            return await read_chart(transaction, wanted, window, points)

    async def metrics(self) -> list[Metric]:
        """What there is, in the order of the names."""
        async with read_promptly(self._store) as transaction:
            return await read_metrics(transaction)

    async def newest(self, metric: str, *, before_ms: int, count: int) -> list[tuple[int, float]]:
        """The newest points of a metric before a moment that are kept one by one: when, and what; the newest first."""
        async with read_promptly(self._store) as transaction:
            return await read_newest(transaction, metric, before_ms, count)

    def export(
        self, metrics: Sequence[str], from_ms: int, to_ms: int, form: Form = "csv", tier: str = ""
    ) -> AsyncIterator[bytes]:
        """All rows of these metrics as pieces of a file. ``tier`` is raw, minutes or hours; without it, the finest one

        that reaches back so far. Raises ``ValueError`` at once for a question that makes no sense.
        """
        wanted, window = self._asked(metrics, from_ms, to_ms)
        if form not in ("csv", "json"):
            raise ValueError("an export is csv or json")
        if tier and tier not in BY_NAME:
            raise ValueError(f"the tiers are {', '.join(BY_NAME)}")
        return exported(self._store, wanted, window, BY_NAME.get(tier), form)

    async def prune(self) -> Pruned:
        """Remove what is over by age or size. Done once an hour by itself."""
        return await prune(self._store, self._settings, self._now_ms())

    def _asked(self, metrics: Sequence[str], from_ms: int, to_ms: int) -> tuple[list[str], Window]:
        wanted, window = checked_metrics(metrics), Window(from_ms, to_ms)
        if from_ms > self._now_ms() + AHEAD_MS:
            raise ValueError("from lies in the future")
        return wanted, window

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        roll_up_at = prune_at = loop.time()
        while True:
            if self._pending:
                await self._try(self.flush)
            if self._is_behind and loop.time() >= roll_up_at:
                await self._try(self.roll_up)
                roll_up_at = loop.time() + ROLL_UP_S
            if loop.time() >= prune_at:
                await self._try(self._prune)
                prune_at = loop.time() + PRUNE_S
            await asyncio.sleep(FLUSH_S)

    async def _prune(self) -> None:
        pruned = await self.prune()
        if pruned.rows:
            log.info("history_pruned", rows=pruned.rows, metrics=pruned.metrics, bytes=pruned.bytes)

    async def _try(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do it, and say once when it begins to fail and once when it goes on."""
        try:
            await work()
        except Exception as error:
            if not self._figures.error:
                unexpected = not isinstance(error, StoreError)
                log.warning("history_failed", error=str(error), pending=len(self._pending), exc_info=unexpected)
            self._count(failures=1)
            self._figures = msgspec.structs.replace(self._figures, error=str(error) or type(error).__name__)
        else:
            if self._figures.error:
                log.info("history_went_on", dropped=self._figures.dropped)
            self._figures = msgspec.structs.replace(self._figures, error="")

    def _trim(self) -> None:
        if (over := len(self._pending) - self._settings.max_pending) > 0:
            for _ in range(over):
                self._pending.popleft()
            self._count(dropped=over)

    def _count(self, **more: int) -> None:
        counted = {name: getattr(self._figures, name) + number for name, number in more.items()}
        self._figures = msgspec.structs.replace(self._figures, **counted)

    def _now_ms(self) -> int:
        return int(self._clock() * 1000)
