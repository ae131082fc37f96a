"""Commands: in order, together, refused, given up, and what is said when a connection goes."""

import asyncio
import hashlib

import pytest

from tests.integration.redis.conftest import Connect
from tests.integration.redis.servers import RedisServer
from vagus.broker.redis import Script
from vagus.broker.redis.addresses import options_from
from vagus.broker.redis.link import WAITING, LostError, ReplyError
from vagus.broker.redis.servers import servers_from
from vagus.kernel.errors import BrokerError


def script(text: str) -> Script:
    return Script(text, hashlib.sha1(text.encode()).hexdigest())


COUNT = script("return {redis.call('INCRBY', KEYS[1], ARGV[1]), ARGV[2]}")
WRONG = script("return redis.call('INCR', KEYS[1])")


async def test_commands_of_one_tick_are_answered_in_their_order(server: RedisServer, connect: Connect) -> None:
    servers, _ = await connect(server.url)
    answers = await asyncio.gather(*(servers.run(b"n", b"INCR", b"n") for _ in range(1_000)))
    assert answers == list(range(1, 1_001))


async def test_commands_of_one_tick_travel_in_one_write(server: RedisServer, connect: Connect) -> None:
    servers, _ = await connect(server.url)
    await asyncio.gather(*(servers.run(b"n", b"INCR", b"n") for _ in range(1_000)))
    reads = _figure(server, "total_reads_processed")
    await asyncio.gather(*(servers.run(b"n", b"INCR", b"n") for _ in range(100)))
    assert _figure(server, "total_reads_processed") - reads < 20  # a few PINGs and our own questions beside it


def _figure(server: RedisServer, name: str) -> int:
    lines = server.ask("INFO", "stats").decode().splitlines()
    return int(next(line.partition(":")[2] for line in lines if line.startswith(f"{name}:")))


async def test_every_kind_of_answer_comes_as_it_is(server: RedisServer, connect: Connect) -> None:
    servers, _ = await connect(server.url)
    assert await servers.run(b"k", b"SET", b"k", b"\x00\xff\r\n") == b"OK"
    assert await servers.run(b"k", b"GET", b"k") == b"\x00\xff\r\n"
    assert await servers.run(b"x", b"GET", b"x") is None
    assert await servers.run(b"l", b"RPUSH", b"l", 1, "two", b"three") == 3
    assert await servers.run(b"l", b"LRANGE", b"l", 0, -1) == [b"1", b"two", b"three"]


async def test_a_refusal_is_an_error_with_its_code_and_the_next_command_goes_on(
    server: RedisServer, connect: Connect
) -> None:
    servers, _ = await connect(server.url)
    refused = servers.run(b"k", b"LPUSH", b"k")
    fine = servers.run(b"k", b"SET", b"k", 1)
    with pytest.raises(ReplyError, match="wrong number of arguments") as error:
        await refused
    assert error.value.code == "ERR"
    assert await fine == b"OK"


async def test_a_database_is_selected_on_every_connection(server: RedisServer, connect: Connect) -> None:
    servers, _ = await connect(f"{server.url}/3")
    await servers.run(b"k", b"SET", b"k", 1)
    assert server.ask("GET", "k", database=3) == b"1"
    assert server.ask("GET", "k") is None


async def test_a_caller_who_stops_waiting_does_not_shift_the_answers(server: RedisServer, connect: Connect) -> None:
    servers, _ = await connect(server.url)
    impatient = asyncio.ensure_future(servers.run(b"n", b"INCR", b"n"))
    second = asyncio.ensure_future(servers.run(b"n", b"INCR", b"n"))
    impatient.cancel()
    assert await second == 2


