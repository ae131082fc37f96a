"""The doorway: the first bytes of a connection decide where it goes.

uvicorn makes one for every connection (its ``http`` setting). A handshake for one of our paths becomes a ``WebSocket``
without a detour, a request for a stream a ``DirectStream``, polls stay with ``DirectPolls``; what belongs to a session
of a sibling is sent there (see ``siblings``). Everything else is handed on to uvicorn's own HTTP protocol, bytes and
all, which hands a connection back when one of these comes later. Whoever does not finish the head of a first request
in time, or sends too much of it, is shown out, so that half-open sockets cost little and not for long.
"""

import asyncio
import re
from typing import Any, Final

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from vagus.hub.journal import log
from vagus.wire.websocket import Refusal, check_upgrade, negotiate_deflate, refusal_response, upgrade_response

from .direct import body_length, respond_directly
from .direct_polls import NOT_HTTP, DirectPolls, ends_of
from .endpoints import Endpoint
from .gate import BUSY, NO_ENDPOINT, Gate
from .heads import END_OF_HEAD, HEAD_BYTES, Head, origin_of, path_in
from .polls import PolledEndpoint, polled
from .siblings import SiblingBusyError, SiblingGoneError
from .streaming import Request, StreamingEndpoint, streaming
from .websocket import WebSocket

_TOO_LONG: Final = refusal_response(Refusal(431, "the head of this request is too long"))
_UPGRADE: Final = re.compile(rb"\r\nupgrade:", re.IGNORECASE).search
"""Whether a head asks for another protocol; what else comes to our paths is HTTP."""
_WEBSOCKET: Final = re.compile(rb"\r\nupgrade: *websocket *\r\n", re.IGNORECASE).search
"""Whether it asks for a WebSocket, which nobody has at any other path."""


