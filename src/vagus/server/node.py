"""A node: a hub behind uvicorn and our doorway, from its start to its last answer.

A signal begins the end: nobody new is let in, clients go to the other nodes one after the other (``draining``) or,
where there are none, are all told to come back (3001), requests under way finish, then the hub stops. All of it within
``server.shutdown_s``; a second signal cuts it short.
"""

import asyncio
import contextlib
import gc
import math
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Iterator
from typing import TYPE_CHECKING, Any, Final

import structlog
import uvicorn

from vagus.asgi import respond
from vagus.gateway.asgi import serve as serve_websocket
from vagus.gateway.asgi import serve_http
from vagus.gateway.doorway import doorway
from vagus.kernel import codes
from vagus.settings import Server, Settings

from .building import ASGIApp, Parts
from .demo import publish_demo
from .draining import DRAINING, Draining, is_readiness, parting

if TYPE_CHECKING:
    from .reloading import Reloading

log = structlog.get_logger()

CLOSING_S: Final = 5.0
"""How long clients may take to close when they are told to; the closing handshake has the same bound."""

ARRIVING_S: Final = 2.0
"""How long, from when it stops listening, a node waits for the first requests of those who have just connected."""

HASTE_S: Final = 1.0
"""How long saying goodbye to other nodes may take when nobody is waited for any more."""

STOP_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


class NodeServer(uvicorn.Server):
    """uvicorn with our order of starting and stopping.

    ``settings`` may be replaced while it runs. ``company`` is how many nodes, this one too, stop together when it is
    told to: they are nobody to send clients to. ``on_ready`` is awaited once requests are taken.
    """

    def __init__(
        self, parts: Parts, api: ASGIApp, settings: Server, on_ready: Callable[[], Awaitable[None]], *, company: int = 1
    ) -> None:
        super().__init__(_uvicorn_config(parts, api))
        self.settings = settings
        self.on_signal: Callable[[int, object], None] = self.handle_exit
        self.on_start: Callable[[], Awaitable[None]] | None = None
        """What is done before anything else."""
        self.reloading: Reloading | None = None
        """What a hang-up asks to reload."""
        self.siblings = parts.gate.siblings
        self._parts = parts
        self._on_ready = on_ready
        self._company = company
        self._demo: asyncio.Task[None] | None = None
        self._starting: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Raises what the store and the hub raise when they cannot start. Told to stop meanwhile, it leaves nothing."""
        self._starting = asyncio.create_task(self._start(sockets))
        try:
            await self._starting
        except asyncio.CancelledError:
            if not self.should_exit:
                raise
            log.info("server_stopped")
        finally:
            self._starting = None

    async def _start(self, sockets: list[socket.socket] | None) -> None:
        hub, storage = self._parts.hub, self._parts.storage
        if self.on_start is not None:
            await self.on_start()
        async with contextlib.AsyncExitStack() as undoing:
            await storage.start()
            undoing.push_async_callback(storage.close)
            await hub.start()
            undoing.push_async_callback(hub.stop)
            for app in self._parts.apps.values():
                await app.start()
                undoing.push_async_callback(app.stop)
            undoing.push_async_callback(self.lifespan.shutdown)
            await super().startup(sockets=sockets)
            if self.siblings is not None:
                await self.siblings.listen(self._new_protocol)
            undoing.pop_all()
        if self.settings.demo:
            self._demo = asyncio.create_task(publish_demo(hub))
        _calm_collector()
        await self._on_ready()

    def _new_protocol(self) -> asyncio.Protocol:
        """What uvicorn makes for a connection that it has taken."""
        made: asyncio.Protocol = self.config.http_protocol_class(
            config=self.config,  # type: ignore[call-arg]
            server_state=self.server_state,
            app_state=self.lifespan.state,
        )
        return made

    def stop(self, *, company: int | None = None) -> None:
        """Begin the end. Once is enough."""
        self._company = company or self._company
        self.should_exit = True
        if self._starting is not None and not self.started:
            self._starting.cancel()  # it may be waiting for a store that is silent

    def reload(self) -> None:
        """Take over what has changed in the configuration, unless it ends anyway."""
        if self.reloading is not None and self.started and not self.should_exit:
            self.reloading.ask()

    def heed(self, settings: Settings) -> None:
        """Other settings hold from now on."""
        self.settings = settings.server

    def cut_short(self) -> None:
        """Wait for nobody any more."""
        self.force_exit = True

    def handle_exit(self, sig: int, frame: object) -> None:
        """A signal to stop: the first begins the end, the second cuts it short."""
        if self.should_exit:
            self.cut_short()
        self.stop()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        deadline = begun + self.settings.shutdown_s
        for server in self.servers:
            server.close()
        log.info("server_stopping", clients=len(self._parts.hub.clients))
        if self.reloading is not None:
            await self.reloading.close()
        self._parts.gate.drain()
        await self._send_clients_on(deadline - loop.time() - CLOSING_S)
        await self._see_clients_off(min(deadline, loop.time() + CLOSING_S))
        await self._hear_out_arrivals(min(deadline, begun + ARRIVING_S))
        if self.siblings is not None:
            await self.siblings.close()
        self.config.timeout_graceful_shutdown = max(1, math.ceil(deadline - loop.time()))
        await super().shutdown(sockets=sockets)
        if self.force_exit:  # which uvicorn takes for a reason to leave its own task behind
            await self.lifespan.shutdown()
        await self._stop_parts()
        log.info("server_stopped")

    async def _send_clients_on(self, at_most_s: float) -> None:
        hub = self._parts.hub
        if hub.broker.condition.nodes > self._company:
            await Draining(hub, min(self.settings.drain_s, at_most_s), lambda: self.force_exit).run()

    async def _see_clients_off(self, closed_by: float) -> None:
        """Tell clients to come back later, and wait until they have closed, which is when they know it."""
        gate, loop = self._parts.gate, asyncio.get_running_loop()
        gate.close_all(codes.SHUTDOWN)
        while gate.open_sockets and loop.time() < closed_by and not self.force_exit:
            await gate.wait_until_empty(0.1)

    async def _hear_out_arrivals(self, until: float) -> None:
        """Whoever connected before we stopped listening is answered, instead of being cut before they have asked."""
        loop = asyncio.get_running_loop()
        while self._parts.gate.arriving and loop.time() < until and not self.force_exit:  # noqa: ASYNC110
            await asyncio.sleep(0.02)

    async def _stop_parts(self) -> None:
        if self._demo is not None:
            self._demo.cancel()
            await asyncio.wait({self._demo})
        for name, app in reversed(self._parts.apps.items()):
            await self._end(name, app.stop)
        await self._end("hub", self._parts.hub.stop)
        await self._parts.storage.close()

    async def _end(self, what: str, stop: Callable[[], Awaitable[None]]) -> None:
        """Whatever goes wrong with one part, the others end in order."""
        try:
            async with asyncio.timeout(HASTE_S if self.force_exit else None):
                await stop()
        except TimeoutError:
            pass
        except Exception:
            log.exception("not_stopped", part=what)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Unlike uvicorn's, it does not raise the signal again at the end: to be told to stop is no failure."""
        if sys.platform == "win32":
            with super().capture_signals():
                yield
            return
        loop = asyncio.get_running_loop()
        for number in STOP_SIGNALS:
            loop.add_signal_handler(number, self.on_signal, number, None)
        loop.add_signal_handler(signal.SIGHUP, self.reload)
        try:
            yield
        finally:
            for number in (*STOP_SIGNALS, signal.SIGHUP):
                loop.remove_signal_handler(number)


