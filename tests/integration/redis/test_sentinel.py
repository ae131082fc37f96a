"""Redis behind sentinels: found, followed through a failover, and left when it is deposed."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.redis.conftest import Connect
from tests.integration.redis.ears import Heard, eventually
from tests.integration.redis.servers import Guarded
from vagus.broker.redis.addresses import options_from
from vagus.broker.redis.servers import servers_from
from vagus.kernel.errors import BrokerError


@pytest.fixture
def guarded(redis_program: Path, tmp_path: Path) -> Iterator[Guarded]:
    with Guarded(redis_program, tmp_path, password="s3cr3t") as guarded:
        yield guarded


@pytest.mark.timeout(60)
async def test_a_failover_is_followed(program: Path, tmp_path: Path, connect: Connect) -> None:
    with Guarded(program, tmp_path, password="s3cr3t") as guarded:
        await expect_failover(guarded, connect)


async def expect_failover(guarded: Guarded, connect: Connect) -> None:
    servers, heard = await connect(guarded.url)
    await servers.listen([b"a"])
    await servers.run(b"k", b"SET", b"k", 1)
    await asyncio.to_thread(guarded.fail_over)
    await heard.restoring(b"a")
    await eventually(lambda: servers.is_up)
    assert await servers.run(b"k", b"SET", b"k", 2) == b"OK"
    await servers.run(None, b"PUBLISH", b"a", b"1")
    await heard.until(lambda: heard.messages == [(b"a", b"1")])
    assert guarded.replica.ask("GET", "k") == b"2"


@pytest.mark.timeout(60)
async def test_a_master_that_is_deposed_but_alive_is_left(
    redis_program: Path, tmp_path: Path, connect: Connect
) -> None:
    """It stands still long enough to be deposed, and goes on as if nothing had happened: the sentinels know better."""
    with Guarded(redis_program, tmp_path, sentinels=1) as guarded:
        servers, heard = await connect(guarded.url, timeout_s=10.0)  # so that we do not notice that it stands still
        await servers.listen([b"a"])
        guarded.master.pause()
        await asyncio.to_thread(guarded.sentinels[0].wait_for, "+switch-master")
        guarded.master.resume()
        await heard.restoring(b"a")
        await eventually(lambda: servers.is_up)
        await servers.run(b"k", b"SET", b"k", 2)
        assert guarded.replica.ask("GET", "k") == b"2"
        assert b"a" in guarded.replica.ask("PUBSUB", "CHANNELS")


@pytest.mark.timeout(60)
async def test_sentinels_that_are_gone_or_stand_still_are_passed_over(guarded: Guarded, connect: Connect) -> None:
    guarded.sentinels[0].kill()
    servers, _ = await connect(guarded.url)
    assert await servers.run(None, b"PING") == b"PONG"
    guarded.sentinels[1].pause()
    others, _ = await connect(guarded.url)
    assert await others.run(None, b"PING") == b"PONG"
    with pytest.raises(BrokerError, match="No such master"):
        await servers_from(options_from(f"{guarded.url}-other", timeout_s=1.5)).start(Heard())
    guarded.sentinels[2].kill()
    guarded.sentinels[1].resume()
    guarded.sentinels[1].kill()
    assert await servers.run(None, b"PING") == b"PONG"
    with pytest.raises(BrokerError, match="no sentinel says where the master orders is") as error:
        await servers_from(options_from(guarded.url, timeout_s=1.5)).start(Heard())
    assert "s3cr3t" not in repr(error.value)
