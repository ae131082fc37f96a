"""What nodes say to one another, who shares what, and what strangers put into Redis."""

import asyncio

import pytest

from tests.integration.redis.ears import eventually
from tests.integration.redis.followers import KEEP, node
from tests.integration.redis.servers import RedisServer
from vagus.broker.redis.keys import Keys
from vagus.kernel import codes
from vagus.kernel.control import Disconnect, Question, Target
from vagus.kernel.errors import BrokerError
from vagus.kernel.history import Query
from vagus.kernel.publications import ClientInfo, Draft, Json

CHANNEL = "orders:42"
NAMES = Keys("vagus").names(CHANNEL)
ORDER = Disconnect(Target(user="ada"), codes.FORCE_DISCONNECT)


async def test_hubs_with_different_prefixes_share_a_server_and_nothing_else(server: RedisServer) -> None:
    async with node(server.url, prefix="one") as one, node(server.url, prefix="other") as other:
        for follower in (one, other):
            await follower.follow(CHANNEL)
        for number in range(3):
            await one.publish(CHANNEL, number, idempotency_key=f"{number}")
        receipt = await other.publish(CHANNEL, 7, idempotency_key="0")
        await one.broker.enter(CHANNEL, ClientInfo("ada", "c1"))
        await one.broker.order(ORDER)
        await one.until(CHANNEL, 3)
        await other.until(CHANNEL, 1)
        assert (receipt.position.offset, receipt.dropped) == (1, False)
        assert other.numbers(CHANNEL) == [7]
        assert await other.broker.presence(CHANNEL) == {}
        assert [answer.node for answer in await other.broker.ask(Question("who", b"x"))] == [other.node_id]
        assert other.orders == []
        assert other.broker.condition.nodes == 1


async def test_an_order_reaches_a_node_that_was_cut_off_once_it_is_back(server: RedisServer) -> None:
    async with node(server.url) as here, node(server.url) as there:
        await here.broker.order(ORDER)
        await there.until_ordered(1)
        await asyncio.to_thread(server.cut, "pubsub")
        for _ in range(3):
            await here.broker.order(ORDER)
        await there.until_ordered(4)
        await here.broker.order(ORDER)
        await there.until_ordered(5)
        assert len(here.orders) == len(there.orders) == 5


async def test_a_node_that_joins_does_not_carry_out_old_orders(server: RedisServer) -> None:
    async with node(server.url) as here:
        await here.broker.order(ORDER)
        async with node(server.url) as late:
            await here.broker.order(ORDER)
            await late.until_ordered(1)
            assert len(here.orders) == 2
            assert len(late.orders) == 1


async def test_an_order_that_nobody_else_can_hear_is_an_error_and_not_carried_out(server: RedisServer) -> None:
    async with node(server.url) as here:
        await asyncio.to_thread(server.kill)
        await eventually(lambda: not here.broker.condition.is_up)
        with pytest.raises(BrokerError):
            await here.broker.order(ORDER)
        assert here.orders == []
        with pytest.raises(BrokerError):
            await here.broker.ask(Question("who", b"x"))
        assert await here.broker.ask(Question("who", b"x"), node=here.node_id) != []


async def test_too_long_an_answer_is_left_out_and_others_come(server: RedisServer) -> None:
    async with node(server.url) as here, node(server.url) as there:
        content = b"x" * 1_048_576
        assert len(await here.broker.ask(Question("long", content))) == 2
        with pytest.raises(ValueError, match="1048576 bytes"):
            await here.broker.ask(Question("longer", content + b"x"), node=there.node_id)


async def test_more_questions_at_once_than_are_worked_on_wait_for_their_answers(server: RedisServer) -> None:
    async with node(server.url, beat_s=5.0) as here, node(server.url, beat_s=5.0) as there:  # slow is not dead
        asked = [here.broker.ask(Question("who", b"%d" % n), node=there.node_id, timeout_s=10) for n in range(800)]
        answers = await asyncio.gather(*asked)
        assert [answer.content for (answer,) in answers] == [(b"%d" % n)[::-1] for n in range(800)]


GARBAGE = [
    b"",
    b"+",
    b"=",
    b"<",
    b">\xc1",
    b"?new",
    b"+1",
    b"+1 e\n",
    b"+1 e 1 \n",
    b"+x e 1 1\n\x91\xc4\x011",
    b"+-7 e 1 1\n\x91\xc4\x011",
    b"+99999999999999999999999  1 1\n\x91\xc4\x011",
    b"=\x91\xa1x",
    b"=\x90",
    b"=" + b"\x91" * 4000,
    b"ask",
    b"ask \x95\xa1a\x01\xa1b\xc4\x00\xa1c",
    b"answer \x93\x01\xa1n\xc4\x01x",
    b"sign x",
    b"sign 99",
    b"later \x90",
    bytes(range(256)),
]


