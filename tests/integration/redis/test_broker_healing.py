"""What a node misses is told in its place, or it is told that it is lost; and publishers are told the truth."""

import asyncio
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.redis.deafness import deaf_proxy
from tests.integration.redis.ears import eventually
from tests.integration.redis.followers import KEEP, Follower, node, until_so
from tests.integration.redis.servers import RedisServer
from tests.patience import DEADLINE_S
from vagus.broker.redis import healing
from vagus.broker.redis.keys import Keys
from vagus.broker.redis.parcels import packed
from vagus.kernel.channels import Last
from vagus.kernel.errors import BrokerError
from vagus.kernel.history import Query
from vagus.kernel.publications import Draft, Json, Position

CHANNEL = "orders:42"
NAMES = Keys("vagus").names(CHANNEL)


async def _tell(server: RedisServer, *words: str | bytes | int) -> object:
    return await asyncio.to_thread(server.ask, *words)


async def _keep_in_silence(server: RedisServer, number: int) -> None:
    """Put a publication into the stream as the script does, but tell nobody: its message was lost on the way."""
    offset = await _tell(server, "HINCRBY", NAMES.meta, "o", 1)
    await _tell(server, "HSET", NAMES.meta, "m", "00000000")
    await _tell(server, "XADD", NAMES.stream, f"{offset}-0", "p", packed(Draft(data=Json(b"%d" % number))))


async def _says_that_nothing_comes_back(follower: Follower) -> bool:
    try:
        await follower.broker.check()
    except BrokerError as error:
        return "has not come back" in str(error)
    return False


def _offsets(follower: Follower) -> list[int]:
    return [publication.offset for publication in follower.heard(CHANNEL)]


