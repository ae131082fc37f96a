"""Presence holds as long as the node of a client lives, whatever becomes of Redis meanwhile."""

import asyncio
import sys
from pathlib import Path

import pytest

from tests.integration.redis.ears import eventually
from tests.integration.redis.followers import Follower, node, until_so
from tests.integration.redis.servers import RedisServer
from vagus.broker.redis.keys import Keys
from vagus.kernel.errors import BrokerError
from vagus.kernel.publications import ClientInfo

CHANNEL = "room:1"
BEATS = Keys("vagus").beats
ROOT = Path(__file__).parents[3]


async def _until_present(follower: Follower, *clients: str) -> None:
    async def are_present() -> bool:
        return set(await follower.broker.presence(CHANNEL)) == set(clients)

    await until_so(are_present)


async def _until_cleared(server: RedisServer) -> None:
    """Nothing is left in Redis of nodes that are not alive."""

    async def is_clear() -> bool:
        return not await asyncio.to_thread(server.ask, "KEYS", "vagus:*:[cun]:*")

    await until_so(is_clear)


async def _tenures(server: RedisServer) -> list[bytes]:
    names: list[bytes] = await asyncio.to_thread(server.ask, "ZRANGE", BEATS, 0, -1)
    return names


async def test_the_clients_of_a_node_that_was_killed_go(server: RedisServer) -> None:
    async with node(server.url) as here:
        await here.broker.enter(CHANNEL, ClientInfo("bob", "c1"))
        lodger = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.integration.redis.lodger", server.url, CHANNEL, "c2"),
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            assert lodger.stdout is not None
            assert await lodger.stdout.readline()
            assert set(await here.broker.presence(CHANNEL)) == {"c1", "c2"}
            await eventually(lambda: here.broker.condition.nodes == 2)
        finally:
            lodger.kill()
            await lodger.wait()
        await _until_present(here, "c1")
        await eventually(lambda: here.broker.condition.nodes == 1)
        await here.broker.exit(CHANNEL, "c1")
        await _until_cleared(server)


async def test_the_clients_of_a_node_that_left_go_soon_and_the_next_node_clears_up(server: RedisServer) -> None:
    async with node(server.url) as here:
        for number in range(300):
            await here.broker.enter(CHANNEL, ClientInfo(f"user {number % 7}", f"c{number}"))
            await here.broker.enter(f"hall:{number}", ClientInfo("ada", "c"))
        assert (await here.broker.presence_stats(CHANNEL)).num_users == 7
    async with node(server.url) as there:
        await _until_present(there)
        await _until_cleared(server)
        assert (await there.broker.presence_stats(CHANNEL)).num_clients == 0


async def test_a_redis_that_lost_everything_is_told_again_who_is_there(server: RedisServer) -> None:
    async with node(server.url) as here, node(server.url) as there:
        for number in range(20):
            await here.broker.enter(CHANNEL, ClientInfo("ada", f"c{number}"))
        await here.broker.exit(CHANNEL, "c0")
        await asyncio.to_thread(server.ask, "FLUSHALL")
        await _until_present(there, *(f"c{number}" for number in range(1, 20)))
        assert (await there.broker.presence_stats(CHANNEL)).num_users == 1


async def test_an_index_that_vanished_alone_is_noticed(server: RedisServer) -> None:
    """As where one master of a cluster lost its data and the others did not."""
    async with node(server.url) as here:
        await here.broker.enter(CHANNEL, ClientInfo("ada", "c1"))
        tag = f"vagus:{{{Keys.partition(CHANNEL)}}}:*"
        keys = await asyncio.to_thread(server.ask, "KEYS", tag)
        assert len(keys) == 3
        await asyncio.to_thread(server.ask, "DEL", *keys)
        await _until_present(here, "c1")


async def test_who_came_and_left_while_redis_was_away_is_right_afterwards(server: RedisServer) -> None:
    async with node(server.url) as here, node(server.url) as there:
        await here.broker.enter(CHANNEL, ClientInfo("ada", "c1"))
        await asyncio.to_thread(server.pause)
        try:
            with pytest.raises(BrokerError):
                await here.broker.exit(CHANNEL, "c1")
            with pytest.raises(BrokerError):
                await here.broker.enter(CHANNEL, ClientInfo("bob", "c2"))
        finally:
            await asyncio.to_thread(server.resume)
        await _until_present(there, "c2")


async def test_a_node_that_slept_and_was_thought_dead_enters_its_clients_again(server: RedisServer) -> None:
    async with node(server.url) as here, node(server.url) as there:
        await here.broker.enter(CHANNEL, ClientInfo("ada", "c1"))
        (tenure,) = [name for name in await _tenures(server) if name.startswith(here.node_id.encode())]
        await asyncio.to_thread(server.ask, "ZADD", BEATS, 1, tenure)

        async def is_buried() -> bool:
            return tenure not in await _tenures(server)

        await until_so(is_buried)
        await _until_present(there, "c1")
        assert (await there.broker.presence_stats(CHANNEL)).num_clients == 1


async def test_a_key_of_another_type_spoils_its_channel_alone(server: RedisServer) -> None:
    async with node(server.url) as here, node(server.url) as there:
        clients = Keys("vagus").presence("room:2", "")[0]
        await asyncio.to_thread(server.ask, "SET", clients, "mine")
        for act in (here.broker.presence, here.broker.presence_stats):
            with pytest.raises(BrokerError, match="WRONGTYPE"):
                await act("room:2")
        with pytest.raises(BrokerError, match="WRONGTYPE"):
            await here.broker.enter("room:2", ClientInfo("ada", "c1"))
        await here.broker.enter(CHANNEL, ClientInfo("ada", "c1"))
        await asyncio.to_thread(server.ask, "DEL", *await asyncio.to_thread(server.ask, "KEYS", "*:c:room:1"))
        await asyncio.to_thread(server.ask, "DEL", Keys("vagus").beats)
        await _until_present(there, "c1")
