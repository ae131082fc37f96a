"""The two servers that were moved over, as their heads say to run them; tests/integration/porting drives them harder."""

import json
from typing import Any

import socketio
from websockets.asyncio.client import connect

from tests.examples.driving import serving, soon

END = "\x1e"


async def test_the_chat_delivers() -> None:
    async with serving("examples.ported_chat") as server:
        async with socketio.AsyncSimpleClient() as ann, socketio.AsyncSimpleClient() as ben:
            for client, token in ((ann, "token-of-ann"), (ben, "token-of-ben")):
                await soon(client.connect(server.url, namespace="/chat", auth={"token": token}))
            assert await soon(ann.receive()) == ["joined", "ben"]
            assert await soon(ann.call("message", "hello")) == "delivered"
            assert await soon(ben.receive()) == ["message", "ann", "hello"]


async def test_the_board_moves_cards() -> None:
    async with serving("examples.ported_hub") as server:
        url = server.url.replace("http", "ws") + "/hubs/board?access_token=token-of-ann"
        async with connect(url, proxy=None) as socket:
            await socket.send(json.dumps({"protocol": "json", "version": 1}) + END)
            assert await soon(socket.recv()) == "{}" + END
            for id, target, arguments in (
                ("1", "OpenBoard", ["a"]),
                ("2", "MoveCard", [{"title": "b", "column": "done"}]),
            ):
                message = {"type": 1, "invocationId": id, "target": target, "arguments": arguments}
                await socket.send(json.dumps(message) + END)
            assert [(await completion(socket))["result"] for _ in range(2)] == [["to do", "doing", "done"], "done"]


async def completion(socket: Any) -> dict[str, Any]:
    """The next message that is no ping. Each is in a frame of its own, since each is waited for."""
    while True:
        message: dict[str, Any] = json.loads((await soon(socket.recv())).removesuffix(END))
        if message["type"] == 3:
            return message
