"""What a program says and hears while all is well."""

import asyncio
from typing import Any

import msgspec
import pytest

from tests.integration.client.conftest import OpenClient, Serve
from tests.integration.client.following import data, reached, status, take
from tests.integration.native.serving import LoopThread
from tests.integration.native.tokens import token, verifier
from vagus import Caller, ChannelRule, Hub, Last, RefusedError, Section
from vagus.client import Client, DataError, FilterNode, Position

OPEN: dict[str, Any] = {"subscribe": ("anyone",), "publish": ("anyone",)}
KEPT = ChannelRule(pattern="kept:{name}", history=Last(100, minutes=1), read_history=("anyone",), **OPEN)
MET = ChannelRule(pattern="met:{name}", presence=True, read_presence=("anyone",), **OPEN)
CHANGED = ChannelRule(pattern="changed:{name}", history=Last(100, minutes=1), delta=True, **OPEN)
TAGGED = ChannelRule(pattern="tagged:{name}", tag_filter=True, **OPEN)


class Order(msgspec.Struct, frozen=True):
    number: int
    item: str = "tea"


def open_hub(**options: Any) -> Hub:
    return Hub(open_to_all=True, rules=[KEPT, MET, CHANGED, TAGGED], **options)


async def test_what_is_published_comes_in_order(serve: Serve, open_client: OpenClient) -> None:
    server = await serve(open_hub())
    client = await open_client(server.site)
    async with client.subscribe("kept:a") as numbers:
        await server.publish_each("kept:a", range(500))
        messages = await take(numbers, 500)
    assert [(message.data, message.offset) for message in messages] == [(n, n + 1) for n in range(500)]
    assert not any(message.after_gap for message in messages)


async def test_a_typed_subscription_gives_values_of_its_type(serve: Serve, open_client: OpenClient) -> None:
    server = await serve(open_hub())
    async with (await open_client(server.url)).subscribe("orders:7", Order) as orders:
        await server.publish("orders:7", {"number": 7})
        await server.publish("orders:7", {"number": "seven"})
        right, wrong = await take(orders, 2)
    assert right.data == Order(7)
    with pytest.raises(DataError, match="number"):
        _ = wrong.data
    assert (wrong.decode(dict), wrong.raw) == ({"number": "seven"}, b'{"number":"seven"}')


async def test_a_message_says_who_published_it_and_with_which_tags(serve: Serve, open_client: OpenClient) -> None:
    server = await serve(open_hub())
    client = await open_client(server.url)
    async with client.subscribe("tagged:a") as followed:
        receipt = await client.publish("tagged:a", None, tags={"kind": "tea"})
        (message,) = await take(followed, 1)
    assert message.publisher is not None and message.publisher.client == client.status.client
    assert (message.data, message.tags, receipt.offset) == (None, {"kind": "tea"}, 0)


async def test_a_publication_is_answered_with_its_place(serve: Serve, open_client: OpenClient) -> None:
    client = await open_client((await serve(open_hub())).url)
    first, again = [await client.publish("kept:a", 1, key="k") for _ in range(2)]
    assert (first.offset, first.repeated) == (1, False)
    assert (again.position, again.repeated) == (first.position, True)


async def test_a_refused_publication_leaves_the_others_alone(serve: Serve, open_client: OpenClient) -> None:
    rules = [KEPT, ChannelRule(pattern="closed:{name}", subscribe=("anyone",), publish=())]
    client = await open_client((await serve(Hub(rules=rules, allow_anonymous=True))).url)
    sent = [client.publish(channel, 1) for channel in ("kept:a", "closed:a", "kept:a")]
    first, refused, last = await asyncio.gather(*sent, return_exceptions=True)
    assert isinstance(refused, RefusedError) and refused.fault.code == 103
    assert [getattr(receipt, "offset", None) for receipt in (first, last)] == [1, 2]


async def test_calls_have_typed_results(serve: Serve, open_client: OpenClient) -> None:
    hub = open_hub()

    @hub.call("double", allow=("anyone",))
    async def double(caller: Caller, order: Order) -> Order:
        return Order(order.number * 2)

    client = await open_client((await serve(hub)).url)
    assert await client.call("double", Order(2), returns=Order) == Order(4)
    assert await client.call("double", {"number": 3}) == {"number": 6, "item": "tea"}
    with pytest.raises(DataError):
        await client.call("double", Order(2), returns=int)
    with pytest.raises(RefusedError, match="bad request"):
        await client.call("double", "two")


