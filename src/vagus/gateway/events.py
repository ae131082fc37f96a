"""Channels as an EventSource: ``GET /events?channel=…`` in a browser, or ``curl -N``.

The response begins when every channel is subscribed to; until then, whatever stands in the way is told as a problem
document. A reader that comes back says in ``Last-Event-ID`` where it stood. Then what lies in the way for a moment must
not stop it for good, as any status but 200 would: it is told to try again later; and 204 tells it to give up.
"""

import random
from collections.abc import Iterator
from typing import Final

from vagus.asgi import Receive, Response, Scope, Send
from vagus.hub.client import Client
from vagus.hub.journal import log
from vagus.hub.requests import Origin
from vagus.kernel import codes
from vagus.kernel.codes import Closure, Fault
from vagus.kernel.commands import Command
from vagus.kernel.errors import DisconnectError, RefusedError
from vagus.kernel.events import Event
from vagus.kernel.publications import Json, Position
from vagus.kernel.replies import Connected, Ended, Farewell, Push, Reply, Subscribed
from vagus.wire import Dialect
from vagus.wire.eventsource import (
    HEARTBEAT,
    MARK,
    MUTE,
    PLAIN,
    Blocks,
    Epochs,
    EventSourceDialect,
    Progress,
    framing_of_one,
    retry,
)
from vagus.wire.listening import Listening, ListeningError, listening
from vagus.wire.websocket import Refusal

from .cors import cors_headers_of
from .emulation import NO_WEBSOCKET
from .endpoints import Opening
from .gate import Gate
from .problems import Problems
from .streaming import NOT_KEPT, Listener, Request, Stream, Streaming, stream_http

PATH: Final = "/events"

HEARTBEAT_S: Final = 15.0
"""Below the minute after which proxies give a silent connection up."""

RETRY_MS: Final = (1_000, 3_000)
"""When a reader comes back; at random, so that readers of a server that stopped do not come back together."""

LATER_MS: Final = 5_000
"""The same for who found the server busy."""

CONTENT_TYPE: Final = b"text/event-stream; charset=utf-8"

_FAULTS: Final = {
    codes.UNAUTHORIZED.code: 401,
    codes.TOKEN_EXPIRED.code: 401,
    codes.EXPIRED.code: 401,
    codes.UNKNOWN_CHANNEL.code: 404,
    codes.PERMISSION_DENIED.code: 403,
    codes.BAD_REQUEST.code: 400,
    codes.LIMIT_EXCEEDED.code: 400,
    codes.NOT_AVAILABLE.code: 400,
    codes.TOO_MANY_REQUESTS.code: 429,
}
"""Statuses of faults; of others 403, or 503 if they are temporary."""

_CLOSURES: Final = {
    codes.INVALID_TOKEN.code: (401, "invalid token"),
    codes.MALFORMED.code: (401, "a token is needed"),  # what we asked was well formed, so it can only be this
    codes.CONNECTION_EXPIRED.code: (401, "the token has expired"),
    codes.CHANNEL_LIMIT.code: (400, "too many channels"),
    codes.CONNECTION_LIMIT.code: (503, "too many connections"),
    codes.TOO_MANY.code: (429, "too many requests"),
}
"""Statuses of closures before the response began; of others 503 if they say "reconnect", else 403."""


class EventSources:
    """The endpoint. One object serves every reader."""

    methods: Final = ("GET",)
    streams_as: Final = "eventsource"

    def __init__(self, gate: Gate) -> None:
        self.gate: Final = gate
        self.epochs: Final = Epochs()
        self.one: Final = EventSourceDialect(self.epochs, of_several=False)
        self.several: Final = EventSourceDialect(self.epochs, of_several=True)
        self.framings: Final = {chunked: framing_of_one(self.epochs, chunked=chunked) for chunked in (False, True)}

    def knock(self, origin: Origin, subprotocols: object) -> Opening | Refusal:
        return NO_WEBSOCKET

    async def http(self, scope: Scope, receive: Receive, send: Send) -> None:
        await stream_http(self.gate, self, scope, receive, send)

    def answer(self, request: Request) -> Response | Streaming:
        gate, origin = self.gate, request.origin
        problems = Problems(gate, origin.headers)
        try:
            wanted = listening(origin.query, origin.headers, gate.hub.limits.channels)
        except ListeningError as error:
            return problems.problem(400, str(error))
        returning = Returning(gate, origin, wanted)
        refusal = gate.admit(origin)
        if refusal is not None:
            return returning.later or problems.refusal(refusal)
        closure = gate.hub.registry.check_room(origin.address)
        if closure is not None:
            return returning.response_to(closure)

        def begin(stream: Stream) -> Listener:
            reader = EventReader(self, stream, wanted, origin, returning)
            reader.begin()
            return reader

        headers = ((b"content-type", CONTENT_TYPE), *NOT_KEPT, *cors_headers_of(gate, origin.headers))
        return Streaming(headers, begin)


