"""How programs use the client: all of this type-checks, and the types are those that are asserted."""

from typing import Any, assert_type

import msgspec

from vagus.client import (
    Client,
    FilterNode,
    Gap,
    HistoryPage,
    Member,
    Message,
    Position,
    PresenceStats,
    Receipt,
    Retry,
    Status,
    Subscription,
)


class Order(msgspec.Struct):
    number: int


async def get_token() -> str:
    return "token"


def note(gap: Gap) -> None:
    assert gap.position.offset, gap.channel


async def use() -> None:
    Client("wss://example.com", token="t", get_token=lambda: "t", data={"site": 7}, headers={"X-Site": "7"}, proxy=None)
    async with Client("http://localhost:8000", get_token=get_token, retry=Retry(tries=None, max_s=5)) as client:
        await client.ready(5)
        assert_type(client.status, Status)
        async with client.subscribe("orders:7", Order, since=Position(3, "e"), on_gap=note) as orders:
            assert_type(orders, Subscription[Order])
            async for message in orders:
                assert_type(message, Message[Order])
                assert_type(message.data.number, int)
                assert_type(message.decode(list[int]), list[int])
                assert_type(message.publisher, Member | None)
        async with client.subscribe("news", tags={"kind": "tea"}, when_full="drop-oldest") as news:
            async for anything in news:
                assert_type(anything.data, Any)
        client.subscribe("prices", dict[str, float], tags=FilterNode(key="price", cmp="gt", val="10"), rate=1)
        assert_type(await client.publish("news", Order(1), tags={"kind": "tea"}, key="k"), Receipt)
        assert_type(await client.call("orders.cancel", Order(1), returns=Order, timeout_s=5), Order)
        assert_type(await client.call("orders.count"), Any)
        assert_type(await client.history("orders:7", Order, limit=5), HistoryPage[Order])
        assert_type(await client.presence("news"), tuple[Member, ...])
        assert_type(await client.presence_stats("news"), PresenceStats)
        await client.send("note", {"a": 1})
        async for status in client.watch():
            assert_type(status.retry_at, float | None)
        async for told in client.messages():
            assert_type(told, Message[Any])
