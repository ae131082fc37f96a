"""Nodes go along when Redis moves: to another master, or a channel to another part of a cluster."""

import asyncio
from pathlib import Path

from tests.integration.redis.followers import node
from tests.integration.redis.servers import Guarded, RedisCluster
from vagus.broker.redis.keys import Keys

CHANNEL = "orders:42"


async def test_nodes_find_the_new_master_and_go_on(redis_program: Path, tmp_path: Path) -> None:
    guarded = await asyncio.to_thread(Guarded(redis_program, tmp_path).__enter__)
    try:
        async with node(guarded.url) as publisher, node(guarded.url) as follower:
            await follower.follow(CHANNEL)
            for number in range(1, 4):
                await publisher.publish(CHANNEL, number)
            await follower.until(CHANNEL, 3)
            await asyncio.to_thread(guarded.master.ask, "WAIT", 1, 5_000)
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
