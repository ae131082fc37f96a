"""What the native dialect sends where its connection is a response that goes on: requests to ``/emulation``.

Each names the session, a secret that only its client was told, and the node that holds the stream. Answers come over
the stream; here it is only said that the commands were taken, also for a session that is gone, since its client hears
that from the end of its stream.
"""

from typing import Final, Protocol

import msgspec

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
from vagus.hub.requests import Origin
from vagus.wire.centrifuge.emulation import EmulationError, emulation_from
from vagus.wire.websocket import Refusal

from .cors import cors_headers, preflight
from .endpoints import Opening
from .gate import Gate
from .problems import Problems
from .sessions import Sessions

PATH: Final = "/emulation"

BINARY: Final = b"application/octet-stream"

ENVELOPE_BYTES: Final = 4_096
"""What a request may take beside the commands in it: a session, a node, and quotes that are escaped."""

NO_WEBSOCKET: Final = Refusal(404, "this address takes requests, not WebSockets")


class Emulated(Protocol):
    """A session as requests see it."""

    async def take(self, message: bytes) -> bool:
        """Take commands in the order of the calls. ``False`` says that too many wait already."""
        ...


class Emulation:
    """The endpoint. One object serves every request."""

    def __init__(self, gate: Gate, sessions: Sessions[Emulated]) -> None:
        self._gate = gate
        self._sessions = sessions

    def knock(self, origin: Origin, subprotocols: object) -> Opening | Refusal:
        return NO_WEBSOCKET

    async def http(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "OPTIONS":
            await respond(send, preflight(self._gate, scope, b"POST, OPTIONS"))
            return
        origin = self._gate.origin(scope)
        problems = Problems(self._gate, origin.headers)
        if scope["method"] != "POST":
            await respond(send, _only_post(problems))
            return
        refusal = self._gate.check(origin)
        if refusal is not None:
            await respond(send, problems.refusal(refusal))
            return
        try:
            await respond(send, await self._answer(scope, receive, problems))
        except ClientGoneError:
            return

    async def _answer(self, scope: Scope, receive: Receive, problems: Problems) -> Response:
        headers, bound = headers_of(scope), self._gate.hub.limits.message_bytes
        try:
            body = await read_body(receive, headers, 2 * bound + ENVELOPE_BYTES)
            request = emulation_from(body, is_binary=headers.get(b"content-type", b"").startswith(BINARY))
        except BodyTooLargeError:
            return problems.problem(413, "the body is too large")
        except EmulationError as error:
            return problems.problem(400, str(error))
        if len(request.data) > bound:
            return problems.problem(413, "the commands are too large")
        if request.node != self._gate.hub.node_id:
            return problems.problem(404, "there is no such node")
        session = self._sessions.get(request.session)
        if session is not None and not await session.take(request.data):
            return problems.problem(429, "too many requests at once", retry_after_s=1)
        return Response(204, b"", headers=tuple(cors_headers(self._gate, scope)))


def _only_post(problems: Problems) -> Response:
    problem = problems.problem(405, "this address takes POST")
    return msgspec.structs.replace(problem, headers=(*problem.headers, (b"allow", b"POST, OPTIONS")))
