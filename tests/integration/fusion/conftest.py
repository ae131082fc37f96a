"""Servers with fusion, and those who watch."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack, suppress
from itertools import count
from pathlib import Path

import pytest

from tests.integration.native.peers import NodeEngine, Peer, Refused, node_engine_of
from tests.integration.signalr.hubpeer import HubPeer
from tests.integration.socketio.sockets import Socket

from .station import Station
from .watching import OfCentrifuge, OfEventSource, OfSignalR, OfSocketIO, Watcher

StartStation = Callable[..., Station]
Watch = Callable[..., Awaitable[Watcher]]

_DRIVERS = {
    "socket.io": "socketio_driver.mjs",
    "socket.io polling": "socketio_driver.mjs",
    "centrifuge": "driver.mjs",
    "signalr": "signalr.mjs",
}
_numbers = count(1)


@pytest.fixture(scope="package")
def shared_station(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Station]:
    station = Station(tmp_path_factory.mktemp("fusion"))
    yield station
    station.end()


@pytest.fixture
def station(shared_station: Station) -> Station:
    """One server for many tests, with all four files as they should be. Nobody changes its pace."""
    shared_station.write_files()
    return shared_station


@pytest.fixture
def start_station(tmp_path: Path) -> Iterator[StartStation]:
    """Start servers in a folder of this test's own: ``start_station("--demo", VAGUS_FUSION__INTERVAL_S="1")``."""
    with ExitStack() as stack:

        def start(*arguments: str, **environment: str) -> Station:
            station = Station(tmp_path, *arguments, **environment)
            stack.callback(station.end)
            return station

        yield start


@pytest.fixture(scope="session")
def fusion_engines(installed_program: Callable[[str], Path]) -> Iterator[Callable[[str], NodeEngine]]:
    """A process of Node.js for each library, from when it is needed."""
    with ExitStack() as stack:
        engines: dict[str, NodeEngine] = {}

        def engine(script: str) -> NodeEngine:
            if script not in engines:
                engines[script] = stack.enter_context(node_engine_of(installed_program, script))
            return engines[script]

        yield engine


@pytest.fixture
async def watch(fusion_engines: Callable[[str], NodeEngine]) -> AsyncIterator[Watch]:
    """Have somebody watch: ``await watch(station, "signalr")``, a viewer unless a token is given."""
    opened: list[tuple[Watcher, NodeEngine | None, int]] = []

    async def watching(station: Station, kind: str = "socket.io", *, token: str | None = None) -> Watcher:
        number = next(_numbers)
        engine = fusion_engines(_DRIVERS[kind]) if kind in _DRIVERS else None
        watcher, peer = _made(kind, engine, number)
        if engine is not None and peer is not None:
            engine.attach(number, peer)
        opened.append((watcher, engine, number))
        await watcher.watch(station, station.token("eve", "viewer") if token is None else token)
        return watcher

    yield watching
    for watcher, engine, number in opened:
        with suppress(Refused):  # who has gone already
            await watcher.close()
        if engine is not None:
            engine.detach(number)


def _made(kind: str, engine: NodeEngine | None, number: int) -> tuple[Watcher, Peer | None]:
    if engine is None:
        return OfEventSource(), None
    if kind == "centrifuge":
        peer = Peer(engine, number)
        return OfCentrifuge(peer), peer
    if kind == "signalr":
        hub_peer = HubPeer(engine, number)
        return OfSignalR(hub_peer), hub_peer
    socket = Socket(engine, number)
    return OfSocketIO(socket, "polling" if kind.endswith("polling") else "upgrade"), socket
