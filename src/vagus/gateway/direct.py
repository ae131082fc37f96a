"""A stream straight on the event loop's transport: the fast path of responses that go on.

The doorway gives a request here with its head and its body; from then on the connection is the stream's. No task, no
queue and no buffer of its own: the hub writes finished chunks to the transport itself, and the other side's leaving is
seen at once. The connection ends with the response.
"""

import asyncio
import re
from email.utils import formatdate
from http import HTTPStatus
from typing import Final

from vagus.asgi import Response
from vagus.hub.audience import Writes
from vagus.kernel.codes import Closure
from vagus.wire.streaming import LAST_CHUNK, chunk

from .gate import Gate
from .streaming import CLOSING_S, Listener, Request, Streaming, StreamingEndpoint

_LENGTH: Final = re.compile(rb"\r\ncontent-length:([^\r\n]*)", re.IGNORECASE).findall
_NOT_PLAIN: Final = re.compile(rb"\r\n(?:transfer-encoding|expect|upgrade):", re.IGNORECASE).search


def body_length(data: bytes, end: int, bound: int) -> int | None:
    """How long the body is behind a head that ends at ``end``; ``None`` where it does not come in one plain piece."""
    if _NOT_PLAIN(data, 0, end):
        return None
    lengths = _LENGTH(data, 0, end)
    if not lengths:
        return 0
    text = lengths[0].strip()
    if len(lengths) > 1 or not text.isdigit() or len(text) > 9 or int(text) > bound:
        return None
    return int(text)


def respond_directly(
    gate: Gate, endpoint: StreamingEndpoint, request: Request, http_version: str, transport: asyncio.Transport
) -> None:
    """Answer a request; the connection ends with the answer."""
    answer = endpoint.answer(request)
    if isinstance(answer, Response):
        transport.write(whole(answer))
        transport.close()
    else:
        stream = DirectStream(gate, transport, answer, is_chunked=http_version != "1.0")
        transport.set_protocol(stream)
        stream.begin(answer)


def whole(response: Response) -> bytes:
    """A response that is followed by nothing more."""
    fields = [*response.headers]
    if response.status != HTTPStatus.NO_CONTENT:
        fields += [(b"content-type", response.content_type), (b"content-length", b"%d" % len(response.body))]
    return _head(response.status, fields) + response.body


def _head(status: int, headers: list[tuple[bytes, bytes]]) -> bytes:
    lines = [b"HTTP/1.1 %d %b" % (status, HTTPStatus(status).phrase.encode())]
    lines += [b"date: " + formatdate(usegmt=True).encode(), b"connection: close"]
    lines += [b"%b: %b" % header for header in headers]
    return b"\r\n".join(lines) + b"\r\n\r\n"


class DirectStream(asyncio.Protocol):
    """One response, and the connection that it came over."""

    __slots__ = (
        "_gate",
        "_headers",
        "_is_over",
        "_kept",
        "_listener",
        "_transport",
        "is_chunked",
        "is_started",
        "slot",
    )

    def __init__(self, gate: Gate, transport: asyncio.Transport, streaming: Streaming, *, is_chunked: bool) -> None:
        self.slot = 0
        self.is_chunked = is_chunked
        self.is_started = False
        self._gate = gate
        self._transport = transport
        self._headers = streaming.headers
        self._kept: list[bytes] = []
        self._is_over = False
        self._listener: Listener

    def begin(self, streaming: Streaming) -> None:
        self._gate.sockets.add(self)
        self._listener = streaming.begin(self)

    # from the listener

    @property
    def transport(self) -> Writes:
        return self._transport

    def framed(self, content: bytes) -> bytes:
        return chunk(content) if self.is_chunked else content

    def start(self, first: bytes = b"") -> None:
        self.is_started = True
        headers = [*self._headers, *([(b"transfer-encoding", b"chunked")] if self.is_chunked else [])]
        self._transport.write(b"".join((_head(200, headers), first, *self._kept)))
        self._headers, self._kept = (), []

    def write(self, data: bytes) -> None:
        if self.is_started:
            self._transport.write(data)
        else:
            self._kept.append(data)

    def finish(self, last: bytes) -> None:
        self._transport.write(last + LAST_CHUNK if self.is_chunked else last)
        self._close()

    def refuse(self, response: Response) -> None:
        self._transport.write(whole(response))
        self._close()

    def _close(self) -> None:
        """Let what was written be sent, within a bound."""
        self._is_over = True
        self._transport.close()
        self._gate.hub.wheel.set_in(self, CLOSING_S)

    def abort(self) -> None:
        self._is_over = True
        self._transport.abort()

    def end(self, closure: Closure) -> None:
        """Close it from the server's side."""
        if not self._is_over:
            self._listener.disconnect(closure)

    # from the transport

    def data_received(self, data: bytes) -> None:
        """Nothing more is answered on this connection, and what comes is read only so that its end is seen."""

    def eof_received(self) -> None:
        return None  # the transport closes itself

    def pause_writing(self) -> None:
        if self.is_started:
            self._listener.pause()

    def resume_writing(self) -> None:
        if self.is_started:
            self._listener.resume()

    def connection_lost(self, exc: Exception | None) -> None:
        self._is_over = True
        self._gate.leave(self)
        self._gate.hub.wheel.unset(self)
        self._listener.lost()
        del self._listener  # it holds us: without the cycle, both are freed at once and not by the garbage collector

    # from the wheel

    def on_due(self, now: float) -> None:
        """What was left to say was not read."""
        self._transport.abort()
