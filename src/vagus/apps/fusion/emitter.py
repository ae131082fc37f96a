"""The emitter: collects what all sources say, and publishes it as a pulse, at a pace that may change while it runs.

Of several nodes one emits: the one with the lease. A store keeps the pace over restarts and for whichever node is next.
A pulse that cannot be published is counted and not repeated, since the next one says more. Whoever asks for a pulse
gets one that begins after they asked; those who ask while one is being made share the next.
"""

import asyncio
import contextlib
import math
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Annotated, Any, Final, Protocol

import msgspec
import structlog

from vagus.hub import Hub
from vagus.kernel.errors import BrokerError, StoreError
from vagus.store import Store, settings
from vagus.store.leases import RENEWAL_S, Lease

from .channel import CHANNEL, UPDATE, FusionUpdate, PulseMark, SourceMark
from .values import SourceState, figures, snapshot

log = structlog.get_logger()

SETTING: Final = "fusion.pace"

CUT_OFF_S: Final = 2 * RENEWAL_S
"""A store that has not answered for so long is away: a little less than a holder relies on its lease, so that the last

one never falls silent in between.
"""

APART_S: Final = 1.0
"""Changes of the sources that come close together share a pulse, or a script that adds many would flood who watches."""

Seconds = Annotated[float, msgspec.Meta(ge=1, le=86_400)]


class Pace(msgspec.Struct, frozen=True):
    """How often pulses are made, and whether at all."""

    interval_s: Seconds = 300.0
    paused: bool = False


class EmitterFigures(msgspec.Struct, frozen=True):
    """What the emitter counts. Times are milliseconds."""

    pace: Pace
    started_at: int
    total: int = 0
    failed: int = 0
    last_at: int = 0
    collect_ms: float = 0.0
    emit_ms: float = 0.0


class Collects(Protocol):
    """What the emitter needs of the collector."""

    async def collect(self) -> Sequence[SourceState]:
        """Ask every source, each within its own time, and say what is known of all. Never raises."""
        ...

    def states(self) -> Sequence[SourceState]:
        """What is known now."""
        ...


