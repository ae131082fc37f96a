"""SignalR's endpoint: what clients negotiate at ``/hubs/{name}/negotiate``, and the three ways to ``/hubs/{name}``.

A WebSocket, a stream of events with POSTs, or long polling with POSTs. ``{name}`` is a section of the hub's calls,
whatever the case of its letters, and ``vagus`` the root section; see ``vagus.wire.signalr`` for what is what.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec

from vagus.asgi import Receive, Response, Scope, Send, respond
from vagus.gateway.cors import cors_headers, preflight
from vagus.gateway.endpoints import Opening, Peer
from vagus.gateway.gate import BUSY, Gate
from vagus.hub.audience import Writes
from vagus.hub.client import Link
from vagus.hub.journal import log
from vagus.hub.requests import ConnectRequest, Origin
from vagus.kernel import codes
from vagus.kernel.errors import DisconnectError, RefusedError
from vagus.kernel.permissions import is_allowed
from vagus.wire.encoding import Framing
from vagus.wire.websocket import Refusal

from .session import House, Session, State, Times
from .spool import BARE, EVENTS, MAX_POSTS, Spool, poll, post, stream

PREFIX: Final = "/hubs/"
ROOT: Final = "vagus"

PROMISES: Final = 10_000
"""Sessions that are negotiated and not opened, at most."""

NORMAL: Final = 1000
"""The code of a WebSocket that was closed as it should be, which clients look for."""

JOINED: Final = 16
"""How many of the largest records fit into one message of a WebSocket: clients join what they have to say. A record by
itself is bounded by the hub's limit."""

Open = Callable[[Link, Writes, Framing], Peer]

_PATH: Final = re.compile(r"/hubs/([^/]+)(/negotiate)?/?\Z")

_BOTH: Final = ["Text", "Binary"]
_TRANSPORTS: Final = [
    {"transport": "WebSockets", "transferFormats": _BOTH},
    {"transport": "ServerSentEvents", "transferFormats": ["Text"]},
    {"transport": "LongPolling", "transferFormats": _BOTH},
]

_NO_HUB: Final = Refusal(404, "there is no such hub")
_NO_SESSION: Final = Refusal(404, "No Connection with that ID")
_NO_ID: Final = Refusal(400, "Connection ID required")
_TAKEN: Final = Refusal(409, "this connection has a transport already")
_ANOTHER_TRANSPORT: Final = Refusal(400, "Cannot change transports mid-connection")
_NO_POSTS: Final = Refusal(405, "POST requests are not allowed for WebSocket connections.")
_NOT_POLLED: Final = Refusal(400, "Cannot terminate this connection using the DELETE endpoint.")
_TOO_MANY_POSTS: Final = Refusal(429, "too many requests of one connection at once")
_UNAUTHORIZED: Final = Refusal(401, "", ((b"WWW-Authenticate", b"Bearer"),))
"""Without a body, since clients would show that instead of the status."""
_FORBIDDEN: Final = Refusal(403, "permission denied")
_FAILED: Final = Refusal(500, "internal server error")
_UNAVAILABLE: Final = Refusal(503, "try again in a moment", ((b"Retry-After", b"1"),))


