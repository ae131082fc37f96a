"""A client: its commands in order, its queue bounded, its timers, and nothing left behind when it goes."""

import asyncio
from typing import Any

import msgspec
import pytest

from vagus.hub.hub import Hub
from vagus.hub.requests import Caller
from vagus.kernel import codes
from vagus.kernel.channels import ChannelRule, Last
from vagus.kernel.errors import DisconnectError, RefusedError
from vagus.kernel.limits import Limits
from vagus.kernel.publications import Position
from vagus.kernel.rates import Rate
from vagus.testing import Heard, MemoryClient, Received, in_memory
from vagus.wire.centrifuge.json import JSON
from vagus.wire.encoding import Framing

OPEN = ChannelRule(pattern="news", subscribe=("anyone",), publish=("anyone",))
KEPT = ChannelRule(pattern="kept", history=Last(100, hours=1), subscribe=("anyone",))


def new_hub(*rules: ChannelRule, **limits: Any) -> Hub:
    return Hub(rules=rules or (OPEN, KEPT), limits=Limits(**limits), allow_anonymous=True)


def with_slow_call(hub: Hub) -> "asyncio.Queue[int]":
    """A hub whose call ``slow`` waits for a number and returns it."""
    numbers: asyncio.Queue[int] = asyncio.Queue()

    @hub.call("slow", allow=("anyone",))
    async def slow(caller: Caller) -> int:
        return await numbers.get()

    return numbers


def ids(client: MemoryClient) -> list[int]:
    """The numbers of the replies so far."""
    lines = [msgspec.json.decode(line) for line in client.lines]
    return [line["id"] for line in lines if "id" in line]


async def test_commands_behind_one_that_waits_are_answered_in_order() -> None:
    hub = new_hub()
    numbers = with_slow_call(hub)
    async with in_memory(hub) as world:
        client = await world.connect()
        client.say('{"id":10,"rpc":{"method":"slow"}}\n{"id":11,"subscribe":{"channel":"news"}}')
        client.say('{"id":12,"unsubscribe":{"channel":"news"}}')
        await world.settle()
        assert ids(client) == [1]
        numbers.put_nowait(7)
        await asyncio.sleep(0.1)
        assert ids(client) == [1, 10, 11, 12]


async def test_a_client_that_waits_delays_nobody_else() -> None:
    hub = new_hub()
    with_slow_call(hub)
    async with in_memory(hub) as world:
        one, other = await world.connect(), await world.connect()
        one.say('{"id":10,"rpc":{"method":"slow"}}')
        await other.subscribe("news")


async def test_too_many_waiting_commands_stop_the_reading_until_there_is_room() -> None:
    hub = new_hub(waiting_commands=3)
    numbers = with_slow_call(hub)
    async with in_memory(hub) as world:
        client = await world.connect()
        client.say('{"id":10,"rpc":{"method":"slow"}}')
        for n in range(11, 20):
            client.say(f'{{"id":{n},"unsubscribe":{{"channel":"news"}}}}')
        await world.settle()
        assert len(client.link.unread) == 6
        numbers.put_nowait(1)
        await asyncio.sleep(0.1)
        assert ids(client) == [1, *range(10, 20)]


async def test_one_message_with_far_too_many_commands_closes() -> None:
    hub = new_hub(waiting_commands=2)
    with_slow_call(hub)
    async with in_memory(hub) as world:
        client = await world.connect()
        lines = ['{"id":10,"rpc":{"method":"slow"}}', *(['{"id":11,"unsubscribe":{"channel":"n"}}'] * 40)]
        client.say("\n".join(lines))
        assert await client.closure() is codes.TOO_MANY


async def test_commands_after_a_close_within_a_message_are_not_carried_out() -> None:
    async with in_memory(new_hub()) as world:
        client, other = await world.connect(), await world.connect()
        await other.subscribe("news")
        client.say('{"id":2,"subscribe":{"channel":""}}\n{"id":3,"publish":{"channel":"news","data":1}}')
        assert await client.closure() is codes.MALFORMED
        await other.assert_nothing_more()


