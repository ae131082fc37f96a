"""Nodes behind one door, and unmodified clients that come through it: each of their connections to another node."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.integration.native.peers import NodeEngine, Peer, node_engine_of
from tests.integration.native.serving import LoopThread, Server
from tests.integration.redis.servers import RedisServer
from tests.integration.signalr.hubpeer import HubPeer
from tests.integration.socketio.sockets import TRANSPORTS, Socket
from tests.integration.streams.proxy import Proxy
from vagus.broker.redis.addresses import options_from
from vagus.broker.redis.broker import RedisBroker
from vagus.broker.redis.servers import servers_from

from .house import Door, SiblingServer, furnished_hub

Family = Callable[..., Awaitable[list[SiblingServer]]]
Nodes = Callable[..., Awaitable[list[Server]]]
OpenNative = Callable[..., Awaitable[Peer]]
OpenSocket = Callable[..., Awaitable[Socket]]
OpenPeer = Callable[..., Awaitable[HubPeer]]

_numbers = count(1)


@pytest.fixture
async def family(server_thread: LoopThread, tmp_path: Path) -> AsyncIterator[Family]:
    """Start nodes that know each other: ``await family(3)``, with options of the gate if need be."""
    servers: list[SiblingServer] = []

    async def started(number: int = 2, **gate: Any) -> list[SiblingServer]:
        for _ in range(number):
            servers.append(SiblingServer(server_thread, tmp_path / "nodes"))
            await servers[-1].start(furnished_hub(), **gate)
        return servers[-number:]

    yield started
    for server in servers:
        await server.stop()


@pytest.fixture(scope="session")
def redis_server(
    installed_program: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RedisServer]:
    with RedisServer(installed_program("redis-server"), tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
async def nodes(server_thread: LoopThread, redis_server: RedisServer) -> AsyncIterator[Nodes]:
    """Start nodes that share a broker and nothing else: ``await nodes(3)``."""
    prefix, servers = f"test-{next(_numbers)}", list[Server]()

    async def started(number: int = 2) -> list[Server]:
        for _ in range(number):
            broker = RedisBroker(servers_from(options_from(redis_server.url)), prefix=prefix)
            servers.append(Server(server_thread))
            await servers[-1].start(furnished_hub(broker))
        return servers[-number:]

    yield started
    for server in servers:
        await server.stop()


@pytest.fixture(scope="session")
def streams_engine(installed_program: Callable[[str], Path]) -> Iterator[NodeEngine]:
    with node_engine_of(installed_program, "streams.mjs") as engine:
        yield engine


@pytest.fixture
async def open_native(door: Door, streams_engine: NodeEngine) -> AsyncIterator[OpenNative]:
    """Clients of npm ``centrifuge`` behind the door, and before it a proxy that blocks some of their ways:

    ``await open_native(["/connection/websocket"])``.
    """
    proxies: list[Proxy] = []
    peers: dict[int, Peer] = {}

    async def opened(blocked: list[str], encoding: str = "json") -> Peer:
        proxies.append(Proxy(door.port, blocked=blocked, version="1.1"))
        await proxies[-1].start()
        number = next(_numbers)
        peer = peers[number] = Peer(streams_engine, number)
        streams_engine.attach(number, peer)
        url = f"http://127.0.0.1:{proxies[-1].port}"
        await peer.run("open", url=url, encoding=encoding, options={})
        await peer.connect()
        return peer

    yield opened
    for number, peer in peers.items():
        await peer.run("close")
        streams_engine.detach(number)
    for proxy in proxies:
        await proxy.stop()


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    door = Door()
    yield door
    await door.close()


@pytest.fixture(scope="session")
def node_sockets(installed_program: Callable[[str], Path]) -> Iterator[NodeEngine]:
    with node_engine_of(installed_program, "socketio_driver.mjs") as engine:
        yield engine


@pytest.fixture(scope="session")
def signalr_engine(installed_program: Callable[[str], Path]) -> Iterator[NodeEngine]:
    with node_engine_of(installed_program, "signalr.mjs") as engine:
        yield engine


@pytest.fixture
async def open_socket(door: Door, node_sockets: NodeEngine) -> AsyncIterator[OpenSocket]:
    """Clients of npm ``socket.io-client`` behind the door, in ``/chat``: ``await open_socket("polling")``."""
    sockets: dict[int, Socket] = {}

    async def opened(transport: str) -> Socket:
        number = next(_numbers)
        socket = sockets[number] = Socket(node_sockets, number)
        node_sockets.attach(number, socket)
        options = {"transports": TRANSPORTS[transport]}
        await socket.run("open", url=door.site.rstrip("/"), namespace="/chat", options=options)
        return socket

    yield opened
    for number, socket in sockets.items():
        await socket.run("close")
        node_sockets.detach(number)


@pytest.fixture
async def open_peer(door: Door, signalr_engine: NodeEngine) -> AsyncIterator[OpenPeer]:
    """Clients of npm ``@microsoft/signalr`` behind the door: ``await open_peer("json-polling")``."""
    peers: dict[int, HubPeer] = {}

    async def opened(way: str, **options: Any) -> HubPeer:
        number = next(_numbers)
        peer = peers[number] = HubPeer(signalr_engine, number)
        signalr_engine.attach(number, peer)
        protocol, transport = way.split("-")
        url = f"{door.site}hubs/chat"
        await peer.run("open", url=url, protocol=protocol, transport=transport, options=options)
        await peer.started()
        return peer

    yield opened
    for number, peer in peers.items():
        await peer.run("close")
        signalr_engine.detach(number)