@pytest.mark.parametrize("held", [2, healing.HELD])
async def test_a_node_whose_listening_connection_is_cut_again_and_again_misses_nothing(
    server: RedisServer, held: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether all that comes meanwhile can be held back, or most of it has to be read."""
    monkeypatch.setattr(healing, "HELD", held)
    async with node(server.url) as publisher, node(server.url) as follower:
        await follower.follow(CHANNEL)

        async def cut() -> None:
            for count in range(3):
                await follower.until(CHANNEL, 100 * (count + 1))
                await asyncio.to_thread(server.cut, "pubsub")

        cutting = asyncio.create_task(cut())
        count = 0
        while not cutting.done() or count < 600:
            count += 1
            await publisher.publish(CHANNEL, count)
        await cutting
        await follower.recovered()
        await follower.until(CHANNEL, count)
        assert follower.numbers(CHANNEL) == _offsets(follower) == list(range(1, count + 1))
        assert follower.losses == []
        assert follower.broker.condition.reconnections >= 1
        assert follower.broker.condition.caught_up > 0


async def test_what_was_published_while_a_node_was_cut_off_comes_without_anything_new(server: RedisServer) -> None:
    async with node(server.url) as publisher, node(server.url) as follower:
        await follower.follow(CHANNEL)
        await publisher.publish(CHANNEL, 1)
        await follower.until(CHANNEL, 1)
        await asyncio.to_thread(server.cut, "pubsub")
        for number in (2, 3):
            await publisher.publish(CHANNEL, number, exclude="c7")
        await follower.until(CHANNEL, 3)
        assert follower.numbers(CHANNEL) == [1, 2, 3]
        assert {told.exclude for told in follower.told[1:]} == {"c7"}


async def test_a_node_that_heard_nothing_yet_catches_up_from_where_its_subscribers_stand(server: RedisServer) -> None:
    async with node(server.url) as publisher, node(server.url) as follower:
        await publisher.publish(CHANNEL, 1)
        assert (await follower.follow(CHANNEL)).offset == 1
        await asyncio.to_thread(server.cut, "pubsub")
        await publisher.publish(CHANNEL, 2)
        await follower.until(CHANNEL, 1)
        assert follower.numbers(CHANNEL) == [2]


async def test_a_message_that_never_came_is_found_by_looking_now_and_then(server: RedisServer) -> None:
    async with node(server.url, check_s=0.2) as follower:
        await follower.follow(CHANNEL)
        await follower.publish(CHANNEL, 0)
        await _keep_in_silence(server, 1)
        await _keep_in_silence(server, 2)
        await follower.until(CHANNEL, 3)
        assert follower.numbers(CHANNEL) == [0, 1, 2]
        assert follower.broker.condition.caught_up == 2


async def test_a_message_that_never_came_is_told_before_the_next_one(server: RedisServer) -> None:
    async with node(server.url) as follower:
        await follower.follow(CHANNEL)
        await follower.publish(CHANNEL, 0)
        await _keep_in_silence(server, 1)
        for number in range(2, 50):
            await follower.publish(CHANNEL, number)
        await follower.until(CHANNEL, 50)
        assert follower.numbers(CHANNEL) == list(range(50))
        assert follower.losses == []


async def test_what_is_not_kept_any_more_is_lost_and_the_rest_is_told(server: RedisServer) -> None:
    keep = Last(5, minutes=1)
    async with node(server.url) as publisher, node(server.url, check_s=0.5) as follower:
        await follower.follow(CHANNEL)
        await publisher.broker.publish(CHANNEL, Draft(data=Json(b"0")), keep)
        await follower.until(CHANNEL, 1)
        for number in range(1, 11):
            await _keep_in_silence(server, number)
        await _tell(server, "XTRIM", NAMES.stream, "MAXLEN", 5)
        await follower.until(CHANNEL, 6)
        assert follower.losses == [(CHANNEL, Position(6, follower.told[0].epoch))]
        assert _offsets(follower) == [1, 7, 8, 9, 10, 11]
        assert follower.broker.condition.lost == 1


async def test_a_stream_that_is_gone_is_told_of_as_lost(server: RedisServer) -> None:
    async with node(server.url, check_s=0.2) as follower:
        await follower.follow(CHANNEL)
        await follower.publish(CHANNEL, 1)
        await _tell(server, "FLUSHALL")
        await eventually(lambda: bool(follower.losses))
        top = (await follower.broker.history(CHANNEL, Query(0), KEEP)).top
        assert follower.losses == [(CHANNEL, top)]
        assert top.offset == 0
        assert top.epoch != follower.told[0].epoch


async def test_a_stream_that_went_back_behind_what_was_heard_begins_anew(server: RedisServer) -> None:
    """As after a failover to a replica that lagged: the numbers of what it forgot would be given again."""
    async with node(server.url, check_s=0.2) as follower:
        await follower.follow(CHANNEL)
        for number in range(5):
            await follower.publish(CHANNEL, number)
        await follower.until(CHANNEL, 5)
        await _tell(server, "HSET", NAMES.meta, "o", 3)
        await eventually(lambda: bool(follower.losses))
        receipt = await follower.publish(CHANNEL, 9)
        await follower.until(CHANNEL, 6)
        assert receipt.position == Position(4, follower.losses[0][1].epoch)
        assert receipt.position.epoch != follower.told[0].epoch


async def _set_back(server: RedisServer, offset: int) -> None:
    """The stream is as it was a while ago."""
    kept = await asyncio.to_thread(server.ask, "XRANGE", NAMES.stream, "-", offset)
    await _tell(server, "DEL", NAMES.stream)
    for identifier, fields in kept:
        await _tell(server, "XADD", NAMES.stream, identifier, *fields)
    await _tell(server, "HSET", NAMES.meta, "o", offset)


async def test_a_stream_that_was_set_back_and_went_on_is_found_by_what_comes(server: RedisServer) -> None:
    async with node(server.url) as follower:
        await follower.follow(CHANNEL)
        for number in range(5):
            await follower.publish(CHANNEL, number)
        await follower.until(CHANNEL, 5)
        await _set_back(server, 3)
        await follower.publish(CHANNEL, 8)
        await eventually(lambda: bool(follower.losses))
        receipt = await follower.publish(CHANNEL, 9)
        await follower.until(CHANNEL, 6)
        assert follower.numbers(CHANNEL) == [0, 1, 2, 3, 4, 9]
        assert receipt.position.epoch == follower.losses[0][1].epoch != follower.told[0].epoch


@pytest.mark.parametrize("went_on_to", [5, 7])
async def test_a_stream_that_was_set_back_and_went_on_unheard_is_found_by_looking(
    server: RedisServer, went_on_to: int
) -> None:
    """At the same offset, or beyond it, there is something else now."""
    async with node(server.url, check_s=0.2) as follower:
        await follower.follow(CHANNEL)
        for number in range(5):
            await follower.publish(CHANNEL, number)
        await follower.until(CHANNEL, 5)
        await _set_back(server, 3)
        for offset in range(4, went_on_to + 1):
            await _tell(server, "XADD", NAMES.stream, f"{offset}-7", "p", b"\x91\xc4\x018")
        await _tell(server, "HSET", NAMES.meta, "o", went_on_to)
        await eventually(lambda: bool(follower.losses))
        assert follower.numbers(CHANNEL) == [0, 1, 2, 3, 4]
        assert (await follower.publish(CHANNEL, 9)).position.epoch == follower.losses[0][1].epoch


async def _say_what_is_not_kept(server: RedisServer, position: Position, number: int, before: int) -> None:
    """What a master says that was deposed and does not know it yet: Redis carries it to who listens to the new one."""
    place = b"+%d %b 00000007 %08x\n" % (position.offset, position.epoch.encode(), before)
    await _tell(server, "PUBLISH", NAMES.flow, place + packed(Draft(data=Json(b"%d" % number))))


async def _newest_mark(server: RedisServer) -> int:
    entries = await asyncio.to_thread(server.ask, "XREVRANGE", NAMES.stream, "+", "-", "COUNT", 1)
    return int(entries[0][0].partition(b"-")[2])


async def test_what_does_not_follow_what_was_heard_is_left_out(server: RedisServer) -> None:
    async with node(server.url) as follower:
        await follower.follow(CHANNEL)
        at = (await follower.publish(CHANNEL, 1)).position
        await follower.until(CHANNEL, 1)
        await _say_what_is_not_kept(server, Position(2, at.epoch), 66, await _newest_mark(server) ^ 1)
        for number in (2, 3):
            await follower.publish(CHANNEL, number)
        await follower.until(CHANNEL, 3)
        assert follower.numbers(CHANNEL) == [1, 2, 3]
        assert follower.losses == []


async def test_who_was_told_what_is_not_kept_instead_of_what_is_finds_out_with_the_next_one(
    server: RedisServer,
) -> None:
    async with node(server.url) as follower:
        await follower.follow(CHANNEL)
        at = (await follower.publish(CHANNEL, 1)).position
        await follower.until(CHANNEL, 1)
        await _say_what_is_not_kept(server, Position(2, at.epoch), 66, await _newest_mark(server))
        await follower.until(CHANNEL, 2)
        await _keep_in_silence(server, 2)
        await follower.publish(CHANNEL, 3)
        await eventually(lambda: bool(follower.losses))
        assert follower.numbers(CHANNEL) == [1, 66]
        assert follower.losses[0][1].epoch != at.epoch


async def test_the_command_of_the_docs_lets_every_stream_begin_anew(
    redis_program: Path, installed_program: Callable[[str], Path], tmp_path: Path
) -> None:
    """Without it, who comes back to a stream that was set back and has gone on is told that nothing is missing."""
    page = (Path(__file__).parents[3] / "docs/redis.md").read_text()
    command = page.partition("## After a backup is restored")[2].partition("```sh\n")[2].partition("```")[0]
    channels = [CHANNEL, 'it\'s "quoted" {and} spaced']
    with RedisServer(redis_program, tmp_path) as server:
        cli = f"{installed_program('redis-cli')} -p {server.port} "
        async with node(server.url) as hub:
            before = [(await hub.publish(channel, 1)).position for channel in channels]
            await asyncio.to_thread(
                subprocess.run, command.replace("redis-cli ", cli), shell=True, check=True, timeout=DEADLINE_S
            )
            for channel, position in zip(channels, before, strict=True):
                past = await hub.broker.history(channel, Query(None, position), KEEP)
                assert past.top.epoch != position.epoch
                assert past.publications == ()


async def test_publishers_and_checks_fail_while_redis_is_away_and_all_is_well_when_it_is_back(
    redis_program: Path, tmp_path: Path
) -> None:
    with RedisServer(redis_program, tmp_path, "--appendonly", "yes", "--appendfsync", "always") as server:
        async with node(server.url) as publisher, node(server.url) as follower:
            await follower.follow(CHANNEL)
            await publisher.publish(CHANNEL, 1)
            await asyncio.to_thread(server.kill)
            await eventually(lambda: not publisher.broker.condition.is_up)
            with pytest.raises(BrokerError):
                await publisher.publish(CHANNEL, 2)
            with pytest.raises(BrokerError):
                await publisher.broker.check()
            await asyncio.to_thread(server.start)
            for number in range(2, 5):
                await publisher.insist(CHANNEL, number)
            await follower.until(CHANNEL, 4)
            await follower.recovered()
            assert follower.numbers(CHANNEL) == _offsets(follower) == [1, 2, 3, 4]
            assert follower.losses == []


async def test_a_redis_that_comes_back_empty_costs_the_history_and_nothing_else(server: RedisServer) -> None:
    async with node(server.url) as publisher, node(server.url) as follower:
        await follower.follow(CHANNEL)
        await publisher.publish(CHANNEL, 1)
        await follower.until(CHANNEL, 1)
        await asyncio.to_thread(server.restart)
        await eventually(lambda: bool(follower.losses))
        receipt = await publisher.insist(CHANNEL, 2)
        await follower.until(CHANNEL, 2)
        assert follower.numbers(CHANNEL) == [1, 2]
        assert follower.losses == [(CHANNEL, Position(0, receipt.position.epoch))]


async def test_a_redis_that_hangs_is_noticed_and_nothing_is_lost_when_it_goes_on(server: RedisServer) -> None:
    async with node(server.url) as publisher, node(server.url) as follower:
        await follower.follow(CHANNEL)
        await publisher.publish(CHANNEL, 1)
        await asyncio.to_thread(server.pause)
        try:
            with pytest.raises(BrokerError):
                await publisher.publish(CHANNEL, 2, idempotency_key="2")
            await eventually(lambda: not follower.broker.condition.is_up)
        finally:
            await asyncio.to_thread(server.resume)
        await publisher.recovered()
        await publisher.publish(CHANNEL, 2, idempotency_key="2")
        await publisher.insist(CHANNEL, 3)
        await follower.until(CHANNEL, 3)
        assert follower.numbers(CHANNEL) == [1, 2, 3]


async def test_many_channels_catch_up_after_one_cut(server: RedisServer) -> None:
    channels = [f"orders:{n}" for n in range(1200)]
    async with node(server.url) as publisher, node(server.url) as follower:
        await asyncio.gather(*[follower.follow(channel) for channel in channels])
        await asyncio.to_thread(server.cut, "pubsub")
        await asyncio.gather(*[publisher.publish(channel, 7) for channel in channels])
        await asyncio.gather(*[follower.until(channel, 1) for channel in channels])
        assert all(follower.numbers(channel) == [7] for channel in channels)
        assert follower.losses == []


async def test_a_connection_that_brings_nothing_any_more_is_given_up_for_another_one(server: RedisServer) -> None:
    """It answers when it is asked whether it is there, so that only the signs tell."""
    async with deaf_proxy(server) as proxy, node(proxy.url) as follower, node(server.url) as publisher:
        await follower.follow(CHANNEL)
        proxy.is_deaf = True
        await publisher.publish(CHANNEL, 1)
        await eventually(lambda: not follower.broker.condition.is_up)
        await until_so(lambda: _says_that_nothing_comes_back(follower))
        proxy.is_deaf = False
        await follower.until(CHANNEL, 1)
        await follower.recovered()
        assert follower.broker.condition.lag_s > 0


async def test_of_a_stream_that_began_anew_while_a_node_was_cut_off_it_is_told_all(server: RedisServer) -> None:
    async with node(server.url) as publisher, node(server.url) as follower:
        await follower.follow(CHANNEL)
        await publisher.publish(CHANNEL, 1)
        await follower.until(CHANNEL, 1)
        await asyncio.to_thread(server.ask_all, [("CLIENT", "KILL", "TYPE", "pubsub"), ("FLUSHALL",)])
        receipts = [await publisher.publish(CHANNEL, number) for number in (2, 3)]
        await follower.until(CHANNEL, 3)
        assert follower.numbers(CHANNEL) == [1, 2, 3]
        assert follower.losses == [(CHANNEL, Position(0, receipts[0].position.epoch))]
