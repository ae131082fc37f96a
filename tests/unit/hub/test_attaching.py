"""Joining a channel while the broker takes its time: nothing is lost, repeated, out of order or left behind."""

import asyncio
from typing import Any

import msgspec
import pytest

from vagus.broker.memory import MemoryBroker
from vagus.hub.hub import Hub
from vagus.kernel import codes
from vagus.kernel.channels import ChannelRule, Last
from vagus.kernel.errors import BrokerError, RefusedError
from vagus.kernel.filters import FilterNode
from vagus.kernel.history import Page, Query
from vagus.kernel.identity import Grant, Identity
from vagus.kernel.publications import ClientInfo, Position
from vagus.kernel.replies import Attached, Joined, PresenceStatsResult
from vagus.testing import FakeClock, MemoryClient, Received, in_memory

KEEP = Last(100, hours=1)
RULES = (
    ChannelRule(
        pattern="kept:{n}",
        history=KEEP,
        presence=True,
        subscribe=("anyone",),
        tag_filter=True,
        delta=True,
        read_presence=("anyone",),
    ),
    ChannelRule(pattern="plain:{n}", presence=True, join_leave=True, subscribe=("anyone",)),
)


class DistantBroker(MemoryBroker):
    """A memory broker behind a network: each request takes a tenth of a second there and one back."""

    is_down = False

    async def _travel(self) -> None:
        await asyncio.sleep(0.1)
        if self.is_down:
            raise BrokerError("the broker is away")

    async def subscribe(self, channel: str) -> None:
        await self._travel()
        await super().subscribe(channel)
        await self._travel()

    async def history(self, channel: str, query: Query, keep: Last) -> Page:
        await self._travel()
        page = await super().history(channel, query, keep)
        await self._travel()
        return page

    async def enter(self, channel: str, info: ClientInfo) -> None:
        await self._travel()
        await super().enter(channel, info)
        await self._travel()

    async def exit(self, channel: str, client: str) -> None:
        await self._travel()
        await super().exit(channel, client)
        await self._travel()


def distant_hub(clock: FakeClock, **options: Any) -> Hub:
    return Hub(rules=RULES, broker=DistantBroker(clock), allow_anonymous=True, clock=clock, **options)


async def publish_all_the_time(hub: Hub, channel: str, count: int) -> None:
    for n in range(count):
        await hub.publish(channel, n, tags={"parity": "odd" if n % 2 else "even"})
        await asyncio.sleep(0.013)


def offsets(client: MemoryClient, channel: str = "kept:1") -> list[int]:
    return [heard.offset for heard in client.take_heard() if isinstance(heard, Received) and heard.channel == channel]


@pytest.mark.parametrize("delta", [False, True])
async def test_what_is_published_while_a_client_joins_reaches_it_once(delta: bool, clock: FakeClock) -> None:
    hub = distant_hub(clock)
    async with in_memory(hub) as world:
        client = await world.connect()
        publishing = asyncio.ensure_future(publish_all_the_time(hub, "kept:1", 60))
        await asyncio.sleep(0.1)
        subscribed = await client.subscribe("kept:1", since=Position(2, ""), delta=delta)
        await publishing
        await asyncio.sleep(1)
        recovered = [publication.offset for publication in subscribed.publications]
        assert subscribed.recovered
        assert recovered + offsets(client) == list(range(3, 61))


async def test_what_is_published_while_a_client_joins_is_filtered_too(clock: FakeClock) -> None:
    hub = distant_hub(clock)
    async with in_memory(hub) as world:
        client = await world.connect()
        publishing = asyncio.ensure_future(publish_all_the_time(hub, "kept:1", 60))
        await asyncio.sleep(0.1)
        tags = FilterNode(key="parity", cmp="eq", val="even")
        subscribed = await client.subscribe("kept:1", since=Position(0, ""), tags=tags)
        await publishing
        await asyncio.sleep(1)
        recovered = [publication.offset for publication in subscribed.publications]
        assert recovered + offsets(client) == list(range(1, 61, 2))


async def test_the_reply_to_connect_comes_before_what_its_subscriptions_bring(clock: FakeClock) -> None:
    hub = distant_hub(clock)
    identity = Identity(user="ada", channels={"kept:1": Grant(), "kept:2": Grant()})
    async with in_memory(hub) as world:
        publishing = asyncio.ensure_future(publish_all_the_time(hub, "kept:1", 100))
        client = await world.connect(identity=identity)
        await publishing
        await asyncio.sleep(1)
        assert list(msgspec.json.decode(client.lines[0])) == ["id", "connect"]
        assert client.connected is not None
        assert client.connected.subs is not None
        start = client.connected.subs["kept:1"].offset
        assert offsets(client) == list(range(start + 1, 101))