class Application:
    """The root application: the gate's endpoints, and what is nobody's there is the API's."""

    def __init__(self, parts: Parts, api: ASGIApp) -> None:
        self._gate = parts.gate
        self._api = api

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        gate = self._gate
        if scope["type"] == "lifespan":
            await self._api(scope, receive, send)
            return
        endpoint = gate.endpoint(scope["path"])
        if scope["type"] == "websocket":
            await serve_websocket(gate, endpoint, scope, receive, send)
        elif endpoint is not None:
            await serve_http(gate, endpoint, scope, receive, send)
        elif not gate.takes(scope):
            await _forbid(send)
        elif not gate.is_draining:
            await self._api(scope, receive, send)
        elif is_readiness(scope):
            await respond(parting(send), DRAINING, head_only=scope["method"] == "HEAD")
        else:
            await self._api(scope, receive, parting(send))


async def _forbid(send: Any) -> None:
    headers = [(b"content-type", b"application/problem+json"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": b'{"title":"Forbidden","status":403}'})


def _calm_collector() -> None:
    """Have the garbage collector look less often: connections leave no cycles behind, and a third of the time of taking

    one went into looking for some (bench, 9,000 connections).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 50)


def _uvicorn_config(parts: Parts, api: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        Application(parts, api),
        http=doorway(parts.gate),
        ws="websockets-sansio",  # for a handshake that is not the first request of its connection
        loop=_loop(),
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # the gate and the API read them by their own rules
    )


def _loop() -> Any:
    try:
        import uvloop  # noqa: F401
    except ImportError:  # there is none for Windows
        return "asyncio"
    return "uvloop"