class BoundedHttp(HttpToolsProtocol):
    """uvicorn's HTTP protocol, with a bound on how long the head of a later request may take as well.

    uvicorn lets its keep-alive timer go with the first byte of a request and looks again after the answer. A later
    request for a stream or a WebSocket goes back to a doorway.
    """

    def __init__(self, gate: Gate, uvicorn: dict[str, Any]) -> None:
        super().__init__(**uvicorn)
        self._gate = gate
        self._uvicorn = uvicorn
        self._head_s = gate.hub.limits.stale_s
        self._head_timer: asyncio.TimerHandle | None = None
        self._is_between = False
        """Whether all of a request was read, and nothing of the next one."""

    def on_message_begin(self) -> None:
        self._is_between = False
        super().on_message_begin()

    def on_message_complete(self) -> None:
        self._is_between = True
        super().on_message_complete()

    def data_received(self, data: bytes) -> None:
        if self._is_between and self.timeout_keep_alive_task is not None and self._is_for_doorway(data):
            self._hand_back(data)
            return
        super().data_received(data)
        cycle: RequestResponseCycle | None = self.cycle  # uvicorn's own annotation forgets the None that it begins with
        is_answering = cycle is not None and not cycle.response_complete
        if is_answering or self.timeout_keep_alive_task is not None:
            self._stop_timing()
        elif self._head_timer is None and not self.transport.is_closing():
            self._head_timer = self.loop.call_later(self._head_s, self.transport.close)

    def _is_for_doorway(self, data: bytes) -> bool:
        endpoint = self._gate.endpoint(path_in(data))
        if endpoint is None:
            return _WEBSOCKET(data) is not None
        if self._gate.home_of(endpoint, data):
            return True
        is_plain_poll = (polls := polled(endpoint)) is not None and ends_of(data, polls.max_payload) is not None
        return is_plain_poll or streaming(endpoint) is not None or _UPGRADE(data) is not None

    def _hand_back(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        self._stop_timing()
        self.connections.discard(self)
        doorway = Doorway(self._gate, self._uvicorn)
        doorway.connection_made(self.transport)
        self.transport.set_protocol(doorway)
        doorway.data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timing()
        super().connection_lost(exc)

    def _stop_timing(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None


class Doorway(asyncio.Protocol):
    """A connection whose first request is not read yet. ``uvicorn`` holds what its protocol is made with."""

    __slots__ = ("_buffer", "_gate", "_transport", "_uvicorn", "slot")

    def __init__(self, gate: Gate, uvicorn: dict[str, Any]) -> None:
        self.slot = 0
        self._gate = gate
        self._uvicorn = uvicorn
        self._buffer = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport) or hasattr(transport, "set_protocol")
        self._transport = transport  # type: ignore[assignment]  # uvloop's transports are registered, not derived
        hub = self._gate.hub
        hub.wheel.set_in(self, hub.limits.stale_s)
        self._gate.arriving.add(self)

    def _arrived(self) -> None:
        """Its request is read, or it is gone: nobody waits for it any more."""
        self._gate.hub.wheel.unset(self)
        self._gate.arriving.discard(self)

    def data_received(self, data: bytes) -> None:
        self._buffer = data = self._buffer + data if self._buffer else data
        end = data.find(END_OF_HEAD)
        if (end if end >= 0 else len(data)) > HEAD_BYTES:
            self._show_out(_TOO_LONG)
            return
        if end < 0:
            return
        endpoint = self._gate.endpoint(path_in(data))
        if home := self._gate.home_of(endpoint, data):
            self._send_home(home, data)
        elif endpoint is not None and data.startswith(b"GET ") and _UPGRADE(data, 0, end):
            self._arrived()
            self._upgrade(endpoint, data[: end + 4], data[end + 4 :])
        elif (streams := streaming(endpoint)) is not None:
            self._stream(streams, data, end + 4)
        elif (polls := polled(endpoint)) is not None and ends_of(data, polls.max_payload) is not None:
            self._poll(polls, data)
        elif endpoint is None and data.startswith(b"GET ") and _WEBSOCKET(data, 0, end + 2):
            self._arrived()
            self._upgrade(None, data[: end + 4], b"")
        else:
            self._hand_on(data)

    def _send_home(self, home: str, data: bytes) -> None:
        """Give the connection to the sibling that holds the session."""
        self._arrived()
        if self._transport.get_write_buffer_size():  # what was answered before is not even sent: it comes again
            self._transport.close()
            return
        self._transport.pause_reading()
        self._gate.hub.spawn(self._hand_over(home, data))

    async def _hand_over(self, home: str, data: bytes) -> None:
        siblings = self._gate.siblings
        assert siblings is not None
        try:
            await siblings.hand_over(home, self._transport, data)
        except SiblingGoneError:
            self._buffer = b""
            self._transport.resume_reading()
            self.take_back(data)  # and answer as if the session were unknown, which it is
        except SiblingBusyError:
            log.warning("sibling_busy", sibling=home)
            self._show_out(refusal_response(BUSY))
        except BaseException:
            self._transport.abort()
            raise
        else:
            self._transport.abort()

    def _upgrade(self, endpoint: Endpoint | None, head: bytes, rest: bytes) -> None:
        read = self._read(head)
        if read is not None:
            enter(self._gate, endpoint, self._transport, read.target, read.http_version, read.headers, rest)

    def _stream(self, endpoint: StreamingEndpoint, data: bytes, start: int) -> None:
        """Answer directly when the body is there. What is not as plain as that is uvicorn's."""
        length = body_length(data, start, self._gate.hub.limits.message_bytes)
        if length is None or not data.startswith(tuple(f"{method} ".encode() for method in endpoint.methods)):
            self._hand_on(data)
            return
        end = start + length
        if len(data) < end:
            return  # the deadline of the head holds for the body too
        self._arrived()
        read = self._read(data[:end])
        if read is not None:
            origin = origin_of(self._gate, self._transport, read.target, read.headers, endpoint.streams_as)
            request = Request(read.method, origin, data[start:end])
            respond_directly(self._gate, endpoint, request, read.http_version, self._transport)

    def _poll(self, endpoint: PolledEndpoint, data: bytes) -> None:
        self._arrived()
        self._buffer = b""
        polls = DirectPolls(self._gate, endpoint, self._transport, self)
        self._transport.set_protocol(polls)
        polls.data_received(data)

    def take_back(self, data: bytes) -> None:
        """Polls have ended with these bytes, which begin a request of another kind or a part of one."""
        self._transport.set_protocol(self)
        self.connection_made(self._transport)
        self.data_received(data)

    @property
    def connections(self) -> set[Any]:
        """Those that uvicorn tells when it stops."""
        connections: set[Any] = self._uvicorn["server_state"].connections
        return connections

    @property
    def default_headers(self) -> list[tuple[bytes, bytes]]:
        """What uvicorn says in each response."""
        headers: list[tuple[bytes, bytes]] = self._uvicorn["server_state"].default_headers
        return headers

    @property
    def keep_alive_s(self) -> float:
        """How long a connection may wait for its next request."""
        seconds: float = self._uvicorn["config"].timeout_keep_alive
        return seconds

    def _read(self, data: bytes) -> Head | None:
        """Read a head; who sends something else is shown out."""
        read = Head()
        try:
            read.read(data)
        except httptools.HttpParserError:
            self._show_out(NOT_HTTP)
            return None
        return read

    def _hand_on(self, data: bytes) -> None:
        self._arrived()
        protocol = BoundedHttp(self._gate, self._uvicorn)
        protocol.connection_made(self._transport)
        self._transport.set_protocol(protocol)
        protocol.data_received(data)

    def _show_out(self, response: bytes) -> None:
        self._transport.write(response)
        self._transport.close()

    def on_due(self, now: float) -> None:
        self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._arrived()

    def eof_received(self) -> None:
        return None


def enter(
    gate: Gate,
    endpoint: Endpoint | None,
    transport: asyncio.Transport,
    target: bytes,
    http_version: str,
    headers: list[tuple[bytes, bytes]],
    rest: bytes,
) -> None:
    """Answer a handshake: a WebSocket takes the connection over, or it is refused and closed."""
    upgrade = check_upgrade("GET", http_version, headers)
    if isinstance(upgrade, Refusal):
        _refuse(transport, upgrade)
        return
    if endpoint is None:
        _refuse(transport, NO_ENDPOINT)
        return
    origin = origin_of(gate, transport, target, headers)
    opening = gate.knock(endpoint, origin, upgrade.subprotocols)
    if isinstance(opening, Refusal):
        _refuse(transport, opening)
        return
    extension = negotiate_deflate(upgrade.extensions) if gate.compression else None
    transport.write(upgrade_response(upgrade, subprotocol=opening.subprotocol, extensions=extension))
    socket = WebSocket(gate, transport, opening, deflates=extension is not None)
    transport.set_protocol(socket)
    closure = None if opening.is_resumed else gate.hub.registry.check_room(origin.address)
    if closure is not None:
        socket.end(closure)
    if rest:
        socket.data_received(rest)


def _refuse(transport: asyncio.Transport, refusal: Refusal) -> None:
    transport.write(refusal_response(refusal))
    transport.close()


def doorway(gate: Gate) -> Any:
    """What uvicorn's ``http`` setting takes: called with uvicorn's arguments for each connection."""

    def protocol(config: Any, server_state: Any, app_state: dict[str, Any], _loop: Any = None) -> Doorway:
        uvicorn = {"config": config, "server_state": server_state, "app_state": app_state, "_loop": _loop}
        return Doorway(gate, uvicorn)

    return protocol
