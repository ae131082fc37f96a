"""The hub as an ASGI application, to be mounted in an application of one's own behind any ASGI server.

::

    hub = Hub(...)
    app = FastAPI(lifespan=...)
    app.mount("/connection", asgi_app(hub))        # ws://…/connection/websocket

It takes WebSockets at whatever path it is mounted. The server makes the frames, so this is slower than ``doorway``: one
task a connection to write. The same client and dialect objects run behind it.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

from vagus.hub.client import Client
from vagus.hub.hub import Hub
from vagus.hub.requests import Origin
from vagus.kernel.codes import Closure

from .gate import Gate

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

HIGH_WATER: Final = 65_536
"""Bytes given to the server but not taken by it, from which the client counts as slow."""

CLOSING_S: Final = 5.0
"""How long the server may take to send what is left and our close frame, and to hear the answer."""


def asgi_app(hub: Hub, **options: Any) -> ASGIApp:
    """An ASGI application for WebSockets. ``options`` are those of ``Gate``: origins, addresses, proxies.

    As the root application it starts and stops the hub with its lifespan; mounted in another one, which keeps lifespan
    to itself, it starts the hub with the first connection unless ``async with hub`` did so before.
    """
    gate = Gate(hub, **options)
    starting = asyncio.Lock()

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        match scope["type"]:
            case "websocket":
                async with starting:  # who comes second waits until the first one has started it
                    if not hub.is_started:
                        await hub.start()
                await serve(gate, scope, receive, send)
            case "lifespan":
                await _live(hub, receive, send)
            case _:
                await _refuse_http(send)

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


async def _refuse_http(send: Send) -> None:
    headers = [(b"content-type", b"text/plain"), (b"upgrade", b"websocket"), (b"connection", b"Upgrade")]
    await send({"type": "http.response.start", "status": 426, "headers": headers})
    await send({"type": "http.response.body", "body": b"this address speaks WebSocket\n"})


async def serve(gate: Gate, scope: Scope, receive: Receive, send: Send) -> None:
    """Serve one WebSocket of an ASGI server."""
    await receive()  # websocket.connect
    origin = _origin(gate, scope)
    refusal = gate.admit(origin)
    if refusal is not None:
        await _refuse(scope, send, refusal.status, refusal.reason)
        return
    dialect, subprotocol = gate.dialect(scope.get("subprotocols", ()), origin.query)
    await send({"type": "websocket.accept", "subprotocol": subprotocol})
    socket = Socket(send, is_text=not dialect.binary)
    client = socket.client = Client(gate.hub, socket, socket, gate.bare(dialect), origin)
    writer = asyncio.ensure_future(socket.write_all(client))
    gate.sockets.add(socket)
    try:
        async with asyncio.timeout(None) as socket.patience:
            closure = gate.hub.registry.check_room(origin.address)
            if closure is not None:
                client.disconnect(closure)
            await _read(gate, socket, client, receive)
    except TimeoutError:
        pass  # aborted, or our close frame was not answered: returning makes the server let the connection go
    finally:
        client.lost()
        gate.leave(socket)
        socket.finish()
        writer.cancel()
        await asyncio.wait({writer})


async def _read(gate: Gate, socket: "Socket", client: Client, receive: Receive) -> None:
    while True:
        await socket.reading.wait()
        message = await receive()
        if message["type"] == "websocket.disconnect":
            return
        text = message.get("text")
        data = text.encode() if text is not None else message.get("bytes") or b""
        if len(data) > gate.hub.limits.message_bytes:
            client.disconnect(Closure(1009, "message too big"))
        else:
            client.receive(data)


async def _refuse(scope: Scope, send: Send, status: int, reason: str) -> None:
    if "websocket.http.response" in scope.get("extensions", {}):
        await send({"type": "websocket.http.response.start", "status": status, "headers": []})
        await send({"type": "websocket.http.response.body", "body": reason.encode()})
    else:
        await send({"type": "websocket.close", "code": 1008, "reason": reason})


def _origin(gate: Gate, scope: Scope) -> Origin:
    named: dict[str, str] = {}
    for name, value in scope["headers"]:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        named[key] = f"{named[key]},{text}" if key in named else text
    peer = scope.get("client")
    return Origin(
        address=gate.address(peer[0] if peer else "", named),
        path=scope["path"],
        query=scope.get("query_string", b"").decode("latin-1"),
        headers=named,
    )


class Socket:
    """An ASGI connection as the hub's link and transport: what is written waits here until the server takes it."""

    def __init__(self, send: Send, *, is_text: bool) -> None:
        self._send = send
        self._is_text = is_text
        self._queue: deque[bytes] = deque()
        self._size = 0
        self._closure: Closure | None = None
        self._is_over = False
        self._wake = asyncio.Event()
        self.client: Client | None = None
        """Whose connection it is; set before anything is written."""
        self.patience: asyncio.Timeout | None = None
        """Ends the connection's task when it is due: never, until the hub closes the connection."""
        self.reading = asyncio.Event()
        self.reading.set()

    def write(self, data: bytes) -> None:
        self._queue.append(data)
        self._size += len(data)
        self._wake.set()
        if self._size > HIGH_WATER and self.client is not None:
            self.client.pause()

    def end(self, closure: Closure) -> None:
        """Close from the server's side."""
        if self.client is not None:
            self.client.disconnect(closure)

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
        if self.patience is not None and not self._is_over:
            self.patience.reschedule(asyncio.get_running_loop().time() + seconds)

    def pause_reading(self) -> None:
        self.reading.clear()

    def resume_reading(self) -> None:
        self.reading.set()

    def finish(self) -> None:
        """The other side is gone: nothing more is sent."""
        self._is_over = True
        self._wake.set()

    async def write_all(self, client: Client) -> None:
        """Send what is written until the connection ends. The only sender, so that order is kept."""
        try:
            while not self._is_over:
                await self._wake.wait()
                self._wake.clear()
                await self._drain(client)
                if self._closure is not None and not self._is_over:
                    closure = self._closure
                    await self._send({"type": "websocket.close", "code": closure.code, "reason": closure.reason})
                    return
        except (OSError, RuntimeError):
            client.lost()  # the server has lost the connection under our hands

    async def _drain(self, client: Client) -> None:
        while self._queue and not self._is_over:
            data = self._queue.popleft()
            message: Message = {"type": "websocket.send"}
            message["text" if self._is_text else "bytes"] = data.decode() if self._is_text else data
            await self._send(message)
            self._size = max(0, self._size - len(data))
            if not client.flowing and self._size <= HIGH_WATER // 2:
                client.resume()