async def test_a_script_is_loaded_where_it_is_missing_and_again_after_a_flush(
    server: RedisServer, connect: Connect
) -> None:
    servers, _ = await connect(server.url)
    assert await servers.call(COUNT, [b"n"], [2, b"x"]) == [2, b"x"]
    server.ask("SCRIPT", "FLUSH")
    answers = await asyncio.gather(*(servers.call(COUNT, [b"n"], [1, number]) for number in range(20)))
    assert [answer[1] for answer in answers] == [str(number).encode() for number in range(20)]
    assert [answer[0] for answer in answers] == list(range(3, 23))


async def test_scripts_that_are_known_at_the_start_are_never_missing(server: RedisServer) -> None:
    servers = servers_from(options_from(server.url))
    await servers.start(_Deaf(), [COUNT])
    assert await servers.call(COUNT, [b"n"], [1, b""]) == [1, b""]
    await servers.close()
    assert server.count_of("evalsha") == 1


async def test_an_error_within_a_script_has_its_code(server: RedisServer, connect: Connect) -> None:
    servers, _ = await connect(server.url)
    server.ask("RPUSH", "list", 1)
    with pytest.raises(ReplyError) as error:
        await servers.call(WRONG, [b"list"], [])
    assert error.value.code == "WRONGTYPE"


async def test_more_commands_than_may_wait_are_refused_at_once(server: RedisServer, connect: Connect) -> None:
    servers, _ = await connect(server.url)
    answers = [servers.run(b"n", b"INCR", b"n") for _ in range(WAITING)]
    with pytest.raises(BrokerError, match="too much waits"):
        servers.run(b"n", b"INCR", b"n")
    assert (await asyncio.gather(*answers))[-1] == WAITING


async def test_a_command_under_way_when_redis_dies_says_that_it_may_have_been_carried_out(
    server: RedisServer, connect: Connect
) -> None:
    servers, _ = await connect(server.url)
    server.pause()
    answer = asyncio.ensure_future(servers.run(b"n", b"INCR", b"n"))
    await asyncio.sleep(0)  # the end of the tick, when it is sent
    server.kill()
    with pytest.raises(LostError, match="may have been carried out"):
        await answer


async def test_a_server_that_stands_still_is_noticed(server: RedisServer, connect: Connect) -> None:
    servers, heard = await connect(server.url, timeout_s=1.0)
    server.pause()
    with pytest.raises(LostError, match="did not answer within 1 s"):
        await servers.run(b"n", b"INCR", b"n")
    await heard.until(lambda: heard.cuts == 1)  # nothing was asked over the connection that listens
    assert not servers.is_up
    with pytest.raises(BrokerError):
        servers.run(b"n", b"INCR", b"n")
    server.resume()


async def test_closing_leaves_no_task_and_fails_what_waits(server: RedisServer) -> None:
    servers = servers_from(options_from(server.url))
    await servers.start(_Deaf())
    server.pause()
    answer = asyncio.ensure_future(servers.run(b"n", b"INCR", b"n"))
    listening = asyncio.create_task(servers.listen([b"a"]))
    await asyncio.sleep(0)
    await servers.close()
    for waiting in (answer, listening):
        with pytest.raises(BrokerError):
            await waiting
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_nothing_can_be_done_before_the_start(server: RedisServer) -> None:
    servers = servers_from(options_from(server.url))
    with pytest.raises(BrokerError, match="no connection to Redis yet"):
        servers.run(None, b"PING")
    with pytest.raises(BrokerError, match="not started"):
        await servers.listen([b"a"])
    await servers.close()


async def test_what_does_not_speak_redis_is_not_talked_to() -> None:
    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        writer.close()

    stranger = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = stranger.sockets[0].getsockname()[1]
    servers = servers_from(options_from(f"redis://127.0.0.1:{port}", timeout_s=1.0))
    with pytest.raises(BrokerError, match="does not speak the protocol of Redis"):
        await servers.start(_Deaf())
    stranger.close()
    await stranger.wait_closed()


class _Deaf:
    def heard(self, channel: bytes, message: bytes) -> None: ...

    def cut(self) -> None: ...

    def restored(self, channels: object) -> None: ...
