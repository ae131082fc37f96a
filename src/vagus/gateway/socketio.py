"""Socket.IO: the endpoint. Handshakes, polling requests and WebSockets find their session here.

HTTP requests are refused with the statuses and the JSON of Engine.IO; ``wire/socketio`` holds the protocol itself,
``engine`` a session, and the files ``engine_…`` what belongs to one.
"""

import asyncio
import contextlib
import secrets
from collections.abc import Iterable
from typing import Final
from urllib.parse import parse_qs

from vagus.asgi import (
    BodyTooLargeError,
    ClientGoneError,
    Receive,
    Response,
    Scope,
    Send,
    headers_of,
    read_body,
    respond,
)
from vagus.hub.audience import Writes
from vagus.hub.client import Link
from vagus.hub.requests import Origin
from vagus.kernel import codes
from vagus.kernel.errors import DisconnectError
from vagus.wire.encoding import Framing
from vagus.wire.socketio import EventDialect, engine
from vagus.wire.socketio.engine import Problem
from vagus.wire.websocket import Refusal

from .cors import cors_headers, preflight
from .endpoints import Opening
from .engine import Session
from .engine_bundles import Bundles, Unbundled
from .engine_polling import Polling
from .engine_recovery import Parking
from .engine_upgrade import Probe
from .gate import BUSY, Gate
from .sessions import Sessions

PATHS: Final = ("/socket.io/", "/socket.io")

MAX_PAYLOAD: Final = 1_000_000
"""One message, one body of a polling request, the attachments of one packet: the reference server's bound."""

PING_INTERVAL_S: Final = 25.0
"""Where the hub sends no pings: clients of this protocol cannot do without."""

BODY_S: Final = 30.0
"""How long the body of a request may take to come, and that of a response to go."""

SID_BYTES: Final = 15

MAX_FIELDS: Final = 32
"""Of a query: clients add some of their own."""

_TEXT: Final = b"text/plain; charset=UTF-8"
_POLLED: Final = Framing(bytes, engine.binary_in_body, separator=engine.SEPARATOR, is_each=True)


