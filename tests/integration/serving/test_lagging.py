"""A client that does not read is behind as far as the hub sees: the system keeps little for it on top."""

import asyncio
import json
import socket
import sys
from pathlib import Path

import pytest
from websockets.asyncio.client import connect

from tests.integration.serving.processes import Guests, Kept, Start

SIZE = 20_000
QUEUE_BYTES = 1_048_576
SLACK_BYTES = 600_000
"""For what the system may hold unsent, what is on its way, and the buffers of both event loops."""


@pytest.mark.skipif(sys.platform != "linux", reason="what a system keeps for a connection is its own affair")
async def test_who_reads_nothing_is_closed_soon_after_its_queue_is_full(
    start: Start, guests: Guests, folder: Path
) -> None:
    serving = await asyncio.to_thread(start)
    publisher, asking = await guests.come(serving.url), await guests.keep(serving.port)
    key = (folder / "vagus-data" / "api_key").read_text().strip()
    small = socket.socket()
    small.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    small.connect(("127.0.0.1", serving.port))
    async with connect(
        f"ws://127.0.0.1:{serving.port}/connection/websocket", sock=small, max_queue=1, close_timeout=0
    ) as lazy:
        await lazy.send('{"id":1,"connect":{}}\n{"id":2,"subscribe":{"channel":"news"}}')
        assert '"id":1' in str(await lazy.recv())
        assert await is_followed(asking, key)
        sent = 0
        while await is_followed(asking, key):
            assert sent < QUEUE_BYTES + SLACK_BYTES, "the system takes it all"
            await publisher.ask("publish", {"channel": "news", "data": "x" * SIZE})
            sent += SIZE
    assert [event["code"] for event in await serving.heard("client_aborted")] == [3008]
    assert sent > QUEUE_BYTES


async def is_followed(asking: Kept, key: str) -> bool:
    """Whether anybody follows the channel, as the server knows at this moment."""
    status, _, body = await asking.ask("POST /api/channels", f"X-API-Key: {key}\r\n", "{}")
    assert status == 200
    return "news" in json.loads(body)["result"]["channels"]
