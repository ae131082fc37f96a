"""What the native dialect sends where its connection is a response that goes on: requests to ``/emulation``.

Each names the session, a secret that only its client was told, and the node that holds the stream. Answers come over
the stream; here it is only said that the commands were taken, also for a session that is gone, since its client hears
that from the end of its stream.
"""

import re
from collections import Counter
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
from vagus.hub.steps import begin
from vagus.kernel.control import Question
from vagus.kernel.errors import BrokerError
from vagus.wire.centrifuge.emulation import EmulationError, EmulationRequest, emulation_from
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

SUBJECT: Final = "emulation"
"""Of what nodes hand over to each other."""

HANDING: Final = 4_096
HANDING_OF_ONE: Final = 64
"""Requests that are on their way to other nodes at a time: in all, and of one address, since who makes nodes up can
keep each waiting until nobody has answered.
"""

_TAKEN, _BUSY = b"taken", b"busy"
_NODE: Final = re.compile(r"[0-9a-f]{32}").fullmatch
_SESSION: Final = re.compile(r"[A-Za-z0-9_-]{16,64}").fullmatch

NO_WEBSOCKET: Final = Refusal(404, "this address takes requests, not WebSockets")


class Emulated(Protocol):
    """A session as requests see it."""

    async def take(self, message: bytes) -> bool:
        """Take commands in the order of the calls. ``False`` says that too many wait already."""
        ...


class Handed(msgspec.Struct, frozen=True):
    """What one node hands over to another."""

    session: str
    data: bytes


_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(Handed).decode


class Emulation:
    """The endpoint. One object serves every request."""

    def __init__(self, gate: Gate, sessions: Sessions[Emulated]) -> None:
        self._gate = gate
        self._sessions = sessions
        self._handing: Counter[str] = Counter()
        self._num_handing = 0
        gate.hub.answers[SUBJECT] = self._take_over

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
            await respond(send, await self._answer(scope, receive, origin, problems))
        except ClientGoneError:
            return

    async def _answer(self, scope: Scope, receive: Receive, origin: Origin, problems: Problems) -> Response:
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
        refusal = await self._refusal(request, origin, problems)
        return refusal or Response(204, b"", headers=tuple(cors_headers(self._gate, scope)))

    async def _refusal(self, request: EmulationRequest, origin: Origin, problems: Problems) -> Response | None:
        """Have the commands taken; what is answered if they are not."""
        if request.node != self._gate.hub.node_id:
            return await self._hand_over(request, origin.address, problems)
        session = self._sessions.get(request.session)
        if session is not None and not await session.take(request.data):
            return _too_many(problems)
        return None

    async def _hand_over(self, request: EmulationRequest, address: str, problems: Problems) -> Response | None:
        if not _NODE(request.node):
            return problems.problem(404, "there is no such node")
        if not _SESSION(request.session):
            return None  # as there, where nobody would know it
        if self._num_handing >= HANDING or self._handing[address] >= HANDING_OF_ONE:
            return _too_many(problems)
        self._count_handing(address, 1)
        question = Question(SUBJECT, _encode(Handed(request.session, request.data)))
        try:
            answers = await self._gate.hub.ask_nodes(question, node=request.node)
        except BrokerError:
            return problems.problem(503, "other nodes cannot be reached", retry_after_s=1)
        finally:
            self._count_handing(address, -1)
        if not answers:
            return problems.problem(404, "there is no such node")
        return _too_many(problems) if answers[0].content == _BUSY else None

    def _count_handing(self, address: str, change: int) -> None:
        self._num_handing += change
        self._handing[address] += change
        if not self._handing[address]:
            del self._handing[address]

    async def _take_over(self, content: bytes) -> bytes:
        """Take what another node hands over. Where it has to wait for its turn, nobody waits with it."""
        handed = _decode(content)
        session = self._sessions.get(handed.session)
        if session is None:
            return _TAKEN  # as to a request that comes here itself
        outcome: list[bool] = []

        async def take(session: Emulated) -> None:
            outcome.append(await session.take(handed.data))

        rest = begin(take(session))
        if rest is not None:
            self._gate.hub.spawn(rest)
        return _BUSY if outcome == [False] else _TAKEN


def _too_many(problems: Problems) -> Response:
    return problems.problem(429, "too many requests at once", retry_after_s=1)


def _only_post(problems: Problems) -> Response:
    problem = problems.problem(405, "this address takes POST")
    return msgspec.structs.replace(problem, headers=(*problem.headers, (b"allow", b"POST, OPTIONS")))
