"""Polling: a session's transport while its client fetches what is due with one GET after the other.

What is written waits in a pile until a GET takes it. The pile is short: above its mark the session counts as not
flowing, and the mailboxes of its clients hold the rest.
"""

import asyncio
from base64 import b64decode
from typing import TYPE_CHECKING, Final

from vagus.asgi import Receive
from vagus.wire.encoding import Framing
from vagus.wire.socketio import engine

if TYPE_CHECKING:
    from .engine import Session
    from .engine_upgrade import Probe

HIGH_WATER: Final = 65_536
"""Bytes that may wait for the next GET."""


class Polling:
    """The transport of one session. ``probe`` is a WebSocket that wants to take over, ``is_probed`` once it may."""

    __slots__ = (
        "_is_ended",
        "_is_moving",
        "_pile",
        "_session",
        "_size",
        "_waiter",
        "is_posting",
        "is_probed",
        "probe",
        "reading",
    )

    def __init__(self, session: "Session") -> None:
        self._session = session
        self._pile: list[bytes] = []
        self._size = 0
        self._waiter: asyncio.Future[None] | None = None
        self._is_moving = False
        self._is_ended = False
        self.is_posting = False
        self.is_probed = False
        self.probe: Probe | None = None
        self.reading = asyncio.Event()
        self.reading.set()

    @property
    def is_polled(self) -> bool:
        """Whether a GET waits."""
        return self._waiter is not None

    def write(self, data: bytes) -> None:
        self._pile.append(data)
        self._size += len(data)
        self.wake()
        if self._size > HIGH_WATER and not self._is_moving and not self._is_ended and self._session.flowing:
            self._session.pause()

    def wake(self) -> None:
        """Let the GET that waits go, if one does."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def end(self) -> None:
        """The session is over: after what is due, a GET is told that there is none, and no POST waits any more."""
        self._is_ended = True
        del self._session  # it holds us: without the cycle, both are freed at once and not by the garbage collector
        self.reading.set()
        self.wake()

    def expect_upgrade(self) -> None:
        """Hold no GET from now on: the client sends none while it waits for the last one."""
        self.is_probed = True
        self.wake()

    async def fetch(self, receive: Receive) -> bytes | None:
        """What a GET is answered with, as soon as there is something: nothing at the end.

        ``None`` when the client gives up.
        """
        if not self._pile and not self.is_probed and not await self._wait(receive):
            return None
        return self._take()

    async def _wait(self, receive: Receive) -> bool:
        self._waiter = waiter = asyncio.get_running_loop().create_future()
        gone = asyncio.ensure_future(_disconnected(receive))
        try:
            await asyncio.wait({waiter, gone}, return_when=asyncio.FIRST_COMPLETED)
            return waiter.done()
        finally:
            self._waiter = None
            gone.cancel()

    def _take(self) -> bytes:
        body = engine.SEPARATOR.join(self._pile) or (b"" if self._is_ended else engine.NOOP)
        self._pile.clear()
        self._size = 0
        if not self._is_ended and self._session.polling is self and not self._session.flowing:
            self._session.resume()
        return body

    def begin_move(self) -> None:
        """Take all that is due, whatever its size, since it is handed on at once."""
        self._is_moving = True

    def frames(self, framing: Framing) -> list[bytes]:
        """The pile in other frames; the GET that waits gets nothing of it."""
        packets = engine.SEPARATOR.join(self._pile).split(engine.SEPARATOR) if self._pile else []
        self._pile.clear()
        self.wake()
        return [
            framing.binary(b64decode(packet[1:])) if packet[:1] == engine.BINARY else framing.text(packet)
            for packet in packets
        ]


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
