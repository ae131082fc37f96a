"""A client of Engine.IO that does what it is told, right or wrong, in requests and WebSockets."""

import asyncio
import json
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Any, Self

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.integration.native.serving import Server
from tests.patience import DEADLINE_S

PATH = "/socket.io/"


class Poller:
    """Polling requests to a server. ``sid`` is that of the session that ``open`` began."""

    def __init__(self, server: Server) -> None:
        self._http = httpx.AsyncClient(base_url=server.site, timeout=DEADLINE_S, trust_env=False)
        self.sid = ""
        self.handshake: dict[str, Any] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        await self._http.aclose()

    async def open(self) -> Self:
        response = await self.get()
        assert response.status_code == 200, response.text
        assert response.text[0] == "0"
        self.handshake = json.loads(response.text[1:])
        self.sid = self.handshake["sid"]
        return self

    async def join(self, namespace: str = "", auth: object = None) -> str:
        """Join a namespace. Returns the socket's id."""
        prefix = f"/{namespace}," if namespace else ""
        await self.say("40" + prefix + ("" if auth is None else json.dumps(auth)))
        answer = await self.poll()
        assert answer.startswith("40" + prefix), answer
        return str(json.loads(answer[2 + len(prefix) :])["sid"])

    def query(self, **changed: str) -> dict[str, str]:
        fields = {"EIO": "4", "transport": "polling", "sid": self.sid, **changed}
        return {name: value for name, value in fields.items() if value}

    async def request(
        self,
        method: str,
        body: bytes | str | AsyncIterator[bytes] | None = None,
        headers: dict[str, str] | None = None,
        **query: str,
    ) -> httpx.Response:
        return await self._http.request(method, PATH, params=self.query(**query), content=body, headers=headers)

    async def get(self, **query: str) -> httpx.Response:
        return await self.request("GET", None, None, **query)

    async def post(self, body: bytes | str, headers: dict[str, str] | None = None, **query: str) -> httpx.Response:
        return await self.request("POST", body, headers or {"content-type": "text/plain;charset=UTF-8"}, **query)

    async def say(self, *packets: str) -> None:
        response = await self.post("\x1e".join(packets))
        assert (response.status_code, response.text) == (200, "ok"), response.text

    async def poll(self) -> str:
        """The body of the next GET."""
        response = await self.get()
        assert response.status_code == 200, response.text
        return response.text


class EngineSocket:
    """A WebSocket that speaks packets."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    @classmethod
    async def bare(cls, server: Server, query: str = "EIO=4&transport=websocket", **options: Any) -> Self:
        url = f"ws://127.0.0.1:{server.port}{PATH}?{query}"
        return cls(
            await connect(url, proxy=None, open_timeout=DEADLINE_S, ping_interval=None, max_size=None, **options)
        )

    @classmethod
    async def opened(cls, server: Server) -> Self:
        socket = await cls.bare(server)
        assert (await socket.hear())[0] == "0"
        return socket

    @classmethod
    async def joined(cls, server: Server, namespace: str = "", auth: object = None) -> Self:
        socket = await cls.opened(server)
        await socket.join(namespace, auth)
        return socket

    @classmethod
    async def probing(cls, server: Server, sid: str) -> Self:
        return await cls.bare(server, f"EIO=4&transport=websocket&sid={sid}")

    async def join(self, namespace: str = "", auth: object = None) -> dict[str, Any]:
        prefix = f"/{namespace}," if namespace else ""
        await self.say("40" + prefix + ("" if auth is None else json.dumps(auth)))
        answer = await self.hear()
        assert answer.startswith("40" + prefix), answer
        return dict(json.loads(answer[2 + len(prefix) :]))

    async def say(self, *packets: str | bytes) -> None:
        for packet in packets:
            await self.connection.send(packet)

    async def hear(self) -> str:
        """The next packet that is text."""
        packet = await asyncio.wait_for(self.connection.recv(), DEADLINE_S)
        assert isinstance(packet, str), packet
        return packet

    async def hear_binary(self) -> bytes:
        packet = await asyncio.wait_for(self.connection.recv(), DEADLINE_S)
        assert isinstance(packet, bytes), packet
        return packet

    async def ask(self, event: str, *args: object) -> Any:
        """The only argument of the ack. What comes before it is dropped."""
        await self.say("429" + json.dumps([event, *args]))
        while not (packet := await self.hear()).startswith("439"):
            pass
        answer = json.loads(packet[3:])
        return answer[0] if answer else None

    async def closed(self) -> int | None:
        """The code with which the server closes; what comes before is dropped."""
        try:
            while True:
                await asyncio.wait_for(self.connection.recv(), DEADLINE_S)
        except ConnectionClosed as end:
            return end.rcvd.code if end.rcvd is not None else None

    async def close(self) -> None:
        self.connection.transport.abort()
        await self.connection.wait_closed()