class Returning:
    """What to say instead of a stream, to who comes for the first time and to who comes back."""

    __slots__ = ("_gate", "_is_resumed", "_origin")

    def __init__(self, gate: Gate, origin: Origin, wanted: Listening) -> None:
        self._gate = gate
        self._origin = origin
        self._is_resumed = wanted.is_resumed

    @property
    def later(self) -> Response | None:
        """For an EventSource that comes back: a stream that ends at once, so that it tries again."""
        if not self._is_resumed or "text/event-stream" not in self._origin.headers.get("accept", ""):
            return None
        headers = (*NOT_KEPT, *cors_headers_of(self._gate, self._origin.headers))
        return Response(200, retry(LATER_MS), CONTENT_TYPE, headers)

    def response_to(self, reason: Closure | Fault) -> Response:
        if isinstance(reason, Closure):
            is_temporary = reason.reconnects
            status, detail = _CLOSURES.get(reason.code, (503 if is_temporary else 403, reason.reason))
            if self._is_resumed and not is_temporary:
                return Response(204, b"", headers=tuple(cors_headers_of(self._gate, self._origin.headers)))
        else:
            is_temporary = reason.temporary
            status, detail = _FAULTS.get(reason.code, 503 if is_temporary else 403), reason.message
        problem = Problems(self._gate, self._origin.headers).problem(
            status, detail, code=reason.code, retry_after_s=5 if status in (429, 503) else 0
        )
        return (self.later if is_temporary else None) or problem


