"""Sessions that outlive their sockets: what goes out is recorded until it is confirmed, and said again on the next one.

Only who asked for it pays: instead of finished frames the hub hands such a client payloads, which are counted, kept by
reference and framed for the socket of the moment. Clients that get the same payload share its frame all the same.
"""

from typing import TYPE_CHECKING, Final

from vagus.hub.audience import Writes
from vagus.hub.client import Link
from vagus.kernel.codes import Closure
from vagus.wire.encoding import Frame, Framing
from vagus.wire.signalr.handshake import ACCEPTED
from vagus.wire.signalr.notation import Notation
from vagus.wire.signalr.sequences import Heard, Unacked

if TYPE_CHECKING:
    from .session import Session

RECORDED: Final = Framing(bytes, bytes, separator=None)
"""Payloads as they are."""


class Frames:
    """The frame of a payload and how many messages it holds; remembered for the one that was asked for last."""

    __slots__ = ("_count", "_frame", "_framed", "_payload")

    def __init__(self) -> None:
        self._payload = b""
        self._frame: Frame = bytes
        self._framed = b""
        self._count = 0

    def of(self, payload: bytes, frame: Frame, notation: Notation) -> tuple[bytes, int]:
        if payload is not self._payload or frame is not self._frame:
            self._payload, self._frame = payload, frame
            self._framed, self._count = frame(payload), notation.count(payload)
        return self._framed, self._count


class Recorder:
    """What a session's client writes to."""

    __slots__ = ("_has_greeted", "_notation", "_session", "heard", "unacked")

    def __init__(self, session: "Session", notation: Notation) -> None:
        self._session = session
        self._notation = notation
        self._has_greeted = False
        self.unacked = Unacked()
        self.heard = Heard()

    def write(self, payload: bytes) -> None:
        session = self._session
        if not self._has_greeted:
            self._greet(payload)
            return
        framed, count = session.house.frames.of(payload, self._frame, self._notation)
        self.unacked.put(payload, count)
        if session.transport is not None:
            session.transport.write(framed)
        self._hold_back()

    def _greet(self, payload: bytes) -> None:
        """The first payload begins with the answer to the handshake, which is never repeated."""
        self._has_greeted = True
        rest = payload[len(ACCEPTED) :]
        self.unacked.put(rest, self._notation.count(rest))
        if self._session.transport is not None:
            self._session.transport.write(self._frame(payload))
        self._hold_back()

    def _hold_back(self) -> None:
        if self.unacked.is_full and self._session.client is not None:
            self._session.client.pause()

    def ack(self, number: int) -> None:
        self.unacked.ack(number)
        self.reconsider()

    def replay(self) -> None:
        """Say where we begin, and all that is not confirmed."""
        session = self._session
        self.heard.wait()
        session.write_sequence(self.unacked.first)
        for payload in self.unacked.payloads:
            if session.transport is not None:
                session.transport.write(self._frame(payload))
        self.reconsider()

    def reconsider(self) -> None:
        """Let the client go on, or hold it back, as the socket and the bound have it."""
        client = self._session.client
        if client is None:
            return
        flows = self._session.flowing and not self.unacked.is_full
        if flows and not client.flowing:
            client.resume()
        elif not flows and client.flowing:
            client.pause()

    @property
    def _frame(self) -> Frame:
        framing = self._session.framing
        return framing.binary if self._notation.binary else framing.text


class Leg:
    """One socket of a session: its peer as long as no other one has replaced it."""

    __slots__ = ("_session", "_transport", "link")

    def __init__(self, session: "Session", link: Link, transport: Writes) -> None:
        self._session = session
        self._transport = transport
        self.link = link

    @property
    def _carries(self) -> bool:
        return self._session.leg is self

    @property
    def flowing(self) -> bool:
        return self._session.flowing if self._carries else True

    def receive(self, message: bytes) -> None:
        if self._carries:
            self._session.receive(message)

    receive_binary = receive

    def receive_pong(self) -> None:
        pass

    def pause(self) -> None:
        if self._carries:
            self._session.pause()

    def resume(self) -> None:
        if self._carries:
            self._session.resume()

    def lost(self) -> None:
        if not self._carries:
            return
        if self._was_closed:
            self._session.leave()
        else:
            self._session.lost()

    @property
    def _was_closed(self) -> bool:
        """Whether the other side has closed its WebSocket, which ends the session: the socket below is open still.

        An ASGI server does not tell; then the session is kept for a while.
        """
        is_closing = getattr(self._transport, "is_closing", None)
        return is_closing is not None and not is_closing()

    def disconnect(self, closure: Closure) -> None:
        if self._carries:
            self._session.disconnect(closure)
