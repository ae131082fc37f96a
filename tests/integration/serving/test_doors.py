"""Whose pages may connect, what the log says of those that may not, and WebSockets that are nobody's."""

import asyncio

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Origin

from tests.integration.serving.processes import Guests, Serving, Start

HANDSHAKE = (
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)


async def status_of(serving: Serving, origin: str, path: str = "/connection/websocket") -> int:
    try:
        async with connect(f"ws://127.0.0.1:{serving.port}{path}", origin=Origin(origin)):
            return 101
    except InvalidStatus as refused:
        return refused.response.status_code


async def test_pages_of_the_own_host_may_connect_beside_those_that_are_named(start: Start) -> None:
    serving = await asyncio.to_thread(start, VAGUS_ACCESS__ORIGINS="https://www.example.com")
    assert await status_of(serving, serving.url.rstrip("/")) == 101
    assert await status_of(serving, "https://www.example.com") == 101
    assert [await status_of(serving, "https://elsewhere.example") for _ in range(3)] == [403] * 3
    assert [event["origin"] for event in await serving.heard("origin_refused")] == ["https://elsewhere.example"]


@pytest.mark.parametrize("is_first", [True, False])
async def test_a_websocket_that_is_nobodys_is_no_error(start: Start, guests: Guests, is_first: bool) -> None:
    serving = await asyncio.to_thread(start)
    asking = await guests.keep(serving.port)
    if is_first:
        assert await status_of(serving, serving.url.rstrip("/"), "/wp-admin") == 404
    else:
        status, _, body = await asking.ask("GET /wp-admin", HANDSHAKE)
        assert (status, body) == (404, b"there is nothing here\n")
    assert not [line for line in serving.lines if "error" in line]