async def test_commands_beyond_the_rate_are_refused_and_may_come_later() -> None:
    async with in_memory(new_hub(commands=Rate(1, 3))) as world:
        client = await world.connect()
        for _ in range(2):
            await client.unsubscribe("news")
        with pytest.raises(RefusedError) as caught:
            await client.unsubscribe("news")
        assert caught.value.fault == codes.TOO_MANY_REQUESTS
        await asyncio.sleep(1.1)
        await client.unsubscribe("news")


async def test_a_user_has_one_rate_for_all_its_connections() -> None:
    async with in_memory(new_hub(commands_per_user=Rate(0.001, 2))) as world:
        one, other, bob = [await world.connect(user=user) for user in ("ada", "ada", "bob")]
        await one.unsubscribe("news")
        await other.unsubscribe("news")
        with pytest.raises(RefusedError, match="too many requests"):
            await one.unsubscribe("news")
        await bob.unsubscribe("news")


async def test_what_is_published_in_one_tick_comes_in_one_message() -> None:
    hub = new_hub()
    async with in_memory(hub) as world:
        client = await world.connect()
        await client.subscribe("news")
        before = client.link.messages
        for n in range(10):
            await hub.publish("news", n)
        await world.settle()
        assert client.link.messages == before + 1
        assert numbers_of(await client.heard()) == list(range(10))


def numbers_of(heard: list[Heard]) -> list[Any]:
    return [publication.data for publication in heard if isinstance(publication, Received)]


async def test_a_slow_client_gets_what_was_held_when_it_takes_again() -> None:
    hub = new_hub()
    async with in_memory(hub) as world:
        slow, quick = await world.connect(), await world.connect()
        for client in (slow, quick):
            await client.subscribe("news")
        slow.stop_taking()
        for n in range(3):
            await hub.publish("news", n)
            await world.settle()
        assert numbers_of(await slow.heard()) == []
        assert numbers_of(await quick.heard()) == [0, 1, 2]
        slow.take_again()
        assert numbers_of(await slow.heard()) == [0, 1, 2]
        assert slow.link.client.queue_bytes == 0


async def flood(hub: Hub, client: MemoryClient, channel: str, count: int = 40) -> None:
    """Publish more than a queue of a thousand bytes holds, a message a tick."""
    client.stop_taking()
    for n in range(count):
        await hub.publish(channel, {"n": n, "pad": "x" * 60})
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert client.link.client.queue_bytes <= 1000


async def test_a_client_that_does_not_read_is_closed_as_slow_and_recovers_all() -> None:
    hub = new_hub(queue_bytes=1000)
    async with in_memory(hub) as world:
        client = await world.connect()
        position = await client.subscribe("kept")
        await flood(hub, client, "kept")
        assert await client.closure() is codes.SLOW
        assert client.link.was_aborted
        assert hub.figures.slow == 1
        again = await world.connect()
        recovered = await again.subscribe("kept", since=Position(position.offset, position.epoch))
        assert recovered.recovered
        assert len(recovered.publications) == 40


async def test_a_channel_may_drop_the_oldest_instead() -> None:
    hub = new_hub(msgspec.structs.replace(OPEN, when_slow="drop-oldest"), queue_bytes=1000)
    async with in_memory(hub) as world:
        client = await world.connect()
        await client.subscribe("news")
        await flood(hub, client, "news")
        client.take_again()
        left = [data["n"] for data in numbers_of(await client.heard())]
        assert left == list(range(40 - len(left), 40))
        assert hub.figures.dropped == 40 - len(left)
        assert client.is_open


async def test_a_channel_may_keep_the_latest_alone() -> None:
    hub = new_hub(msgspec.structs.replace(OPEN, when_slow="keep-latest"), queue_bytes=1000)
    async with in_memory(hub) as world:
        client = await world.connect()
        await client.subscribe("news")
        await flood(hub, client, "news")
        client.take_again()
        left = [data["n"] for data in numbers_of(await client.heard())]
        assert left[-1] == 39
        assert left == sorted(left)


