"""Connections of several nodes on one Redis, and of one that is cut off: what is seen is of all that answer."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.integration.admin.house import House, two_on_redis
from tests.patience import DEADLINE_S
from vagus.client import Client

BASE = "/api/connections"


class Node(House):
    """One that can be stopped in its tracks."""

    def pause(self) -> None:
        self._server.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self._server.process.send_signal(signal.SIGCONT)


@pytest.fixture(scope="module")
def houses(
    tmp_path_factory: pytest.TempPathFactory, installed_program: Callable[[str], Path]
) -> Iterator[tuple[Node, Node]]:
    """Two nodes with the same data folder."""
    folder = tmp_path_factory.mktemp("connections")
    freely = {"VAGUS_CONNECTIONS__REQUESTS_BURST": "100000"}
    with two_on_redis(Node, folder, installed_program("redis-server"), **freely) as nodes:
        yield nodes


@asynccontextmanager
async def connected(house: House, user: str, *roles: str) -> AsyncIterator[Client]:
    async with Client(house.site, token=house.token(user, *roles)) as client:
        yield client


async def see(house: House, path: str) -> Any:
    async with house.http() as http:
        answer = await http.get(f"{BASE}/{path}")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def until(house: House, path: str, key: str, value: object) -> Any:
    """What is seen once ``key`` is ``value``."""
    async with asyncio.timeout(DEADLINE_S):
        while (seen := await see(house, path))[key] != value:  # noqa: ASYNC110 - it is another process that changes
            await asyncio.sleep(0.05)
    return seen


async def test_every_node_sees_the_clients_of_all(houses: tuple[Node, Node]) -> None:
    first, second = houses
    async with connected(first, "ada"), connected(second, "bob"):
        page = await until(first, "clients?sort=user", "total", 2)
        assert [row["user"] for row in page["clients"]] == ["ada", "bob"]
        assert len({row["node"] for row in page["clients"]}) == 2
        assert page["coverage"] == {"nodes": 2, "answered": 2}
        bob = page["clients"][1]
        assert (await see(first, f"clients/{bob['id']}"))["client"]["user"] == "bob"
        assert (await see(first, f"clients?node={bob['node']}"))["total"] == 1


async def test_a_client_of_another_node_is_disconnected_and_told_why(houses: tuple[Node, Node]) -> None:
    first, second = houses
    async with connected(second, "bob") as bob:
        await until(first, "clients", "total", 1)
        async with first.http() as http:
            answer = await http.post(f"{BASE}/disconnect", json={"user": "bob", "code": 4500, "reason": "Maintenance"})
        assert (answer.status_code, answer.json()["disconnected"]) == (200, 1)
        async with asyncio.timeout(DEADLINE_S):
            status = await anext(status async for status in bob.watch() if status.code)
        assert (status.state, status.code, "Maintenance" in status.reason) == ("error", 4500, True)
    assert '"reason": "Maintenance"' in first.log()


def comes_from_one(updates: list[Any]) -> bool:
    """Whether these are three of one node, each of which tells of both nodes and both clients."""
    askers = {update["id"].partition("-")[0] for update in updates}
    told = [(update["payload"]["coverage"], update["payload"]["totals"]["clients"]) for update in updates]
    return len(askers) == 1 and told == [({"nodes": 2, "answered": 2}, 2)] * 3


async def test_the_live_view_tells_of_all_nodes_and_comes_from_one(houses: tuple[Node, Node]) -> None:
    async with (
        connected(houses[0], "olga", "operator") as olga,
        connected(houses[1], "omar", "operator") as omar,
        olga.subscribe("connections") as one,
        omar.subscribe("connections") as other,
        asyncio.timeout(DEADLINE_S),
    ):
        last: list[Any] = []
        while not comes_from_one(last):  # at first both nodes may ask, or one before it knows of the other's client
            last = [*last[-2:], (await anext(one)).data]
        assert (await anext(other)).data["type"] == "ConnectionsUpdate"


async def test_a_node_that_does_not_answer_is_counted_as_missing(houses: tuple[Node, Node]) -> None:
    first, second = houses
    second.pause()
    try:
        assert (await see(first, "nodes"))["coverage"] == {"nodes": 2, "answered": 1}
        async with first.http() as http:
            assert (await http.get(f"{BASE}/clients/nobody")).status_code == 503
    finally:
        second.go_on()
