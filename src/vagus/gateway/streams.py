"""The native dialect over HTTP: what the server says is a response that goes on, commands come to ``/emulation``.

``http_stream`` answers a POST with lines, or with Protobuf; ``sse`` answers a GET with the events of an EventSource.
The request brings the connect command, the reply to it names the session and the node for all that follows. Client
libraries fall back to these where a WebSocket does not get through.
"""

import asyncio
from collections.abc import Iterator
from typing import Final, Literal
from urllib.parse import parse_qs

import msgspec

from vagus.asgi import Receive, Response, Scope, Send
from vagus.hub.client import Client
from vagus.hub.journal import log
from vagus.hub.requests import Origin
from vagus.kernel.codes import Closure
from vagus.kernel.commands import Command
from vagus.kernel.replies import Connected, Farewell, Push, Reply
from vagus.wire import Talkative
from vagus.wire.centrifuge.json import JSON
from vagus.wire.centrifuge.protobuf import PROTOBUF
from vagus.wire.encoding import Framing
from vagus.wire.streaming import CHUNKED_EVENTS, CHUNKED_LINES, EVENTS, LINES
from vagus.wire.websocket import Refusal

from .cors import Headers, cors_headers_of
from .emulation import BINARY, NO_WEBSOCKET, Emulated
from .endpoints import Opening
from .gate import Gate
from .problems import Problems
from .sessions import Sessions
from .streaming import NOT_KEPT, Listener, Request, Stream, Streaming, stream_http

HTTP_STREAM_PATH: Final = "/connection/http_stream"
SSE_PATH: Final = "/connection/sse"

Kind = Literal["http_stream", "sse"]

HELD: Final = 16
"""Requests of one session that wait while its client is not read from."""

PREAMBLE: Final = b"\r\n"
"""The first bytes of an EventSource, as the reference server has them."""


class NativeStreams:
    """The endpoint of one kind. One object serves every connection."""

    def __init__(self, gate: Gate, sessions: Sessions[Emulated], kind: Kind) -> None:
        self._gate = gate
        self._sessions = sessions
        self.streams_as: Final = kind
        self._framings = (EVENTS, CHUNKED_EVENTS) if kind == "sse" else (LINES, CHUNKED_LINES)
        self.methods: Final = ("GET", "POST") if kind == "sse" else ("POST",)

    def knock(self, origin: Origin, subprotocols: object) -> Opening | Refusal:
        return NO_WEBSOCKET

    async def http(self, scope: Scope, receive: Receive, send: Send) -> None:
        await stream_http(self._gate, self, scope, receive, send)

    def answer(self, request: Request) -> Response | Streaming:
        gate, headers = self._gate, request.headers
        problems = Problems(gate, headers)
        command = _connect_of(request)
        if not command:
            return problems.problem(400, "there is no connect command")
        refusal = gate.admit(request.origin)
        if refusal is not None:
            return problems.refusal(refusal)
        if self._sessions.is_full:
            return problems.problem(503, "too many sessions", retry_after_s=5)
        is_binary = self.streams_as == "http_stream" and headers.get("content-type", "").startswith(BINARY.decode())
        dialect: Talkative = PROTOBUF if is_binary else JSON
        response = (*self._content_type(is_binary=is_binary), *NOT_KEPT, *cors_headers_of(gate, headers))

        def begin(stream: Stream) -> Listener:
            framing = self._framings[stream.is_chunked]
            session = NativeSession(gate, self._sessions, stream, framing, dialect, request.origin)
            stream.start(stream.framed(PREAMBLE) if self.streams_as == "sse" else b"")
            session.begin(command)
            return session

        return Streaming(response, begin)

    def _content_type(self, *, is_binary: bool) -> Headers:
        if self.streams_as == "sse":
            return [(b"content-type", b"text/event-stream; charset=utf-8")]
        return [(b"content-type", BINARY if is_binary else b"text/plain; charset=utf-8")]


def _connect_of(request: Request) -> bytes:
    if request.method == "POST":
        return request.body
    values = parse_qs(request.origin.query).get("cf_connect")
    return values[0].encode() if values else b""


class NativeSession:
    """A stream and the requests that belong to it: the conversation and the link of their client."""

    __slots__ = (
        "_client",
        "_dialect",
        "_gate",
        "_held",
        "_is_lost",
        "_reading",
        "_secret",
        "_sessions",
        "_stream",
        "_turn",
    )

    def __init__(
        self,
        gate: Gate,
        sessions: Sessions[Emulated],
        stream: Stream,
        framing: Framing,
        dialect: Talkative,
        origin: Origin,
    ) -> None:
        self._gate = gate
        self._sessions = sessions
        self._stream = stream
        self._dialect = dialect
        self._reading: asyncio.Event | None = None
        self._held = 0
        self._is_lost = False
        self._turn = asyncio.Lock()
        encoding = framing.encoding(dialect)
        self._client = Client(gate.hub, self, stream.transport, encoding, origin, conversation=self)
        self._secret = self._client.session = sessions.add(self)

    def begin(self, command: bytes) -> None:
        closure = self._gate.hub.registry.check_room(self._client.origin.address)
        if closure is not None:
            self._client.disconnect(closure)
        else:
            self._client.receive(command)

    async def take(self, message: bytes) -> bool:
        if self._reading is None and not self._held:
            self._client.receive(message)
            return True
        if self._held >= HELD:
            return False
        self._held += 1
        try:
            async with self._turn:  # those who wait go on in the order in which they came
                while self._reading is not None:
                    await self._reading.wait()
                if not self._is_lost:
                    self._client.receive(message)
        finally:
            self._held -= 1
        return True

    # of the dialect, with a session and a node in the reply that says that the connection stands

    def decode(self, message: bytes) -> Iterator[tuple[int, Command]]:
        return self._dialect.decode(message)

    def reply(self, number: int, reply: Reply) -> bytes:
        if isinstance(reply, Connected):
            reply = msgspec.structs.replace(reply, session=self._secret, node=self._gate.hub.node_id)
        return self._dialect.reply(number, reply)

    def push(self, push: Push) -> bytes:
        return self._dialect.push(push)

    # from the stream

    def pause(self) -> None:
        self._client.pause()

    def resume(self) -> None:
        self._client.resume()

    def lost(self) -> None:
        if self._is_lost:
            return
        self._is_lost = True
        self._sessions.remove(self._secret)
        self.resume_reading()
        self._client.lost()
        del self._client  # it holds us: without the cycle, both are freed at once

    def disconnect(self, closure: Closure) -> None:
        self._client.disconnect(closure)

    # from the hub (hub.client.Link)

    def close(self, closure: Closure) -> None:
        self._sessions.remove(self._secret)
        (farewell,) = self._client.encoding.messages([self._dialect.push(Farewell(closure))])
        self._stream.finish(farewell)
        log.debug("client_closed", code=closure.code, reason=closure.reason)

    def abort(self, closure: Closure) -> None:
        self._sessions.remove(self._secret)
        self._stream.abort()
        log.info("client_aborted", code=closure.code, reason=closure.reason)

    def pause_reading(self) -> None:
        if self._reading is None:
            self._reading = asyncio.Event()

    def resume_reading(self) -> None:
        if self._reading is not None:
            self._reading.set()
            self._reading = None
