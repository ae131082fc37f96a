"""Polls straight on the event loop's transport: the fast way of requests that may be held.

A connection stays here from one request to the next for as long as each comes in one piece, head and body; with the
first one that does not, or that is for somebody else, it goes back to the doorway, where uvicorn's protocol is found
for it. No task: the endpoint replies, and the client's leaving is seen at once. One request is answered at a time; what
comes before its turn waits here, within a bound.
"""

import asyncio
import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

import httptools
import msgspec

from vagus.asgi import Response
from vagus.wire.websocket import Refusal, refusal_response

from .direct import body_length
from .gate import Gate
from .heads import END_OF_HEAD, HEAD_BYTES, Head, origin_of, path_in
from .polls import BODY_S, Held, PolledEndpoint, polled
from .streaming import CLOSING_S

if TYPE_CHECKING:
    from vagus.hub.requests import Origin

    from .doorway import Doorway

NOT_HTTP: Final = refusal_response(Refusal(400, "this is not HTTP"))

_LINE: Final = re.compile(rb"GET (/[!-~]*) HTTP/1\.1").fullmatch
_STATUS_LINES: Final = {each.value: b"HTTP/1.1 %d %b\r\n" % (each, each.phrase.encode()) for each in HTTPStatus}


def ends_of(data: bytes, bound: int) -> tuple[int, int] | None:
    """Where the head and the body of the first request end, if all of it is there and is as plain as can be."""
    start = data.find(END_OF_HEAD) + len(END_OF_HEAD)
    if not len(END_OF_HEAD) <= start <= HEAD_BYTES or not data.startswith((b"GET ", b"POST ")):
        return None
    if data.count(b"\n", 0, start) != data.count(b"\r\n", 0, start):
        return None  # others may see lines where we see none, and another body
    length = body_length(data, start, bound)
    return (start, start + length) if length is not None and start + length <= len(data) else None


class DirectPolls(asyncio.Protocol):
    """See the module."""

    __slots__ = (
        "_doorway",
        "_early",
        "_endpoint",
        "_fields",
        "_gate",
        "_held",
        "_is_full",
        "_is_last",
        "_is_paused",
        "_loop",
        "_origin",
        "_transport",
        "_wheel",
        "slot",
    )

    def __init__(self, gate: Gate, endpoint: PolledEndpoint, transport: asyncio.Transport, doorway: "Doorway") -> None:
        self.slot = 0
        self._gate = gate
        self._loop = gate.hub.loop  # a hub that was stopped has none, and connections still end then
        self._wheel = gate.hub.wheel
        self._endpoint = endpoint
        self._transport = transport
        self._doorway = doorway
        self._held: Held | None = None
        self._early = b""
        self._is_paused = False
        self._is_full = False
        self._is_last = False
        self._fields = b""
        self._origin: Origin
        doorway.connections.add(self)

    # what comes in

    def data_received(self, data: bytes) -> None:
        self._early = self._early + data if self._early else data
        self._go_on()
        if len(self._early) > HEAD_BYTES and not self._is_paused:
            self._is_paused = True
            self._transport.pause_reading()

    def _go_on(self) -> None:
        """Take the next request, if one is there and it is its turn."""
        data = self._early
        if not data or self._held is not None or self._is_full or self._transport.is_closing():
            return
        if self._is_paused:
            self._is_paused = False
            self._transport.resume_reading()
        ends = ends_of(data, self._endpoint.max_payload)
        if ends is None or not self._is_for_here(data):
            self._give_back(data)
            return
        start, end = ends
        self._early = data[end:]
        self._wheel.unset(self)
        method = self._read(data[:start])
        if method:
            self._answer(method, data[start:end])

    def _is_for_here(self, data: bytes) -> bool:
        endpoint = self._gate.endpoint(path_in(data))
        return polled(endpoint) is self._endpoint and not self._gate.home_of(endpoint, data)

    def _read(self, head: bytes) -> str:
        """Learn where a request comes from; its method.

        The heads of a client's GETs differ in their first lines alone, so that what follows is not read again.
        """
        end_of_line = head.find(b"\r\n")
        fields, line = head[end_of_line:], _LINE(head, 0, end_of_line)
        if line is not None and fields == self._fields:
            path, _, query = line[1].decode().partition("?")
            self._origin = msgspec.structs.replace(self._origin, path=path, query=query)
            return "GET"
        read = Head()
        try:
            read.read(head)
        except httptools.HttpParserError:
            self._transport.write(NOT_HTTP)
            self._close()
            return ""
        self._origin = origin_of(self._gate, self._transport, read.target, read.headers, self._endpoint.polls_as)
        self._is_last = not read.keeps_alive
        self._fields = fields if line is not None else b""
        return read.method

    def _answer(self, method: str, body: bytes) -> None:
        answer = self._endpoint.expect(method, self._origin)
        if isinstance(answer, Response):
            self._reply(answer)
        else:
            self._held = answer
            answer.begin(body, self._reply)

    def _give_back(self, data: bytes) -> None:
        self._leave()
        self._doorway.take_back(data)

    # what goes out

    def _reply(self, response: Response) -> None:
        self._held = None
        if self._transport.is_closing():
            return
        self._transport.write(self._head(response) + response.body)
        if self._is_last:
            self._close()
        elif not self._is_full:
            self._wait()

    def _head(self, response: Response) -> bytes:
        lines = [_STATUS_LINES[response.status]]
        lines += [b"%b: %b\r\n" % header for header in self._doorway.default_headers]
        lines.append(b"content-type: %b\r\ncontent-length: %d\r\n" % (response.content_type, len(response.body)))
        lines += [b"%b: %b\r\n" % header for header in response.headers]
        lines.append(b"connection: close\r\n\r\n" if self._is_last else b"\r\n")
        return b"".join(lines)

    def _wait(self) -> None:
        """For the next request: not for long, unless it is here."""
        self._wheel.set(self, self._loop.time() + self._doorway.keep_alive_s)
        if self._early:
            self._loop.call_soon(self._go_on)

    def _close(self) -> None:
        """Let what was written be sent, within a bound."""
        self._early = b""
        self._transport.close()
        self._wheel.set(self, self._loop.time() + CLOSING_S)

    # from the transport

    def pause_writing(self) -> None:
        """Nothing more is answered until this is read, which must not take too long."""
        self._is_full = True
        self._wheel.set(self, self._loop.time() + BODY_S)

    def resume_writing(self) -> None:
        self._is_full = False
        if not self._transport.is_closing():
            self._wait()

    def eof_received(self) -> None:
        return None  # the transport closes itself

    def connection_lost(self, exc: Exception | None) -> None:
        self._leave()
        held, self._held = self._held, None
        if held is not None:
            held.lost()

    def _leave(self) -> None:
        self._early = b""
        self._wheel.unset(self)
        self._doorway.connections.discard(self)

    # from uvicorn, which stops

    def shutdown(self) -> None:
        """The next answer is the last one."""
        self._is_last = True
        if self._held is None and not self._transport.is_closing():
            self._close()

    # from the wheel

    def on_due(self, now: float) -> None:
        if self._is_full or self._transport.is_closing():
            self._transport.abort()
        else:
            self._close()
