"""The hub as an ASGI application, to be mounted in an application of one's own behind any ASGI server.

::

    hub = Hub(...)
    app = FastAPI(lifespan=...)
    app.mount("/connection", asgi_app(hub))        # ws://…/connection/websocket

The server makes the frames, so this is slower than ``doorway``: one task a connection to write. The same client and
dialect objects run behind it.
"""

import asyncio
from collections import deque
from typing import Any, Final

from vagus.asgi import Asgi, Receive, Response, Scope, Send, path_of, respond
from vagus.asgi import Event as Message
from vagus.hub.hub import Hub
from vagus.kernel.codes import Closure
from vagus.wire.encoding import Binary
from vagus.wire.websocket import Refusal

from .endpoints import Endpoint, Peer
from .furnishing import Dialects, open_gate
from .gate import FORBIDDEN_ADDRESS, NO_ENDPOINT, Gate
from .native import PATH

NOTHING_HERE: Final = Response(404, b"there is nothing here\n", b"text/plain")

HIGH_WATER: Final = 65_536
"""Bytes given to the server but not taken by it, from which the client counts as slow."""

CLOSING_S: Final = 5.0
"""How long the server may take to send what is left and our close frame, and to hear the answer."""


def asgi_app(hub: Hub, dialects: Dialects | None = None, **options: Any) -> Asgi:
    """An ASGI application with all dialects. ``options`` are those of ``Gate``: origins, addresses, proxies.

    Mounted below a path it serves the endpoints at their own paths, and at those paths below it; a WebSocket anywhere
    else below it speaks the native dialect.

    As the root application it starts and stops the hub with its lifespan; mounted in another one, which keeps lifespan
    to itself, it starts the hub with the first connection unless ``async with hub`` did so before.
    """
    gate = open_gate(hub, dialects, **options)
    starting = asyncio.Lock()

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _live(hub, receive, send)
            return
        async with starting:  # who comes second waits until the first one has started it
            if not hub.is_started:
                await hub.start()
        endpoint = gate.endpoint(scope["path"]) or gate.endpoint(path_of(scope))
        if scope["type"] == "websocket":
            await serve(gate, endpoint or gate.endpoints.get(PATH), scope, receive, send)
        elif endpoint is not None:
            await serve_http(gate, endpoint, scope, receive, send)
        else:
            await respond(send, NOTHING_HERE)

    return application


async def _live(hub: Hub, receive: Receive, send: Send) -> None:
    await receive()
    try:
        await hub.start()
    except Exception as error:  # without this message some servers take the application for one without a lifespan
        await send({"type": "lifespan.startup.failed", "message": f"the hub did not start: {error!r}"})
        raise
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await hub.stop()
    await send({"type": "lifespan.shutdown.complete"})


async def serve_http(gate: Gate, endpoint: Endpoint, scope: Scope, receive: Receive, send: Send) -> None:
    """Serve one HTTP request for an endpoint."""
    if gate.takes(scope):
        await endpoint.http(scope, receive, send)
    else:
        await respond(send, Response(FORBIDDEN_ADDRESS.status, FORBIDDEN_ADDRESS.reason.encode(), b"text/plain"))


async def serve(gate: Gate, endpoint: Endpoint | None, scope: Scope, receive: Receive, send: Send) -> None:
    """Serve one WebSocket of an ASGI server."""
    await receive()  # websocket.connect
    origin = gate.origin(scope)
    opening = gate.knock(endpoint, origin, scope.get("subprotocols", ())) if endpoint is not None else NO_ENDPOINT
    if isinstance(opening, Refusal):
        await _refuse(scope, send, opening)
        return
    await send({"type": "websocket.accept", "subprotocol": opening.subprotocol})
    socket = Socket(send)
    peer = socket.peer = opening.open(socket, socket, gate.bare)
    writer = asyncio.ensure_future(socket.write_all(peer))
    gate.sockets.add(socket)
    try:
        async with asyncio.timeout(None) as socket.patience:
            closure = None if opening.is_resumed else gate.hub.registry.check_room(origin.address)
            if closure is not None:
                peer.disconnect(closure)
            await _read(socket, peer, receive, opening.message_bytes or gate.hub.limits.message_bytes)
    except TimeoutError:
        pass  # aborted, or our close frame was not answered: returning makes the server let the connection go
    finally:
        peer.lost()
        gate.leave(socket)
        socket.finish()
        writer.cancel()
        await asyncio.wait({writer})


