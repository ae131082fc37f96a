"""Socket.IO: the endpoint. Handshakes, polling requests and WebSockets find their session here.

HTTP requests are refused with the statuses and the JSON of Engine.IO; ``wire/socketio`` holds the protocol itself,
``session`` a connection, and the other files what belongs to one.
"""

import secrets
from collections.abc import Iterable
from typing import Final
from urllib.parse import parse_qs

from vagus.asgi import Receive, Response, Scope, Send
from vagus.gateway.cors import cors_headers_of
from vagus.gateway.endpoints import Opening
from vagus.gateway.gate import BUSY, Gate
from vagus.gateway.polls import Held, poll_http
from vagus.gateway.sessions import Sessions, name_of_node
from vagus.hub.audience import Writes
from vagus.hub.client import Link
from vagus.hub.requests import Origin
from vagus.kernel import codes
from vagus.wire.encoding import Framing
from vagus.wire.socketio import EventDialect, engine
from vagus.wire.socketio.engine import Problem
from vagus.wire.websocket import Refusal

from .bundles import Bundles, Unbundled
from .recovery import Parking
from .requests import TEXT, Fetch, Headers, Post, response_of
from .session import Session
from .upgrade import Probe

PATHS: Final = ("/socket.io/", "/socket.io")

MAX_PAYLOAD: Final = 1_000_000
"""One message, one body of a polling request, the attachments of one packet: the reference server's bound."""

SID_BYTES: Final = 15

MAX_FIELDS: Final = 32
"""Of a query: clients add some of their own."""

_NOT_KEPT: Final = (b"cache-control", b"no-store")
_POLLED: Final = Framing(bytes, engine.binary_in_body, separator=engine.SEPARATOR, is_each=True)


class SocketIo:
    """See the module. ``recovery_s`` is how long a client whose connection is lost may come back for what it missed;

    0 offers no recovery, as in the reference server unless it is told otherwise.
    """

    polls_as: Final = "polling"
    session_field: Final = "sid"

    def __init__(self, gate: Gate, *, max_payload: int = MAX_PAYLOAD, recovery_s: float = 0.0) -> None:
        self.hub = gate.hub
        self.max_payload = max_payload
        self.parking = Parking(recovery_s) if recovery_s else None
        self._gate = gate
        self._polling: Sessions[Session] = Sessions(home=name_of_node(gate.hub.node_id))
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

    def _handshake(self, session: Session, sid: str, *upgrades: str) -> bytes:
        interval, timeout = int(session.interval_s * 1000), int(session.timeout_s * 1000)
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
        session.transport.write(framing.text(self._handshake(session, secrets.token_urlsafe(SID_BYTES))))
        return session

    def _probe(self, session: Session, link: Link, transport: Writes, framing: Framing) -> Probe:
        probe = Probe(session, link, _writing(transport, framing), self._framing(framing))
        if session.polling is not None:
            session.polling.probe = probe
        return probe

    # HTTP

    async def http(self, scope: Scope, receive: Receive, send: Send) -> None:
        await poll_http(self._gate, self, scope, receive, send)

    def expect(self, method: str, origin: Origin) -> Response | Held:
        """Judge a request by its head (``polls.PolledEndpoint``)."""
        headers = (_NOT_KEPT, *cors_headers_of(self._gate, origin.headers))
        refusal = self._gate.check(origin)
        if refusal is not None:
            return response_of(engine.FORBIDDEN, refusal.status, headers)
        query = _query(origin)
        problem = _problem_of(query, "polling")
        if problem is not None:
            return response_of(problem, headers=headers)
        sid = query.get("sid")
        if sid is not None:
            return self._resume(sid, method, origin, headers)
        if method != "GET":
            return response_of(engine.BAD_HANDSHAKE_METHOD, headers=headers)
        return self._begin(origin, headers)

    def _begin(self, origin: Origin, headers: Headers) -> Response:
        """A new session."""
        refusal = self._gate.admit_rate(origin)
        if refusal is None and (self._polling.is_full or self.hub.registry.check_room(origin.address) is not None):
            refusal = BUSY
        if refusal is not None:
            return Response(refusal.status, refusal.reason.encode(), TEXT, (*refusal.headers, *headers))
        session = Session(self, origin, self._framing(_POLLED))
        session.poll()
        session.sid = self._polling.add(session)
        self._gate.sockets.add(session)
        return Response(200, self._handshake(session, session.sid, "websocket"), TEXT, headers)

    def _resume(self, sid: str, method: str, origin: Origin, headers: Headers) -> Response | Held:
        """A request of a session, of which one may be under way in each direction."""
        session = self._polling.get(sid)
        polling = session.polling if session is not None else None
        if session is None or polling is None:
            return response_of(engine.UNKNOWN_SESSION, headers=headers)
        if method == "GET" and not polling.is_polled:
            return Fetch(session, polling, headers)
        if method == "POST" and not polling.is_posting and not _is_binary(origin):
            return Post(session, polling, headers)
        if method in ("GET", "POST"):
            session.close(codes.MALFORMED)
        return response_of(engine.BAD_REQUEST, headers=headers)


def _is_binary(origin: Origin) -> bool:
    """Whether a body says that it is of an older protocol."""
    return origin.headers.get("content-type", "").startswith("application/octet-stream")


def _writing(transport: Writes, framing: Framing) -> Writes:
    return Unbundled(transport) if framing.separator is None else transport


def _query(origin: Origin) -> dict[str, str]:
    """The query's fields, of several the first; none if there are too many."""
    if "%" not in origin.query and "+" not in origin.query and origin.query.count("&") < MAX_FIELDS:
        pairs = (pair.partition("=") for pair in reversed(origin.query.split("&")))
        return {name: value for name, _, value in pairs if value}  # in a fourth of the time
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


def _refusal(problem: Problem) -> Refusal:
    return Refusal(400, problem.body.decode())
