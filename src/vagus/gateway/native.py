"""The native dialect over WebSockets: JSON or Protobuf, as the subprotocol or the query says."""

from collections.abc import Iterable
from typing import Final
from urllib.parse import parse_qs

from vagus.asgi import Receive, Response, Scope, Send, respond
from vagus.hub.audience import Writes
from vagus.hub.client import Client, Link
from vagus.hub.hub import Hub
from vagus.hub.requests import Origin
from vagus.wire import Dialect
from vagus.wire.centrifuge.json import JSON
from vagus.wire.centrifuge.protobuf import PROTOBUF
from vagus.wire.encoding import Framing

from .endpoints import Opening

PATH: Final = "/connection/websocket"

_SUBPROTOCOLS: Final[dict[str, Dialect]] = {"centrifuge-json": JSON, "centrifuge-protobuf": PROTOBUF}
_FORMATS: Final[dict[str, Dialect]] = {"protobuf": PROTOBUF, "json": JSON}
_NATIVE_PING: Final = "cf_ws_frame_ping_pong=true"

_NO_WEBSOCKET: Final = Response(
    426,
    b"this address speaks WebSocket\n",
    content_type=b"text/plain",
    headers=((b"upgrade", b"websocket"), (b"connection", b"Upgrade")),
)


class NativeSockets:
    """The endpoint. One object serves every connection."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def knock(self, origin: Origin, subprotocols: Iterable[str]) -> Opening:
        dialect, subprotocol = chosen_dialect(subprotocols, origin.query)

        def opened(link: Link, transport: Writes, framing: Framing) -> Client:
            return Client(self._hub, link, transport, framing.encoding(dialect), origin)

        return Opening(opened, subprotocol, pings_natively=_NATIVE_PING in origin.query)

    async def http(self, scope: Scope, receive: Receive, send: Send) -> None:
        await respond(send, _NO_WEBSOCKET)


def chosen_dialect(subprotocols: Iterable[str], query: str) -> tuple[Dialect, str | None]:
    """The dialect a client wants, and the subprotocol to confirm; JSON where it says nothing that we know."""
    for name in subprotocols:
        if name in _SUBPROTOCOLS:
            return _SUBPROTOCOLS[name], name
    if "protobuf" in query:
        values = parse_qs(query)
        wanted = (values.get("cf_protocol") or values.get("format") or [""])[0]
        return _FORMATS.get(wanted, JSON), None
    return JSON, None
