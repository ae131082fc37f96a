"""The gate: what every transport asks before it lets a connection in, which endpoint serves a path, and the framings

that connections share. It checks what is known before a client says who it is: its origin, its address, how many are
in already.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol

from vagus.asgi import Scope
from vagus.auth.addresses import AddressRules, Networks, client_address
from vagus.auth.origins import OriginRules
from vagus.hub.hub import Hub
from vagus.hub.journal import log
from vagus.hub.requests import Origin
from vagus.kernel.codes import Closure
from vagus.wire.encoding import Binary, Frame, Framing
from vagus.wire.websocket import (
    Refusal,
    binary_frame,
    compressed_binary_frame,
    compressed_text_frame,
    ping_frame,
    text_frame,
)

from .endpoints import Endpoint, Opening

if TYPE_CHECKING:
    from .siblings import Siblings

NO_ENDPOINT: Final = Refusal(404, "there is nothing here")
FORBIDDEN_ORIGIN: Final = Refusal(403, "this origin may not connect here")
FORBIDDEN_ADDRESS: Final = Refusal(403, "this address may not connect here")
FORBIDDEN_HOST: Final = Refusal(421, "this server does not answer to that name")
STOPPING: Final = Refusal(
    503, "this server is stopping: try again in a moment", ((b"Retry-After", b"1"), (b"Connection", b"close"))
)
"""Over another connection, which then leads to another server."""

REFUSED: Final = 100
"""Origins that the log tells of at most."""

BUSY: Final = Refusal(503, "too many connections at once: try again in a moment", ((b"Retry-After", b"1"),))


class Closable(Protocol):
    """A connection of some transport."""

    def end(self, closure: Closure) -> None:
        """Close it from the server's side."""
        ...


