"""A client that does not read is behind as far as the hub sees: the system keeps little for it on top."""

import asyncio
import socket
import sys

import pytest
from websockets.asyncio.client import connect

from tests.integration.serving.processes import Guests, Start

SIZE = 20_000
QUEUE_BYTES = 1_048_576
SLACK_BYTES = 600_000
"""For what the system may hold unsent, what is on its way, and the buffers of both event loops."""


@pytest.mark.skipif(sys.platform != "linux", reason="what a system keeps for a connection is its own affair")
async def test_who_reads_nothing_is_closed_soon_after_its_queue_is_full(start: Start, guests: Guests) -> None:
    serving = await asyncio.to_thread(start)
    publisher = await guests.come(serving.url)
    small = socket.socket()
    small.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    small.connect(("127.0.0.1", serving.port))
    async with connect(
        f"ws://127.0.0.1:{serving.port}/connection/websocket", sock=small, max_queue=1, close_timeout=0
    ) as lazy:
        await lazy.send('{"id":1,"connect":{}}\n{"id":2,"subscribe":{"channel":"news"}}')
        assert '"id":1' in str(await lazy.recv())
        sent = 0
        while not serving.events("client_aborted"):
            assert sent < QUEUE_BYTES + SLACK_BYTES, "the system takes it all"
            await publisher.ask("publish", {"channel": "news", "data": "x" * SIZE})
            sent += SIZE
    assert [event["code"] for event in serving.events("client_aborted")] == [3008]
    assert sent > QUEUE_BYTES