async def test_a_call_that_takes_too_long_is_a_timeout(
    serve: Serve, open_client: OpenClient, server_thread: LoopThread
) -> None:
    hub, enough = open_hub(), asyncio.Event()

    @hub.call("wait", allow=("anyone",))
    async def wait(caller: Caller) -> None:
        await enough.wait()

    client = await open_client((await serve(hub)).url)
    with pytest.raises(TimeoutError, match=r"wait: no answer within 0.05 s"):
        await client.call("wait", timeout_s=0.05)
    server_thread.loop.call_soon_threadsafe(enough.set)


async def test_an_event_arrives(serve: Serve, open_client: OpenClient) -> None:
    hub, seen = open_hub(), list[Any]()

    @hub.event("note", allow=("anyone",))
    def note(caller: Caller, payload: Any) -> None:
        seen.append(payload)

    @hub.call("seen", allow=("anyone",))
    def what_was_seen(caller: Caller) -> list[Any]:
        return seen

    client = await open_client((await serve(hub)).url)
    await client.send("note", {"a": 1})
    await client.send("note")
    assert await client.call("seen") == [{"a": 1}, None]


async def test_history_is_read_in_pages(serve: Serve, open_client: OpenClient) -> None:
    server = await serve(open_hub())
    await server.publish_each("kept:a", range(5))
    client = await open_client(server.url)
    page = await client.history("kept:a", int, limit=2)
    rest = await client.history("kept:a", int, since=page.messages[-1].position)
    newest = await client.history("kept:a", limit=1, reverse=True)
    assert [message.data for message in (*page.messages, *rest.messages, *newest.messages)] == [0, 1, 2, 3, 4, 4]
    assert (page.position.offset, page.messages[0].time_ms > 0) == (5, True)
    assert (await client.history("kept:a", limit=0)).messages == ()


async def test_presence_says_who_is_there(serve: Serve, open_client: OpenClient) -> None:
    server = await serve(open_hub())
    one, other = await open_client(server.url), await open_client(server.url)
    async with one.subscribe("met:a"), other.subscribe("met:a"):
        present = await one.presence("met:a")
        stats = await one.presence_stats("met:a")
    assert {member.client for member in present} == {one.status.client, other.status.client}
    assert stats.clients == 2


async def test_messages_to_one_client_come_to_it_alone(serve: Serve, open_client: OpenClient) -> None:
    server = await serve(open_hub())
    client, other = await open_client(server.url), await open_client(server.url)
    await client.ready()
    await other.ready()
    await server.on(server.hub.send({"for": "you"}, client=client.status.client))
    await server.on(server.hub.send({"for": "the other"}, client=other.status.client))
    message = await anext(client.messages())
    assert (message.data, message.channel) == ({"for": "you"}, "")
    assert (await anext(other.messages())).data == {"for": "the other"}


async def test_a_channel_that_the_server_subscribes_comes_with_the_messages(
    serve: Serve, open_client: OpenClient
) -> None:
    server = await serve(Hub(verifier=verifier(), rules=[KEPT]))
    client = await open_client(server.url, token=token(channels=["kept:mine"]))
    await client.ready()
    await server.publish("kept:mine", 1)
    assert (await anext(client.messages())).data == 1
    await server.cut(("kept:mine", 2), ("kept:mine", 3))
    assert [(await anext(client.messages())).data for _ in range(2)] == [2, 3]


async def test_only_what_has_the_tags_comes(serve: Serve, open_client: OpenClient) -> None:
    server = await serve(open_hub())
    client = await open_client(server.url)
    dear = FilterNode(key="price", cmp="gt", val="10")
    async with (
        client.subscribe("tagged:a", tags={"kind": "tea"}) as teas,
        client.subscribe("tagged:b", tags=dear) as big,
    ):
        for number, kind in enumerate(("milk", "tea", "milk", "tea")):
            await server.publish("tagged:a", number, tags={"kind": kind})
            await server.publish("tagged:b", number, tags={"price": str(number * 5)})
        assert await data(teas, 2) == [1, 3]
        assert await data(big, 1) == [3]


