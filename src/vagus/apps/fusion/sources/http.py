"""GET over one kept connection: small, bounded, and cheap enough for hundreds of endpoints a second.

Not a client for everything: no cookies, no proxies, no compression. A request to a server on this machine costs 80 µs
of CPU; aiohttp took twice that, httpx fifty times. The parser is httptools, which the server has anyway. Names are
resolved in ``Threads``, so that a name server that hangs does not use up those of the rest of the program.
"""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Mapping
from functools import partial
from typing import Final
from urllib.parse import SplitResult, urljoin, urlsplit

import httptools

from vagus.apps.fusion.threads import Threads
from vagus.version import VERSION

from . import SourceError
from .files import MAX_BYTES

REDIRECTS: Final = 5
HEADER_BYTES: Final = 65_536
_PIECE: Final = 65_536
_MOVED: Final = frozenset({301, 302, 303, 307, 308})
_ADDRESS_S: Final = 2.0
"""How long one of several addresses may take to connect before the next is tried."""


class Endpoint:
    """One address. Raises ``ValueError`` for one that makes no sense. One ``get`` at a time; it may be cancelled."""

    def __init__(
        self,
        url: str,
        threads: Threads,
        *,
        headers: Mapping[str, str] | None = None,
        accept: str = "application/json",
        max_bytes: int = MAX_BYTES,
        ca_file: str = "",
    ) -> None:
        self._url = understood(url)
        self._threads = threads
        self._headers = {"Accept": accept, **(headers or {})}
        for name, value in self._headers.items():
            if not name.isascii() or not name.replace("-", "").replace("_", "").isalnum() or not _is_plain(value):
                raise ValueError(f"headers: {name} is no header, or its value is not plain ASCII")
        self._max_bytes = max_bytes
        self._ca_file = ca_file
        self._tls: ssl.SSLContext | None = None
        self._line: _Line | None = None

    async def get(self) -> bytes:
        """The body of the answer. Raises ``SourceError`` for any but a status of 2xx."""
        url = self._url
        for _ in range(REDIRECTS + 1):
            answer = await self._ask(url)
            if answer.status in _MOVED and answer.location:
                url = self._followed(url, answer.location)
            elif 200 <= answer.status < 300:
                return bytes(answer.body)
            else:
                raise SourceError(f"{shown(url)} answered with status {answer.status}{_HINTS.get(answer.status, '')}")
        raise SourceError(f"{shown(self._url)} redirects more than {REDIRECTS} times")

    async def close(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            line.close()

    def _followed(self, url: SplitResult, location: str) -> SplitResult:
        try:
            target = understood(urljoin(url.geturl(), location))
        except ValueError:
            raise SourceError(f"{shown(url)} redirects to what is no address") from None
        if url.scheme == "https" and target.scheme == "http":
            raise SourceError(f"{shown(url)} redirects from https to http")
        return target

    async def _ask(self, url: SplitResult) -> "_Answer":
        """Ask over the line that is there; a server may have closed it meanwhile, so once more over a new one."""
        line, self._line = self._line, None
        if line is not None and line.origin == origin(url):
            with contextlib.suppress(OSError, EOFError):
                return await self._exchange(line, url)
        elif line is not None:
            line.close()
        try:
            return await self._exchange(await self._connect(url), url)
        except ssl.SSLCertVerificationError as error:
            raise SourceError(f"{shown(url)}: its certificate is not believed: {error.verify_message}") from None
        except EOFError:
            raise SourceError(f"{shown(url)} closed the connection in the middle of its answer") from None
        except OSError as error:
            raise SourceError(f"{shown(url)} cannot be reached: {error.strerror or type(error).__name__}") from None

    async def _exchange(self, line: "_Line", url: SplitResult) -> "_Answer":
        headers = {"Host": url.netloc, "User-Agent": f"vagus/{VERSION}", "Accept-Encoding": "identity"}
        own = self._headers if origin(url) == origin(self._url) else {"Accept": self._headers["Accept"]}
        target = (url.path or "/") + (f"?{url.query}" if url.query else "")
        lines = [f"GET {target} HTTP/1.1", *(f"{name}: {value}" for name, value in (headers | own).items())]
        try:
            answer = await line.exchange("\r\n".join([*lines, "", ""]).encode("latin-1"), self._max_bytes)
        except httptools.HttpParserError:
            line.close()
            raise SourceError(f"{shown(url)} does not speak HTTP") from None
        except _TooLargeError as error:
            line.close()
            raise SourceError(f"{shown(url)} answered with more than {error} bytes: raise max_bytes") from None
        except BaseException:
            line.close()
            raise
        if answer.keeps_open:
            self._line = line
        else:
            line.close()
        if answer.encoding not in ("", "identity"):
            raise SourceError(f"{shown(url)} answered in the encoding {answer.encoding}, which was not asked for")
        return answer

    async def _connect(self, url: SplitResult) -> "_Line":
        host = url.hostname or ""
        tls = await self._tls_context() if url.scheme == "https" else None
        resolve = partial(socket.getaddrinfo, host, None, type=socket.SOCK_STREAM)
        try:
            addresses = await self._threads.run(f"host {host}", resolve)
        except (OSError, UnicodeError):
            raise SourceError(f"{shown(url)}: there is no host of that name, or no name server answers") from None
        *others, last = (str(address[0]) for *_, address in addresses)
        for address in others:
            with contextlib.suppress(OSError):
                async with asyncio.timeout(_ADDRESS_S):
                    return await _Line.to(address, url, tls)
        return await _Line.to(last, url, tls)

    async def _tls_context(self) -> ssl.SSLContext:
        if self._tls is None:
            try:
                self._tls = await self._threads.run("tls", partial(_tls_context, self._ca_file))
            except (OSError, ssl.SSLError):
                raise SourceError(f"ca_file: {self._ca_file} cannot be read as certificates") from None
        return self._tls


_HINTS: Final = {
    401: ": it wants another Authorization header",
    403: ": it refuses the Authorization header, or this address",
    404: ": there is nothing at that path",
    429: ": it is asked too often; see every_s",
}


def understood(url: str) -> SplitResult:
    """An address of http or https. Raises ``ValueError`` for any other."""
    try:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:  # reading `port` checks it
            raise ValueError
    except ValueError:
        raise ValueError("url: must be like https://host/path") from None
    if parts.username is not None:
        raise ValueError("url: a user and a password belong into the header Authorization")
    if not _is_plain(url) or " " in url:
        raise ValueError("url: has characters that an address has not: write them as %20 and the like")
    return parts


def origin(url: SplitResult) -> tuple[str, str]:
    return url.scheme, url.netloc


def shown(url: SplitResult) -> str:
    """An address without its query, which may hold a key."""
    return f"{url.scheme}://{url.netloc}{url.path}"


def _is_plain(text: str) -> bool:
    return text.isascii() and text.isprintable()


def _tls_context(ca_file: str) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if ca_file:
        context.load_verify_locations(ca_file)
    return context


class _TooLargeError(Exception):
    pass


class _Line:
    """A connection and the parser of its answers."""

    def __init__(self, origin: tuple[str, str], reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.origin = origin
        self._reader = reader
        self._writer = writer

    @classmethod
    async def to(cls, address: str, url: SplitResult, tls: ssl.SSLContext | None) -> "_Line":
        port = url.port or (80 if tls is None else 443)
        name = None if tls is None else url.hostname
        reader, writer = await asyncio.open_connection(address, port, ssl=tls, server_hostname=name, limit=_PIECE)
        return cls(origin(url), reader, writer)

    async def exchange(self, request: bytes, max_bytes: int) -> "_Answer":
        """Raises ``EOFError`` if the answer ends too early, and what is in ``_exchange``."""
        answer = _Answer(max_bytes)
        self._writer.write(request)
        while not answer.is_complete:
            piece = await self._reader.read(_PIECE)
            if not piece:
                if not answer.ends_with_connection:
                    raise EOFError
                break
            answer.feed(piece)
        return answer

    def close(self) -> None:
        self._writer.transport.abort()


class _Answer:
    """An answer as it comes in; the methods that begin with ``on_`` are called by the parser."""

    def __init__(self, max_bytes: int) -> None:
        self.status = 0
        self.location = self.encoding = ""
        self.body = bytearray()
        self.is_complete = False
        self.keeps_open = False
        self._has_head = self._has_length = False
        self._head_bytes = 0
        self._max_bytes = max_bytes
        self._parser = httptools.HttpResponseParser(self)

    @property
    def ends_with_connection(self) -> bool:
        return self._has_head and not self._has_length

    def feed(self, piece: bytes) -> None:
        if not self._has_head:
            self._head_bytes += len(piece)
        self._parser.feed_data(piece)
        if len(self.body) > self._max_bytes or (not self._has_head and self._head_bytes > HEADER_BYTES):
            raise _TooLargeError(f"{self._max_bytes if self._has_head else HEADER_BYTES:,}")

    def on_header(self, name: bytes, value: bytes) -> None:
        match name.lower():
            case b"location":
                self.location = value.decode("latin-1")
            case b"content-encoding":
                self.encoding = value.decode("latin-1").strip().lower()
            case b"content-length" | b"transfer-encoding":
                self._has_length = True

    def on_headers_complete(self) -> None:
        self.status = self._parser.get_status_code()
        self._has_head = True

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        if self.status >= 200:
            self.is_complete = True
            self.keeps_open = self._parser.should_keep_alive()
        else:
            self._has_head = self._has_length = False
