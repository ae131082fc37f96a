"""Nodes go along when Redis moves: to another master, or a channel to another part of a cluster."""

import asyncio
from pathlib import Path

import pytest

from tests.integration.redis.ears import eventually
from tests.integration.redis.followers import node
from tests.integration.redis.servers import Guarded, RedisCluster
from vagus.broker.redis.keys import Keys
from vagus.kernel import codes
from vagus.kernel.control import Disconnect, Question, Target
from vagus.kernel.publications import Draft, Json

CHANNEL = "orders:42"
ORDER = Disconnect(Target(user="ada"), codes.FORCE_DISCONNECT)


async def test_nodes_find_the_new_master_and_go_on(redis_program: Path, tmp_path: Path) -> None:
    guarded = await asyncio.to_thread(Guarded(redis_program, tmp_path).__enter__)
    try:
        async with node(guarded.url) as publisher, node(guarded.url) as follower:
            await follower.follow(CHANNEL)
            for number in range(1, 4):
                await publisher.publish(CHANNEL, number)
            await follower.until(CHANNEL, 3)
            await asyncio.to_thread(guarded.await_copy)
            await asyncio.to_thread(guarded.fail_over)
            for number in range(4, 8):
                await publisher.insist(CHANNEL, number)
            await follower.recovered()
            await follower.until(CHANNEL, 7)
            assert follower.numbers(CHANNEL) == [1, 2, 3, 4, 5, 6, 7]
            assert follower.losses == []
    finally:
        await asyncio.to_thread(guarded.close)


async def test_nothing_is_missed_while_a_channel_moves_to_another_master(redis_program: Path, tmp_path: Path) -> None:
    cluster = await asyncio.to_thread(RedisCluster(redis_program, tmp_path).__enter__)
    try:
        async with node(cluster.url, check_s=0.5) as publisher, node(cluster.url, check_s=0.5) as follower:
            await follower.follow(CHANNEL)
            moving = asyncio.create_task(asyncio.to_thread(cluster.move, Keys("vagus").names(CHANNEL).meta))
            count = 0
            while not moving.done() or count < 200:
                count += 1
                await publisher.insist(CHANNEL, count)
            await moving
            await follower.until(CHANNEL, count)
            assert follower.numbers(CHANNEL) == list(range(1, count + 1))
            assert follower.losses == []
    finally:
        await asyncio.to_thread(cluster.close)


@pytest.mark.timeout(60)
async def test_publishing_and_talking_go_on_however_long_a_slot_takes_to_move(
    each_program: Path, tmp_path: Path
) -> None:
    """A script that names keys of which some are not there is refused in a slot that is on the move."""
    keys = Keys("vagus")
    cluster = await asyncio.to_thread(RedisCluster(each_program, tmp_path).__enter__)
    try:
        async with node(cluster.url) as publisher, node(cluster.url) as follower:
            await follower.follow(CHANNEL)
            await publisher.publish(CHANNEL, 1)
            await publisher.broker.order(ORDER)
            for key in (keys.names(CHANNEL).meta, keys.beats):
                await asyncio.to_thread(cluster.begin_to_move, key)
            await publisher.publish(CHANNEL, 2)
            await publisher.broker.publish(CHANNEL, Draft(data=Json(b"3")), None)
            await publisher.broker.order(ORDER)
            await follower.until(CHANNEL, 3)
            await follower.until_ordered(2)
            lag_s = follower.broker.condition.lag_s
            await eventually(lambda: follower.broker.condition.lag_s != lag_s)
            assert len(await publisher.broker.ask(Question("who", b"x"))) == 2
            assert publisher.broker.condition.nodes == 2
    finally:
        await asyncio.to_thread(cluster.close)
