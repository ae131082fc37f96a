"""Servers and clients for the tests of SignalR over real sockets.

A test that takes ``open_peer`` runs with npm ``@microsoft/signalr`` in Node.js, once for each notation over each
transport that carries it. PyPI ``signalrcore`` has tests of its own, and what no library would do is done with bare
sockets and requests.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any, Final

import pytest

from tests.integration.native.peers import NodeEngine, node_engine_of
from tests.integration.native.serving import LoopThread, Server, servers_on
from vagus import Hub
from vagus.gateway.signalr import PREFIX, SignalR

from .caller import Caller
from .hubpeer import HubPeer

WAYS: Final = ("json-websockets", "json-sse", "json-polling", "messagepack-websockets", "messagepack-polling")

ONE_WAY: Final = pytest.mark.parametrize("way", ["json-websockets"], indirect=True)
WEBSOCKETS: Final = pytest.mark.parametrize("way", ["json-websockets", "messagepack-websockets"], indirect=True)

Serve = Callable[..., Awaitable[Server]]
OpenPeer = Callable[..., Awaitable[HubPeer]]
OpenCaller = Callable[..., Awaitable[Caller]]

_numbers = count(1)


def hubs_url(server: Server, name: str = "chat") -> str:
    return f"{server.site}hubs/{name}"


@pytest.fixture
async def serve(server_thread: LoopThread) -> AsyncIterator[Serve]:
    """Start servers: ``await serve(hub)``, with options of the endpoint if need be."""
    async with servers_on(server_thread) as start:

        async def furnished(hub: Hub, *, gate: dict[str, Any] | None = None, **signalr: Any) -> Server:
            server = await start(hub, **(gate or {}))
            if signalr:
                server.gate.serve(PREFIX, SignalR(server.gate, **signalr))
            return server

        yield furnished


@pytest.fixture
async def open_caller(serve: Serve) -> AsyncIterator[OpenCaller]:
    """Make clients of HTTP: ``await open_caller(server)``."""
    callers: list[Caller] = []

    async def opened(server: Server, hub: str = "chat") -> Caller:
        caller = Caller(server.port, hub)
        callers.append(caller)
        return caller

    yield opened
    for caller in callers:
        await caller.close()


@pytest.fixture(scope="session")
def signalr_engine(installed_program: Callable[[str], Path]) -> Iterator[NodeEngine]:
    with node_engine_of(installed_program, "signalr.mjs") as engine:
        yield engine


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    """A notation and a transport; a test that names it, or opens peers, runs once with each."""
    return str(request.param)


@pytest.fixture
async def open_peer(serve: Serve, way: str, signalr_engine: NodeEngine) -> AsyncIterator[OpenPeer]:
    """Make clients: ``await open_peer(server)``; connected unless ``start=False``."""
    peers: list[tuple[int, HubPeer]] = []
    protocol, transport = way.split("-")

    async def opened(server: Server, *, hub: str = "chat", start: bool = True, **options: Any) -> HubPeer:
        number = next(_numbers)
        peer = HubPeer(signalr_engine, number)
        signalr_engine.attach(number, peer)
        peers.append((number, peer))
        url = hubs_url(server, hub)
        await peer.run("open", url=url, protocol=protocol, transport=transport, options=options)
        if start:
            await peer.started()
        return peer

    yield opened
    for number, peer in peers:
        await peer.run("close")
        signalr_engine.detach(number)
