"""Lost connections: what was missed comes once and in order, or the program is told that it will not come."""

import asyncio
import random
from typing import Any

import pytest

from tests.faults.proxy import Proxy
from tests.integration.client.conftest import OpenClient, Serve
from tests.integration.client.following import data, reached, rejoined, take
from tests.integration.native.serving import LoopThread
from tests.patience import DEADLINE_S
from vagus import Caller, ChannelRule, Hub, Last, Limits
from vagus.client import EndedError, Gap, UnansweredError
from vagus.kernel import codes
from vagus.kernel.codes import Ending

OPEN: dict[str, Any] = {"subscribe": ("anyone",), "publish": ("anyone",)}


def hub_keeping(size: int = 300, **limits: Any) -> Hub:
    rules = [
        ChannelRule(pattern="kept:{name}", history=Last(size, minutes=1), **OPEN),
        ChannelRule(pattern="bare", **OPEN),
    ]
    return Hub(rules=rules, allow_anonymous=True, limits=Limits(**limits))


async def test_all_that_was_missed_comes_once_and_in_order(serve: Serve, open_client: OpenClient) -> None:
    server = await serve(hub_keeping())
    client = await open_client(server.url)
    async with client.subscribe("kept:a") as followed:
        await server.publish("kept:a", 0)
        for start in range(1, 501, 50):
            await server.cut(*(("kept:a", number) for number in range(start, start + 50)))
            await reached(followed, start + 50)
        messages = await take(followed, 501)
        assert [message.data for message in messages] == list(range(501))
        assert not any(message.after_gap for message in messages)
        assert followed.recovered
        assert followed.position == messages[-1].position


async def test_what_history_does_not_hold_is_told_as_a_gap(serve: Serve, open_client: OpenClient) -> None:
    server, gaps = await serve(hub_keeping(size=3)), list[Gap]()
    client = await open_client(server.url)
    async with client.subscribe("kept:a", on_gap=gaps.append) as followed:
        await server.publish("kept:a", 0)
        assert await data(followed, 1) == [0]
        await server.cut(*(("kept:a", number) for number in range(1, 6)))
        await rejoined(followed)
        await server.publish_each("kept:a", [6, 7])
        first, second = await take(followed, 2)
        assert followed.recovered is False
    assert [(message.data, message.after_gap) for message in (first, second)] == [(6, True), (7, False)]
    assert [(gap.channel, gap.position.offset) for gap in gaps] == [("kept:a", 6)]


async def test_a_channel_without_history_says_that_there_may_be_a_gap(serve: Serve, open_client: OpenClient) -> None:
    server = await serve(hub_keeping())
    client = await open_client(server.url)
    async with client.subscribe("bare") as followed:
        await server.publish("bare", 0)
        await take(followed, 1)
        await server.cut(("bare", 1))
        await rejoined(followed)
        await server.publish("bare", 2)
        (message,) = await take(followed, 1)
    assert (message.data, message.after_gap) == (2, True)


async def test_a_hub_that_forgot_everything_leaves_a_gap(serve: Serve, open_client: OpenClient) -> None:
    server = await serve(hub_keeping())
    client = await open_client(server.url)
    async with client.subscribe("kept:a") as followed:
        await server.publish("kept:a", 0)
        assert await data(followed, 1) == [0]
        await server.stop()
        await server.start(hub_keeping())
        await rejoined(followed)
        await server.publish("kept:a", 1)
        (message,) = await take(followed, 1)
    assert (message.data, message.offset, message.after_gap) == (1, 1, True)


async def test_lines_that_are_cut_anywhere_lose_nothing(serve: Serve, open_client: OpenClient) -> None:
    server = await serve(hub_keeping())
    proxy = Proxy(random.Random(7), ("127.0.0.1", server.port))
    await proxy.start()
    client = await open_client(f"http://127.0.0.1:{proxy.port}")
    async with client.subscribe("kept:a") as followed:
        for round_ in range(20):
            proxy.truncate("down", 37 + 61 * round_)
            await server.publish_each("kept:a", range(50 * round_, 50 * round_ + 50))
            await reached(followed, 50 * (round_ + 1))
        assert await data(followed, 1000) == list(range(1000))
    await client.close()
    await proxy.close()


