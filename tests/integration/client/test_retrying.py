"""Servers that are not there, come later, or send a client away; and clients that are closed or cancelled."""

import asyncio
import socket
from typing import Any

import pytest

from tests.integration.client.conftest import QUICKLY, OpenClient, Serve
from tests.integration.client.following import status, take
from tests.integration.native.serving import LoopThread
from vagus import Caller, Hub, Limits
from vagus.client import Client, DisconnectError, NotConnectedError, Retry, UnansweredError
from vagus.kernel.codes import Closure


def unused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


@pytest.mark.parametrize(("tries", "told"), [(1, "1 retry"), (3, "3 retries")])
async def test_a_client_gives_up_after_its_tries(open_client: OpenClient, tries: int, told: str) -> None:
    client = await open_client(f"http://127.0.0.1:{unused_port()}", retry=Retry(tries=tries, min_s=0.01, max_s=0.02))
    waiting = [client.publish("news", 1), client.call("echo", 1), client.subscribe("news").start()]
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(result) for result in results] == [NotConnectedError] * 3
    assert f"given up after {told}: no connection" in str(results[0])
    assert client.status.state == "error"


async def test_each_attempt_is_told_with_the_time_of_the_next(open_client: OpenClient) -> None:
    client = await open_client(f"http://127.0.0.1:{unused_port()}", retry=Retry(tries=None, min_s=0.05, max_s=0.05))
    told = []
    async for now in client.watch():
        told.append(now)
        if now.attempt == 3:
            break
    assert [now.attempt for now in told] == [0, 1, 2, 3]
    assert {now.state for now in told} == {"connecting"}
    assert all(now.retry_at is not None and now.since < now.retry_at <= now.since + 0.06 for now in told[1:])


async def test_the_first_retry_comes_within_two_seconds() -> None:
    client = Client(f"http://127.0.0.1:{unused_port()}")
    async with client:
        lost = await status(client, "connecting")
        while not lost.attempt:
            lost = await anext(client.watch())
            await asyncio.sleep(0)
        assert lost.retry_at is not None and 0 < lost.retry_at - lost.since <= 2


async def test_a_server_that_comes_later_is_found(serve: Serve, open_client: OpenClient) -> None:
    server = await serve(Hub(open_to_all=True))
    await server.stop()
    client = await open_client(server.url)
    call = asyncio.create_task(client.call("echo", 7))
    while not client.status.attempt:  # noqa: ASYNC110 - the first attempt has failed
        await asyncio.sleep(0)
    hub = Hub(open_to_all=True)
    hub.call("echo", allow=("anyone",))(echo)
    await server.start(hub)
    assert await call == 7


def echo(caller: Caller, value: int) -> int:
    return value


async def test_a_refused_handshake_is_tried_again_and_told(serve: Serve, open_client: OpenClient) -> None:
    server = await serve(Hub(open_to_all=True))
    client = await open_client(server.url.replace("websocket", "nowhere"), retry=Retry(tries=1, min_s=0.01))
    with pytest.raises(NotConnectedError, match="HTTP 404"):
        await client.ready()


async def test_a_proxy_that_is_none_is_told_without_its_password(open_client: OpenClient) -> None:
    client = await open_client("http://example.com", proxy="nothing://ada:secret@proxy")
    with pytest.raises(NotConnectedError, match="proxy") as caught:
        await client.ready()
    assert "secret" not in str(caught.value) + client.status.reason


@pytest.mark.parametrize("code", [3503, 3504, 4500])
async def test_some_closures_are_the_end(serve: Serve, open_client: OpenClient, code: int) -> None:
    server = await serve(Hub(open_to_all=True))
    client = await open_client(server.url)
    async with client.subscribe("news") as news:
        await server.on(server.hub.disconnect(client=client.status.client, closure=Closure(code, "go away")))
        with pytest.raises(DisconnectError) as caught:
            await take(news, 1)
    assert caught.value.closure == Closure(code, "go away")
    assert client.status.state == "error"


@pytest.mark.parametrize("code", [3001, 3011, 4000])
async def test_after_other_closures_the_client_comes_back(serve: Serve, open_client: OpenClient, code: int) -> None:
    server = await serve(Hub(open_to_all=True))
    client = await open_client(server.url)
    await client.ready()
    told = client.watch()
    first = await anext(told)
    await server.on(server.hub.disconnect(client=first.client, closure=Closure(code, "come back")))
    lost, back = await anext(told), await anext(told)
    assert (lost.state, lost.code, lost.reason) == ("connecting", code, "come back")
    assert (back.state, back.code, back.client != first.client) == ("connected", 0, True)


