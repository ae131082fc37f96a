"""A WebSocket straight on the event loop's transport: the fast path.

One ``WebSocket`` is one connection after its handshake: bytes become messages for its peer, which is a client of the
hub or a session of some, and finished frames are written to the transport itself. No task, no queue and no buffer of
its own; it closes as RFC 6455 wants it, with a bounded wait for the other side.
"""

import asyncio
from typing import Final

from vagus.hub.journal import log
from vagus.kernel.codes import Closure
from vagus.wire.websocket import Binary, Close, FrameReader, Ping, Pong, Text, close_frame, pong_frame

from .endpoints import Opening, Peer
from .gate import Gate

CLOSING_S: Final = 5.0
"""How long the other side may take to answer a close frame."""

NO_STATUS: Final = 1005


class WebSocket(asyncio.Protocol):
    """One connection, made when the handshake is done."""

    __slots__ = ("_close_code", "_gate", "_is_closing", "_peer", "_pings_natively", "_reader", "_transport", "slot")

    def __init__(self, gate: Gate, transport: asyncio.Transport, opening: Opening, *, deflates: bool) -> None:
        self.slot = 0
        self._gate = gate
        self._transport = transport
        self._reader = FrameReader(opening.message_bytes or gate.hub.limits.message_bytes, deflate=deflates)
        self._is_closing = False
        self._close_code = opening.close_code
        self._pings_natively = opening.pings_natively
        framing = gate.framing(deflates=deflates, pings_natively=opening.pings_natively)
        self._peer: Peer = opening.open(self, transport, framing)
        gate.sockets.add(self)

    def end(self, closure: Closure) -> None:
        """Close from the server's side. Only for a connection that is not lost."""
        self._peer.disconnect(closure)

    # from the transport

    def data_received(self, data: bytes) -> None:
        for event in self._reader.feed(data):
            if type(event) is Text:
                self._peer.receive(event.payload)
            else:
                self._take(event)

    def _take(self, event: object) -> None:
        match event:
            case Binary(payload):
                self._peer.receive_binary(payload)
            case Ping(payload):
                if not self._is_closing and self._peer.flowing:
                    self._transport.write(pong_frame(payload))
            case Pong():
                if self._pings_natively:
                    self._peer.receive_pong()
            case Close(code, _):
                self._finish(close_frame(code if code != NO_STATUS else self._close_code))
            case _:  # a violation: the client is told what it was, and nothing more is read
                self._finish(close_frame(event.code, event.reason))  # type: ignore[attr-defined]

    def _finish(self, frame: bytes) -> None:
        """The conversation is over: answer unless we spoke last, then let the transport go."""
        if not self._is_closing:
            self._is_closing = True
            self._transport.write(frame)
        self._peer.lost()
        self._transport.close()

    def eof_received(self) -> None:
        return None  # the transport closes itself

    def pause_writing(self) -> None:
        self._peer.pause()

    def resume_writing(self) -> None:
        self._peer.resume()

    def connection_lost(self, exc: Exception | None) -> None:
        self._gate.leave(self)
        self._gate.hub.wheel.unset(self)
        self._peer.lost()
        del self._peer  # it holds us: without the cycle, both are freed at once and not by the garbage collector

    # from the hub (hub.client.Link)

    def close(self, closure: Closure) -> None:
        if self._is_closing:
            return
        self._is_closing = True
        self._transport.write(close_frame(closure.code, closure.reason))
        self.resume_reading()  # the answer must be seen, also from a client that was not read from
        self._gate.hub.wheel.set_in(self, CLOSING_S)
        log.debug("client_closed", code=closure.code, reason=closure.reason)

    def abort(self, closure: Closure) -> None:
        self._is_closing = True
        log.info("client_aborted", code=closure.code, reason=closure.reason)
        self._transport.abort()

    def pause_reading(self) -> None:
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        if not self._transport.is_closing():
            self._transport.resume_reading()

    def on_due(self, now: float) -> None:
        """The other side did not answer our close frame."""
        self._transport.abort()
