"""A response that goes on for as long as its client stays: what carries one, and what is carried.

A ``Stream`` is the response, on one kind of server: nothing until it is started, then bytes until it ends. A
``Listener`` is what it is for: a client of the hub and its protocol. An endpoint that streams answers a ``Request``
with either a whole response or a ``Streaming``, which makes the listener once the stream is there. ``AsgiStream`` runs
behind any ASGI server; ``direct`` has the fast one.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Mapping
from typing import Final, Protocol

import msgspec

from vagus.asgi import BodyTooLargeError, ClientGoneError, Receive, Response, Scope, Send, read_body, respond
from vagus.hub.audience import Writes
from vagus.hub.requests import Origin
from vagus.kernel.codes import Closure

from .cors import Headers, preflight
from .gate import Gate
from .problems import Problems

HIGH_WATER: Final = 65_536
"""Bytes given to the server but not taken by it, from which the client counts as slow."""

CLOSING_S: Final = 5.0
"""How long the client may take to read what is left."""

NOT_KEPT: Final[Headers] = [
    (b"cache-control", b"private, no-cache, no-store, must-revalidate, max-age=0"),
    (b"pragma", b"no-cache"),
    (b"expires", b"0"),
    (b"x-accel-buffering", b"no"),
]
"""Nobody on the way may keep what is streamed, nor gather it before handing it on."""


class Request(msgspec.Struct, frozen=True):
    """A request with its whole body. ``origin.headers`` are its headers."""

    method: str
    origin: Origin
    body: bytes = b""

    @property
    def headers(self) -> Mapping[str, str]:
        return self.origin.headers


class Stream(Protocol):
    """A response that goes on. Bytes given to ``write`` before ``start`` are kept until then."""

    @property
    def is_chunked(self) -> bool:
        """Whether what is written must come in chunks."""
        ...

    @property
    def is_started(self) -> bool: ...

    @property
    def transport(self) -> Writes:
        """Where to write once the response has begun."""
        ...

    def framed(self, content: bytes) -> bytes:
        """Content as the three below take it: in a chunk, where the response is chunked."""
        ...

    def start(self, first: bytes = b"") -> None:
        """Begin the response, with these bytes before all that was written."""
        ...

    def write(self, data: bytes) -> None: ...

    def finish(self, last: bytes) -> None:
        """End the response after what was written and these bytes."""
        ...

    def refuse(self, response: Response) -> None:
        """Answer this instead, and forget what was written. Only before ``start``."""
        ...

    def abort(self) -> None:
        """End it at once: the client does not read."""
        ...


class Listener(Protocol):
    """Whom a stream is for."""

    def pause(self) -> None:
        """The stream takes no more for now."""
        ...

    def resume(self) -> None: ...

    def lost(self) -> None:
        """The stream is gone. May come more than once."""
        ...

    def disconnect(self, closure: Closure) -> None:
        """Close it from the server's side."""
        ...


class Streaming(msgspec.Struct, frozen=True):
    """Leave to stream. ``begin`` makes the listener; ``headers`` are those of the response when it starts."""

    headers: tuple[tuple[bytes, bytes], ...]
    begin: Callable[[Stream], Listener]


class StreamingEndpoint(Protocol):
    """An endpoint whose responses go on. ``streams_as`` is what its clients are listed as."""

    @property
    def streams_as(self) -> str: ...

    @property
    def methods(self) -> tuple[str, ...]:
        """Those that it takes, besides OPTIONS."""
        ...

    def answer(self, request: Request) -> Response | Streaming:
        """The page's origin, the address and the rates are checked here."""
        ...


def streaming(endpoint: object) -> StreamingEndpoint | None:
    """The endpoint, if it is one of these. Asked for every request, so that a protocol's own check would be slow."""
    return endpoint if hasattr(endpoint, "streams_as") else None  # type: ignore[return-value]  # no other has that


