"""A real server for a test: uvicorn on uvloop, a hub behind the doorway, a free loopback port.

It runs in a thread of its own with its own loop, as it would beside real clients. A test reaches the hub through
``on``, cuts every socket at once, or stops the server and starts another hub on the same port.
"""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import uvicorn
import uvloop

from tests.patience import DEADLINE_S
from vagus import Hub
from vagus.gateway.asgi import serve, serve_http
from vagus.gateway.doorway import doorway
from vagus.gateway.furnishing import open_gate
from vagus.gateway.gate import Gate
from vagus.kernel.publications import Position, Receipt

T = TypeVar("T")
App = Callable[..., Awaitable[None]]


class LoopThread:
    """A uvloop in a thread. Whatever runs there is awaited from the test's own loop."""

    def __init__(self) -> None:
        self.loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="server")
        self._thread.start()

    def _run(self) -> None:
        self.loop.run_forever()
        self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        self.loop.close()

    async def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        future = asyncio.run_coroutine_threadsafe(coroutine, self.loop)
        return await asyncio.wait_for(asyncio.wrap_future(future), DEADLINE_S)

    def end(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(DEADLINE_S)


class _Uvicorn(uvicorn.Server):
    """uvicorn that says when it listens and stops when it is told to, instead of looking ten times a second."""

    def __init__(self, config: uvicorn.Config, hub: Hub) -> None:
        super().__init__(config)
        self.hub = hub
        self.listens = asyncio.Event()
        self.ends = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listens.set()

    async def main_loop(self) -> None:
        await self.ends.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for listening in sockets or []:
            listening.close()
        await self.hub.stop()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        for server in self.servers:
            await server.wait_closed()


async def nothing_here(scope: Any, receive: Any, send: Any) -> None:
    """An app for servers whose only business is the hub."""
    await send({"type": "http.response.start", "status": 404, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body"})


def answering(gate: Gate, otherwise: App) -> App:
    """An app whose requests are the endpoints', and another one's where there is none."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        endpoint = gate.endpoint(scope["path"])
        if endpoint is None or scope["type"] != "http":
            await otherwise(scope, receive, send)
        else:
            await serve_http(gate, endpoint, scope, receive, send)

    return app


class Server:
    """One hub on one port. ``gate`` are options for its gate."""

    def __init__(self, thread: LoopThread, app: App = nothing_here) -> None:
        self.hub: Hub
        self.gate: Gate
        self._thread = thread
        self._app = app
        self.port = 0
        self._options: dict[str, Any] = {}
        self._running: tuple[_Uvicorn, asyncio.Task[None]] | None = None

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/connection/websocket"

    @property
    def site(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    async def start(self, hub: Hub, **gate: Any) -> None:
        """Serve ``hub``, on the port of before if there was one."""
        self.hub, self._options = hub, gate or self._options
        await self._thread.run(self._start())

    async def stop(self) -> None:
        """Stop as on SIGTERM: listen no more, tell every client, wait until they are gone."""
        if self._running is not None:
            await self._thread.run(self._stop())

    async def on(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run something on the server's loop."""
        return await self._thread.run(coroutine)

    async def publish(self, channel: str, data: object, **options: Any) -> Receipt:
        return await self.on(self.hub.publish(channel, data, **options))

    async def publish_each(self, channel: str, data: Iterable[object], **options: Any) -> Position:
        """Publish one after the other. Returns where the channel stands then."""
        position = Position()
        for each in data:
            position = (await self.publish(channel, each, **options)).position
        return position

    async def cut(self, *publications: tuple[str, object]) -> None:
        """Cut every socket without a word, and publish in the same moment, so that nobody can be back already."""
        await self.on(self._cut(publications))

    async def _cut(self, publications: tuple[tuple[str, object], ...]) -> None:
        for client in list(self.hub.clients.values()):
            client.transport.abort()  # type: ignore[attr-defined]  # the hub itself only writes to transports
        for channel, data in publications:
            await self.hub.publish(channel, data)

    async def alone(self) -> None:
        """Wait until the server knows that every socket is gone; it wakes nobody for that, so it is asked each tick."""

        async def wait() -> None:
            while self.gate.open_sockets:  # noqa: ASYNC110 - the gate counts, and has no event
                await asyncio.sleep(0)

        await self.on(wait())

    async def _start(self) -> None:
        await self.hub.start()
        listening = socket.create_server(("127.0.0.1", self.port))
        self.port = listening.getsockname()[1]
        self.gate = open_gate(self.hub, **self._options)
        front: Any = doorway(self.gate)
        config = uvicorn.Config(
            answering(self.gate, self._app), http=front, ws="none", lifespan="off", log_config=None, access_log=False
        )
        server = _Uvicorn(config, self.hub)
        self._running = server, asyncio.get_running_loop().create_task(server.serve([listening]))
        await server.listens.wait()

    async def _stop(self) -> None:
        assert self._running is not None
        server, task = self._running
        self._running = None
        server.ends.set()
        await task


class AsgiServer(Server):
    """The same behind a plain ASGI server: uvicorn makes the frames, and nothing is ours but the application."""

    async def _start(self) -> None:
        await self.hub.start()
        listening = socket.create_server(("127.0.0.1", self.port))
        self.port = listening.getsockname()[1]
        self.gate = open_gate(self.hub, **self._options)
        config = uvicorn.Config(
            self._all,
            interface="asgi3",
            http="httptools",
            ws="websockets-sansio",
            lifespan="off",
            log_config=None,
            access_log=False,
        )
        server = _Uvicorn(config, self.hub)
        self._running = server, asyncio.get_running_loop().create_task(server.serve([listening]))
        await server.listens.wait()

    async def _all(self, scope: Any, receive: Any, send: Any) -> None:
        endpoint = self.gate.endpoint(scope["path"])
        if scope["type"] == "websocket":
            await serve(self.gate, endpoint, scope, receive, send)
        elif endpoint is not None:
            await serve_http(self.gate, endpoint, scope, receive, send)
        else:
            await self._app(scope, receive, send)


Serve = Callable[..., Awaitable[Server]]


@asynccontextmanager
async def servers_on(thread: LoopThread, make: Callable[[LoopThread], Server] = Server) -> AsyncIterator[Serve]:
    """Start servers, ``await start(hub)`` with options of the gate if need be, which stop with the block."""
    servers: list[Server] = []

    async def start(hub: Hub, **gate: Any) -> Server:
        server = make(thread)
        servers.append(server)
        await server.start(hub, **gate)
        return server

    yield start
    for server in servers:
        await server.stop()