class Gate:
    """What transports share. ``compression`` offers permessage-deflate, used for messages from ``compress_from``
    bytes. ``hosts`` says by which names the server may be called.
    """

    def __init__(
        self,
        hub: Hub,
        *,
        origins: OriginRules | None = None,
        addresses: AddressRules | None = None,
        proxies: Networks | None = None,
        hosts: Callable[[str], bool] | None = None,
        compression: bool = False,
        compression_level: int = 1,
        compress_from: int = 128,
    ) -> None:
        self.hub = hub
        self.endpoints: Final[dict[str, Endpoint]] = {}
        self.siblings: Siblings | None = None
        """Other nodes that take connections at the same port, if there are any."""
        self.compression = compression
        self.sockets: set[Closable] = set()
        """Connections that are not closed yet, so that a server that stops can end them and knows when it is done."""
        self.arriving: set[object] = set()
        """Connections of which no request was read yet."""
        self.is_draining = False
        """Whether nobody new is let in any more; who is in is served until ``close_all``."""
        self._is_empty = asyncio.Event()
        self._origins = origins if origins is not None else OriginRules(())
        self._addresses = addresses
        self._proxies = proxies if proxies is not None else Networks()
        self._hosts = hosts
        self._level = compression_level
        self._compress_from = compress_from
        self._refused: set[str] = set()
        self._framings: dict[tuple[bool, bool], Framing] = {}
        self.bare: Final = Framing(bytes, Binary, separator=None)
        """For where somebody else makes the frames."""

    def serve(self, path: str, endpoint: Endpoint) -> None:
        """Let an endpoint have a path; one that ends in a slash, all below it too."""
        self.endpoints[path] = endpoint

    def endpoint(self, path: str) -> Endpoint | None:
        """Who serves a path."""
        endpoints = self.endpoints
        endpoint = endpoints.get(path)
        if endpoint is None and (second := path.find("/", 1)) > 0:
            endpoint = endpoints.get(path[: second + 1])
        return endpoint

    def home_of(self, endpoint: Endpoint | None, data: bytes) -> str:
        """The sibling that a request is for, since it holds the session; ``""`` for none."""
        return self.siblings.home_of(endpoint, data) if self.siblings is not None else ""

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

    def drain(self) -> None:
        """Let in nobody new from now on. Sessions that were let in before may go on over new connections."""
        self.is_draining = True

    def close_all(self, closure: Closure) -> None:
        """Close every connection, also those that have not said who they are, and let in nobody from now on."""
        self.drain()
        for socket in list(self.sockets):
            socket.end(closure)

    def guard(self, *, origins: OriginRules, addresses: AddressRules, proxies: Networks) -> None:
        """Let in by other rules from now on. Who is in stays."""
        self._origins, self._addresses, self._proxies = origins, addresses, proxies

    def takes_address(self, address: str) -> bool:
        """Whether the address lists let an address in, to whatever is served here."""
        return self._addresses is None or self._addresses.allows(address)

    def takes(self, scope: Scope) -> bool:
        """Whether the address lists let an ASGI connection in; its other headers are not read for that."""
        forwarded = ",".join(value.decode("latin-1") for name, value in scope["headers"] if name == b"x-forwarded-for")
        peer = scope.get("client")
        return self.takes_address(client_address(peer[0] if peer else "", forwarded, self._proxies))

    def check(self, origin: Origin) -> Refusal | None:
        """Why a request may not come in: from this address, or from this page."""
        headers = origin.headers
        if not self.takes_address(origin.address):
            return FORBIDDEN_ADDRESS
        if self._hosts is not None and not self._hosts(headers.get("host", "")):
            return FORBIDDEN_HOST
        claimed = headers.get("origin")
        if claimed is not None and not self.allows_origin(claimed, headers.get("host")):
            self._tell_refused(claimed)
            return FORBIDDEN_ORIGIN
        return None

    def _tell_refused(self, claimed: str) -> None:
        """Log that pages of an origin are refused: once for each, of which anybody can make up any number."""
        origin = claimed[:200]
        if len(self._refused) < REFUSED and origin not in self._refused:
            self._refused.add(origin)
            log.warning("origin_refused", origin=origin, hint="access.origins names whose pages may connect")

    def admit(self, origin: Origin) -> Refusal | None:
        """Why a new connection may not come in. Asked once for each, since it counts them."""
        return self.check(origin) or self.admit_rate(origin)

    def knock(self, endpoint: Endpoint, origin: Origin, subprotocols: Iterable[str]) -> Opening | Refusal:
        """Whether a WebSocket may be opened at an endpoint; one that continues a session counts as no new one."""
        refusal = self.check(origin)
        if refusal is not None:
            return refusal
        opening = endpoint.knock(origin, subprotocols)
        if isinstance(opening, Refusal) or opening.is_resumed:
            return opening
        return self.admit_rate(origin) or opening

    def admit_rate(self, origin: Origin) -> Refusal | None:
        """The second half of ``admit``: whether there may be one connection more."""
        if self.is_draining:
            return STOPPING
        return None if self.hub.registry.takes_connection(origin.address, self.hub.loop.time()) else BUSY

    def allows_origin(self, claimed: str, host: str | None) -> bool:
        """Whether pages of an origin may talk to the server that they call ``host``."""
        return self._origins.allows(claimed, host)

    def address(self, peer: str, headers: Mapping[str, str]) -> str:
        return client_address(peer, headers.get("x-forwarded-for"), self._proxies)

    def origin(self, scope: Scope, transport: str = "websocket") -> Origin:
        """Where an ASGI connection comes from."""
        peer = scope.get("client")
        headers = ((name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"])
        named = joined_headers(headers)
        return Origin(
            address=self.address(peer[0] if peer else "", named),
            path=scope["path"],
            query=scope.get("query_string", b"").decode("latin-1"),
            headers=named,
            transport=transport,
        )

    def framing(self, *, deflates: bool, pings_natively: bool) -> Framing:
        """WebSocket frames."""
        key = (deflates, pings_natively)
        framing = self._framings.get(key)
        if framing is None:
            text = self._frame(text_frame, compressed_text_frame if deflates else None)
            binary = self._frame(binary_frame, compressed_binary_frame if deflates else None)
            ping = ping_frame() if pings_natively else b""
            framing = self._framings[key] = Framing(text, binary, native_ping=ping)
        return framing

    def _frame(self, plain: Frame, compressed: Callable[..., bytes] | None) -> Frame:
        if compressed is None:
            return plain
        packed = partial(compressed, level=self._level)
        return lambda payload: packed(payload) if len(payload) >= self._compress_from else plain(payload)


def joined_headers(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """By lower-case name; what came several times is joined by commas, as HTTP means it."""
    named: dict[str, str] = {}
    for name, value in headers:
        key = name.lower()
        named[key] = f"{named[key]},{value}" if key in named else value
    return named
