"""Servers and clients for the tests of the native dialect over real sockets.

A test that takes ``open_peer`` runs four times: with npm ``centrifuge`` in Node.js and PyPI ``centrifuge-python``, each
in JSON and in Protobuf. What no library does, such as staying silent or sending nonsense, is done with ``open_raw``.
What only a browser does is in ``tests/browser``.

==================  ================================================================================================
test_connecting     tokens, data, headers, names; refused, cut, restarted, sent away: closures 1, 3001, 3010-3014, 350x
test_tokens         refresh of connections and subscriptions, private channels: 103, 109, 2501, 3005, 3500, 3501
test_publishing     order, data, senders, permissions, exclusion, repetition, rates, sizes: 102, 103, 107, 1009
test_presence       presence, its numbers, joining and leaving, unseen guests: 103, 108
test_history        limits, positions, backwards, removal: 103, 107, 108, 112
test_calls          typed calls, events, order of answers, rates: 100, 103, 104, 107, 108, 111, 400 and above
test_server_side    tokens' channels, personal channels, the server's subscribe, unsubscribe, refresh: 2000, 250x, 3005,
                    3006, 3010, 3505
test_recovery       streams, caches, gaps, epochs, forced and refused recovery: 112, 2500
test_deltas         Fossil patches, alone and with recovery, exclusion, rates
test_filters        every comparison and operator over tags: 107
test_limits         lengths and numbers, user-limited channels, roles, functions that decide: 102, 103, 105-108
test_frames         several commands and replies in a frame, Protobuf, deflate, origins, nonsense: 1007, 1009, 3501
test_pings          pings of both kinds, slow readers, waiting commands: 3008, 3012, 3013
test_doorway        the head of the first request: pieces, lengths, deadlines, half a handshake
==================  ================================================================================================

No command is answered with 101, 110 or 113, and nothing closes with 3004, 3009 or 3506-3509 over a WebSocket.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any, Final

import pytest

from .peers import NodeEngine, Peer, PythonEngine, node_engine_of
from .rawsocket import RawSocket
from .serving import LoopThread, Server, servers_on

CLIENTS: Final = ("node", "node-protobuf", "python", "python-protobuf")

ONLY_NODE: Final = pytest.mark.parametrize("library", ("node", "node-protobuf"), indirect=True)
"""For what centrifuge-python does not offer."""

Serve = Callable[..., Awaitable[Server]]
OpenPeer = Callable[..., Awaitable[Peer]]
OpenRaw = Callable[..., Awaitable[RawSocket]]

_numbers = count(1)


@pytest.fixture
async def serve(server_thread: LoopThread) -> AsyncIterator[Serve]:
    """Start servers: ``await serve(hub)``, with options of the gate if need be."""
    async with servers_on(server_thread) as start:
        yield start


@pytest.fixture(scope="session")
def node_engine(installed_program: Callable[[str], Path]) -> Iterator[NodeEngine]:
    with node_engine_of(installed_program) as engine:
        yield engine


@pytest.fixture(params=CLIENTS)
def library(request: pytest.FixtureRequest) -> str:
    """Which client library, and in which encoding; a test that names it runs once with each."""
    return str(request.param)


@pytest.fixture
def engine(library: str, request: pytest.FixtureRequest) -> NodeEngine | PythonEngine:
    if library.startswith("python"):
        return PythonEngine()
    found: NodeEngine = request.getfixturevalue("node_engine")
    return found


@pytest.fixture
async def open_peer(serve: Serve, library: str, engine: NodeEngine | PythonEngine) -> AsyncIterator[OpenPeer]:
    """Make clients of the library: ``await open_peer(server, token=…)``; connected unless ``connect=False``."""
    peers: list[tuple[int, Peer]] = []
    encoding = "protobuf" if library.endswith("protobuf") else "json"

    async def opened(server: Server, *, connect: bool = True, query: str = "", **options: Any) -> Peer:
        number = next(_numbers)
        peer = Peer(engine, number)
        engine.attach(number, peer)
        peers.append((number, peer))
        await peer.run("open", url=server.url + query, encoding=encoding, options=options)
        if connect:
            await peer.connect()
        return peer

    yield opened
    for number, peer in peers:
        await peer.run("close")
        engine.detach(number)


@pytest.fixture
async def open_raw(serve: Serve) -> AsyncIterator[OpenRaw]:
    """Make bare WebSockets: ``await open_raw(server)``; connected to the hub unless ``connect=False``."""
    sockets: list[RawSocket] = []

    async def opened(server: Server, *, connect: bool = True, query: str = "", **options: Any) -> RawSocket:
        raw = await RawSocket.opened(server.url + query, **options)
        sockets.append(raw)
        if connect:
            await raw.ask("connect")
        return raw

    yield opened
    for raw in sockets:
        await raw.close()