async def _read(socket: "Socket", peer: Peer, receive: Receive, bound: int) -> None:
    while True:
        await socket.reading.wait()
        message = await receive()
        if message["type"] == "websocket.disconnect":
            return
        text = message.get("text")
        data = text.encode() if text is not None else message.get("bytes") or b""
        if len(data) > bound:
            peer.disconnect(Closure(1009, "message too big"))
        elif text is not None:
            peer.receive(data)
        else:
            peer.receive_binary(data)


async def _refuse(scope: Scope, send: Send, refusal: Refusal) -> None:
    if "websocket.http.response" in scope.get("extensions", {}):
        headers = [(name.lower(), value) for name, value in refusal.headers]
        await send({"type": "websocket.http.response.start", "status": refusal.status, "headers": headers})
        await send({"type": "websocket.http.response.body", "body": refusal.reason.encode()})
    else:
        await send({"type": "websocket.close", "code": 1008, "reason": refusal.reason})


class Socket:
    """An ASGI connection as the hub's link and transport: what is written waits here until the server takes it."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._queue: deque[bytes] = deque()
        self._size = 0
        self._closure: Closure | None = None
        self._is_over = False
        self._wake = asyncio.Event()
        self.peer: Peer | None = None
        """Whose connection it is; set before anything is written."""
        self.patience: asyncio.Timeout | None = None
        """Ends the connection's task when it is due: never, until the hub closes the connection."""
        self.reading = asyncio.Event()
        self.reading.set()

    def write(self, data: bytes) -> None:
        self._queue.append(data)
        self._size += len(data)
        self._wake.set()
        if self._size > HIGH_WATER and self.peer is not None:
            self.peer.pause()

    def end(self, closure: Closure) -> None:
        """Close from the server's side."""
        if self.peer is not None:
            self.peer.disconnect(closure)

    def close(self, closure: Closure) -> None:
        if self._closure is None:
            self._closure = closure
            self._wake.set()
            self._end_in(CLOSING_S)

    def abort(self, closure: Closure) -> None:
        self._queue.clear()
        self._size = 0
        self.close(closure)
        self._end_in(0)

    def _end_in(self, seconds: float) -> None:
        if self.patience is not None and not (self._is_over or self.patience.expired()):
            self.patience.reschedule(asyncio.get_running_loop().time() + seconds)

    def pause_reading(self) -> None:
        self.reading.clear()

    def resume_reading(self) -> None:
        self.reading.set()

    def finish(self) -> None:
        """The other side is gone: nothing more is sent."""
        self._is_over = True
        self._wake.set()

    async def write_all(self, peer: Peer) -> None:
        """Send what is written until the connection ends. The only sender, so that order is kept."""
        try:
            while not self._is_over:
                await self._wake.wait()
                self._wake.clear()
                await self._drain(peer)
                if self._closure is not None and not self._is_over:
                    closure = self._closure
                    await self._send({"type": "websocket.close", "code": closure.code, "reason": closure.reason})
                    return
        except (OSError, RuntimeError):
            peer.lost()  # the server has lost the connection under our hands

    async def _drain(self, peer: Peer) -> None:
        while self._queue and not self._is_over:
            data = self._queue.popleft()
            message: Message = {"type": "websocket.send"}
            if type(data) is Binary:
                message["bytes"] = bytes(data)
            else:
                message["text"] = data.decode()
            await self._send(message)
            self._size = max(0, self._size - len(data))
            if not peer.flowing and self._size <= HIGH_WATER // 2:
                peer.resume()