async def test_a_call_that_was_under_way_says_that_nobody_knows(
    serve: Serve, open_client: OpenClient, server_thread: LoopThread
) -> None:
    hub, called = hub_keeping(), asyncio.Event()
    loop, enough = asyncio.get_running_loop(), asyncio.Event()

    @hub.call("wait", allow=("anyone",))
    async def wait(caller: Caller) -> None:
        loop.call_soon_threadsafe(called.set)
        await enough.wait()

    server = await serve(hub)
    client = await open_client(server.url)
    waiting = asyncio.create_task(client.call("wait"))
    await called.wait()
    await server.cut()
    with pytest.raises(UnansweredError, match="before the answer came"):
        await waiting
    server_thread.loop.call_soon_threadsafe(enough.set)


async def test_what_the_server_ends_for_now_is_subscribed_again(serve: Serve, open_client: OpenClient) -> None:
    server = await serve(hub_keeping())
    client = await open_client(server.url)
    async with client.subscribe("kept:a") as followed:
        await client.publish("kept:a", 0)
        for code in (2500, 2501):
            await server.on(server.hub.unsubscribe("kept:a", client=client.status.client, ending=Ending(code, "again")))
            await client.publish("kept:a", code)
        assert await data(followed, 3) == [0, 2500, 2501]
        assert followed.recovered


async def test_a_subscription_that_the_server_ends_for_good_raises(serve: Serve, open_client: OpenClient) -> None:
    server = await serve(hub_keeping())
    client = await open_client(server.url)
    async with client.subscribe("kept:a") as followed:
        await client.publish("kept:a", 0)
        await server.on(server.hub.unsubscribe("kept:a", client=client.status.client))
        assert await data(followed, 1) == [0]
        with pytest.raises(EndedError, match="2000") as caught:
            await take(followed, 1)
    assert caught.value.ending == codes.UNSUBSCRIBED
    async with client.subscribe("kept:a"):
        assert client.status.state == "connected"


async def test_positions_that_the_server_declares_void_are_not_recovered(serve: Serve, open_client: OpenClient) -> None:
    server = await serve(hub_keeping())
    client = await open_client(server.url)
    async with client.subscribe("kept:a") as followed:
        await client.publish("kept:a", 0)
        assert await data(followed, 1) == [0]
        await server.on(server.hub.disconnect(client=client.status.client, closure=codes.STATE_INVALIDATED))
        await rejoined(followed)
        await server.publish("kept:a", 1)
        assert (await take(followed, 1))[0].after_gap


async def test_a_server_that_falls_silent_is_given_up(
    serve: Serve, open_client: OpenClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vagus.client.connection.SILENCE_S", 0.5)
    server = await serve(hub_keeping(ping_interval_s=1, pong_timeout_s=0.9))
    proxy = Proxy(random.Random(7), ("127.0.0.1", server.port))
    await proxy.start()
    client = await open_client(f"http://127.0.0.1:{proxy.port}")
    async with client.subscribe("kept:a") as followed:
        proxy.swallow("down")
        async with asyncio.timeout(DEADLINE_S):
            async for now in client.watch():
                if now.attempt:
                    break
        assert "silent for 1.5 s" in now.reason
        await server.publish("kept:a", 1)
        proxy.heal()
        assert await data(followed, 1) == [1]
    await client.close()
    await proxy.close()


async def test_a_subscription_whose_state_is_declared_void_is_made_again(serve: Serve, open_client: OpenClient) -> None:
    server = await serve(hub_keeping())
    client = await open_client(server.url)
    async with client.subscribe("kept:a") as followed:
        await client.publish("kept:a", 0)
        await server.on(server.hub.unsubscribe("kept:a", client=client.status.client, ending=codes.INVALIDATED))
        await rejoined(followed)
        await client.publish("kept:a", 1)
        assert [(message.data, message.after_gap) for message in await take(followed, 2)] == [(0, False), (1, True)]
