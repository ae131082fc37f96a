"""Rates are those since an earlier look, and unknown where there was none."""

import asyncio

from vagus.apps.connections import ChannelsWanted, ClientsWanted, Connections
from vagus.apps.connections.rates import Meter
from vagus.testing import World


def test_a_rate_is_the_growth_since_the_look_before() -> None:
    meter = Meter()
    assert meter.rates("x", 100.0, (10, 0)) is None
    assert meter.rates("x", 104.0, (30, 2)) == [5.0, 0.5]


def test_looks_a_moment_apart_see_the_same_rate() -> None:
    meter = Meter()
    meter.rates("x", 100.0, (0,))
    meter.rates("x", 102.0, (8,))
    assert meter.rates("x", 102.5, (100,)) == [4.0]


def test_what_nobody_looks_at_is_forgotten() -> None:
    meter = Meter()
    meter.rates("x", 100.0, (1,))
    for now in (161.0, 222.0):
        meter.forget(now)
    assert meter.rates("x", 223.0, (9,)) is None


def test_what_was_seen_within_the_minute_is_not_forgotten() -> None:
    meter = Meter()
    meter.forget(100.0)
    meter.rates("x", 159.0, (1,))
    meter.forget(161.0)
    assert meter.rates("x", 169.0, (11,)) == [1.0]


def test_a_count_that_began_anew_has_no_negative_rate() -> None:
    meter = Meter()
    meter.rates("x", 100.0, (50,))
    assert meter.rates("x", 110.0, (5,)) == [0.0]


async def test_a_client_has_rates_from_the_second_look_on(world: World, connections: Connections) -> None:
    client = await world.connect(user="ada")
    await client.subscribe("orders:1")
    first = (await connections.views.clients(ClientsWanted())).clients[0]
    assert first.messages_out_per_second is None
    for _ in range(10):
        await world.hub.publish("orders:1", 1)
        await client.next_publication()
    await asyncio.sleep(2)
    second = (await connections.views.clients(ClientsWanted())).clients[0]
    assert (second.messages_out_per_second, second.messages_in_per_second) == (5.0, 0.0)


async def test_a_channel_has_a_rate_from_the_second_look_on(world: World, connections: Connections) -> None:
    client = await world.connect(user="ada")
    await client.subscribe("orders:1")
    assert (await connections.views.channels(ChannelsWanted())).channels[0].publications_per_second is None
    for _ in range(3):
        await world.hub.publish("orders:1", 1)
    await asyncio.sleep(2)
    (row,) = (await connections.views.channels(ChannelsWanted(pattern="orders:*"))).channels
    assert (row.publications, row.publications_per_second, row.subscribers) == (3, 1.5, 1)
    assert row.history is not None
    assert (row.history.size, row.position.offset if row.position else None) == (10, 3)
