"""The live view: while somebody follows the channel, one node asks all of them how they do and publishes it.

Which one needs no lease. A node with followers asks, and the question carries its id; so every node knows who asked,
and one that hears of a smaller id leaves it to that one. Where two begin at once both publish, once. While nobody
follows, a node looks for followers twice a second, and that is all.
"""

import asyncio
from typing import Final

import structlog

from vagus.hub import Hub
from vagus.kernel.errors import BrokerError

from .channel import CHANNEL, INTERVAL_S, UPDATE, ConnectionsUpdate
from .node import Figures
from .views import Views

log = structlog.get_logger()

LOOK_S: Final = 0.5
ANSWER_S: Final = 1.0
"""How long nodes have for an answer: shorter than an interval."""
SILENCE_S: Final = 2.5 * INTERVAL_S
"""After which a node that asked is taken to have gone, or to have no followers any more."""


class Announcing:
    """Of this node. ``heard`` is told who asks; ``start`` begins on the running loop."""

    def __init__(self, hub: Hub, figures: Figures) -> None:
        self._hub = hub
        self._figures = figures
        self._askers: dict[str, float] = {}
        self._next_at = 0.0
        self._task: asyncio.Task[None] | None = None

    def heard(self, asker: str) -> None:
        """A node asks for its followers; an empty id is nobody's live view."""
        if asker and asker != self._hub.node_id:
            self._askers[asker] = self._hub.loop.time()

    async def start(self, views: Views) -> None:
        self._task = asyncio.create_task(self._run(views))

    async def stop(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait({task})

    async def _run(self, views: Views) -> None:
        loop = self._hub.loop
        while True:
            now = loop.time()
            self._figures.note(now)
            views.clients_here.meter.forget(now)
            views.channels_here.meter.forget(now)
            if CHANNEL in self._hub.topics and now >= self._next_at and self._is_first(now):
                self._next_at = now + INTERVAL_S
                try:
                    await self._announce(views)
                except BrokerError as error:
                    self._hub.excuse(error)
                except Exception:
                    log.exception("announcing_failed")
            await asyncio.sleep(LOOK_S)

    def _is_first(self, now: float) -> bool:
        self._askers = {asker: at for asker, at in self._askers.items() if now - at < SILENCE_S}
        return all(self._hub.node_id < asker for asker in self._askers)

    async def _announce(self, views: Views) -> None:
        seen = await views.nodes(asker=self._hub.node_id, timeout_s=ANSWER_S)
        update = ConnectionsUpdate(seen.at, int(INTERVAL_S * 1000), seen.totals, seen.nodes, seen.coverage)
        id = f"{self._hub.node_id[:12]}-{seen.at}"
        await self._hub.publish(CHANNEL, {"type": UPDATE, "id": id, "at": seen.at, "payload": update})
