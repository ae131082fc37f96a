"""Servers whose hubs were furnished as those of other servers are, and the real clients of those.

``open_socket`` makes clients of Socket.IO, npm and Python, ``open_hub`` npm clients of SignalR in JSON and MessagePack,
``open_native`` npm clients of the native dialect.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any, Final

import pytest

from tests.integration.native.peers import NODE_FOLDER, NodeEngine, Peer
from tests.integration.native.serving import LoopThread, Server, servers_on
from tests.integration.signalr.hubpeer import HubPeer
from tests.integration.socketio.sockets import PythonSockets, Socket

Serve = Callable[..., Awaitable[Server]]
OpenSocket = Callable[..., Awaitable[Socket]]
OpenHub = Callable[..., Awaitable[HubPeer]]
OpenNative = Callable[[Server, str], Awaitable[Peer]]

NODE: Final = "node"
PYTHON: Final = "python"

_numbers = count(1)


@pytest.fixture
async def serve(server_thread: LoopThread) -> AsyncIterator[Serve]:
    """Start servers: ``await serve(hub)``, with options of the gate if need be."""
    async with servers_on(server_thread) as start:
        yield start


@pytest.fixture(scope="session")
def node(installed_program: Callable[[str], Path]) -> Path:
    if not (NODE_FOLDER / "node_modules").is_dir():
        pytest.fail("tests/node/node_modules is missing: run `make dev`")
    return installed_program("node")


@pytest.fixture(scope="session")
def sockets_in_node(node: Path) -> Iterator[NodeEngine]:
    engine = NodeEngine(node, "socketio_driver.mjs")
    yield engine
    engine.end()


@pytest.fixture(scope="session")
def hubs_in_node(node: Path) -> Iterator[NodeEngine]:
    engine = NodeEngine(node, "signalr.mjs")
    yield engine
    engine.end()


@pytest.fixture(scope="session")
def natives_in_node(node: Path) -> Iterator[NodeEngine]:
    engine = NodeEngine(node)
    yield engine
    engine.end()


@pytest.fixture
async def opened() -> AsyncIterator[list[tuple[Any, int, Peer]]]:
    """Clients that end with the test."""
    peers: list[tuple[Any, int, Peer]] = []
    yield peers
    for engine, number, peer in peers:
        await peer.run("close")
        engine.detach(number)


@pytest.fixture
async def open_socket(serve: Serve, sockets_in_node: NodeEngine, opened: list[tuple[Any, int, Peer]]) -> OpenSocket:
    """``await open_socket(server, "/chat", "token-of-ann")``: in, unless ``connect=False``; over the same connection as

    the one that it is ``beside``.
    """
    engines: dict[str, NodeEngine | PythonSockets] = {NODE: sockets_in_node, PYTHON: PythonSockets()}

    async def open(
        server: Server,
        namespace: str,
        token: str,
        *,
        library: str = NODE,
        connect: bool = True,
        beside: Socket | None = None,
        **auth: Any,
    ) -> Socket:
        engine, number = engines[library], next(_numbers)
        more = {} if beside is None else {"beside": next(each for _, each, peer in opened if peer is beside)}
        socket = Socket(engine, number)
        engine.attach(number, socket)
        opened.append((engine, number, socket))
        options = {"transports": ["websocket"], "auth": {"token": token, **auth}}
        await socket.run("open", url=server.site.rstrip("/"), namespace=namespace, options=options, **more)
        if connect:
            await socket.connected()
        return socket

    return open


@pytest.fixture
async def open_hub(serve: Serve, hubs_in_node: NodeEngine, opened: list[tuple[Any, int, Peer]]) -> OpenHub:
    """``await open_hub(server, "board", "token-of-ann", "messagepack")``: connected, and told the methods to answer."""

    async def open(
        server: Server, name: str, token: str, protocol: str = "json", *, methods: tuple[str, ...] = ()
    ) -> HubPeer:
        number = next(_numbers)
        peer = HubPeer(hubs_in_node, number)
        hubs_in_node.attach(number, peer)
        opened.append((hubs_in_node, number, peer))
        url = f"{server.site}hubs/{name}"
        options = {"tokens": [token]}
        await peer.run("open", url=url, protocol=protocol, transport="websockets", options=options)
        await peer.on(*methods)
        await peer.started()
        return peer

    return open


@pytest.fixture
async def open_native(serve: Serve, natives_in_node: NodeEngine, opened: list[tuple[Any, int, Peer]]) -> OpenNative:
    """``await open_native(server, "token-of-ann")``: connected."""

    async def open(server: Server, token: str) -> Peer:
        number = next(_numbers)
        peer = Peer(natives_in_node, number)
        natives_in_node.attach(number, peer)
        opened.append((natives_in_node, number, peer))
        await peer.run("open", url=server.url, encoding="json", options={"token": token})
        await peer.connect()
        return peer

    return open