async def test_garbage_in_our_channels_harms_nobody(server: RedisServer) -> None:
    keys = Keys("vagus")
    async with node(server.url) as here:
        await here.follow(CHANNEL)
        await here.publish(CHANNEL, 0)
        channels = (NAMES.flow, keys.orders.flow, keys.node(""), keys.node(here.node_id))
        sent = [("PUBLISH", channel, text) for channel in channels for text in GARBAGE]
        await asyncio.to_thread(server.ask_all, sent)
        for number in range(1, 5):
            await here.publish(CHANNEL, number)
        await here.broker.order(ORDER)
        await here.until(CHANNEL, 5)
        assert here.numbers(CHANNEL) == [0, 1, 2, 3, 4]
        assert here.orders == [ORDER]
        assert await here.is_well()


async def test_an_offset_that_nobody_gave_out_does_not_stop_a_channel(server: RedisServer) -> None:
    async with node(server.url) as here:
        await here.follow(CHANNEL)
        epoch = (await here.publish(CHANNEL, 0)).position.epoch
        await asyncio.to_thread(server.ask, "PUBLISH", NAMES.flow, b"+900 %b 1 1\n\x91\xc4\x019" % epoch.encode())
        for number in range(1, 4):
            await here.publish(CHANNEL, number)
        await here.until(CHANNEL, 4)
        assert here.numbers(CHANNEL) == [0, 1, 2, 3]
        assert here.losses == []


@pytest.mark.parametrize("key", [NAMES.meta, NAMES.stream])
async def test_a_key_of_another_type_fails_its_channel_alone(server: RedisServer, key: bytes) -> None:
    async with node(server.url, check_s=0.1) as here:
        await here.follow(CHANNEL)
        await here.publish(CHANNEL, 1)
        await asyncio.to_thread(server.ask_all, [("DEL", key), ("SET", key, "mine")])
        with pytest.raises(BrokerError, match="WRONGTYPE"):
            await here.publish(CHANNEL, 2)
        with pytest.raises(BrokerError, match="WRONGTYPE"):
            await here.broker.history(CHANNEL, Query(None), KEEP)
        await here.follow("orders:43")
        await here.publish("orders:43", 3)
        await here.until("orders:43", 1)
        assert await here.is_well()


async def test_strange_entries_in_a_stream_or_in_presence_are_left_out(server: RedisServer) -> None:
    async with node(server.url) as here:
        await here.publish(CHANNEL, 1)
        await here.broker.enter(CHANNEL, ClientInfo("ada", "c1"))
        clients = Keys("vagus").presence(CHANNEL, "")[0]
        entries = [b"", b"x", b"x\n1", b"x\n9\nu", b"x\n-1\n\x93", b"x\n1\nu\x93\xa1a\xa1b\x05"]
        await asyncio.to_thread(
            server.ask_all,
            [
                ("XADD", NAMES.stream, "2-0", "p", b"\xc1"),
                ("XADD", NAMES.stream, "3-0", "other", b"x", "more", b"y"),
                *(("HSET", clients, f"z{number}", entry) for number, entry in enumerate(entries)),
            ],
        )
        page = await here.broker.history(CHANNEL, Query(None), KEEP)
        assert [publication.offset for publication in page.publications] == [1]
        assert set(await here.broker.presence(CHANNEL)) == {"c1"}
        for number in range(len(entries)):
            await here.broker.exit(CHANNEL, f"z{number}")
            await here.broker.enter(CHANNEL, ClientInfo("ada", f"z{number}"))


async def test_a_user_with_no_more_rights_than_it_needs_is_enough(server: RedisServer) -> None:
    rights = ("~vagus:*", "&vagus:*", "+@all", "-@admin", "-@dangerous")
    await asyncio.to_thread(server.ask, "ACL", "SETUSER", "app", "on", ">secret", *rights)
    url = server.url.replace("redis://", "redis://app:secret@")
    async with node(url) as here, node(url) as there:
        await there.follow(CHANNEL)
        await here.publish(CHANNEL, 1, idempotency_key="k")
        await here.broker.publish(CHANNEL, Draft(data=Json(b"2"), idempotency_key="l"), None)
        await there.until(CHANNEL, 2)
        await here.broker.enter(CHANNEL, ClientInfo("ada", "c1"))
        await here.broker.order(ORDER)
        await there.until_ordered(1)
        assert set(await there.broker.presence(CHANNEL)) == {"c1"}
        assert len(await here.broker.ask(Question("who", b"x"))) == 2
        await here.broker.remove_history(CHANNEL)
        await here.broker.exit(CHANNEL, "c1")
        assert await there.is_well()