class Emitter:
    """``on_pulse`` is told the figures of each pulse, ``on_lead`` is done before the first one: it may raise

    ``StoreError``. ``lease`` is ``None`` for the only node, which always emits.
    """

    def __init__(
        self,
        hub: Hub,
        collector: Collects,
        *,
        store: Store | None = None,
        lease: Lease | None = None,
        pace: Pace | None = None,
        on_pulse: Callable[[int, Mapping[str, float]], None] | None = None,
        on_lead: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._hub = hub
        self._collector = collector
        self._store = store
        self._lease = lease
        self._pace = pace or Pace()
        self._on_pulse = on_pulse
        self._on_lead = on_lead
        self._tasks: list[asyncio.Task[None]] = []
        self._news = asyncio.Event()
        self._next_at = 0.0
        self._hurried_at = math.inf
        self._made_at = -math.inf
        self._wanted: asyncio.Future[FusionUpdate] | None = None
        self._was_leading = False
        self._looked_at = 0.0
        self._figures = EmitterFigures(self._pace, started_at=0)

    @property
    def pace(self) -> Pace:
        return self._pace

    @property
    def leads(self) -> bool:
        """Whether this node is the one that emits."""
        return self._lease is None or self._lease.is_held

    @property
    def is_cut_off(self) -> bool:
        """Whether the store has not told lately which node emits. One that did goes on for a moment, then none does."""
        return self._lease is not None and self._hub.loop.time() - self._looked_at > CUT_OFF_S

    @property
    def speaks(self) -> bool:
        """Whether this node answers for all: it emits, or did when the store last told."""
        return self.leads or (self.is_cut_off and self.emitting_node == self._hub.node_id)

    @property
    def emitting_node(self) -> str:
        """The node that emits, as far as is known here; empty for none."""
        return self._lease.holder if self._lease is not None else self._hub.node_id

    @property
    def figures(self) -> EmitterFigures:
        return msgspec.structs.replace(self._figures, pace=self._pace)

    async def start(self) -> None:
        self._figures = EmitterFigures(self._pace, started_at=self._hub.now_ms())
        if self._lease is not None:
            self._looked_at = self._hub.loop.time()
            await self._renew(self._lease)
            self._tasks.append(asyncio.create_task(self._keep(self._lease)))
        self._tasks.append(asyncio.create_task(self._run()))

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        self._tasks.clear()
        wanted, self._wanted = self._wanted, None
        _refuse(wanted, BrokerError("the emitter stops"))
        if self._lease is not None:
            with contextlib.suppress(StoreError):
                await self._lease.give_back()

    async def refresh(self) -> FusionUpdate:
        """Have a pulse made now, and return it. Raises ``BrokerError`` where it could not be published."""
        if self._wanted is None:
            self._wanted = asyncio.get_running_loop().create_future()
        self._news.set()
        return await asyncio.shield(self._wanted)

    def hurry(self) -> None:
        """Have a pulse made soon, if this node emits: what it would say is another thing than before."""
        if self._was_leading and self.leads:
            self._hurried_at = min(self._hurried_at, self._made_at + APART_S)
            self._news.set()

    async def set_pace(self, *, interval_s: float | None = None, paused: bool | None = None, by: str) -> Pace:
        """Change the pace, here at once and for good. Raises ``StoreError``; then nothing has changed."""
        if self._store is not None:
            async with self._store.begin() as transaction:
                changed = _changed(_pace_in(await settings.get(transaction, SETTING)) or self._pace, interval_s, paused)
                value = msgspec.json.encode(changed)
                await settings.put(transaction, SETTING, value, by=by, now=self._hub.now())
        else:
            changed = _changed(self._pace, interval_s, paused)
        log.info("fusion_pace_set", by=by, interval_s=changed.interval_s, paused=changed.paused)
        self._take(changed)
        return changed

    async def reload(self) -> Pace:
        """Take over a pace that another node has set. Raises ``StoreError``."""
        if self._store is not None:
            async with self._store.reading() as transaction:
                self._take(_pace_in(await settings.get(transaction, SETTING)) or self._pace)
        return self._pace

    def _take(self, pace: Pace) -> None:
        if pace == self._pace:
            return
        self._next_at += pace.interval_s - self._pace.interval_s
        self._pace = pace
        self._news.set()

    # which node

    async def _keep(self, lease: Lease) -> None:
        while True:
            await asyncio.sleep(RENEWAL_S)
            await self._renew(lease)

    async def _renew(self, lease: Lease) -> None:
        try:
            await lease.hold()
            self._looked_at = self._hub.loop.time()
        except StoreError as error:
            log.warning("fusion_lease_failed", error=str(error))
        if self.leads != self._was_leading:
            self._news.set()

    async def _begin_to_lead(self) -> None:
        try:
            await self.reload()
            if self._on_lead is not None:
                await self._on_lead()
        except StoreError as error:
            log.warning("fusion_store_failed", error=str(error))
        self._next_at = self._hub.loop.time()
        log.info("fusion_emits", interval_s=self._pace.interval_s, paused=self._pace.paused)

    # when

    async def _run(self) -> None:
        loop = self._hub.loop
        while True:
            self._news.clear()
            leads = self.leads
            if leads and not self._was_leading:
                await self._begin_to_lead()
            self._was_leading = leads
            if leads and (self._wanted is not None or loop.time() >= self._due_at()):
                await self._make()
                continue
            due_at = self._due_at() if leads else math.inf
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(max(due_at, loop.time()) if due_at < math.inf else None):
                    await self._news.wait()

    def _due_at(self) -> float:
        return min(self._hurried_at, math.inf if self._pace.paused else self._next_at)

    async def _make(self) -> None:
        wanted, self._wanted = self._wanted, None
        self._hurried_at, self._made_at = math.inf, self._hub.loop.time()
        try:
            update = await self._emit()
        except asyncio.CancelledError:
            _refuse(wanted, BrokerError("the emitter stops"))
            raise
        except Exception as error:
            self._figures = msgspec.structs.replace(self._figures, failed=self._figures.failed + 1)
            log.warning("fusion_pulse_failed", error=str(error), exc_info=not isinstance(error, BrokerError))
            _refuse(wanted, BrokerError(str(error)))
        else:
            if wanted is not None:
                wanted.set_result(update)
        interval, now = self._pace.interval_s, self._hub.loop.time()
        if now >= self._next_at:  # in step, and what was missed is not made up for
            self._next_at += interval * (1 + (now - self._next_at) // interval)

    # what

    async def _emit(self) -> FusionUpdate:
        began = time.perf_counter()
        states = await self._collector.collect()
        collected = time.perf_counter()
        if not self.leads:
            raise BrokerError("another node emits since this one began to collect")
        at, number = self._hub.now_ms(), self._figures.total + 1
        update = self._update(states, at, number=number, collect_ms=(collected - began) * 1000)
        await self._hub.publish(CHANNEL, {"type": UPDATE, "id": f"pulse-{at}-{number}", "at": at, "payload": update})
        self._figures = msgspec.structs.replace(
            self._figures,
            total=number,
            last_at=at,
            collect_ms=update.pulse.collect_ms,
            emit_ms=(time.perf_counter() - collected) * 1000,
        )
        if self._on_pulse is not None:
            self._on_pulse(at, figures(states))
        return update

    def _update(self, states: Sequence[SourceState], at: int, *, number: int, collect_ms: float) -> FusionUpdate:
        marks = {
            state.terms.name: SourceMark(state.status(at), state.as_of, state.error, state.is_demo) for state in states
        }
        pulse = PulseMark(number, self._pace.interval_s, round(collect_ms, 3), marks, self._pace.paused)
        shown: dict[str, Any] = snapshot(states, at)
        return FusionUpdate(shown["ok"], shown["data"], pulse)


def _refuse(wanted: asyncio.Future[FusionUpdate] | None, error: BrokerError) -> None:
    if wanted is not None:
        wanted.set_exception(error)
        wanted.exception()  # whoever asked may have gone


def _changed(pace: Pace, interval_s: float | None, paused: bool | None) -> Pace:
    return Pace(
        pace.interval_s if interval_s is None else interval_s,
        pace.paused if paused is None else paused,
    )


def _pace_in(setting: settings.Setting | None) -> Pace | None:
    """What the store holds, if that can be understood."""
    if setting is None:
        return None
    try:
        return msgspec.json.decode(setting.value, type=Pace)
    except msgspec.DecodeError:
        return None