async def test_urgent_publications_overtake_what_is_held() -> None:
    alarm = ChannelRule(pattern="alarm", subscribe=("anyone",), urgent=True)
    hub = new_hub(OPEN, alarm)
    async with in_memory(hub) as world:
        client = await world.connect()
        for channel in ("news", "alarm"):
            await client.subscribe(channel)
        client.stop_taking()
        for channel, n in [("news", 1), ("news", 2), ("alarm", 3)]:
            await hub.publish(channel, n)
            await world.settle()
        client.take_again()
        assert numbers_of(await client.heard()) == [3, 1, 2]


async def test_a_close_that_finds_the_transport_full_ends_once() -> None:
    """What is due is written first; when that fills both transport and queue, the client is closed as slow."""
    hub = new_hub(queue_bytes=1000)
    async with in_memory(hub) as world:
        client = await world.connect(user="ada")
        await client.subscribe("news")
        write = client.link.write

        def write_and_fill_up(data: bytes) -> None:
            write(data)
            client.stop_taking()

        client.link.client.transport = _Full(write_and_fill_up)
        for n in range(4):
            await hub.publish("news", str(n) * 40_000)
        await hub.disconnect(user="ada")
        await client.closure()
        assert hub.clients == {}
        assert hub.topics == {}


class _Full:
    """A transport that is full after each message."""

    def __init__(self, write: Any) -> None:
        self.write = write


async def test_pings_come_at_their_interval_and_want_a_pong() -> None:
    async with in_memory(new_hub(ping_interval_s=10.0, pong_timeout_s=3.0)) as world:
        client = await world.connect()
        await asyncio.sleep(100)
        assert 9 <= client.pings <= 10
        client.answers_pings = False
        assert await client.closure(20) is codes.NO_PONG


async def test_pings_of_many_clients_are_never_late() -> None:
    async with in_memory(new_hub(ping_interval_s=10.0, pong_timeout_s=3.0)) as world:
        clients = [await world.connect() for _ in range(20)]
        for _ in range(20):
            before = [client.pings for client in clients]
            await asyncio.sleep(11.5)
            assert all(client.pings > earlier for client, earlier in zip(clients, before, strict=True))
        assert all(client.is_open for client in clients)


async def test_without_an_interval_there_are_no_pings() -> None:
    async with in_memory(new_hub(ping_interval_s=0)) as world:
        client = await world.connect()
        await asyncio.sleep(1000)
        assert (client.pings, client.is_open) == (0, True)
        assert client.connected is not None
        assert (client.connected.ping, client.connected.pong) == (0, False)


@pytest.mark.parametrize("interval_s", [0.0, 60.0])
async def test_a_client_is_pinged_as_it_was_told_whatever_changes_meanwhile(interval_s: float) -> None:
    hub = new_hub(ping_interval_s=10.0, pong_timeout_s=3.0)
    async with in_memory(hub) as world:
        early = await world.connect()
        hub.bound(msgspec.structs.replace(hub.limits, ping_interval_s=interval_s))
        late = await world.connect()
        await asyncio.sleep(100)
        assert 9 <= early.pings <= 10
        assert late.pings in ((0,) if not interval_s else (1, 2))
        assert late.connected is not None
        assert late.connected.ping == interval_s


async def test_who_does_not_say_who_it_is_becomes_stale() -> None:
    hub = new_hub(stale_s=5)
    async with in_memory(hub) as world:
        client = world.client()
        await asyncio.sleep(4.9)
        assert client.is_open
        assert await client.closure() is codes.STALE
        assert hub.figures.closures[codes.STALE.code] == 1


async def test_a_client_that_is_lost_leaves_nothing_behind() -> None:
    hub = new_hub(msgspec.structs.replace(OPEN, presence=True), KEPT)
    async with in_memory(hub) as world:
        client = await world.connect(user="ada")
        for channel in ("news", "kept"):
            await client.subscribe(channel)
        client.drop()
        client.drop()
        assert (hub.clients, hub.topics, hub.num_users) == ({}, {}, 0)
        assert await hub.presence("news") == {}


