"""A master of a Redis Cluster dies, and its replica, which may lack what was acknowledged last, is promoted."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from tests.integration.redis.ears import eventually
from tests.integration.redis.followers import Follower, node, until_so
from tests.integration.redis.servers import RedisCluster
from vagus.broker.redis.keys import Keys
from vagus.kernel import codes
from vagus.kernel.control import Disconnect, Target
from vagus.kernel.errors import BrokerError
from vagus.kernel.publications import ClientInfo

CHANNEL = "orders:42"
KEYS = Keys("vagus")
META = KEYS.names(CHANNEL).meta

pytestmark = pytest.mark.timeout(60)


class Town:
    """A Cluster in which every master has a replica, and two nodes that follow the channel.

    ``victim`` is the master of a key, ``heir`` its replica.
    """

    def __init__(self, cluster: RedisCluster, nodes: Sequence[Follower], key: bytes) -> None:
        self.publisher, self.follower = self.nodes = nodes
        self.victim = cluster.master_of(key)
        self.heir = cluster.replica_of(self.victim)

    async def kill(self) -> None:
        await asyncio.to_thread(self.victim.kill)

    async def leave_heir_behind(self) -> None:
        await asyncio.to_thread(self.victim.leave_behind, self.heir)

    async def let_heir_rule(self) -> None:
        """It has not heard what came since it was left behind, and never will."""
        await self.kill()
        await asyncio.to_thread(self.heir.resume)
        await asyncio.to_thread(self.heir.await_promotion)

    async def publish(self, first: int, last: int) -> None:
        for number in range(first, last + 1):
            await self.publisher.insist(CHANNEL, number)


@asynccontextmanager
async def town(program: Path, folder: Path, key: bytes = META) -> AsyncIterator[Town]:
    async with AsyncExitStack() as stack:
        cluster = RedisCluster(program, folder, replicas=1)
        stack.push_async_callback(asyncio.to_thread, cluster.close)
        await asyncio.to_thread(cluster.__enter__)
        nodes = [await stack.enter_async_context(node(cluster.url)) for _ in range(2)]
        for one in nodes:
            await one.follow(CHANNEL)
        yield Town(cluster, nodes, key)


async def test_followers_go_on_when_the_master_of_their_channel_is_killed(each_program: Path, tmp_path: Path) -> None:
    async with town(each_program, tmp_path) as here:
        await here.publish(1, 50)
        killing = asyncio.create_task(here.kill())
        promoting = asyncio.create_task(asyncio.to_thread(here.heir.await_promotion))
        count = 50
        while not (killing.done() and promoting.done()):
            count += 1
            await here.publish(count, count)
        await asyncio.gather(killing, promoting)
        await here.publish(count + 1, count + 50)
        for one in here.nodes:
            await one.until_number(CHANNEL, count + 50)
            await one.recovered()
            assert one.breaks == []
            is_told = len({told.epoch for told in one.told}) > 1
            # The last one that the master acknowledged may have left it for nobody else: then nobody can know of it.
            lost = set(range(1, count + 51)) - {number for any_of in here.nodes for number in any_of.numbers(CHANNEL)}
            assert is_told or len(lost) <= 1
            assert is_told or one.numbers(CHANNEL) == [n for n in range(1, count + 51) if n not in lost]


@pytest.mark.parametrize("later", [2, 9], ids=["less", "more"])
async def test_what_the_replica_lacks_is_told_though_the_stream_goes_on(
    redis_program: Path, tmp_path: Path, later: int
) -> None:
    """Whether what is published after the promotion is less or more than what was lost."""
    await _lose_and_go_on(redis_program, tmp_path, later)


async def test_what_the_replica_lacks_is_told_though_nothing_follows(each_program: Path, tmp_path: Path) -> None:
    await _lose_and_go_on(each_program, tmp_path, 0)


async def _lose_and_go_on(program: Path, folder: Path, later: int) -> None:
    """Five publications are lost, and so many follow before anybody needs to have found out."""
    async with town(program, folder) as here:
        await here.publish(1, 3)
        await here.leave_heir_behind()
        await here.publish(4, 8)
        for one in here.nodes:
            await one.until_number(CHANNEL, 8)
        before = here.follower.at[CHANNEL]
        await here.let_heir_rule()
        await here.publish(9, 8 + later)
        await eventually(lambda: all(one.at[CHANNEL].epoch != before.epoch for one in here.nodes))
        await here.publish(100, 101)
        for one in here.nodes:
            await one.until_number(CHANNEL, 101)
            assert one.breaks == []


async def test_nodes_say_that_a_master_is_dead_until_its_replica_rules(redis_program: Path, tmp_path: Path) -> None:
    async with town(redis_program, tmp_path) as here:
        await here.publish(1, 1)
        await asyncio.to_thread(here.heir.pause)
        await here.kill()
        await eventually(lambda: not any(one.broker.condition.is_up for one in here.nodes))
        for one in here.nodes:
            with pytest.raises(BrokerError):
                await one.broker.check()
        with pytest.raises(BrokerError):
            await here.publisher.publish(CHANNEL, 2)
        await asyncio.to_thread(here.heir.resume)
        for one in here.nodes:
            await one.recovered()
            assert one.broker.condition.reconnections > 0
        await here.publish(2, 2)
        await here.follower.until_number(CHANNEL, 2)


async def test_nodes_find_each_other_again_when_the_master_of_their_lane_is_killed(
    redis_program: Path, tmp_path: Path
) -> None:
    async with town(redis_program, tmp_path, KEYS.beats) as here:
        await here.kill()
        order = Disconnect(Target(user="ada"), codes.FORCE_DISCONNECT)

        async def is_ordered() -> bool:
            try:
                await here.publisher.broker.order(order)
            except BrokerError:
                return False
            return True

        await until_so(is_ordered)
        await here.follower.until_ordered(1)
        for one in here.nodes:
            await one.recovered()
        await eventually(lambda: all(one.broker.condition.nodes == 2 for one in here.nodes))


async def test_who_came_after_the_replica_was_left_behind_is_present_again(redis_program: Path, tmp_path: Path) -> None:
    async with town(redis_program, tmp_path) as here:
        await here.leave_heir_behind()
        await here.follower.broker.enter(CHANNEL, ClientInfo("ada", "c1"))
        await here.let_heir_rule()

        async def is_present() -> bool:
            try:
                return "c1" in await here.publisher.broker.presence(CHANNEL)
            except BrokerError:
                return False

        await until_so(is_present)