class EventReader:
    """One reader: the conversation and the link of its client, and with several channels its transport too."""

    __slots__ = (
        "_channels",
        "_client",
        "_early",
        "_endpoint",
        "_entered",
        "_is_lost",
        "_is_refused",
        "_open",
        "_progress",
        "_returning",
        "_stream",
        "_wanted",
        "_write",
        "slot",
    )

    def __init__(
        self, endpoint: EventSources, stream: Stream, wanted: Listening, origin: Origin, returning: Returning
    ) -> None:
        self.slot = 0
        self._endpoint = endpoint
        self._stream = stream
        self._wanted = wanted
        self._returning = returning
        self._channels = frozenset(wanted.channels)
        self._open = set(wanted.channels)
        self._entered: list[str] = []
        self._is_refused = False
        self._is_lost = False
        self._write = stream.write
        self._early: list[bytes] | None = []
        self._progress = Progress(endpoint.epochs) if len(wanted.channels) > 1 else None
        if self._progress is None:
            encoding = endpoint.framings[stream.is_chunked].encoding(endpoint.one)
        else:
            encoding = PLAIN.encoding(endpoint.several)
        transport = stream if self._progress is None else self
        self._client = Client(endpoint.gate.hub, self, transport, encoding, origin, dialogue=self)

    @property
    def _dialect(self) -> EventSourceDialect:
        return self._endpoint.one if self._progress is None else self._endpoint.several

    def begin(self) -> None:
        hub = self._endpoint.gate.hub
        hub.wheel.set_in(self, hub.limits.stale_s + hub.limits.answer_s)
        self._client.take(self._commands())

    def _commands(self) -> Iterator[tuple[int, Command]]:
        yield 1, self._wanted.connect
        for number, channel in enumerate(self._wanted.channels, 2):
            if self._is_refused:
                return
            yield number, self._wanted.subscribe(channel)

    def write(self, data: bytes) -> None:
        """From the hub, where there are several channels: finish a message and pass it on.

        Before the response begins it is not known yet where the reader stands in all of them.
        """
        assert self._progress is not None
        if self._early is not None:
            self._early.append(data)
            return
        self._write(self._stream.framed(self._progress.finished(data)))

    # the conversation of its client

    def decode(self, message: bytes) -> Iterator[tuple[int, Command]]:
        raise DisconnectError(codes.MALFORMED)  # a reader says nothing

    def reply(self, number: int, reply: Reply) -> bytes:
        if self._is_refused or self._stream.is_started:
            return b""
        if isinstance(reply, Connected):
            subs = reply.subs or {}
            return Blocks.of([self._settle(channel, subs[channel]) for channel in subs if channel in self._channels])
        channel = self._wanted.channels[number - 2] if number > 1 else ""
        if isinstance(reply, Subscribed):
            return self._settle(channel, reply)
        if isinstance(reply, Fault):
            if reply.code == codes.ALREADY_SUBSCRIBED.code and number > 1:
                return self._settle(channel, Subscribed())
            self._refuse(reply)
        return b""

    def _settle(self, channel: str, subscribed: Subscribed) -> bytes:
        """A channel is subscribed to; with the last one, the response begins."""
        if channel not in self._open:
            return b""
        self._open.discard(channel)
        if subscribed.epoch:
            self._entered.append(channel)
            self._endpoint.epochs.enter(channel, subscribed.epoch)
            if self._progress is not None:  # where it was, until it was told what it has missed since
                start = Position(subscribed.offset, subscribed.epoch)
                self._progress.begin_at(channel, self._wanted.positions.get(channel, start))
        past = self._dialect.past(channel, subscribed)
        if self._open:
            return past
        self._start()
        return past if self._progress is None else Blocks.of([past, MARK])

    def _start(self) -> None:
        stream, hub = self._stream, self._endpoint.gate.hub
        stream.start(stream.framed(retry(random.randint(*RETRY_MS))))
        self._write = stream.transport.write
        early, self._early = self._early or (), None
        if self._progress is None:
            self._client.transport = stream.transport
        for data in early:
            self.write(data)
        hub.wheel.set_in(self, HEARTBEAT_S * random.uniform(0.5, 1))

    def _refuse(self, reason: Closure | Fault) -> None:
        if not self._is_refused:
            self._is_refused = True
            self._stream.refuse(self._returning.response_to(reason))

    def push(self, push: Push) -> bytes:
        if isinstance(push, Ended):
            if push.channel not in self._channels:
                return b""
            if push.ending.resubscribes:  # it comes back, and recovers what it can
                hub = self._endpoint.gate.hub
                hub.loop.call_soon(self._client.disconnect, codes.INSUFFICIENT_STATE)
        return self._dialect.push(push)

    def question(self, number: int, event: Event) -> bytes:
        raise RefusedError(codes.NOT_AVAILABLE)

    def item(self, number: int, item: Json, attachments: tuple[bytes, ...] = ()) -> bytes:
        return b""

    def end(self, number: int, fault: Fault | None) -> bytes:
        return b""

    def dialect_for(self, channel: str) -> Dialect | None:
        return None if channel in self._channels else MUTE

    # from the stream

    def pause(self) -> None:
        self._client.pause()

    def resume(self) -> None:
        self._client.resume()

    def lost(self) -> None:
        if self._is_lost:
            return
        self._is_lost = True
        self._endpoint.gate.hub.wheel.unset(self)
        self._client.lost()
        for channel in self._entered:
            self._endpoint.epochs.leave(channel)
        del self._client  # it holds us: without the cycle, both are freed at once

    def disconnect(self, closure: Closure) -> None:
        self._client.disconnect(closure)

    # from the wheel

    def on_due(self, now: float) -> None:
        if not self._stream.is_started:
            self._refuse(codes.STALE)
            return
        if self._client.flowing:
            self._write(self._stream.framed(HEARTBEAT))
        self._endpoint.gate.hub.wheel.set(self, now + HEARTBEAT_S)

    # from the hub (hub.client.Link)

    def close(self, closure: Closure) -> None:
        if not self._stream.is_started:
            self._refuse(closure)
            return
        self._stream.finish(self._stream.framed(self._dialect.push(Farewell(closure))))
        log.debug("client_closed", code=closure.code, reason=closure.reason)

    def abort(self, closure: Closure) -> None:
        self._stream.abort()
        log.info("client_aborted", code=closure.code, reason=closure.reason)

    def pause_reading(self) -> None:
        """Nothing is read from it anyway."""

    def resume_reading(self) -> None:
        pass
