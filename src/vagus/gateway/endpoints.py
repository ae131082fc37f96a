"""Endpoints: what is served at the gateway's paths, each in the manner of its protocol.

An endpoint is asked about a WebSocket in two steps: ``knock`` says whether one may be opened, before anything is
promised; the ``Opening`` that it returns makes, once the handshake is done, the ``Peer`` whose connection it then is.
Everything else that comes to its path is ``http``. ``Gate.endpoint`` finds the endpoint of a path.
"""

from collections.abc import Callable, Iterable
from typing import Protocol

import msgspec

from vagus.asgi import Receive, Scope, Send
from vagus.hub.audience import Writes
from vagus.hub.client import Link
from vagus.hub.requests import Origin
from vagus.kernel.codes import Closure
from vagus.wire.encoding import Framing
from vagus.wire.websocket import Refusal


class Peer(Protocol):
    """Whose connection a WebSocket is: a client of the hub, or a session with clients of its own."""

    @property
    def flowing(self) -> bool:
        """Whether what is written to it now goes to the transport."""
        ...

    def receive(self, message: bytes) -> None:
        """A text message."""
        ...

    def receive_binary(self, message: bytes) -> None: ...

    def receive_pong(self) -> None:
        """The answer to a ping of the transport's own."""
        ...

    def pause(self) -> None:
        """The transport takes no more for now."""
        ...

    def resume(self) -> None: ...

    def lost(self) -> None:
        """The transport is gone. May come more than once."""
        ...

    def disconnect(self, closure: Closure) -> None:
        """Close from the server's side, in the way of the peer's protocol."""
        ...


class Opening(msgspec.Struct, frozen=True):
    """Leave to open a WebSocket. ``open`` is called with its link, its transport and its framing."""

    open: Callable[[Link, Writes, Framing], Peer]
    subprotocol: str | None = None
    is_resumed: bool = False
    """It continues a session that was let in before, so that limits on new connections do not count it."""
    pings_natively: bool = False
    """The client wants pings of the transport's own in place of the dialect's."""
    message_bytes: int = 0
    """The longest message that is read; 0 is the hub's limit."""
    close_code: int = 1005
    """With what a close frame without a code is answered; 1005 is an empty one, which RFC 6455 suggests."""


class Endpoint(Protocol):
    """One whose sessions take several requests has a ``session_field`` too: the field of the query with the secret."""

    def knock(self, origin: Origin, subprotocols: Iterable[str]) -> Opening | Refusal:
        """Whether a WebSocket may be opened. Origin, address and rate were checked before."""
        ...

    async def http(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request that is no WebSocket handshake. The address was checked before, nothing else."""
        ...
