"""Servers for the tests of responses that go on.

A test that takes ``serve`` runs twice: once as ``vagus serve`` does it, with streams straight on the transport, and
once with nothing but ASGI between uvicorn and the endpoints.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any, Final

import pytest

from tests.integration.native.peers import NodeEngine, Peer, node_engine_of
from tests.integration.native.serving import AsgiServer, LoopThread, Server, servers_on

from .incoming import Incoming, Session
from .proxy import Proxy

Serve = Callable[..., Awaitable[Server]]
OpenPeer = Callable[..., Awaitable[Peer]]

ONLY_DIRECT: Final = pytest.mark.parametrize("front", ["direct"], indirect=True)
"""For what has nothing to do with how the response is written."""

_numbers = count(1)


@pytest.fixture(params=["direct", "asgi"])
def front(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def serve(server_thread: LoopThread, front: str) -> AsyncIterator[Serve]:
    """Start servers: ``await serve(hub)``, with options of the gate if need be."""
    async with servers_on(server_thread, Server if front == "direct" else AsgiServer) as start:
        yield start


@pytest.fixture
async def tidy() -> AsyncIterator[list[Incoming]]:
    """What is put here is dropped at the end of the test."""
    incoming: list[Incoming] = []
    yield incoming
    for each in incoming:
        with suppress(RuntimeError):
            each.drop()


@pytest.fixture
def get(tidy: list[Incoming]) -> Callable[..., Awaitable[Incoming]]:
    async def asked(server: Server | int, target: str, **options: Any) -> Incoming:
        tidy.append(await Incoming.get(server, target, **options))
        return tidy[-1]

    return asked


@pytest.fixture
def post(tidy: list[Incoming]) -> Callable[..., Awaitable[Incoming]]:
    async def asked(server: Server | int, target: str, body: object, **options: Any) -> Incoming:
        tidy.append(await Incoming.post(server, target, body, **options))
        return tidy[-1]

    return asked


@pytest.fixture(params=["http_stream", "sse"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def join(tidy: list[Incoming], kind: str) -> Callable[..., Awaitable[Session]]:
    """Open sessions by hand: ``await join(server)``, connected unless ``connect`` is another command."""

    async def joined(server: Server, connect: object = None) -> Session:
        session = await Session.open(server, kind, connect)
        tidy.append(session.stream)
        if connect is None:
            await session.connected()
        return session

    return joined


@pytest.fixture
async def proxied() -> AsyncIterator[Callable[..., Awaitable[Proxy]]]:
    """Put proxies before servers: ``await proxied(server, blocked=…)``."""
    proxies: list[Proxy] = []

    async def started(server: Server, **options: Any) -> Proxy:
        proxies.append(Proxy(server.port, **options))
        await proxies[-1].start()
        return proxies[-1]

    yield started
    for proxy in proxies:
        await proxy.stop()


@pytest.fixture(scope="session")
def streams_engine(installed_program: Callable[[str], Path]) -> Iterator[NodeEngine]:
    with node_engine_of(installed_program, "streams.mjs") as engine:
        yield engine


@pytest.fixture
async def open_peer(streams_engine: NodeEngine) -> AsyncIterator[OpenPeer]:
    """Clients of npm ``centrifuge`` with its fallbacks: ``await open_peer(port)``; it connects."""
    peers: list[tuple[int, Peer]] = []

    async def opened(port: int, *, encoding: str = "json", connect: bool = True, **options: Any) -> Peer:
        number = next(_numbers)
        peer = Peer(streams_engine, number)
        streams_engine.attach(number, peer)
        peers.append((number, peer))
        await peer.run("open", url=f"http://127.0.0.1:{port}", encoding=encoding, options=options)
        if connect:
            await peer.connect()
        return peer

    yield opened
    for number, peer in peers:
        await peer.run("close")
        streams_engine.detach(number)
