"""How this node does, for whoever asks: its counts, its process, and what it stands on."""

import asyncio
import platform
from collections import deque
from collections.abc import Callable
from typing import Final

from vagus.hub import Hub
from vagus.hub.vitals import memory_bytes
from vagus.store import Store

from .values import LoopLag, NodeFigures, State

RATE_S: Final = 5.0
"""Over which rates of a node are taken."""
STORE_S: Final = 0.8
"""How long the store may take to say that it is well: the answer must be there before nobody waits for it."""


class Figures:
    """Of this node. ``note`` is called at times, so that there are rates as soon as somebody asks."""

    def __init__(self, hub: Hub, store: Store | None, is_draining: Callable[[], bool]) -> None:
        self._hub = hub
        self._store = store
        self._is_draining = is_draining
        self._noted: deque[tuple[float, int, int]] = deque()

    def note(self, now: float) -> None:
        self._noted.append((now, *self._messages()))
        while now - self._noted[0][0] > RATE_S:
            self._noted.popleft()

    def _messages(self) -> tuple[int, int]:
        figures = self._hub.figures
        return sum(figures.commands.values()), figures.delivered

    def _rates(self, came: int, went: int) -> tuple[float, float]:
        now = self._hub.loop.time()
        if not self._noted or now <= self._noted[0][0]:
            return 0.0, 0.0
        since, came_then, went_then = self._noted[0]
        return round((came - came_then) / (now - since), 1), round((went - went_then) / (now - since), 1)

    async def node(self) -> NodeFigures:
        hub, figures, vitals, condition = self._hub, self._hub.figures, self._hub.vitals, self._hub.broker.condition
        came, went = self._messages()
        came_per_s, went_per_s = self._rates(came, went)
        lag = vitals.lag
        store = await self._store_state()
        return NodeFigures(
            id=hub.node_id,
            name=platform.node(),
            version=hub.version,
            started_at=int(hub.started_at * 1000),
            uptime_seconds=int(max(0.0, hub.now() - hub.started_at)),
            clients=len(hub.clients),
            users=hub.num_users,
            channels=len(hub.topics),
            subscriptions=hub.num_subscriptions,
            cpu_percent=round(vitals.cpu_percent, 1),
            memory_bytes=memory_bytes(),
            loop_lag_ms=LoopLag(round(lag.median * 1000, 2), round(lag.highest * 1000, 2)),
            messages_in=came,
            messages_out=went,
            messages_in_per_second=came_per_s,
            messages_out_per_second=went_per_s,
            bytes_in=figures.received_bytes,
            queue_bytes=sum(client.queue_bytes for client in hub.lagging),
            slow_clients=len(hub.lagging),
            closed_slow=figures.slow,
            dropped=figures.dropped,
            broker="ok" if condition.is_up else "failed",
            broker_lag_ms=round(condition.lag_s * 1000, 2),
            store=store,
            draining=self._is_draining(),
        )

    async def _store_state(self) -> State:
        if self._store is None:
            return "none"
        try:
            async with asyncio.timeout(STORE_S):
                await self._store.check()
        except Exception:  # whatever it is, health says it and logs it
            return "failed"
        return "ok"
