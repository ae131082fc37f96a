"""Serving: one process, one loop, uvicorn for HTTP, and our doorway in front of it.

A signal begins the end: nobody new is let in, clients are told to come back (3001) and answered until they have closed,
requests under way finish, then the hub stops. All of it within ``server.shutdown_s``; a second SIGINT cuts it short.
"""

import asyncio
import contextlib
import gc
import math
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final

import structlog
import uvicorn

from vagus.gateway.asgi import serve as serve_websocket
from vagus.gateway.asgi import serve_http
from vagus.gateway.doorway import doorway
from vagus.kernel import codes
from vagus.kernel.rates import Rate
from vagus.settings import Problem, Settings, SettingsError

from .addresses import url_of
from .building import ASGIApp, Parts, build
from .demo import publish_demo
from .folder import DataFolder
from .logs import configure_logs
from .loopback import for_this_machine

log = structlog.get_logger()

CLOSING_S: Final = 5.0
"""How long clients may take to close when they are told to; the closing handshake has the same bound."""


class CannotListenError(OSError):
    """The address cannot be listened on."""


class NodeServer(uvicorn.Server):
    """uvicorn with our order of stopping, and a word when it is ready."""

    def __init__(self, config: uvicorn.Config, parts: Parts, shutdown_s: float, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._parts = parts
        self._shutdown_s = shutdown_s
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        _calm_collector()
        await asyncio.to_thread(self._on_ready)  # it writes a file

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        deadline = begun + self._shutdown_s
        for server in self.servers:
            server.close()
        await self._see_clients_off(min(deadline, begun + CLOSING_S))
        self.config.timeout_graceful_shutdown = max(1, math.ceil(deadline - loop.time()))
        await super().shutdown(sockets=sockets)
        log.info("server_stopped")

    async def _see_clients_off(self, closed_by: float) -> None:
        """Tell clients to come back later, and wait until they have closed, which is when they know it."""
        gate, loop = self._parts.gate, asyncio.get_running_loop()
        log.info("server_stopping", clients=len(self._parts.hub.clients))
        gate.close_all(codes.SHUTDOWN)
        while gate.open_sockets and loop.time() < closed_by and not self.force_exit:
            await gate.wait_until_empty(0.1)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Unlike uvicorn's, it does not raise the signal again at the end: to be told to stop is no failure."""
        if sys.platform == "win32":
            with super().capture_signals():
                yield
            return
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        loop.add_signal_handler(signal.SIGHUP, _not_yet)
        try:
            yield
        finally:
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                loop.remove_signal_handler(number)


def _not_yet() -> None:
    log.warning("reload_not_available", hint="restart to take new settings: clients come back and recover")


class Application:
    """The root application: its lifespan is the hub's life, its requests are the API's."""

    def __init__(self, parts: Parts, api: ASGIApp, *, demo: bool) -> None:
        self._parts = parts
        self._api = api
        self._demo = demo

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        gate = self._parts.gate
        if scope["type"] == "lifespan":
            await self._live(scope, receive, send)
            return
        endpoint = gate.endpoint(scope["path"])
        if scope["type"] == "websocket":
            await serve_websocket(gate, endpoint, scope, receive, send)
        elif endpoint is not None:
            await serve_http(gate, endpoint, scope, receive, send)
        elif gate.takes(scope):
            await self._api(scope, receive, send)
        else:
            await _forbid(send)

    async def _live(self, scope: Any, receive: Any, send: Any) -> None:
        hub = self._parts.hub
        await hub.start()
        demo = asyncio.create_task(publish_demo(hub, self._parts.admin)) if self._demo else None

        async def finishing(message: Any) -> None:
            if message["type"] == "lifespan.shutdown.complete":
                if demo is not None:
                    demo.cancel()
                    await asyncio.wait({demo})
                await hub.stop()
            await send(message)

        await self._api(scope, receive, finishing)


def _calm_collector() -> None:
    """Have the garbage collector look less often: connections leave no cycles behind, and a third of the time of taking

    one went into looking for some (bench, 9,000 connections).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 50)


async def _forbid(send: Any) -> None:
    headers = [(b"content-type", b"application/problem+json"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": b'{"title":"Forbidden","status":403}'})


def serve(settings: Settings, folder: DataFolder, on_ready: Callable[[str], None]) -> None:
    """Serve until a signal. ``on_ready`` is called with the address once requests are taken.

    Raises ``SettingsError``, ``CannotListenError``, or ``OSError`` for a data folder that cannot be used.
    """
    configure_logs(settings.server)
    parts = build(settings, folder)
    if folder.is_exposed:
        log.warning(
            "data_folder_exposed", folder=str(folder.path), hint="its secrets are for this user alone: chmod 700"
        )
    with _listening(settings) as listener:
        url = url_of(settings.server.host, listener.getsockname()[1])

        def ready() -> None:
            folder.announce(url)
            log.info("server_started", url=url, version=parts.hub.version)
            on_ready(url)

        config = _uvicorn_config(settings, parts)
        server = NodeServer(config, parts, settings.server.shutdown_s, ready)
        try:
            server.run(sockets=[listener])
        finally:
            folder.withdraw()


def _uvicorn_config(settings: Settings, parts: Parts) -> uvicorn.Config:
    api = _api(settings, parts)
    if settings.access.insecure:
        api = for_this_machine(api)
    application = Application(parts, api, demo=settings.server.demo)
    return uvicorn.Config(
        application,
        http=doorway(parts.gate),
        ws="websockets-sansio",  # for a handshake that is not the first request of its connection
        loop=_loop(),
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # the gate and the API read them by their own rules
    )


def _api(settings: Settings, parts: Parts) -> ASGIApp:
    from vagus.api.app import api_app

    api = settings.api
    application: ASGIApp = api_app(
        parts.hub,
        keys=parts.keys,
        error_mode=api.error_mode,
        max_body_bytes=api.max_body_bytes,
        metrics=api.metrics,
        routes=_routes(settings, parts),
    )
    return application


def _routes(settings: Settings, parts: Parts) -> Callable[[], Any] | None:
    if parts.admin is None:
        return None
    rate = Rate(settings.admin.requests_per_s, settings.admin.requests_burst)
    return partial(parts.admin.routes, parts.keys, rate)


def _loop() -> Any:
    try:
        import uvloop  # noqa: F401
    except ImportError:  # there is none for Windows
        return "asyncio"
    return "uvloop"


@contextlib.contextmanager
def _listening(settings: Settings) -> Iterator[socket.socket]:
    """A socket that is bound already, so that a free port is known before anything is printed."""
    server = settings.server
    family = socket.AF_INET6 if ":" in server.host else socket.AF_INET
    try:
        listener = socket.create_server((server.host, server.port), family=family, backlog=2048)
    except socket.gaierror:
        raise SettingsError([Problem("server.host", f"{server.host} is not an address of this machine")]) from None
    except (OSError, OverflowError) as error:
        # The error's own text names the address once more.
        reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
        raise CannotListenError(f"cannot listen on {server.host} port {server.port}: {reason}") from None
    with listener:
        yield listener
