"""Dashboards of real client libraries at a real server."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.integration.admin.house import House
from tests.integration.native.peers import NODE_FOLDER, NodeEngine, Peer

OpenDashboard = Callable[..., Awaitable[Peer]]

_numbers = count(1)


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One for all tests: what a test says is told from the rest by its id."""
    house = House(tmp_path_factory.mktemp("admin"))
    yield house
    house.end()


@pytest.fixture(scope="session")
def admin_engine(installed_program: Callable[[str], Path]) -> Iterator[NodeEngine]:
    if not (NODE_FOLDER / "node_modules").is_dir():
        pytest.fail("tests/node/node_modules is missing: run `make dev`")
    engine = NodeEngine(installed_program("node"), "admin.mjs")
    yield engine
    engine.end()


@pytest.fixture
async def dashboard(house: House, admin_engine: NodeEngine) -> AsyncIterator[OpenDashboard]:
    """Open dashboards: ``await dashboard("signalr")``, an admin's unless a token is given; started unless told not."""
    opened: list[tuple[int, Peer]] = []

    async def open_one(
        kind: str = "signalr", *, at: House = house, token: str | None = None, start: bool = True, **options: str
    ) -> Peer:
        number = next(_numbers)
        peer = Peer(admin_engine, number)
        admin_engine.attach(number, peer)
        opened.append((number, peer))
        shown = at.admin_token if token is None else token
        await peer.run("open", kind=kind, site=at.site, token=shown, **options)
        if start:
            await peer.start()
        return peer

    yield open_one
    for number, peer in opened:
        await peer.run("close")
        admin_engine.detach(number)
