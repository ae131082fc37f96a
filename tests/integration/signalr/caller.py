"""SignalR by hand: bare requests and bare WebSockets, for what no client library would do."""

import asyncio
import json
from typing import Any, Self

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.patience import DEADLINE_S

END = "\x1e"
HELLO = '{"protocol":"json","version":1}' + END


def record(**fields: Any) -> str:
    return json.dumps(fields) + END


class Caller:
    """Requests to one hub."""

    def __init__(self, port: int, hub: str) -> None:
        self.address = f"127.0.0.1:{port}/hubs/{hub}"
        self.http = httpx.AsyncClient(timeout=DEADLINE_S, limits=httpx.Limits(max_connections=1_000), trust_env=False)
        self._sockets: list[Socket] = []

    async def close(self) -> None:
        for socket in self._sockets:
            await socket.connection.close()
        await self.http.aclose()

    async def negotiate(self, query: str = "negotiateVersion=1", **options: Any) -> httpx.Response:
        return await self.http.post(f"http://{self.address}/negotiate?{query}", **options)

    async def token(self, query: str = "negotiateVersion=1") -> str:
        return str((await self.negotiate(query)).json()["connectionToken"])

    async def request(self, method: str, query: str = "", **options: Any) -> httpx.Response:
        return await self.http.request(method, f"http://{self.address}?{query}", **options)

    async def socket(self, query: str = "", **options: Any) -> "Socket":
        """A WebSocket; raises ``InvalidStatus`` where it is refused."""
        socket = await Socket.opened(f"ws://{self.address}?{query}", **options)
        self._sockets.append(socket)
        return socket

    async def greeted(self, query: str = "") -> "Socket":
        """A WebSocket after its handshake."""
        socket = await self.socket(query)
        await socket.send(HELLO)
        assert await socket.record() == {}
        return socket

    async def polled(self) -> str:
        """The token of a session that is greeted over long polling."""
        token = await self.token()
        assert (await self.request("GET", f"id={token}")).status_code == 200
        await self.request("POST", f"id={token}", content=HELLO)
        assert (await self.request("GET", f"id={token}")).text == "{}" + END
        return token


class Socket:
    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self._records: list[str] = []

    @classmethod
    async def opened(cls, url: str, **options: Any) -> Self:
        return cls(
            await connect(url, proxy=None, open_timeout=DEADLINE_S, ping_interval=None, max_size=None, **options)
        )

    async def send(self, data: str | bytes) -> None:
        await self.connection.send(data)

    async def say(self, **fields: Any) -> None:
        await self.send(record(**fields))

    async def record(self) -> dict[str, Any]:
        """The next record, whatever frame it is in."""
        while not self._records:
            frame = await asyncio.wait_for(self.connection.recv(), DEADLINE_S)
            self._records = (frame if isinstance(frame, str) else frame.decode()).split(END)[:-1]
        return dict(json.loads(self._records.pop(0)))

    async def result(self, target: str, *arguments: object, id: str = "1") -> dict[str, Any]:
        """What an invocation is answered; other records before it are dropped."""
        await self.say(type=1, invocationId=id, target=target, arguments=arguments)
        while (said := await self.record()).get("type") != 3 or said["invocationId"] != id:
            pass
        return said

    async def last_words(self) -> tuple[list[dict[str, Any]], int]:
        """What the server says until it closes, and the code of its close frame."""
        said: list[dict[str, Any]] = []
        try:
            while True:
                said.append(await self.record())
        except ConnectionClosed as end:
            assert end.rcvd is not None, "the server went away without a close frame"
            return said, end.rcvd.code
