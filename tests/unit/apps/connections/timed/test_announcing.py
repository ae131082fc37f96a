"""The live view: told while somebody follows, by one node, and by nobody while nobody does."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from vagus.apps.connections import CHANNEL, Connections
from vagus.apps.connections.announcing import SILENCE_S
from vagus.apps.connections.views import NODES
from vagus.kernel.control import Question
from vagus.kernel.errors import RefusedError
from vagus.testing import World


@pytest.fixture(autouse=True)
async def running(world: World, connections: Connections) -> AsyncIterator[None]:
    await connections.start()
    yield
    await connections.stop()


async def test_a_follower_hears_of_all_nodes_every_two_seconds(world: World) -> None:
    ada = await world.connect(user="ada", roles=["operator"])
    await ada.subscribe(CHANNEL)
    await ada.next_publication()
    before = asyncio.get_running_loop().time()
    second = await ada.next_publication()
    assert asyncio.get_running_loop().time() - before == pytest.approx(2, abs=0.1)
    assert second.data["type"] == "ConnectionsUpdate"
    payload = second.data["payload"]
    assert payload["coverage"] == {"nodes": 1, "answered": 1}
    assert (payload["totals"]["clients"], payload["nodes"][0]["store"]) == (1, "none")


async def test_nothing_is_published_while_nobody_follows(world: World) -> None:
    await asyncio.sleep(60)
    assert world.hub.figures.published == 0


async def test_it_ends_with_the_last_follower(world: World) -> None:
    ada = await world.connect(user="ada", roles=["operator"])
    await ada.subscribe(CHANNEL)
    await ada.next_publication()
    await ada.unsubscribe(CHANNEL)
    before = world.hub.figures.published
    await asyncio.sleep(60)
    assert world.hub.figures.published == before


async def ask_as(world: World, node: str) -> None:
    await world.hub.ask_nodes(Question(NODES, f'"{node}"'.encode()))


async def test_a_node_leaves_it_to_one_with_a_smaller_id_until_that_falls_silent(world: World) -> None:
    ada = await world.connect(user="ada", roles=["operator"])
    await ask_as(world, "0")
    await ada.subscribe(CHANNEL)
    await asyncio.sleep(SILENCE_S - 1)
    assert world.hub.figures.published == 0
    await asyncio.sleep(2)
    assert world.hub.figures.published == 1


async def test_a_node_with_a_larger_id_changes_nothing(world: World) -> None:
    ada = await world.connect(user="ada", roles=["operator"])
    await ask_as(world, "g")
    await ada.subscribe(CHANNEL)
    await asyncio.sleep(1)
    assert world.hub.figures.published == 1


async def test_rates_of_the_node_are_known_at_once(world: World, connections: Connections) -> None:
    ada = await world.connect(user="ada")
    await ada.subscribe("orders:1")
    await asyncio.sleep(1)
    for _ in range(20):
        await world.hub.publish("orders:1", 1)
    await asyncio.sleep(1)
    (node,) = (await connections.views.nodes()).nodes
    assert (node.messages_out, node.messages_in) == (20, 2)
    assert node.messages_out_per_second == pytest.approx(10, abs=4)


@pytest.mark.parametrize("roles", [[], ["viewer"], ["service"], ["neuron"]])
async def test_who_may_not_oversee_may_not_follow(world: World, roles: list[str]) -> None:
    somebody = await world.connect(user="somebody", roles=roles)
    with pytest.raises(RefusedError):
        await somebody.subscribe(CHANNEL)