async def stream_http(gate: Gate, endpoint: StreamingEndpoint, scope: Scope, receive: Receive, send: Send) -> None:
    """Serve one request of an ASGI server."""
    method: str = scope["method"]
    methods = ", ".join((*endpoint.methods, "OPTIONS")).encode()
    if method == "OPTIONS":
        await respond(send, preflight(gate, scope, methods))
        return
    origin = gate.origin(scope, transport=endpoint.streams_as)
    problems = Problems(gate, origin.headers)
    if method not in endpoint.methods:
        refusal = problems.problem(405, f"{origin.path} takes {methods.decode()}")
        await respond(send, msgspec.structs.replace(refusal, headers=(*refusal.headers, (b"allow", methods))))
        return
    try:
        body = await read_body(receive, dict(scope["headers"]), gate.hub.limits.message_bytes)
    except BodyTooLargeError:
        await respond(send, problems.problem(413, "the body is too large"))
        return
    except ClientGoneError:
        return
    answer = endpoint.answer(Request(method, origin, body))
    if isinstance(answer, Response):
        await respond(send, answer)
    else:
        await AsgiStream(gate, send, answer).run(answer.begin, receive)


class AsgiStream:
    """A stream of an ASGI server. One task writes what waits here, another one watches for the client's leaving."""

    is_chunked: Final = False

    def __init__(self, gate: Gate, send: Send, streaming: Streaming) -> None:
        self._gate = gate
        self._send = send
        self._headers = streaming.headers
        self._queue: deque[bytes] = deque()
        self._size = 0
        self._wake = asyncio.Event()
        self._listener: Listener | None = None
        self._is_slow = False
        self._is_over = False
        self._is_ending = False
        self._refusal: Response | None = None
        self._patience: asyncio.Timeout | None = None
        self.is_started = False

    @property
    def transport(self) -> Writes:
        return self

    def framed(self, content: bytes) -> bytes:
        return content

    def start(self, first: bytes = b"") -> None:
        self.is_started = True
        if first:
            self._queue.appendleft(first)
        self._wake.set()

    def write(self, data: bytes) -> None:
        if not data:
            return
        self._queue.append(data)
        self._size += len(data)
        self._wake.set()
        if self._size > HIGH_WATER and self.is_started and self._listener is not None:
            self._is_slow = True
            self._listener.pause()

    def finish(self, last: bytes) -> None:
        self.write(last)
        self._is_ending = True
        self._wake.set()
        self._end_in(CLOSING_S)

    def refuse(self, response: Response) -> None:
        self._refusal = response
        self._wake.set()
        self._end_in(CLOSING_S)

    def abort(self) -> None:
        self._queue.clear()
        self._is_ending = True
        self._end_in(0)

    def end(self, closure: Closure) -> None:
        """Close it from the server's side."""
        if self._listener is not None:
            self._listener.disconnect(closure)

    def _end_in(self, seconds: float) -> None:
        patience = self._patience
        if patience is not None and not patience.expired() and not self._is_over:
            patience.reschedule(asyncio.get_running_loop().time() + seconds)

    async def run(self, begin: Callable[[Stream], Listener], receive: Receive) -> None:
        watcher = asyncio.ensure_future(self._watch(receive))
        try:
            async with asyncio.timeout(None) as self._patience:
                listener = self._listener = begin(self)
                self._gate.sockets.add(self)
                with contextlib.suppress(OSError, RuntimeError):  # the server lost the connection under our hands
                    await self._write_all(listener)
        except TimeoutError:
            pass  # aborted, or left by its client, or what was left was not read
        finally:
            self._is_over = True
            if self._listener is not None:
                self._listener.lost()
                self._listener = None
            self._gate.leave(self)
            watcher.cancel()
            await asyncio.wait({watcher})

    async def _watch(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self._end_in(0)

    async def _write_all(self, listener: Listener) -> None:
        """The only sender, so that order is kept."""
        while not (self.is_started or self._refusal or self._is_over):
            await self._wake.wait()
            self._wake.clear()
        if self._refusal is not None and not self._is_over:
            await respond(self._send, self._refusal)
        elif not self._is_over:
            await self._send({"type": "http.response.start", "status": 200, "headers": list(self._headers)})
            await self._write_body(listener)

    async def _write_body(self, listener: Listener) -> None:
        while not self._is_over:
            await self._drain(listener)
            if self._is_ending and not self._queue:
                await self._send({"type": "http.response.body", "body": b"", "more_body": False})
                return
            await self._wake.wait()
            self._wake.clear()

    async def _drain(self, listener: Listener) -> None:
        while self._queue and not self._is_over:
            data = self._queue.popleft()
            await self._send({"type": "http.response.body", "body": data, "more_body": True})
            self._size = max(0, self._size - len(data))
            if self._is_slow and self._size <= HIGH_WATER // 2:
                self._is_slow = False
                listener.resume()