async def test_what_is_too_large_for_the_server_harms_nothing_else(serve: Serve, open_client: OpenClient) -> None:
    client = await open_client((await serve(Hub(open_to_all=True, limits=Limits(message_bytes=1000)))).url)
    async with client.subscribe("news") as news:
        for size in (2000, 10_000_000):  # the second is refused before all of it has left
            with pytest.raises(ValueError, match="more than the server takes"):
                await client.call("echo", "x" * size)
        texts = ["before it", "x" * 2000, "after it"]
        made = await asyncio.gather(*(client.publish("news", text) for text in texts), return_exceptions=True)
        assert [isinstance(each, ValueError) for each in made] == [False, True, False]
        assert [(await anext(news)).data, (await anext(news)).data] == ["before it", "after it"]
        with pytest.raises(ValueError, match="bytes"):
            await client.send("note", "x" * 70_000)


async def test_a_subscription_that_is_too_large_for_the_server_is_the_end(
    serve: Serve, open_client: OpenClient
) -> None:
    client = await open_client((await serve(Hub(open_to_all=True, limits=Limits(message_bytes=1000)))).url)
    with pytest.raises(DisconnectError) as caught:
        await client.subscribe("news", data="x" * 2000).start()
    assert caught.value.closure.code == 1009


async def test_closing_ends_all_that_goes_on(serve: Serve, server_thread: LoopThread) -> None:
    hub, enough = Hub(open_to_all=True), asyncio.Event()

    @hub.call("wait", allow=("anyone",))
    async def wait(caller: Caller) -> None:
        await enough.wait()

    server = await serve(hub)
    async with Client(server.url) as client, client.subscribe("news") as news:
        taking = asyncio.create_task(_collect(news))
        calling = asyncio.create_task(client.call("wait"))
        watching = asyncio.create_task(_last(client))
        await client.ready()
        await asyncio.sleep(0)
    with pytest.raises(UnansweredError):
        await calling
    assert (await taking, (await watching).state) == ([], "disconnected")
    with pytest.raises(NotConnectedError, match="closed"):
        await client.call("wait")
    server_thread.loop.call_soon_threadsafe(enough.set)


async def _collect(messages: Any) -> list[Any]:
    return [message async for message in messages]


async def _last(client: Client) -> Any:
    told = [now async for now in client.watch()]
    return told[-1]


async def test_iterating_without_async_with_is_told_at_once(serve: Serve, open_client: OpenClient) -> None:
    server = await serve(Hub(open_to_all=True))
    news = (await open_client(server.url)).subscribe("news")
    with pytest.raises(ValueError, match="news: not subscribed; write `async with client"):
        await take(news, 1)
    async with news:
        await server.publish("news", 1)
        assert [message.data for message in await take(news, 1)] == [1]


async def test_messages_of_a_client_that_was_not_started_are_refused() -> None:
    client = Client(f"http://127.0.0.1:{unused_port()}")
    with pytest.raises(NotConnectedError, match="not been started"):
        await anext(client.messages())


async def test_closing_while_it_connects_leaves_nothing_behind(open_client: OpenClient) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        client = await open_client(f"http://127.0.0.1:{deaf.getsockname()[1]}")
        followed = asyncio.create_task(client.subscribe("news").start())
        await asyncio.sleep(0.01)
        await client.close()
    with pytest.raises(NotConnectedError):
        await followed


async def test_cancelling_a_wait_leaves_nothing_behind(serve: Serve, open_client: OpenClient) -> None:
    server = await serve(Hub(open_to_all=True))
    await server.stop()
    client = await open_client(server.url)
    waiting = [
        asyncio.create_task(each)
        for each in (client.publish("news", 1), client.call("echo"), client.subscribe("news").start(), client.ready())
    ]
    await asyncio.sleep(0.01)
    for task in waiting:
        task.cancel()
    assert all(
        isinstance(each, asyncio.CancelledError) for each in await asyncio.gather(*waiting, return_exceptions=True)
    )
    await server.start(Hub(open_to_all=True))
    async with client.subscribe("news") as news:
        await client.publish("news", 2)
        assert (await take(news, 1))[0].data == 2


async def test_a_client_is_started_once(serve: Serve, open_client: OpenClient) -> None:
    client = await open_client((await serve(Hub(open_to_all=True))).url)
    with pytest.raises(ValueError, match="started once"):
        await client.start()


async def test_a_client_that_was_not_started_says_so() -> None:
    with pytest.raises(NotConnectedError, match="not been started"):
        await Client("http://127.0.0.1:1", retry=QUICKLY).ready()
