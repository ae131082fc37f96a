"""A Redis Cluster: commands and channels at the master of their slot, while slots move and masters die."""

import asyncio
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.integration.redis.conftest import Connect
from tests.integration.redis.ears import Heard, eventually
from tests.integration.redis.programs import OLDEST, is_oldest, program_named
from tests.integration.redis.servers import RedisCluster, RedisServer
from vagus.broker.redis import Script
from vagus.broker.redis.addresses import options_from
from vagus.broker.redis.servers import servers_from
from vagus.kernel.errors import BrokerError

TEXT = "return redis.call('INCRBY', KEYS[1], ARGV[1])"
COUNT = Script(TEXT, hashlib.sha1(TEXT.encode()).hexdigest())
KEYS = [b"{%d}k" % number for number in range(100)]


@pytest.fixture(scope="module", params=["redis-server", "valkey-server", OLDEST])
def shared(
    request: pytest.FixtureRequest,
    installed_program: Callable[[str], Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[RedisCluster]:
    program = program_named(request.param, installed_program)
    with RedisCluster(program, tmp_path_factory.mktemp("cluster"), password="pw") as cluster:
        yield cluster


@pytest.fixture
def cluster(shared: RedisCluster) -> RedisCluster:
    for server in shared.masters:
        server.ask_all([("FLUSHALL",), ("SCRIPT", "FLUSH"), ("CONFIG", "RESETSTAT")])
    return shared


async def test_commands_go_to_the_master_of_their_slot(cluster: RedisCluster, connect: Connect) -> None:
    servers, _ = await connect(cluster.url)
    await asyncio.gather(*(servers.run(key, b"SET", key, key) for key in KEYS))
    assert await asyncio.gather(*(servers.run(key, b"GET", key) for key in KEYS)) == KEYS
    assert [server.count_of("set") for server in cluster.masters] != [100, 0, 0]
    assert sum(server.count_of("set") for server in cluster.masters) == 100


async def test_one_address_is_enough_to_find_the_others(cluster: RedisCluster, connect: Connect) -> None:
    servers, _ = await connect(f"redis+cluster://:pw@127.0.0.1:{cluster.masters[1].port}")
    assert servers.is_up
    assert await servers.run(None, b"PING") == b"PONG"
    await asyncio.gather(*(servers.run(key, b"SET", key, key) for key in KEYS))


async def test_scripts_run_where_their_first_key_is(cluster: RedisCluster, connect: Connect) -> None:
    servers, _ = await connect(cluster.url)
    await asyncio.gather(*(servers.call(COUNT, [key], [2]) for key in KEYS))
    assert await asyncio.gather(*(servers.call(COUNT, [key], [1]) for key in KEYS)) == [3] * len(KEYS)


async def test_channels_of_all_slots_are_heard(cluster: RedisCluster, connect: Connect) -> None:
    servers, heard = await connect(cluster.url)
    await asyncio.gather(*(servers.listen([key]) for key in KEYS))
    await asyncio.gather(*(servers.run(key, servers.publish_word(), key, b"1") for key in KEYS))
    await heard.until(lambda: len(heard.messages) == len(KEYS))
    assert {channel for channel, _ in heard.messages} == set(KEYS)
    servers.unlisten(KEYS)
    await eventually(lambda: not any(listened(server, key) for server in cluster.masters for key in KEYS[:5]))


def listened(server: RedisServer, channel: bytes) -> bool:
    verb = "NUMSUB" if is_oldest(server.program) else "SHARDNUMSUB"
    count: int = server.ask("PUBSUB", verb, channel)[1]
    return count > 0


async def test_channels_of_one_slot_are_one_command(cluster: RedisCluster, connect: Connect) -> None:
    servers, _ = await connect(cluster.url)
    await servers.listen(b"{x}%d" % number for number in range(300))
    verbs = ("subscribe", "ssubscribe")
    assert sum(server.count_of(verb) for server in cluster.masters for verb in verbs) == 1


async def test_a_slot_that_moves_takes_its_commands_and_channels_along(cluster: RedisCluster, connect: Connect) -> None:
    servers, heard = await connect(cluster.url)
    await servers.listen([b"{m}a", b"{m}b"])
    await servers.call(COUNT, [b"{m}k"], [1])
    target = await asyncio.to_thread(cluster.move, "{m}k")
    assert await servers.call(COUNT, [b"{m}k"], [1]) == 2
    if servers.publish_word() == b"SPUBLISH":
        await heard.restoring(b"{m}a", b"{m}b")
        await eventually(lambda: listened(target, b"{m}a"))
    await servers.listen([b"{m}c"])
    for channel in (b"{m}a", b"{m}c"):
        await servers.run(channel, servers.publish_word(), channel, b"1")
    await heard.until(lambda: {(b"{m}a", b"1"), (b"{m}c", b"1")} <= set(heard.messages))
    assert heard.cuts == 0


async def test_a_slot_on_the_move_is_served_from_both_ends(cluster: RedisCluster, connect: Connect) -> None:
    servers, _ = await connect(cluster.url)
    source = cluster.master_of("{ask}1")
    target = next(server for server in cluster.masters if server is not source)
    slot = source.ask("CLUSTER", "KEYSLOT", "{ask}1")
    await servers.call(COUNT, [b"{ask}1"], [1])
    target.ask("CLUSTER", "SETSLOT", slot, "IMPORTING", source.ask("CLUSTER", "MYID"))
    source.ask("CLUSTER", "SETSLOT", slot, "MIGRATING", target.ask("CLUSTER", "MYID"))
    try:
        assert await servers.call(COUNT, [b"{ask}1"], [1]) == 2
        assert await servers.call(COUNT, [b"{ask}2"], [1]) == 1
        assert await servers.run(b"{ask}2", b"INCR", b"{ask}2") == 2
        assert target.count_of("asking") >= 2
    finally:
        for server in (source, target):
            server.ask("CLUSTER", "SETSLOT", slot, "STABLE")


async def test_a_listening_connection_that_is_cut_is_renewed_with_its_channels(
    cluster: RedisCluster, connect: Connect
) -> None:
    servers, heard = await connect(cluster.url)
    await servers.listen(KEYS)
    servers.relisten()
    await heard.restoring(*KEYS)
    await asyncio.gather(*(servers.run(key, servers.publish_word(), key, b"1") for key in KEYS))
    await heard.until(lambda: {channel for channel, _ in heard.messages} == set(KEYS))


@pytest.mark.timeout(60)
async def test_a_new_master_is_found_when_it_gets_its_first_slot(
    program: Path, tmp_path: Path, connect: Connect
) -> None:
    with RedisCluster(program, tmp_path, masters=2) as cluster:
        servers, heard = await connect(cluster.url)
        await servers.listen([b"{m}a"])
        await servers.call(COUNT, [b"{m}k"], [1])
        target = await asyncio.to_thread(cluster.add_master)
        source = cluster.master_of("{m}k")
        slot = source.ask("CLUSTER", "KEYSLOT", "{m}k")
        target.ask("CLUSTER", "SETSLOT", slot, "IMPORTING", source.ask("CLUSTER", "MYID"))
        source.ask("CLUSTER", "SETSLOT", slot, "MIGRATING", target.ask("CLUSTER", "MYID"))
        assert await servers.call(COUNT, [b"{m}new"], [1]) == 1  # a key that is at home there already
        assert await asyncio.to_thread(cluster.move, "{m}k") is target
        await heard.restoring(b"{m}a")
        assert await servers.call(COUNT, [b"{m}k"], [1]) == 2
        await servers.run(b"{m}a", servers.publish_word(), b"{m}a", b"1")
        await heard.until(lambda: heard.messages == [(b"{m}a", b"1")])
        await eventually(lambda: servers.is_up)


async def test_a_wrong_password_is_said(cluster: RedisCluster) -> None:
    servers = servers_from(options_from(cluster.url.replace(":pw@", ":wr0ng@"), timeout_s=1.5))
    with pytest.raises(BrokerError, match="does not accept the user or the password") as error:
        await servers.start(Heard())
    assert "wr0ng" not in repr(error.value)


async def test_a_user_with_few_rights_gets_along(cluster: RedisCluster, connect: Connect) -> None:
    commands = ("+ping", "+cluster|slots", "+command", "+get", "+@pubsub")
    for server in cluster.masters:
        server.ask("ACL", "SETUSER", "few", "on", ">few", "resetchannels", "&*", "~*", "-@all", *commands)
    servers, heard = await connect(cluster.url.replace("://:pw@", "://few:few@"))
    assert await servers.run(b"{x}k", b"GET", b"{x}k") is None
    await servers.listen([b"{x}a"])
    await servers.run(b"{x}a", servers.publish_word(), b"{x}a", b"1")
    await heard.until(lambda: heard.messages == [(b"{x}a", b"1")])


async def test_a_server_that_is_no_cluster_is_said(redis_program: Path, tmp_path: Path) -> None:
    with RedisServer(redis_program, tmp_path) as server:
        servers = servers_from(options_from(f"redis+cluster://127.0.0.1:{server.port}", timeout_s=1.5))
        with pytest.raises(BrokerError, match="cluster support disabled"):
            await servers.start(Heard())


@pytest.mark.timeout(60)
async def test_a_master_that_restarts_takes_its_channels_back(cluster: RedisCluster, connect: Connect) -> None:
    servers, heard = await connect(cluster.url)
    await servers.listen(KEYS)
    victim = cluster.masters[0]
    key = next(key for key in KEYS if cluster.master_of(key) is victim)
    await asyncio.to_thread(victim.kill)
    await eventually(lambda: not servers.is_up)
    with pytest.raises(BrokerError):
        await servers.run(key, b"GET", key)
    await asyncio.to_thread(victim.start)
    await eventually(lambda: servers.reconnections >= 1 and servers.is_up)
    await asyncio.to_thread(cluster.wait)
    await servers.listen([key])
    await servers.run(key, servers.publish_word(), key, b"1")
    await heard.until(lambda: (key, b"1") in heard.messages)


@pytest.mark.timeout(60)
async def test_a_master_that_dies_is_replaced_by_its_replica(
    redis_program: Path, tmp_path: Path, connect: Connect
) -> None:
    with RedisCluster(redis_program, tmp_path, replicas=1) as cluster:
        servers, heard = await connect(cluster.url)
        await servers.listen(KEYS)
        victim = cluster.master_of(KEYS[0])
        lost = [key for key in KEYS if cluster.master_of(key) is victim]
        await asyncio.to_thread(victim.kill)
        await heard.restoring(*lost)
        await eventually(lambda: servers.is_up)
        await asyncio.gather(*(servers.run(key, b"SET", key, 1) for key in KEYS))
        await asyncio.gather(*(servers.run(key, servers.publish_word(), key, b"1") for key in KEYS))
        await heard.until(lambda: {channel for channel, _ in heard.messages} == set(KEYS))