@pytest.mark.parametrize("answer", [True, False, RefusedError(codes.PERMISSION_DENIED), ZeroDivisionError()])
async def test_a_client_that_goes_while_a_function_decides_leaves_nothing_behind(answer: Any, logs: list[Any]) -> None:
    hub = Hub(allow_anonymous=True)
    decision: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    @hub.channel("news", presence=True, history=Last(5, hours=1))
    async def decide() -> bool:
        result: bool = await decision
        return result

    async with in_memory(hub) as world:
        client = await world.connect()
        client.say('{"id":9,"subscribe":{"channel":"news"}}')
        await world.settle()
        client.drop()
        if isinstance(answer, Exception):
            decision.set_exception(answer)
        else:
            decision.set_result(answer)
        await asyncio.sleep(1)
        assert await hub.presence("news") == {}
        assert (hub.clients, hub.topics) == ({}, {})
        assert len(logs) == isinstance(answer, ZeroDivisionError)


@pytest.mark.parametrize("error", [None, RefusedError(codes.TOKEN_EXPIRED), DisconnectError(codes.INVALID_TOKEN)])
async def test_a_client_that_goes_while_it_is_identified_leaves_nothing_behind(
    error: Exception | None, logs: list[Any]
) -> None:
    hub = Hub(allow_anonymous=True, rules=[KEPT])
    decision: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @hub.authenticate
    async def who(_: object) -> None:
        await decision

    async with in_memory(hub) as world:
        client = world.client()
        client.say('{"id":1,"connect":{}}')
        await world.settle()
        client.drop()
        if error is None:
            decision.set_result(None)
        else:
            decision.set_exception(error)
        await asyncio.sleep(1)
        assert (hub.clients, hub.topics, logs) == ({}, {}, [])


async def test_an_unsubscribed_client_hears_no_more_and_its_last_ones_before_the_reply() -> None:
    hub = new_hub()
    async with in_memory(hub) as world:
        client = await world.connect()
        await client.subscribe("news")
        client.lines.clear()
        await hub.publish("news", 1)
        await client.unsubscribe("news")
        await hub.publish("news", 2)
        await world.settle()
        kinds = [next(iter(set(msgspec.json.decode(line)) - {"id"})) for line in client.lines]
        assert kinds == ["push", "unsubscribe"]


# moving


OTHER_FRAMING = Framing(bytes, bytes)


async def test_a_client_that_moves_gets_all_that_was_due_on_the_way() -> None:
    async with in_memory(new_hub()) as world:
        client = await world.connect(user="ada")
        await client.subscribe("news", join_leave=True)
        await world.hub.publish("news", 1)
        client.link.client.move(client.link, OTHER_FRAMING.encoding(JSON))
        await world.hub.publish("news", 2)
        assert [(await client.next_publication()).data for _ in range(2)] == [1, 2]
        assert client.link.client.encoding.framing is OTHER_FRAMING


async def test_a_throttled_client_that_moves_still_gets_the_newest() -> None:
    async with in_memory(new_hub()) as world:
        client = await world.connect(user="ada")
        await client.subscribe("news", rate=0.1)
        for number in (1, 2, 3):
            await world.hub.publish("news", number)
        client.link.client.move(client.link, OTHER_FRAMING.encoding(JSON))
        assert [(await client.next_publication()).data for _ in range(2)] == [1, 3]


async def test_a_client_that_moves_is_handed_what_its_queue_would_not_have_taken() -> None:
    hub = new_hub(queue_bytes=1000)
    async with in_memory(hub) as world:
        client = await world.connect(user="ada")
        await client.subscribe("news", join_leave=True)
        client.stop_taking()
        await hub.publish("news", "x" * 900)
        await world.settle()
        assert client.link.client.queue_bytes > 900
        await hub.publish("news", "y" * 900)
        client.link.client.move(client.link, OTHER_FRAMING.encoding(JSON))
        assert [(await client.next_publication()).data[0] for _ in range(2)] == ["x", "y"]
        assert client.is_open