async def test_a_client_that_goes_while_it_joins_leaves_nothing_behind(clock: FakeClock) -> None:
    hub = distant_hub(clock)
    async with in_memory(hub) as world:
        for moment in range(1, 12):
            client = await world.connect()
            client.say('{"id":9,"subscribe":{"channel":"kept:1","recoverable":true}}')
            await asyncio.sleep(moment * 0.05)
            client.drop()
            await asyncio.sleep(2)
            assert await hub.presence("kept:1") == {}, moment
            assert (hub.topics, hub.clients) == ({}, {}), moment


async def test_a_client_that_goes_while_the_server_subscribes_it_leaves_nothing_behind(clock: FakeClock) -> None:
    hub = distant_hub(clock)
    identity = Identity(user="ada", channels={"kept:1": Grant(), "plain:2": Grant(), "kept:3": Grant()})
    async with in_memory(hub) as world:
        for moment in range(1, 40):
            connecting = asyncio.ensure_future(world.connect(identity=identity))
            await asyncio.sleep(moment * 0.05)
            world.clients[-1].drop()
            await asyncio.gather(connecting, return_exceptions=True)
            await asyncio.sleep(3)
            for channel in identity.channels:
                assert await hub.presence(channel) == {}, (moment, channel)
            assert (hub.topics, hub.clients) == ({}, {}), moment


async def test_server_and_client_may_subscribe_at_the_same_time(clock: FakeClock) -> None:
    hub = distant_hub(clock)
    async with in_memory(hub) as world:
        client = await world.connect(user="ada")
        subscribing = asyncio.ensure_future(client.subscribe("kept:1"))
        await asyncio.sleep(0.05)
        await hub.subscribe("kept:1", user="ada")
        await asyncio.gather(subscribing, return_exceptions=True)
        await asyncio.sleep(2)
        await hub.publish("kept:1", 1)
        await asyncio.sleep(1)
        assert offsets(client) == [1]
        client.drop()
        await asyncio.sleep(2)
        assert (hub.topics, hub.num_subscriptions) == ({}, 0)
        assert await hub.presence("kept:1") == {}


async def test_clients_that_come_together_ask_the_broker_once(clock: FakeClock) -> None:
    hub = distant_hub(clock)
    async with in_memory(hub) as world:
        clients = [await world.connect() for _ in range(3)]
        await asyncio.gather(*(client.subscribe("plain:1") for client in clients))
        await asyncio.sleep(1)
        assert [(channel.name, channel.num_clients) for channel in hub.channels("plain:*")] == [("plain:1", 3)]
        assert await hub.presence_stats("plain:1") == PresenceStatsResult(3, 1)


async def test_a_broker_that_is_away_is_an_honest_error_and_nothing_is_left(clock: FakeClock, logs: list[Any]) -> None:
    hub = distant_hub(clock)
    broker = hub.broker
    assert isinstance(broker, DistantBroker)
    async with in_memory(hub) as world:
        clients = [await world.connect() for _ in range(2)]
        broker.is_down = True
        results = await asyncio.gather(*(c.subscribe("plain:1") for c in clients), return_exceptions=True)
        assert [r.fault for r in results if isinstance(r, RefusedError)] == [codes.UNAVAILABLE] * 2
        assert hub.topics == {}
        broker.is_down = False
        await clients[0].subscribe("plain:1")


async def test_a_gap_is_told_to_those_who_were_promised_none(clock: FakeClock) -> None:
    hub = Hub(rules=RULES, allow_anonymous=True, clock=clock)
    async with in_memory(hub) as world:
        positioned, plain, attached = await world.connect(), await world.connect(), await world.connect(user="ada")
        await positioned.subscribe("kept:1")
        await plain.subscribe("kept:1", recoverable=False)
        await hub.subscribe("kept:1", user="ada")
        await hub.publish("kept:1", 1)
        await world.settle()
        await hub.broker.unsubscribe("kept:1")
        await hub.publish("kept:1", 2)
        await hub.broker.subscribe("kept:1")
        await hub.publish("kept:1", 3)
        await world.settle()
        assert [getattr(heard, "ending", None) for heard in await positioned.heard()] == [None, codes.INSUFFICIENT]
        assert offsets(plain) == [1, 3]
        assert await attached.closure() is codes.INSUFFICIENT_STATE


async def test_a_subscription_of_the_server_is_told_with_what_it_missed(clock: FakeClock) -> None:
    hub = Hub(rules=RULES, allow_anonymous=True, clock=clock)
    async with in_memory(hub) as world:
        for n in range(3):
            await hub.publish("kept:1", n)
        client = await world.connect(user="ada")
        await hub.subscribe("kept:1", user="ada", since=Position(1, ""))
        heard = await client.heard()
        assert isinstance(heard[0], Attached)
        assert [one.offset for one in heard[1:] if isinstance(one, Received)] == [2, 3]


async def test_ones_own_join_comes_after_the_reply(clock: FakeClock) -> None:
    async with in_memory(distant_hub(clock)) as world:
        client = await world.connect(user="ada")
        await client.subscribe("plain:1", join_leave=True)
        joined = await client.next()
        assert isinstance(joined, Joined)
        assert joined.info.user == "ada"
