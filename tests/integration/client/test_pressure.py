"""Programs that do not keep up with what comes: nothing is lost silently, and nothing grows without bound."""

import asyncio
from typing import Any

import pytest

from tests.integration.client.conftest import OpenClient, Serve
from tests.integration.client.following import data, reached, take
from tests.patience import DEADLINE_S
from vagus import Caller, ChannelRule, Hub, Last
from vagus.client import Client

OPEN: dict[str, Any] = {"subscribe": ("anyone",), "publish": ("anyone",)}


def open_hub() -> Hub:
    rules = [
        ChannelRule(pattern="kept:{name}", history=Last(300, minutes=1), **OPEN),
        ChannelRule(pattern="long:{name}", history=Last(20_000, minutes=1), **OPEN),
    ]
    hub = Hub(rules=rules, allow_anonymous=True, open_to_all=True)

    @hub.call("echo", allow=("anyone",))
    def echo(caller: Caller, value: Any) -> Any:
        return value

    return hub


async def is_blocked(client: Client) -> None:
    """Wait until nothing is read any more."""
    async with asyncio.timeout(DEADLINE_S):
        while not client._channels.crowded:  # noqa: ASYNC110 - nobody is told of it
            await asyncio.sleep(0)


async def test_a_full_buffer_stops_the_reading_and_nothing_is_lost(serve: Serve, open_client: OpenClient) -> None:
    server = await serve(open_hub())
    client = await open_client(server.url)
    async with client.subscribe("long:a", capacity=10) as slow:
        for start in range(0, 5_000, 50):
            await server.publish_each("long:a", [{"n": n, "pad": "x" * 500} for n in range(start, start + 50)])
        await is_blocked(client)
        assert slow.waiting < 5_000
        messages = await take(slow, 5_000)
    assert [message.data["n"] for message in messages] == list(range(5_000))
    assert not any(message.after_gap for message in messages)


async def test_a_program_may_call_while_its_buffer_is_full(serve: Serve, open_client: OpenClient) -> None:
    server = await serve(open_hub())
    client = await open_client(server.url)
    async with client.subscribe("kept:a", capacity=5) as slow:
        await server.publish_each("kept:a", range(100))
        seen = []
        async for message in slow:
            seen.append(await client.call("echo", message.data, timeout_s=DEADLINE_S))
            if len(seen) == 100:
                break
    assert seen == list(range(100))


async def test_who_is_far_behind_while_it_calls_recovers(serve: Serve, open_client: OpenClient) -> None:
    server = await serve(open_hub())
    client = await open_client(server.url)
    async with client.subscribe("kept:a", capacity=5) as slow:
        for start in range(0, 200, 10):  # each call lets a little more in, until the subscription is shut out
            await server.publish_each("kept:a", range(start, start + 10))
            await client.call("echo", start)
        assert slow.waiting <= 30
        assert await data(slow, 200) == list(range(200))
        assert slow.recovered


async def test_dropping_the_oldest_is_counted_and_told(serve: Serve, open_client: OpenClient) -> None:
    server = await serve(open_hub())
    client = await open_client(server.url)
    async with client.subscribe("kept:a", capacity=10, when_full="drop-oldest") as newest:
        await server.publish_each("kept:a", range(100))
        await reached(newest, 100)
        messages = await take(newest, 10)
        assert [message.data for message in messages] == list(range(90, 100))
        assert [message.after_gap for message in messages] == [True] + [False] * 9
        assert newest.dropped == 90


async def test_a_full_subscription_that_is_closed_no_longer_holds_up_the_others(
    serve: Serve, open_client: OpenClient
) -> None:
    server = await serve(open_hub())
    client = await open_client(server.url)
    async with client.subscribe("kept:b") as quick:
        async with client.subscribe("long:a", capacity=3):
            for start in range(0, 2_000, 50):
                await server.publish_each("long:a", [{"n": n, "pad": "x" * 500} for n in range(start, start + 50)])
            await is_blocked(client)
            await server.publish("kept:b", 1)
        assert await data(quick, 1) == [1]


async def test_a_full_buffer_outlives_the_connection(serve: Serve, open_client: OpenClient) -> None:
    server = await serve(open_hub())
    client = await open_client(server.url)
    async with client.subscribe("kept:a", capacity=20) as slow:
        await server.publish_each("kept:a", range(50))
        await reached(slow, 20)
        await server.cut(*(("kept:a", n) for n in range(50, 100)))
        assert await data(slow, 100) == list(range(100))


@pytest.mark.parametrize(
    "options", [{"capacity": 0}, {"when_full": "explode"}, {"rate": 0}, {"delta": True, "tags": {}}]
)
async def test_what_makes_no_sense_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=":"):
        Client("http://127.0.0.1:1").subscribe("a", **options)