class SignalR:
    """The endpoint. ``resumes`` lets clients that ask for it go on over another socket when theirs is cut."""

    session_field: Final = "id"

    def __init__(
        self, gate: Gate, *, resumes: bool = True, times: Times | None = None, promises: int = PROMISES
    ) -> None:
        self._gate = gate
        self._resumes = resumes
        self.house = House(gate, times or Times(), promises)

    # WebSockets

    def knock(self, origin: Origin, subprotocols: Iterable[str]) -> Opening | Refusal:
        hub, _ = _parsed(origin.path)
        section = self._section(hub)
        if section is None:
            return _NO_HUB
        query = _query(origin)
        if "id" not in query:
            session = Session(self.house, section)
            session.claim(origin, _token(origin, query))
            return self._opening(session.open)
        found = self._found(section, query)
        if found is None:
            return _NO_SESSION
        if found.can_reopen:
            return self._opening(found.reopen, is_resumed=True)
        if found.state is not State.PROMISED:
            return _TAKEN if found.spool is None else _ANOTHER_TRANSPORT
        found.claim(origin, _token(origin, query))
        return self._opening(found.open, is_resumed=True)

    def _opening(self, opened: Open, *, is_resumed: bool = False) -> Opening:
        bound = JOINED * self.house.hub.limits.message_bytes
        return Opening(opened, is_resumed=is_resumed, message_bytes=bound, close_code=NORMAL)

    # HTTP

    async def http(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "OPTIONS":
            await respond(send, preflight(self._gate, scope))
            return
        headers = cors_headers(self._gate, scope)
        origin = self._gate.origin(scope, transport="http")
        answer = await self._answered(origin, scope, receive, send, headers)
        if answer is not None:
            await respond(send, msgspec.structs.replace(answer, headers=(*answer.headers, *headers)))

    async def _answered(
        self, origin: Origin, scope: Scope, receive: Receive, send: Send, headers: list[tuple[bytes, bytes]]
    ) -> Response | None:
        """The answer, unless it was given already."""
        refusal = self._gate.check(origin)
        if refusal is not None:
            return _refused(refusal)
        hub, negotiates = _parsed(origin.path)
        section = self._section(hub)
        if section is None:
            return _refused(_NO_HUB)
        query, method = _query(origin), scope["method"]
        if negotiates:
            return await self._negotiate(section, origin, query) if method == "POST" else _not_allowed(b"POST")
        if method not in ("GET", "POST", "DELETE"):
            return _not_allowed(b"GET, POST, DELETE")
        if not query.get("id"):
            return _refused(_NO_ID)
        session = self._found(section, query)
        if session is None:
            return _refused(_NO_SESSION)
        match method:
            case "POST":
                return await self._post(session, receive)
            case "DELETE":
                return self._delete(session)
        return await self._get(session, origin, query, receive, send, headers)

    async def _negotiate(self, section: str, origin: Origin, query: dict[str, str]) -> Response:
        refusal = self._gate.admit_rate(origin)
        if refusal is None and self.house.promised.is_full:
            refusal = BUSY
        session = Session(self.house, section, is_resumable=self._resumes and _says_yes(query, "usestatefulreconnect"))
        session.connection_id = self.house.hub.new_client_id()
        if refusal is None:
            refusal = await self._check_identity(session, origin, _token(origin, query))
        if refusal is not None:
            return _refused(refusal)
        if self.house.promised.is_full:  # since somebody was asked about its identity
            return _refused(BUSY)
        session.secret = self.house.promised.add(session)
        session.wait()
        return Response(200, msgspec.json.encode(_terms(session, query)))

    async def _check_identity(self, session: Session, origin: Origin, token: str) -> Refusal | None:
        """Why this client would not be let in. Asked here since an answer to a request is what clients understand."""
        hub = self.house.hub
        request = ConnectRequest(
            client=session.connection_id, origin=origin, token=token, section=session.section, headers=origin.headers
        )
        try:
            identity = await hub.policies.identify(request)
        except DisconnectError:
            return _UNAUTHORIZED
        except RefusedError as error:
            if error.fault == codes.INTERNAL:
                return _UNAVAILABLE
            return _FORBIDDEN if error.fault == codes.PERMISSION_DENIED else _UNAUTHORIZED
        except Exception:
            log.exception("identification_failed")
            return _FAILED
        if hub.is_open or is_allowed(hub.sections[session.section].allow, identity):
            return None
        return _FORBIDDEN if identity.user else _UNAUTHORIZED

    async def _get(
        self,
        session: Session,
        origin: Origin,
        query: dict[str, str],
        receive: Receive,
        send: Send,
        headers: list[tuple[bytes, bytes]],
    ) -> Response | None:
        is_stream = "text/event-stream" in origin.headers.get("accept", "")
        spool = session.spool
        if session.state is State.PROMISED:
            spool = self._open(session, origin, query, is_text=is_stream)
            if not is_stream:
                session.abandon()
                return Response(200, b"", b"text/plain")
            await stream(session, spool, receive, send, headers)
            return None
        if spool is None or spool.is_text is not is_stream:
            return _refused(_ANOTHER_TRANSPORT)
        if is_stream:
            return _refused(_TAKEN)
        await poll(session, spool, receive, send, headers)
        return None

    def _open(self, session: Session, origin: Origin, query: dict[str, str], *, is_text: bool) -> Spool:
        name = "sse" if is_text else "polling"
        session.claim(msgspec.structs.replace(origin, transport=name), _token(origin, query))
        spool = session.spool = Spool(session, is_text=is_text)
        session.open(spool, spool, EVENTS if is_text else BARE)
        self._gate.sockets.add(session)
        return spool

    @staticmethod
    async def _post(session: Session, receive: Receive) -> Response:
        spool = session.spool
        if spool is None:
            return _refused(_NO_SESSION if session.state in (State.PROMISED, State.OVER) else _NO_POSTS)
        if spool.posts >= MAX_POSTS:
            return _refused(_TOO_MANY_POSTS)
        is_taken = await post(session, spool, receive)
        return Response(200, b"", b"text/plain") if is_taken else _refused(_NO_SESSION)

    @staticmethod
    def _delete(session: Session) -> Response:
        if session.spool is None or session.spool.is_text:
            return _refused(_NOT_POLLED)
        session.leave()
        return Response(202, b"", b"text/plain")

    def _section(self, hub: str) -> str | None:
        """The section of a hub's name."""
        name = hub.lower()
        if name == ROOT:
            return ""
        return next((each for each in self.house.hub.sections if each and each.lower() == name), None)

    def _found(self, section: str, query: dict[str, str]) -> Session | None:
        session = self.house.find(query["id"])
        return session if session is not None and session.section == section else None


def _parsed(path: str) -> tuple[str, bool]:
    """The hub's name, and whether it is about negotiating."""
    match = _PATH.search(path)
    return (match[1], match[2] is not None) if match else ("", False)


def _query(origin: Origin) -> dict[str, str]:
    """By name in lower case."""
    return {name.lower(): value for name, value in parse_qsl(origin.query, keep_blank_values=True)}


def _token(origin: Origin, query: dict[str, str]) -> str:
    scheme, _, token = origin.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else query.get("access_token", "")


def _says_yes(query: dict[str, str], name: str) -> bool:
    return query.get(name, "").lower() == "true"


def _terms(session: Session, query: dict[str, str]) -> dict[str, Any]:
    """What the server offers. Clients of version 0 know one id, which then is the secret one."""
    version = query.get("negotiateversion", "0")
    if not version.isdecimal() or int(version[:4]) < 1:
        terms: dict[str, Any] = {"negotiateVersion": 0, "connectionId": session.secret}
        session.connection_id = ""
    else:
        terms = {"negotiateVersion": 1, "connectionId": session.connection_id, "connectionToken": session.secret}
    if session.is_resumable:
        terms["useStatefulReconnect"] = True
    return {**terms, "availableTransports": _TRANSPORTS}


def _refused(refusal: Refusal) -> Response:
    headers = tuple((name.lower(), value) for name, value in refusal.headers)
    return Response(refusal.status, refusal.reason.encode(), b"text/plain", headers)


def _not_allowed(methods: bytes) -> Response:
    return Response(405, b"method not allowed", b"text/plain", ((b"allow", methods),))
