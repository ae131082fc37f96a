"""The clients of a node: who they are, what they follow, and a page after the other."""

import pytest

from vagus.apps.connections import ClientsWanted, Connections, NotFoundError
from vagus.apps.connections.choosing import ClientOrder, key_in
from vagus.apps.connections.values import ClientRow
from vagus.kernel.codes import Closure
from vagus.testing import World

USERS = ["ada", "bob", "cyd", "dan", "eve", "ada"]


async def fill(world: World) -> None:
    """Six clients of five users; the first follows two channels."""
    clients = [
        await world.connect(user=user, roles=["operator"], address=f"10.0.0.{n}") for n, user in enumerate(USERS)
    ]
    for channel in ("orders:1", "prices"):
        await clients[0].subscribe(channel)


async def rows(connections: Connections, wanted: ClientsWanted) -> list[ClientRow]:
    return (await connections.views.clients(wanted)).clients


async def test_a_row_says_who_a_client_is_and_what_it_follows(world: World, connections: Connections) -> None:
    await fill(world)
    (row,) = await rows(connections, ClientsWanted(channel="prices"))
    assert (row.user, row.roles, row.address, row.dialect) == ("ada", ["operator"], "10.0.0.0", "centrifuge-json")
    assert (row.channels, row.first_channels, row.slow) == (2, ["orders:1", "prices"], False)
    assert abs(row.connected_at - world.hub.now_ms()) < 60_000


@pytest.mark.parametrize(
    ("wanted", "count"),
    [
        (ClientsWanted(), 6),
        (ClientsWanted(user="ada"), 2),
        (ClientsWanted(user="?d*"), 2),
        (ClientsWanted(user="ad"), 0),
        (ClientsWanted(channel="orders:1"), 1),
        (ClientsWanted(dialect="socketio"), 0),
        (ClientsWanted(slow=False), 6),
        (ClientsWanted(slow=True), 0),
    ],
)
async def test_filters_choose(world: World, connections: Connections, wanted: ClientsWanted, count: int) -> None:
    await fill(world)
    page = await connections.views.clients(wanted)
    assert (len(page.clients), page.total) == (count, count)


@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("order", ["user", "address", "channels", "connectedAt", "bytesOut", "messagesInPerSecond"])
async def test_pages_together_are_all_clients_once_and_in_order(
    world: World, connections: Connections, order: ClientOrder, *, descending: bool
) -> None:
    await fill(world)
    whole = await rows(connections, ClientsWanted(order=order, descending=descending))
    found: list[ClientRow] = []
    wanted = ClientsWanted(order=order, descending=descending, limit=4)
    page = await connections.views.clients(wanted)
    found += page.clients
    assert page.cursor is not None
    after = key_in(page.cursor, order, descending=descending)
    page = await connections.views.clients(ClientsWanted(order=order, descending=descending, limit=4, after=after))
    found += page.clients
    assert page.cursor is None
    assert [row.id for row in found] == [row.id for row in whole]
    assert len({row.id for row in found}) == 6


async def test_an_order_is_kept(world: World, connections: Connections) -> None:
    await fill(world)
    found = await rows(connections, ClientsWanted(order="user", descending=True))
    assert [row.user for row in found] == ["eve", "dan", "cyd", "bob", "ada", "ada"]


async def test_messages_and_bytes_are_counted_both_ways(world: World, connections: Connections) -> None:
    client = await world.connect(user="ada")
    await client.subscribe("orders:1")
    before = (await rows(connections, ClientsWanted()))[0]
    for number in range(5):
        await world.hub.publish("orders:1", number)
        await client.next_publication()
    after = (await rows(connections, ClientsWanted()))[0]
    assert after.messages_out - before.messages_out == 5
    assert after.bytes_out - before.bytes_out > 5 * len('{"push":{}}')
    assert after.messages_in == before.messages_in == 2  # connect and subscribe


async def test_what_was_sent_stays_counted_when_a_subscription_ends(world: World, connections: Connections) -> None:
    client = await world.connect(user="ada")
    await client.subscribe("orders:1")
    await world.hub.publish("orders:1", 1)
    await client.next_publication()
    before = (await rows(connections, ClientsWanted()))[0]
    await client.unsubscribe("orders:1")
    after = (await rows(connections, ClientsWanted()))[0]
    assert after.messages_out == before.messages_out + 1  # the answer to it
    assert after.bytes_out > before.bytes_out


async def test_one_client_is_shown_with_all_that_it_follows(world: World, connections: Connections) -> None:
    client = await world.connect(user="ada", headers={"user-agent": "a" * 1000})
    await client.subscribe("orders:1")
    await client.subscribe("prices", data={"vagus": {"rate": 2}})
    await world.hub.publish("orders:1", 1)
    view = await connections.views.client(client.id)
    orders, prices = view.subscriptions
    assert (orders.rule, orders.when_full, prices.when_full) == ("orders:{id}", "disconnect", "keep-latest")
    assert orders.position is not None
    assert (orders.position.offset, prices.position, prices.max_per_second) == (1, None, 2.0)
    assert (len(view.agent), view.paused_ms, view.coverage.answered) == (256, None, 1)


async def test_a_client_that_is_nowhere_is_not_found(world: World, connections: Connections) -> None:
    with pytest.raises(NotFoundError):
        await connections.views.client("nobody")


async def test_a_client_that_takes_nothing_is_slow_until_it_takes_again(world: World, connections: Connections) -> None:
    client = await world.connect(user="ada")
    await client.subscribe("orders:1")
    await client.subscribe("prices")
    client.stop_taking()
    await world.hub.publish("orders:1", "x" * 1000)
    await world.settle()
    found = await connections.views.slow(10)
    (slow,) = found.clients
    assert (slow.client.id, slow.client.slow, found.total) == (client.id, True, 1)
    assert slow.when_full == {"disconnect": 1, "keep-latest": 1}
    assert 1000 < slow.client.queue_bytes < slow.queue_limit
    assert len(await rows(connections, ClientsWanted(slow=True))) == 1
    client.take_again()
    assert (await connections.views.slow(10)).clients == []


async def test_a_client_that_goes_while_it_is_slow_is_forgotten(world: World, connections: Connections) -> None:
    client = await world.connect(user="ada")
    await client.subscribe("orders:1")
    client.stop_taking()
    await world.hub.publish("orders:1", 1)
    await world.settle()
    client.drop()
    assert (await connections.views.slow(10)).total == 0


async def test_a_client_is_told_why_it_is_disconnected(world: World, connections: Connections) -> None:
    ada, bob = await world.connect(user="ada"), await world.connect(user="bob")
    done = await connections.views.disconnect(client=ada.id, closure=Closure(4500, "Maintenance"), by="user:eve")
    assert done.disconnected == 1
    assert await ada.closure() == Closure(4500, "Maintenance")
    assert bob.is_open


async def test_all_clients_of_a_user_are_disconnected(world: World, connections: Connections) -> None:
    await fill(world)
    done = await connections.views.disconnect(user="ada", closure=Closure(3503, "Bye"), by="user:eve")
    assert done.disconnected == 2
    assert "ada" not in {row.user for row in await rows(connections, ClientsWanted())}


async def test_nobody_like_that_is_not_found(world: World, connections: Connections) -> None:
    with pytest.raises(NotFoundError):
        await connections.views.disconnect(user="nobody", closure=Closure(3503, "Bye"), by="user:eve")
