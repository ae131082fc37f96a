"""The end of a tick: whatever was put into mailboxes and audiences meanwhile is written once, together.

Clients' own mailboxes go first, so that the reply to a subscribe command precedes what the subscription brings. A tick
with nothing to send costs nothing.
"""

import asyncio
from typing import Protocol


class Flushes(Protocol):
    """What can be enlisted: it is asked once, at the end of the tick, to write what it holds."""

    def flush(self) -> None: ...


class Tick:
    """Runs every enlisted ``flush`` once at the end of the tick, clients before audiences."""

    __slots__ = ("_audiences", "_clients", "_is_scheduled", "loop")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._clients: list[Flushes] = []
        self._audiences: list[Flushes] = []
        self._is_scheduled = False

    def enlist_client(self, client: Flushes) -> None:
        self._clients.append(client)
        if not self._is_scheduled:
            self._schedule()

    def enlist_audience(self, audience: Flushes) -> None:
        self._audiences.append(audience)
        if not self._is_scheduled:
            self._schedule()

    def _schedule(self) -> None:
        self._is_scheduled = True
        self.loop.call_soon(self._run)

    def _run(self) -> None:
        self._is_scheduled = False
        clients, self._clients = self._clients, []
        for client in clients:
            client.flush()
        audiences, self._audiences = self._audiences, []
        for audience in audiences:
            audience.flush()
