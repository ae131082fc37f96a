"""The gate: what every transport asks before it lets a connection in, and the encodings that connections share.

It checks what is known before a client says who it is: its origin, its address, how many are in already.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Final, Protocol
from urllib.parse import parse_qs

from vagus.auth.addresses import AddressRules, Networks, client_address
from vagus.auth.origins import OriginRules
from vagus.hub.hub import Hub
from vagus.hub.requests import Origin
from vagus.kernel.codes import Closure
from vagus.wire import Dialect
from vagus.wire.centrifuge.json import JSON
from vagus.wire.centrifuge.protobuf import PROTOBUF
from vagus.wire.encoding import Encoding
from vagus.wire.websocket import (
    Refusal,
    binary_frame,
    compressed_binary_frame,
    compressed_text_frame,
    ping_frame,
    text_frame,
)

PATH: Final = "/connection/websocket"

_SUBPROTOCOLS: Final[dict[str, Dialect]] = {"centrifuge-json": JSON, "centrifuge-protobuf": PROTOBUF}
_FORMATS: Final[dict[str, Dialect]] = {"protobuf": PROTOBUF, "json": JSON}

FORBIDDEN_ORIGIN: Final = Refusal(403, "this origin may not connect here")
FORBIDDEN_ADDRESS: Final = Refusal(403, "this address may not connect here")
BUSY: Final = Refusal(503, "too many connections at once: try again in a moment", ((b"Retry-After", b"1"),))


class Closable(Protocol):
    """A connection of some transport."""

    def end(self, closure: Closure) -> None:
        """Close it from the server's side."""
        ...


class Gate:
    """What transports share. ``compression`` offers permessage-deflate, used for messages from ``compress_from``
    bytes.
    """

    def __init__(
        self,
        hub: Hub,
        *,
        origins: OriginRules | None = None,
        addresses: AddressRules | None = None,
        proxies: Networks | None = None,
        paths: Iterable[str] = (PATH,),
        compression: bool = False,
        compression_level: int = 1,
        compress_from: int = 128,
    ) -> None:
        self.hub = hub
        self.paths: Final = frozenset(paths)
        self.compression = compression
        self.sockets: set[Closable] = set()
        """Connections that are not closed yet, so that a server that stops can end them and knows when it is done."""
        self._is_empty = asyncio.Event()
        self._origins = origins if origins is not None else OriginRules(())
        self._addresses = addresses
        self._proxies = proxies if proxies is not None else Networks()
        self._level = compression_level
        self._compress_from = compress_from
        self._frames: dict[tuple[Dialect, bool, bool], Encoding] = {}
        self._messages: dict[Dialect, Encoding] = {}

    @property
    def open_sockets(self) -> int:
        return len(self.sockets)

    def leave(self, socket: Closable) -> None:
        """A connection is closed and gone."""
        self.sockets.discard(socket)
        if not self.sockets:
            self._is_empty.set()

    async def wait_until_empty(self, timeout_s: float) -> None:
        """Return when the last connection is gone, or after ``timeout_s``."""
        if self.sockets:
            self._is_empty.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._is_empty.wait(), timeout_s)

    def close_all(self, closure: Closure) -> None:
        """Close every connection, also those that have not said who they are."""
        for socket in list(self.sockets):
            socket.end(closure)

    def takes_address(self, address: str) -> bool:
        """Whether the address lists let an address in, to whatever is served here."""
        return self._addresses is None or self._addresses.allows(address)

    def admit(self, origin: Origin) -> Refusal | None:
        """Why a connection may not come in, if it may not."""
        headers = origin.headers
        if not self.takes_address(origin.address):
            return FORBIDDEN_ADDRESS
        claimed = headers.get("origin")
        if claimed is not None and not self._origins.allows(claimed, headers.get("host")):
            return FORBIDDEN_ORIGIN
        return None if self.hub.registry.takes_connection(origin.address, self.hub.loop.time()) else BUSY

    def address(self, peer: str, headers: Mapping[str, str]) -> str:
        return client_address(peer, headers.get("x-forwarded-for"), self._proxies)

    @staticmethod
    def dialect(subprotocols: Iterable[str], query: str) -> tuple[Dialect, str | None]:
        """The dialect a client wants, and the subprotocol to confirm; JSON where it says nothing that we know."""
        for name in subprotocols:
            if name in _SUBPROTOCOLS:
                return _SUBPROTOCOLS[name], name
        if "protobuf" in query:
            values = parse_qs(query)
            wanted = (values.get("cf_protocol") or values.get("format") or [""])[0]
            return _FORMATS.get(wanted, JSON), None
        return JSON, None

    def framed(self, dialect: Dialect, query: str, *, deflates: bool) -> Encoding:
        """The encoding of a dialect in WebSocket frames."""
        native = "cf_ws_frame_ping_pong=true" in query
        key = (dialect, deflates, native)
        encoding = self._frames.get(key)
        if encoding is None:
            ping = ping_frame() if native else b""
            encoding = self._frames[key] = Encoding(dialect, self._frame(dialect, deflates), native_ping=ping)
        return encoding

    def bare(self, dialect: Dialect) -> Encoding:
        """The encoding of a dialect where somebody else makes the frames."""
        encoding = self._messages.get(dialect)
        if encoding is None:
            encoding = self._messages[dialect] = Encoding(dialect, bytes)
        return encoding

    def _frame(self, dialect: Dialect, deflates: bool) -> Callable[[bytes], bytes]:
        plain = binary_frame if dialect.binary else text_frame
        if not deflates:
            return plain
        packed = partial(compressed_binary_frame if dialect.binary else compressed_text_frame, level=self._level)
        return lambda payload: packed(payload) if len(payload) >= self._compress_from else plain(payload)