async def test_differences_are_put_together(serve: Serve, open_client: OpenClient) -> None:
    server = await serve(open_hub())
    documents = [{"text": "the same words over and over again, " * 20, "number": number} for number in range(30)]
    client = await open_client(server.url)
    async with client.subscribe("changed:a", delta=True) as changes:
        await server.publish_each("changed:a", documents[:10])
        assert await data(changes, 10) == documents[:10]
        await server.cut(*(("changed:a", document) for document in documents[10:20]))
        assert await data(changes, 10) == documents[10:20]
        await server.publish_each("changed:a", documents[20:])
        assert await data(changes, 10) == documents[20:]


async def test_a_rate_keeps_the_newest(serve: Serve, open_client: OpenClient) -> None:
    server = await serve(open_hub())
    client = await open_client(server.url)
    async with client.subscribe("quick:a", rate=10, data={"for": "the application"}) as slow:
        await server.publish_each("quick:a", range(200))
        seen = [(await take(slow, 1))[0].data]
        while seen[-1] != 199:
            seen += await data(slow, 1)
    assert len(seen) < 100


async def test_following_begins_where_one_left_off(serve: Serve, open_client: OpenClient) -> None:
    server = await serve(open_hub())
    client = await open_client(server.url)
    async with client.subscribe("kept:a") as followed:
        await server.publish_each("kept:a", range(3))
        (first, *_) = await take(followed, 3)
    async with client.subscribe("kept:a", since=first.position) as again:
        assert await data(again, 2) == [1, 2]
        assert again.recovered
    async with client.subscribe("kept:a", since=Position(1, "another")) as lost:
        await server.publish("kept:a", 3)
        (message,) = await take(lost, 1)
    assert (message.data, message.after_gap) == (3, True)


async def test_a_channel_is_followed_once(serve: Serve, open_client: OpenClient) -> None:
    client = await open_client((await serve(open_hub())).url)
    async with client.subscribe("kept:a"):
        with pytest.raises(ValueError, match="followed already"):
            await client.subscribe("kept:a").start()


async def test_a_subscription_is_started_once(serve: Serve, open_client: OpenClient) -> None:
    client = await open_client((await serve(open_hub())).url)
    async with client.subscribe("kept:a") as followed:
        pass
    with pytest.raises(ValueError, match="started once"):
        await followed.start()


async def test_several_tasks_share_a_subscription(serve: Serve, open_client: OpenClient) -> None:
    server = await serve(open_hub())
    client, taken = await open_client(server.url), list[int]()

    async def work() -> None:
        async for message in orders:
            taken.append(message.data)
            await client.call("pause")

    @server.hub.call("pause", allow=("anyone",))
    def pause(caller: Caller) -> None: ...

    async with client.subscribe("kept:a") as orders, asyncio.TaskGroup() as workers:
        for _ in range(3):
            workers.create_task(work())
        await server.publish_each("kept:a", range(30))
        while len(taken) < 30:
            await client.call("pause")
        await orders.close()
    assert sorted(taken) == list(range(30))


async def test_what_came_before_closing_can_still_be_taken(serve: Serve, open_client: OpenClient) -> None:
    server = await serve(open_hub())
    client = await open_client(server.url)
    async with client.subscribe("kept:a") as followed:
        await server.publish_each("kept:a", range(3))
        await client.publish("kept:a", 3)
        await reached(followed, 4)
    assert [message.data async for message in followed] == [0, 1, 2, 3]


async def test_compressed_messages_are_the_same(serve: Serve, open_client: OpenClient) -> None:
    server = await serve(open_hub(), compression=True)
    client = await open_client(server.url, compression=True)
    async with client.subscribe("kept:a") as followed:
        await server.publish("kept:a", "word " * 1000)
        assert await data(followed, 1) == ["word " * 1000]


async def test_a_section_of_the_hub_is_the_beginning_of_a_name(serve: Serve, open_client: OpenClient) -> None:
    hub = open_hub()
    section: Section = hub.section("chat")

    @section.call("double", allow=("anyone",))
    def double(caller: Caller, number: int) -> int:
        return number * 2

    client = await open_client((await serve(hub)).url)
    assert await client.call("chat.double", 4, returns=int) == 8
    assert (await status(client, "connected")).reason == ""


async def test_a_client_can_be_made_before_there_is_a_loop() -> None:
    client = await asyncio.to_thread(Client, "http://127.0.0.1:1")
    assert client.status.state == "disconnected"
