"""Draining: a node that stops sends its clients to the others, one after the other.

All at once they would arrive all at once. So they go evenly over ``server.drain_s``, in random order; who has a call or
a stream under way goes when that is over, at the end of the time at the latest. Meanwhile nobody new is let in,
``/health`` is red, so that balancers look elsewhere, and connections that proxies keep are given back with an answer.
"""

import asyncio
import math
import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import structlog

from vagus.api.health import wants_liveness
from vagus.asgi import Response, Scope, Send, path_of
from vagus.hub.hub import Hub
from vagus.kernel import codes

if TYPE_CHECKING:
    from vagus.hub.client import Client

log = structlog.get_logger()

STEP_S: Final = 0.05
"""How often clients are let go; those that are due in between go together."""

PROGRESS_S: Final = 2.0
"""How often it is told how many are left."""

DRAINING: Final = Response(503, b'{"status":"draining"}', headers=((b"cache-control", b"no-store"),))
"""What ``/health`` says meanwhile."""


class Draining:
    """The clients of a hub, on their way to other nodes. ``is_cut_short`` is asked at every step."""

    def __init__(self, hub: Hub, over_s: float, is_cut_short: Callable[[], bool] = lambda: False) -> None:
        self._hub = hub
        self._over_s = over_s
        self._is_cut_short = is_cut_short
        self._waiting: list[Client] = []
        self._busy: list[Client] = []

    async def run(self) -> None:
        """Return when nobody is left, or the time is over, or it is cut short; who is left then is the caller's."""
        loop = asyncio.get_running_loop()
        self._waiting = list(self._hub.clients.values())
        random.shuffle(self._waiting)
        total = len(self._waiting)
        begun = told_at = loop.time()
        while self._hub.clients and (passed := loop.time() - begun) < self._over_s and not self._is_cut_short():
            had_turn = total - len(self._waiting)
            self._let_go(math.ceil(total * passed / self._over_s) - had_turn)
            if loop.time() - told_at >= PROGRESS_S:
                told_at = loop.time()
                log.info("drain_progress", left=len(self._hub.clients), busy=len(self._busy))
            await asyncio.sleep(STEP_S)

    def _let_go(self, due: int) -> None:
        """Let so many go, and those who were busy, and when all have had their turn, those who came meanwhile."""
        turn = [*self._busy, *self._waiting[:due]] if self._waiting else list(self._hub.clients.values())
        del self._waiting[:due]
        self._busy = []
        for client in turn:
            if client.is_at_work and client.id in self._hub.clients:
                self._busy.append(client)
            else:
                client.disconnect(codes.SHUTDOWN)


def is_readiness(scope: Scope) -> bool:
    """Whether a request asks if new clients may come here."""
    return (
        path_of(scope) == "/health" and scope["method"] in ("GET", "HEAD") and not wants_liveness(scope["query_string"])
    )


def parting(send: Send) -> Send:
    """Answers after which the connection is given back, so that its next request goes elsewhere."""

    async def part(message: Any) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", ()), (b"connection", b"close")]}
        await send(message)

    return part
