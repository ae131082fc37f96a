"""Heads of requests as they come over a transport: what the doorway, and the fast ways behind it, know of a request.

Nothing here answers anything, nor does it bound what it is given.
"""

import asyncio
from typing import Final

import httptools

from vagus.hub.requests import Origin

from .gate import Gate, joined_headers

HEAD_BYTES: Final = 16_384
"""The longest head of a request: browsers with many cookies stay below."""

END_OF_HEAD: Final = b"\r\n\r\n"


class Head:
    """A request's head as httptools reads it."""

    __slots__ = ("_parser", "headers", "http_version", "keeps_alive", "method", "target")

    def __init__(self) -> None:
        self.target = b""
        self.headers: list[tuple[bytes, bytes]] = []
        self.method = ""
        self.http_version = ""
        self.keeps_alive = False
        """Whether another request may follow on the connection."""
        self._parser: httptools.HttpRequestParser

    def read(self, data: bytes) -> None:
        """Take a head, with its body or without. Raises ``HttpParserError``."""
        parser = self._parser = httptools.HttpRequestParser(self)
        try:
            parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            pass
        finally:
            del self._parser  # it holds us
        self.method, self.http_version = parser.get_method().decode(), parser.get_http_version()

    # from the parser

    def on_url(self, url: bytes) -> None:
        self.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        is_old = self._parser.get_http_version() == "1.0"
        self.keeps_alive = not is_old and self._parser.should_keep_alive()


def path_in(data: bytes) -> str:
    """The path in the first line of a request, as it stands there."""
    start = data.find(b" ", 0, 8) + 1
    return data[start : data.find(b" ", start)].partition(b"?")[0].decode("latin-1")


def origin_of(
    gate: Gate,
    transport: asyncio.Transport,
    target: bytes,
    headers: list[tuple[bytes, bytes]],
    listed_as: str = "websocket",
) -> Origin:
    path, _, query = target.decode("latin-1").partition("?")
    named = joined_headers((name.decode("latin-1"), value.decode("latin-1")) for name, value in headers)
    peer = transport.get_extra_info("peername")
    address = gate.address(peer[0] if isinstance(peer, tuple) else "", named)
    return Origin(address=address, path=path, query=query, headers=named, transport=listed_as)
