"""Servers and clients for the tests of Socket.IO.

A test that takes ``open_socket`` runs with each library over each transport: polling, WebSocket, and the upgrade from
one to the other. The JavaScript library talks to our own doorway, the Python one to a plain ASGI server. What no
library does is done with ``poller`` and ``EngineSocket``. What only a browser does is in ``tests/browser``.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any, Final

import pytest

from tests.integration.native.peers import NodeEngine, node_engine_of
from tests.integration.native.serving import AsgiServer, LoopThread, Server, servers_on

from .engine_client import EngineSocket, Poller
from .sockets import TRANSPORTS, PythonSockets, Socket

LIBRARIES: Final = [f"{language}-{transport}" for language in ("node", "python") for transport in TRANSPORTS]

ONLY_NODE: Final = pytest.mark.parametrize("library", [f"node-{name}" for name in TRANSPORTS], indirect=True)
"""For what python-socketio does not offer."""

UPGRADING: Final = pytest.mark.parametrize("library", ["node-upgrade"], indirect=True)

ONCE: Final = pytest.mark.parametrize("library", ["node-websocket"], indirect=True)

Serve = Callable[..., Awaitable[Server]]
OpenSocket = Callable[..., Awaitable[Socket]]
OpenPoller = Callable[[Server], Awaitable[Poller]]
OpenEngine = Callable[..., Awaitable[EngineSocket]]

_numbers = count(1)


@pytest.fixture
async def serve(server_thread: LoopThread, request: pytest.FixtureRequest) -> AsyncIterator[Serve]:
    """Start servers: ``await serve(hub)``, with options of the gate if need be."""
    names = request.fixturenames
    is_asgi = "library" in names and request.getfixturevalue("library").startswith("python")
    async with servers_on(server_thread, AsgiServer if is_asgi else Server) as start:
        yield start


@pytest.fixture(scope="session")
def node_sockets(installed_program: Callable[[str], Path]) -> Iterator[NodeEngine]:
    with node_engine_of(installed_program, "socketio_driver.mjs") as engine:
        yield engine


@pytest.fixture(params=LIBRARIES)
def library(request: pytest.FixtureRequest) -> str:
    """Which client library, and over what; a test that names it runs once with each."""
    return str(request.param)


@pytest.fixture
def engine(library: str, request: pytest.FixtureRequest) -> NodeEngine | PythonSockets:
    if library.startswith("python"):
        return PythonSockets()
    found: NodeEngine = request.getfixturevalue("node_sockets")
    return found


@pytest.fixture
async def open_socket(serve: Serve, library: str, engine: NodeEngine | PythonSockets) -> AsyncIterator[OpenSocket]:
    """Make clients of the library: ``await open_socket(server, "/chat", auth=…)``; in unless ``connect=False``."""
    sockets: dict[int, Socket] = {}
    transports = TRANSPORTS[library.partition("-")[2]]

    async def opened(
        server: Server, namespace: str = "/", *, connect: bool = True, beside: Socket | None = None, **options: Any
    ) -> Socket:
        number = next(_numbers)
        socket = sockets[number] = Socket(engine, number)
        engine.attach(number, socket)
        more: dict[str, Any] = {} if beside is None else {"beside": _number_of(beside, sockets)}
        options = {"transports": transports, **options}
        await socket.run("open", url=server.site.rstrip("/"), namespace=namespace, options=options, **more)
        if connect:
            await socket.connected()
        return socket

    yield opened
    for number, socket in sockets.items():
        await socket.run("close")
        engine.detach(number)


def _number_of(socket: Socket, sockets: dict[int, Socket]) -> int:
    return next(number for number, each in sockets.items() if each is socket)


@pytest.fixture
async def poller(serve: Serve) -> AsyncIterator[OpenPoller]:
    """Make clients that poll: ``await (await poller(server)).open()``."""
    pollers: list[Poller] = []

    async def made(server: Server) -> Poller:
        pollers.append(Poller(server))
        return pollers[-1]

    yield made
    for each in pollers:
        await each.__aexit__()


@pytest.fixture
async def open_engine(serve: Serve) -> AsyncIterator[OpenEngine]:
    """Make WebSockets that are in the root namespace: ``await open_engine(server)``; only open with ``join=False``."""
    sockets: list[EngineSocket] = []

    async def made(server: Server, *, join: bool = True, probe: str = "", **auth: object) -> EngineSocket:
        if probe:
            socket = await EngineSocket.probing(server, probe)
        elif join:
            socket = await EngineSocket.joined(server, auth=auth or None)
        else:
            socket = await EngineSocket.opened(server)
        sockets.append(socket)
        return socket

    yield made
    for each in sockets:
        await each.close()
