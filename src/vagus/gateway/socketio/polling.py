"""Polling: a session's transport while its client fetches what is due with one GET after the other.

What is written waits in a pile until a GET takes it. The pile is short: above its mark the session counts as not
flowing, and the mailboxes of its clients hold the rest. What a POST brings waits while the session reads nothing. No
task waits with either: who fetches and who posts is called back.
"""

from base64 import b64decode
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from vagus.kernel.errors import DisconnectError
from vagus.wire.encoding import Framing
from vagus.wire.socketio import engine

if TYPE_CHECKING:
    from .session import Session
    from .upgrade import Probe

HIGH_WATER: Final = 65_536
"""Bytes that may wait for the next GET."""


class Polling:
    """The transport of one session. ``probe`` is a WebSocket that wants to take over, ``is_probed`` once it may."""

    __slots__ = (
        "_fetched",
        "_is_due",
        "_is_ended",
        "_is_moving",
        "_is_reading",
        "_loop",
        "_pile",
        "_posted",
        "_session",
        "_size",
        "_taken",
        "is_posting",
        "is_probed",
        "probe",
    )

    def __init__(self, session: "Session") -> None:
        self._session = session
        self._pile: list[bytes] = []
        self._size = 0
        self._loop = session.endpoint.hub.loop
        self._fetched: Callable[[bytes], None] | None = None
        self._is_due = False
        self._posted: deque[bytes] = deque()
        self._taken: Callable[[bool], None] | None = None
        self._is_reading = True
        self._is_moving = False
        self._is_ended = False
        self.is_posting: bool = False
        self.is_probed = False
        self.probe: Probe | None = None

    @property
    def is_polled(self) -> bool:
        """Whether a GET waits."""
        return self._fetched is not None

    def write(self, data: bytes) -> None:
        self._pile.append(data)
        self._size += len(data)
        self.wake()
        if self._size > HIGH_WATER and not self._is_moving and not self._is_ended and self._session.flowing:
            self._session.pause()

    def wake(self) -> None:
        """Let the GET that waits go, if one does; with all that is written in this turn of the loop."""
        if self._fetched is not None and not self._is_due:
            self._is_due = True
            self._loop.call_soon(self._answer)

    def end(self) -> None:
        """The session is over: after what is due, a GET is told that there is none, and no POST waits any more."""
        self._is_ended = True
        del self._session  # it holds us: without the cycle, both are freed at once and not by the garbage collector
        self.resume_reading()
        self.wake()

    def expect_upgrade(self) -> None:
        """Hold no GET from now on: the client sends none while it waits for the last one."""
        self.is_probed = True
        self.wake()

    # GETs

    def fetch(self, fetched: Callable[[bytes], None]) -> None:
        """Call back with what a GET is answered with, as soon as there is something: nothing at the end."""
        self._fetched = fetched
        if self._pile or self._is_ended or self.is_probed:
            self._answer()

    def give_up(self) -> bool:
        """The client of the GET is gone. Whether it was still waited for."""
        if self._fetched is None or self._is_due:
            return False
        self._fetched = None
        return True

    def _answer(self) -> None:
        self._is_due = False
        fetched, self._fetched = self._fetched, None
        if fetched is not None:
            fetched(self._take())

    def _take(self) -> bytes:
        body = engine.SEPARATOR.join(self._pile) or (b"" if self._is_ended else engine.NOOP)
        self._pile.clear()
        self._size = 0
        if not self._is_ended and self._session.polling is self and not self._session.flowing:
            self._session.resume()
        return body

    # POSTs

    def take(self, body: bytes, taken: Callable[[bool], None]) -> None:
        """Give the packets of a body to the session, no faster than it takes them; then say whether they were any."""
        self._taken = taken
        try:
            self._posted.extend(engine.packets_of(body))
        except DisconnectError as error:
            self._refuse(error)
        else:
            self._read_on()

    def pause_reading(self) -> None:
        self._is_reading = False

    def resume_reading(self) -> None:
        self._is_reading = True
        if self._taken is not None:
            self._loop.call_soon(self._read_on)

    def _read_on(self) -> None:
        if self._taken is None:
            return  # its last packet was taken before it was told to
        try:
            while self._posted and self._is_reading and not self._is_ended:
                self._give(self._session, self._posted.popleft())
        except DisconnectError as error:
            self._refuse(error)
        if not self._posted or self._is_ended:
            self._finish(is_well_formed=True)

    def _give(self, session: "Session", packet: bytes) -> None:
        if packet[:1] == engine.BINARY:
            session.take_binary(engine.payload_of(packet))
        else:
            session.take(packet)

    def _refuse(self, error: DisconnectError) -> None:
        if not self._is_ended:
            self._session.fail(error.closure)
        self._finish(is_well_formed=False)

    def _finish(self, *, is_well_formed: bool) -> None:
        self.is_posting = False
        self._posted.clear()
        taken, self._taken = self._taken, None
        if taken is not None:
            taken(is_well_formed)

    # the upgrade

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
