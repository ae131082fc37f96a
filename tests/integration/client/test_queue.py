"""Publications that wait for a connection: in order, once each, bounded."""

import asyncio
import sys
from typing import Any, Final

import pytest

from tests.integration.client.conftest import OpenClient, Serve
from tests.integration.native.serving import Server
from tests.patience import DEADLINE_S
from vagus import ChannelRule, Hub, Last, Limits, Query, Rate
from vagus.client import NotConnectedError, QueueFullError, RefusedError

OPEN: dict[str, Any] = {"subscribe": ("anyone",), "publish": ("anyone",)}

FORKED: Final = """
import asyncio, os, sys
from vagus.client import Client

client = Client(sys.argv[1])

async def publish():
    async with client, asyncio.timeout(float(sys.argv[2])):
        assert not (await client.publish("kept:a", 1)).repeated

for _ in range(2):
    child = os.fork()
    if not child:
        asyncio.run(publish())
        sys.exit()
    assert os.waitpid(child, 0)[1] == 0
"""


def open_hub(**limits: Any) -> Hub:
    kept = ChannelRule(pattern="kept:{name}", history=Last(5_000, minutes=1), **OPEN)
    return Hub(rules=[kept], allow_anonymous=True, limits=Limits(history=5_000, **limits))


async def kept(server: Server, channel: str) -> list[Any]:
    """What the server has of a channel, in its order."""
    page = await server.on(server.hub.history(channel, Query(limit=5_000)))
    return [int(bytes(publication.data)) for publication in page.publications]


async def test_a_thousand_wait_for_a_server_and_are_made_once_in_order(serve: Serve, open_client: OpenClient) -> None:
    server = await serve(open_hub())
    await server.stop()
    client = await open_client(server.url)
    sent = [asyncio.create_task(client.publish("kept:a", number)) for number in range(1_000)]
    while client.queued < 1_000:  # noqa: ASYNC110 - each has been put into the queue
        await asyncio.sleep(0)
    await server.start(open_hub())
    receipts = await asyncio.gather(*sent)
    assert await kept(server, "kept:a") == list(range(1_000))
    assert [receipt.offset for receipt in receipts] == list(range(1, 1_001))


async def test_cut_again_and_again_each_is_made_once_in_order(serve: Serve, open_client: OpenClient) -> None:
    server = await serve(open_hub())
    client = await open_client(server.url, queue=5_000)
    sent = asyncio.gather(*(client.publish("kept:a", number) for number in range(3_000)))
    while client.queued:
        queued = client.queued
        while client.queued == queued:  # noqa: ASYNC110 - until a batch was answered
            await asyncio.sleep(0)
        await server.cut()
    await sent
    assert await kept(server, "kept:a") == list(range(3_000))


async def test_one_too_many_is_refused(serve: Serve, open_client: OpenClient) -> None:
    server = await serve(open_hub())
    await server.stop()
    client = await open_client(server.url, queue=2)
    waiting = [asyncio.create_task(client.publish("kept:a", number)) for number in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(QueueFullError, match="2 publications wait"):
        await client.publish("kept:a", 2)
    await client.close()
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(result) for result in results] == [NotConnectedError] * 2


async def test_one_that_is_taken_back_is_not_made(serve: Serve, open_client: OpenClient) -> None:
    server = await serve(open_hub())
    await server.stop()
    client = await open_client(server.url)
    sent = [asyncio.create_task(client.publish("kept:a", number)) for number in range(3)]
    await asyncio.sleep(0)
    sent[1].cancel()
    await server.start(open_hub())
    await asyncio.gather(*sent, return_exceptions=True)
    assert await kept(server, "kept:a") == [0, 2]


async def test_those_that_are_given_up_take_no_room(serve: Serve, open_client: OpenClient) -> None:
    server = await serve(open_hub())
    await server.stop()
    client = await open_client(server.url, queue=2)
    for number in range(3):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.publish("kept:a", number), 0.01)
    assert client.queued == 0


async def test_one_that_the_server_cannot_read_harms_none_that_leave_with_it(
    serve: Serve, open_client: OpenClient
) -> None:
    server = await serve(open_hub())
    client = await open_client(server.url)
    tags: list[Any] = [None, {"size": 5}, None, None]
    made = await asyncio.gather(
        *(client.publish("kept:a", number, tags=each) for number, each in enumerate(tags)), return_exceptions=True
    )
    assert [isinstance(each, RefusedError) for each in made] == [False, True, False, False]
    assert await kept(server, "kept:a") == [0, 2, 3]


async def test_processes_that_share_a_client_by_a_fork_publish_each_for_itself(serve: Serve) -> None:
    server = await serve(open_hub())
    forking = await asyncio.create_subprocess_exec(sys.executable, "-c", FORKED, server.url, str(DEADLINE_S))
    assert await forking.wait() == 0
    assert await kept(server, "kept:a") == [1, 1]


async def test_large_ones_go_in_batches_that_the_server_takes(serve: Serve, open_client: OpenClient) -> None:
    server = await serve(open_hub())
    client = await open_client(server.url)
    receipts = await asyncio.gather(*(client.publish("kept:a", "x" * 20_000) for _ in range(20)))
    assert [receipt.offset for receipt in receipts] == list(range(1, 21))
    largest = await client.publish("kept:a", "x" * 59_800)
    assert largest.offset == 21
    with pytest.raises(ValueError, match="bytes"):
        await client.publish("kept:a", "x" * 60_000)


async def test_a_server_that_wants_them_slower_gets_them_slower(serve: Serve, open_client: OpenClient) -> None:
    server = await serve(open_hub(commands=Rate(per_s=100, burst=50)))
    client = await open_client(server.url)
    await asyncio.gather(*(client.publish("kept:a", number) for number in range(100)))
    assert await kept(server, "kept:a") == list(range(100))
