"""A hub in memory with the HTTP application before it, and a caller who speaks HTTP to it without a socket."""

from collections.abc import AsyncIterator, Callable
from typing import Any, Protocol

import httpx
import pytest

from vagus.api.app import Api, api_app
from vagus.auth.keys import KeyRing, KeyRow
from vagus.hub import Hub
from vagus.kernel.channels import ChannelRule, Last
from vagus.kernel.permissions import ANYONE
from vagus.testing import World, in_memory

NOW = 1_700_000_000.0


class Caller(Protocol):
    """Calls a method of the server API and returns its answer; by default with a key that may do everything."""

    async def __call__(self, name: str, body: object = None, *, key: str = "all") -> Any: ...


@pytest.fixture
def hub() -> Hub:
    rules = [
        ChannelRule(
            pattern="orders:{id}",
            history=Last(100, hours=1),
            presence=True,
            join_leave=True,
            subscribe=(ANYONE,),
            read_history=(ANYONE,),
        ),
        ChannelRule(pattern="plain:{id}", subscribe=(ANYONE,)),
    ]
    return Hub(rules=rules)


@pytest.fixture
async def world(hub: Hub) -> AsyncIterator[World]:
    async with in_memory(hub) as world:
        yield world


@pytest.fixture
def keys() -> KeyRing:
    rows = [
        KeyRow(name="all", secret="all", scopes=frozenset("*")),
        KeyRow(name="publisher", secret="publisher", scopes=frozenset({"publish"})),
        KeyRow(name="old", secret="old", scopes=frozenset("*"), expires_at=NOW - 1),
        KeyRow(name="prometheus", secret="prometheus", scopes=frozenset({"metrics"})),
    ]
    return KeyRing.from_rows(rows, now=lambda: NOW)


@pytest.fixture
def api(world: World, keys: KeyRing) -> Api:
    return api_app(world.hub, keys=keys, node_name="node-1")


@pytest.fixture
def http_to() -> Callable[..., httpx.AsyncClient]:
    """Return a function that gives a client of an application; ``peer`` is the address that it comes from."""

    def client(app: Api, peer: str = "192.0.2.7") -> httpx.AsyncClient:
        transport = httpx.ASGITransport(app=app, client=(peer, 4711))
        return httpx.AsyncClient(transport=transport, base_url="http://hub.example")

    return client


@pytest.fixture
async def http(api: Api, http_to: Callable[..., httpx.AsyncClient]) -> AsyncIterator[httpx.AsyncClient]:
    async with http_to(api) as client:
        yield client


@pytest.fixture
def ask(http: httpx.AsyncClient) -> Caller:
    async def call(name: str, body: object = None, *, key: str = "all") -> Any:
        response = await http.post(f"/api/{name}", json={} if body is None else body, headers={"X-API-Key": key})
        assert response.status_code == 200, response.text
        return response.json()

    return call