class SocketIo:
    """See the module. ``recovery_s`` is how long a client whose connection is lost may come back for what it missed;

    0 offers no recovery, as in the reference server unless it is told otherwise.
    """

    def __init__(self, gate: Gate, *, max_payload: int = MAX_PAYLOAD, recovery_s: float = 0.0) -> None:
        limits = gate.hub.limits
        self.hub = gate.hub
        self.max_payload = max_payload
        self.interval_s = limits.ping_interval_s or PING_INTERVAL_S
        self.timeout_s = limits.pong_timeout_s
        self.parking = Parking(recovery_s) if recovery_s else None
        self._gate = gate
        self._polling: Sessions[Session] = Sessions()
        self._dialects: dict[str, EventDialect] = {}
        self._bundles: dict[Framing, Bundles] = {}

    def dialect(self, section: str) -> EventDialect:
        """The dialect of a section that exists."""
        dialect = self._dialects.get(section)
        if dialect is None:
            dialect = self._dialects[section] = EventDialect(section, has_offsets=self.parking is not None)
        return dialect

    def leave(self, session: Session) -> None:
        """A session polls no more: it has a WebSocket now, or is over."""
        if session.sid:
            self._polling.remove(session.sid)
            session.sid = ""
            self._gate.leave(session)

    def _framing(self, framing: Framing) -> Framing:
        """Bundles where they are needed: to be recorded, or where somebody else makes the frames."""
        if self.parking is None and framing.separator is not None:
            return framing
        bundles = self._bundles.get(framing)
        if bundles is None:
            bundles = self._bundles[framing] = Bundles(framing)
        return bundles

    def _handshake(self, sid: str, *upgrades: str) -> bytes:
        interval, timeout = int(self.interval_s * 1000), int(self.timeout_s * 1000)
        return engine.Handshake(sid, upgrades, interval, timeout, self.max_payload).packet

    # WebSockets

    def knock(self, origin: Origin, subprotocols: Iterable[str]) -> Opening | Refusal:
        query = _query(origin)
        problem = _problem_of(query, "websocket")
        if problem is not None:
            return _refusal(problem)
        sid = query.get("sid")
        if sid is None:
            return Opening(lambda *transport: self._open(origin, *transport), message_bytes=self.max_payload)
        session = self._polling.get(sid)
        if session is None:
            return _refusal(engine.UNKNOWN_SESSION)
        if session.polling is None or session.polling.probe is not None:
            return _refusal(engine.BAD_REQUEST)
        return Opening(
            lambda *transport: self._probe(session, *transport), is_resumed=True, message_bytes=self.max_payload
        )

    def _open(self, origin: Origin, link: Link, transport: Writes, framing: Framing) -> Session:
        session = Session(self, origin, self._framing(framing))
        session.run_on(_writing(transport, framing), link)
        session.transport.write(framing.text(self._handshake(secrets.token_urlsafe(SID_BYTES))))
        return session

    def _probe(self, session: Session, link: Link, transport: Writes, framing: Framing) -> Probe:
        probe = Probe(session, link, _writing(transport, framing), self._framing(framing))
        if session.polling is not None:
            session.polling.probe = probe
        return probe

    # HTTP

    async def http(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "OPTIONS":
            await respond(send, preflight(self._gate, scope))
            return
        origin = self._gate.origin(scope, transport="polling")
        response = await self._answer(origin, scope, receive)
        if response is None:
            return  # nobody is there to be answered
        headers = (*response.headers, (b"cache-control", b"no-store"), *cors_headers(self._gate, scope))
        with contextlib.suppress(TimeoutError):  # who takes nothing does not answer pings either
            async with asyncio.timeout(BODY_S):
                await respond(send, Response(response.status, response.body, response.content_type, headers))

    async def _answer(self, origin: Origin, scope: Scope, receive: Receive) -> Response | None:
        refusal = self._gate.check(origin)
        if refusal is not None:
            return _response(engine.FORBIDDEN, refusal.status)
        query, method = _query(origin), scope["method"]
        problem = _problem_of(query, "polling")
        if problem is not None:
            return _response(problem)
        sid = query.get("sid")
        if sid is None:
            return self._begin(origin) if method == "GET" else _response(engine.BAD_HANDSHAKE_METHOD)
        session = self._polling.get(sid)
        if session is None or session.polling is None:
            return _response(engine.UNKNOWN_SESSION)
        match method:
            case "GET":
                return await self._fetch(session, session.polling, receive)
            case "POST":
                return await self._take(session, session.polling, scope, receive)
        return _response(engine.BAD_REQUEST)

    def _begin(self, origin: Origin) -> Response:
        """A new session."""
        refusal = self._gate.admit_rate(origin)
        if refusal is None and (self._polling.is_full or self.hub.registry.check_room(origin.address) is not None):
            refusal = BUSY
        if refusal is not None:
            return Response(refusal.status, refusal.reason.encode(), _TEXT, refusal.headers)
        session = Session(self, origin, self._framing(_POLLED))
        session.poll()
        session.sid = self._polling.add(session)
        self._gate.sockets.add(session)
        return Response(200, self._handshake(session.sid, "websocket"), _TEXT)

    async def _fetch(self, session: Session, polling: Polling, receive: Receive) -> Response | None:
        if polling.is_polled:
            session.close(codes.MALFORMED)
            return _response(engine.BAD_REQUEST)
        await receive()  # the request itself, which has no body
        body = await polling.fetch(receive)
        if body is None:
            session.lost()
            return None
        return Response(200, body, _TEXT) if body else _response(engine.UNKNOWN_SESSION)

    async def _take(self, session: Session, polling: Polling, scope: Scope, receive: Receive) -> Response | None:
        headers = headers_of(scope)
        if polling.is_posting or headers.get(b"content-type", b"").startswith(b"application/octet-stream"):
            session.close(codes.MALFORMED)
            return _response(engine.BAD_REQUEST)
        polling.is_posting = True
        try:
            async with asyncio.timeout(BODY_S):
                body = await read_body(receive, headers, self.max_payload)
            await _hand_over(session, polling, body)
        except BodyTooLargeError:
            return Response(413, b"", _TEXT)
        except (ClientGoneError, TimeoutError):
            session.lost()
            return None
        except DisconnectError as error:
            session.fail(error.closure)
            return _response(engine.BAD_REQUEST)
        finally:
            polling.is_posting = False
        return Response(200, b"ok", b"text/html")  # as plain text some browsers offer to save it


async def _hand_over(session: Session, polling: Polling, body: bytes) -> None:
    """Give the packets of a body to their session, no faster than it takes them. Raises ``DisconnectError``."""
    for packet in engine.packets_of(body):
        if not polling.reading.is_set():
            await polling.reading.wait()
        if session.is_over:
            return
        if packet[:1] == engine.BINARY:
            session.take_binary(engine.payload_of(packet))
        else:
            session.take(packet)


def _writing(transport: Writes, framing: Framing) -> Writes:
    return Unbundled(transport) if framing.separator is None else transport


def _query(origin: Origin) -> dict[str, str]:
    """The query's fields, of several the first; none if there are too many."""
    try:
        return {name: values[0] for name, values in parse_qs(origin.query, max_num_fields=MAX_FIELDS).items()}
    except ValueError:
        return {}


def _problem_of(query: dict[str, str], transport: str) -> Problem | None:
    """What is wrong with a request that came over a transport."""
    if query.get("transport") not in ("polling", "websocket"):
        return engine.UNKNOWN_TRANSPORT
    if query.get("EIO") != "4":
        return engine.UNSUPPORTED_VERSION
    return engine.BAD_REQUEST if query["transport"] != transport else None


def _response(problem: Problem, status: int = 400) -> Response:
    return Response(status, problem.body)


def _refusal(problem: Problem) -> Refusal:
    return Refusal(400, problem.body.decode())
