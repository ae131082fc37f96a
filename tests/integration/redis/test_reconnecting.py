"""Connections that are lost: made anew, everything listened to again, and what is told of it."""

import asyncio

import pytest

from tests.integration.redis.conftest import Connect
from tests.integration.redis.ears import Heard, eventually
from tests.integration.redis.servers import RedisServer
from vagus.broker.redis import Servers
from vagus.broker.redis.addresses import options_from
from vagus.broker.redis.servers import servers_from
from vagus.kernel.errors import BrokerError


async def expect_heard(servers: Servers, heard: Heard, channel: bytes) -> None:
    before = len(heard.messages)
    await servers.run(channel, servers.publish_word(), channel, b"again")
    await heard.until(lambda: (channel, b"again") in heard.messages[before:])


async def test_after_a_restart_everything_is_listened_to_again(server: RedisServer, connect: Connect) -> None:
    servers, heard = await connect(server.url)
    channels = [b"%d" % number for number in range(1_500)]
    await servers.listen(channels)
    server.restart()
    await heard.restoring(*channels)
    assert sorted(heard.again) == sorted(channels)
    assert (heard.cuts, server.count_of("subscribe")) == (1, 3)
    await eventually(lambda: servers.is_up)
    assert servers.reconnections == 2
    await expect_heard(servers, heard, b"7")


async def test_what_was_left_during_the_cut_is_not_listened_to_again(server: RedisServer, connect: Connect) -> None:
    servers, heard = await connect(server.url)
    await servers.listen([b"a", b"b"])
    server.kill()
    await heard.until(lambda: heard.cuts == 1)
    servers.unlisten([b"a"])
    server.start()
    await heard.restoring(b"b")
    assert heard.again == [b"b"]
    assert server.ask("PUBSUB", "CHANNELS") == [b"b"]


async def test_while_redis_is_away_everything_fails_at_once(server: RedisServer, connect: Connect) -> None:
    servers, heard = await connect(server.url)
    await servers.listen([b"a"])
    server.kill()
    await heard.until(lambda: heard.cuts == 1)
    await eventually(lambda: not servers.is_up)
    with pytest.raises(BrokerError):
        await servers.run(b"k", b"GET", b"k")
    for channel in (b"a", b"b"):
        with pytest.raises(BrokerError):
            await servers.listen([channel])
    server.start()
    await heard.restoring(b"a")
    assert heard.again == [b"a"]


async def test_a_connection_that_is_cut_alone_comes_back_alone(server: RedisServer, connect: Connect) -> None:
    servers, heard = await connect(server.url)
    await servers.listen([b"a"])
    server.cut("pubsub")
    await heard.restoring(b"a")
    await expect_heard(servers, heard, b"a")
    assert servers.reconnections == 1


async def test_commands_come_back_without_a_cut_being_told(server: RedisServer, connect: Connect) -> None:
    servers, heard = await connect(server.url)
    await servers.listen([b"a"])
    server.cut("normal")
    await eventually(lambda: servers.reconnections == 1 and servers.is_up)
    assert await servers.run(b"k", b"GET", b"k") is None
    assert heard.cuts == 0


async def test_listening_can_be_renewed_on_demand(server: RedisServer, connect: Connect) -> None:
    servers, heard = await connect(server.url)
    await servers.listen([b"a"])
    servers.relisten()
    await heard.restoring(b"a")
    assert (heard.cuts, servers.reconnections) == (1, 1)
    await expect_heard(servers, heard, b"a")


async def test_a_server_that_stood_still_is_found_again(server: RedisServer, connect: Connect) -> None:
    servers, heard = await connect(server.url, timeout_s=1.0)
    await servers.listen([b"a"])
    server.pause()
    await heard.until(lambda: heard.cuts == 1)
    server.resume()
    await heard.restoring(b"a")
    await eventually(lambda: servers.is_up)
    await expect_heard(servers, heard, b"a")


async def test_a_server_that_becomes_a_replica_is_left_and_taken_again_as_master(
    server: RedisServer, connect: Connect
) -> None:
    servers, _ = await connect(server.url, timeout_s=1.0)
    server.ask("REPLICAOF", "127.0.0.1", 1)
    with pytest.raises(BrokerError, match="READONLY"):
        await servers.run(b"k", b"SET", b"k", 1)
    await eventually(lambda: servers.reconnections >= 1)
    server.ask("REPLICAOF", "NO", "ONE")
    await eventually(lambda: servers.is_up)
    assert await servers.run(b"k", b"SET", b"k", 1) == b"OK"


async def test_a_server_that_is_not_there_yet_is_waited_for(server: RedisServer, connect: Connect) -> None:
    server.kill()
    (servers, _), _ = await asyncio.gather(connect(server.url), asyncio.to_thread(server.start))
    assert servers.is_up


async def test_a_server_that_is_not_there_at_all_is_an_error(server: RedisServer) -> None:
    server.kill()
    servers = servers_from(options_from(server.url, timeout_s=0.3))
    with pytest.raises(BrokerError, match=f"127.0.0.1:{server.port} cannot be reached"):
        await servers.start(Heard())


async def test_a_server_that_says_nothing_is_an_error(server: RedisServer) -> None:
    server.pause()
    servers = servers_from(options_from(server.url, timeout_s=0.3))
    with pytest.raises(BrokerError, match=r"did not answer within 0\.3 s"):
        await servers.start(Heard())
    server.resume()


async def test_cuts_in_the_middle_of_listening_lose_no_channel(server: RedisServer, connect: Connect) -> None:
    servers, _ = await connect(server.url)
    wanted: set[bytes] = set()
    for number in range(200):
        channel = b"%d" % number
        try:
            await servers.listen([channel])
        except BrokerError:
            await eventually(lambda: servers.is_up)
        else:
            wanted.add(channel)
        if number % 50 == 25:
            server.cut("pubsub")
    await eventually(lambda: servers.is_up)
    await eventually(lambda: set(server.ask("PUBSUB", "CHANNELS")) == wanted)
    assert len(wanted) > 190
