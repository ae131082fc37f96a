"""The README's example over plain sockets: what goes over the wire, line for line, with no client library between."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect

from tests.examples.driving import Server, serving, soon


class Shopper:
    """A WebSocket that sends commands and reads replies, one JSON object at a time."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._lines: list[dict[str, Any]] = []
        self._number = 0

    async def ask(self, **command: object) -> dict[str, Any]:
        """Send a command and return its reply; pushes that come before it wait."""
        self._number += 1
        await self._socket.send(json.dumps({"id": self._number, **command}))
        waiting = []
        while (line := await self.next()).get("id") != self._number:
            waiting.append(line)
        self._lines = waiting + self._lines
        return line

    async def next(self) -> dict[str, Any]:
        if not self._lines:
            message = await soon(self._socket.recv())
            self._lines = [json.loads(line) for line in message.split("\n")]
        return self._lines.pop(0)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with serving("examples.orders") as running:
        yield running


async def enter(server: Server, token: str) -> Shopper:
    shopper = Shopper(await connect(f"ws://127.0.0.1:{server.port}/connection/websocket", proxy=None))
    reply = await shopper.ask(connect={"token": token})
    assert reply["connect"]["pong"] is True
    return shopper


async def test_a_customer_cancels_an_order_and_the_shop_sees_it(server: Server) -> None:
    ann, shop = await enter(server, "token-of-ann"), await enter(server, "token-of-the-shop")
    for shopper in (ann, shop):
        assert "subscribe" in await shopper.ask(subscribe={"channel": "orders:1"})

    reply = await ann.ask(rpc={"method": "orders.cancel", "data": {"order_id": "1", "reason": "too late"}})

    assert reply["rpc"]["data"] == {"order_id": "1", "refund_cents": 1250}
    for shopper in (ann, shop):
        push = (await shopper.next())["push"]
        assert push["channel"] == "orders:1"
        assert push["pub"]["data"] == {"status": "cancelled", "reason": "too late"}
        assert push["pub"]["tags"] == {"kind": "status"}


async def test_nobody_follows_or_cancels_what_is_not_theirs(server: Server) -> None:
    ben = await enter(server, "token-of-ben")
    assert (await ben.ask(subscribe={"channel": "orders:1"}))["error"]["code"] == 103
    reply = await ben.ask(rpc={"method": "orders.cancel", "data": {"order_id": "1"}})
    assert reply["error"] == {"code": 404, "message": "no such order"}


async def test_what_was_shipped_cannot_be_cancelled_and_a_request_must_fit_its_type(server: Server) -> None:
    ann = await enter(server, "token-of-ann")
    reply = await ann.ask(rpc={"method": "orders.cancel", "data": {"order_id": "2"}})
    assert reply["error"] == {"code": 409, "message": "already shipped"}
    reply = await ann.ask(rpc={"method": "orders.cancel", "data": {}})
    assert reply["error"]["code"] == 107
    assert "order_id" in reply["error"]["message"]
    assert (await ann.ask(presence={"channel": "orders:1"}))["error"]["code"] == 103
