"""Channels: together in few commands, listened to and left in any rhythm, refused."""

import asyncio
import random

import pytest

from tests.integration.redis.conftest import Connect
from tests.integration.redis.ears import Heard
from tests.integration.redis.servers import RedisServer
from vagus.broker.redis import Servers
from vagus.kernel.errors import BrokerError


async def settled(servers: Servers, heard: Heard) -> None:
    """Return when everything that was sent to listen or not to has been carried out: a channel more is."""
    await servers.listen([b"settled"])
    servers.unlisten([b"settled"])


async def test_what_is_published_after_listening_is_heard_in_order(server: RedisServer, connect: Connect) -> None:
    servers, heard = await connect(server.url)
    await servers.listen([b"a", b"b"])
    for number in range(100):
        servers.run(b"a", servers.publish_word(), b"ab"[number % 2 :][:1], number)
    await heard.until(lambda: len(heard.messages) == 100)
    assert heard.messages == [(b"ab"[number % 2 :][:1], str(number).encode()) for number in range(100)]


async def test_channels_of_one_tick_are_one_command(server: RedisServer, connect: Connect) -> None:
    servers, _ = await connect(server.url)
    await asyncio.gather(*(servers.listen([b"%d" % number]) for number in range(500)))
    assert server.count_of("subscribe") == 1
    for number in range(500):
        servers.unlisten([b"%d" % number])
    await settled(servers, Heard())
    assert server.count_of("unsubscribe") == 1
    assert server.ask("PUBSUB", "CHANNELS") in ([], [b"settled"])


async def test_many_channels_are_some_commands_of_512(server: RedisServer, connect: Connect) -> None:
    servers, _ = await connect(server.url)
    await servers.listen(b"%d" % number for number in range(2_000))
    assert server.count_of("subscribe") == 4
    assert len(server.ask("PUBSUB", "CHANNELS")) == 2_000


async def test_listening_to_what_is_heard_already_costs_nothing(server: RedisServer, connect: Connect) -> None:
    servers, _ = await connect(server.url)
    await servers.listen([b"a"])
    await servers.listen([b"a"])
    assert server.count_of("subscribe") == 1


async def test_leaving_and_coming_back_in_one_tick_costs_nothing(server: RedisServer, connect: Connect) -> None:
    servers, heard = await connect(server.url)
    await servers.listen([b"a"])
    servers.unlisten([b"a"])
    await servers.listen([b"a"])
    servers.run(b"a", b"PUBLISH", b"a", b"1")
    await heard.until(lambda: heard.messages == [(b"a", b"1")])
    assert (server.count_of("subscribe"), server.count_of("unsubscribe")) == (1, 0)


async def test_a_channel_that_is_left_before_it_was_sent_is_never_asked_for(
    server: RedisServer, connect: Connect
) -> None:
    servers, _ = await connect(server.url)
    listening = asyncio.create_task(servers.listen([b"a"]))
    await asyncio.sleep(0)
    servers.unlisten([b"a"])
    await listening
    await settled(servers, Heard())
    assert b"a" not in server.ask("PUBSUB", "CHANNELS")


@pytest.mark.parametrize("seed", range(5))
async def test_any_rhythm_of_listening_and_leaving_ends_where_it_should(
    redis_program: object, server: RedisServer, connect: Connect, seed: int
) -> None:
    servers, heard = await connect(server.url)
    dice = random.Random(seed)
    channels = [b"%d" % number for number in range(8)]
    wanted: set[bytes] = set()
    waiting: list[asyncio.Task[None]] = []
    for _ in range(300):
        channel = dice.choice(channels)
        if channel in wanted:
            wanted.discard(channel)
            servers.unlisten([channel])
        else:
            wanted.add(channel)
            waiting.append(asyncio.create_task(servers.listen([channel])))
            await asyncio.sleep(0)
        if dice.random() < 0.3:
            await asyncio.gather(*dice.sample(waiting, len(waiting) // 2))
    await asyncio.gather(*waiting)
    await settled(servers, heard)
    assert set(server.ask("PUBSUB", "CHANNELS")) - {b"settled"} == wanted


async def test_a_caller_who_stops_waiting_takes_nothing_from_the_others(server: RedisServer, connect: Connect) -> None:
    servers, heard = await connect(server.url)
    impatient = asyncio.create_task(servers.listen([b"a"]))
    patient = asyncio.create_task(servers.listen([b"b"]))
    await asyncio.sleep(0)
    impatient.cancel()
    await patient
    servers.run(b"b", b"PUBLISH", b"b", b"1")
    await heard.until(lambda: heard.messages == [(b"b", b"1")])


async def test_a_channel_that_the_user_may_not_hear_is_refused_and_others_are_not(
    server: RedisServer, connect: Connect
) -> None:
    server.ask("ACL", "SETUSER", "hub", "on", ">pw", "~*", "resetchannels", "&mine:*", "+@all")
    servers, heard = await connect(f"redis://hub:pw@127.0.0.1:{server.port}")
    with pytest.raises(BrokerError, match="NOPERM"):
        await servers.listen([b"theirs:1"])
    await servers.listen([b"mine:1"])
    servers.run(None, b"PUBLISH", b"mine:1", b"1")
    await heard.until(lambda: heard.messages == [(b"mine:1", b"1")])
    assert servers.is_up


async def test_a_large_message_arrives_whole(server: RedisServer, connect: Connect) -> None:
    servers, heard = await connect(server.url)
    large = random.Random(1).randbytes(3_000_000)
    await servers.listen([b"a"])
    servers.run(b"a", b"PUBLISH", b"a", large)
    await heard.until(lambda: bool(heard.messages))
    assert heard.messages == [(b"a", large)]
