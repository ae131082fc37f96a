"""The two servers that were moved over, run as their heads say; tests/integration/porting drives them harder."""

import json
from typing import Any

import socketio
from websockets.asyncio.client import ClientConnection, connect

from tests.examples.driving import serving, soon

END = "\x1e"


class Player:
    """A SignalR client that knows no more than it needs here."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._records: list[str] = []

    async def say(self, **message: Any) -> None:
        await self._socket.send(json.dumps(message) + END)

    async def hear(self) -> dict[str, Any]:
        while not self._records:
            self._records = str(await soon(self._socket.recv())).split(END)[:-1]
        message: dict[str, Any] = json.loads(self._records.pop(0))
        return message

    async def invoke(self, target: str, *arguments: object) -> Any:
        await self.say(type=1, invocationId="1", target=target, arguments=arguments)
        while (message := await self.hear())["type"] != 3:
            pass
        return message["result"]


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
            ann = Player(socket)
            await ann.say(protocol="json", version=1)
            assert await ann.hear() == {}
            assert await ann.invoke("OpenBoard", "kitchen") == ["to do", "doing", "done"]
            assert await ann.invoke("MoveCard", {"title": "tiles", "column": "done"}) == "done"
