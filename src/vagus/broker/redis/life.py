"""A broker between its start and its end: what it knows of one node, and the tasks that look after that.

One task beats: it says that this node is alive, notices what is amiss and begins what mends it. Another one compares
what flowed here with the streams now and then, and a third one does so when a connection has come back.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

import structlog

from vagus.broker import Listener
from vagus.kernel.errors import BrokerError
from vagus.kernel.history import Query

from . import Servers
from .attendance import Attendance
from .clearing import Clearing
from .healing import AGAIN_S, GRACE_S, Flow, Healer
from .keys import Keys
from .lane import KEPT_ORDERS, Lane
from .registry import Registry
from .streams import Streams

log = structlog.get_logger()

LEAVING_S: Final = 1.0
"""How long saying goodbye may take."""

BEATS_PER_LOOK: Final = 5
"""How often it is looked whether entries in presence are still there."""

BEATS_PER_SETTLING: Final = 5
"""How many beats lie between two times that everything is entered again."""


class Life:
    """The parts that need to know the node. ``flows`` is what is listened to, by channel."""

    def __init__(
        self,
        servers: Servers,
        keys: Keys,
        streams: Streams,
        listener: Listener,
        *,
        beat_s: float,
        timeout_s: float,
    ) -> None:
        self._servers = servers
        self._keys = keys
        self._beat_s = beat_s
        self._streams = streams
        self.listener: Final = listener
        self.flows: Final[dict[bytes, Flow]] = {}
        self.healer: Final = Healer(streams)
        self.registry: Final = Registry(servers, keys, listener.node_id, beat_s, timeout_s)
        self.attendance: Final = Attendance(servers, keys, self.registry)
        self.lane: Final = Lane(servers, keys, streams, self.registry, listener)
        self._clearing = Clearing(servers, keys, self.registry)
        self._suspects: set[bytes] = set()
        self._loops: list[asyncio.Task[None]] = []
        self._chore: asyncio.Task[None] | None = None
        self._checking: asyncio.Task[None] | None = None
        self._beats = 0
        self._settled_at = -BEATS_PER_SETTLING
        self._reconnections = 0

    async def start(self, check_s: float) -> None:
        """Join the other nodes. Raises ``BrokerError``."""
        orders = self.lane.orders
        self.flows[orders.names.flow] = orders
        await self._servers.listen((orders.names.flow, *self.lane.channels))
        await self.registry.take_tenure()
        _, top = await self._streams.page(orders.names, Query(0), KEPT_ORDERS.ttl_s)
        orders.note(top)
        orders.adopt(top.position)
        self._reconnections = self._servers.reconnections
        self._loops = [
            asyncio.create_task(_forever(self._beat_s, self._beat)),
            asyncio.create_task(_forever(check_s / 2, lambda: self._sweep(check_s / 2))),
        ]

    async def close(self) -> None:
        """Leave the other nodes, if that can be said quickly."""
        tasks = [task for task in (*self._loops, self._chore, self._checking) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.lane.close()
        await self.healer.close()
        try:
            async with asyncio.timeout(LEAVING_S):
                await self.registry.give_up(self.registry.tenure)
        except (BrokerError, TimeoutError):
            log.debug("leaving_not_said")

    # beats

    async def _beat(self) -> None:
        self._beats += 1
        self.registry.listen_anew()
        if not await self.registry.beat():
            self.attendance.is_settled = False
        if self._servers.reconnections != self._reconnections:
            self._reconnections = self._servers.reconnections
            self.attendance.doubt()
        await self._look_at_orders()
        if self._chore is None or self._chore.done():
            self._chore = asyncio.create_task(self._chores())

    async def _look_at_orders(self) -> None:
        at, top = self.lane.orders.position, self.registry.orders
        if at.epoch != top.epoch or at.offset < top.offset:
            await self.healer.check([self.lane.orders], grace_s=GRACE_S)

    async def _chores(self) -> None:
        """What takes longer than until the next beat, perhaps."""
        if not self.attendance.is_settled and self._beats >= self._settled_at + BEATS_PER_SETTLING:
            self._settled_at = self._beats
            await _tried(self.attendance.settle)
        if self._beats % BEATS_PER_LOOK == 0:
            await _tried(self.attendance.look_after)
        await _tried(self._clearing.clear)

    # looking at the streams

    def adopt_positions(self) -> list[Flow]:
        """Take over what the listener knows of where flows stand. Returns those flows."""
        flows = []
        for followed in self.listener.followed():
            flow = self.flows.get(self._keys.names(followed.channel).flow)
            if flow is not None and followed.position.epoch:
                flow.adopt(followed.position)
                flow.ttl_s = followed.keep.ttl_s
                flows.append(flow)
        return flows

    async def _sweep(self, within_s: float) -> None:
        await self.healer.sweep([self.lane.orders, *self.adopt_positions()], within_s)

    def suspect(self, channels: Iterable[bytes]) -> None:
        """Something of these channels may be missing."""
        self._suspects.update(channels)
        if self._checking is None or self._checking.done():
            self._checking = asyncio.create_task(_tried(self._check_suspects))

    async def _check_suspects(self) -> None:
        self.adopt_positions()
        while self._suspects:
            suspects, self._suspects = self._suspects, set()
            try:
                await self.healer.check([self.flows[channel] for channel in suspects if channel in self.flows])
            except BrokerError:
                self._suspects |= suspects
                await asyncio.sleep(AGAIN_S)


async def _forever(pause_s: float, work: Callable[[], Awaitable[None]]) -> None:
    while True:
        await asyncio.sleep(pause_s)
        await _tried(work)


async def _tried(work: Callable[[], Awaitable[None]]) -> None:
    """It is done again soon: that it cannot be done now is no news while Redis is away."""
    try:
        await work()
    except BrokerError as error:
        log.debug("upkeep_postponed", error=str(error))
    except Exception:
        log.exception("upkeep_failed")
