"""HTTP as a client reads it from the socket: nothing of a library between a test and the bytes."""

import asyncio
from typing import Any, Self
from urllib.parse import quote

import msgspec

from tests.integration.native.serving import Server
from tests.patience import DEADLINE_S

Event = dict[str, str]
"""A block of an EventSource: its fields. Several lines of data are one text, a comment is the field ``""``."""


class Incoming:
    """One request and the response to it, as it comes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.status = 0
        self.headers: dict[str, str] = {}
        self._text = b""

    @classmethod
    async def dial(cls, server: Server | int) -> Self:
        port = server if isinstance(server, int) else server.port
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    @classmethod
    async def get(cls, server: Server | int, target: str, **options: Any) -> Self:
        incoming = await cls.dial(server)
        await incoming.ask("GET", target, **options)
        return incoming

    @classmethod
    async def post(cls, server: Server | int, target: str, body: object, **options: Any) -> Self:
        incoming = await cls.dial(server)
        await incoming.ask("POST", target, body=body, **options)
        return incoming

    async def ask(self, method: str, target: str, *, body: object = None, version: str = "1.1", **headers: str) -> None:
        """Send a request and read the head of the answer. Underscores in the names of headers are hyphens."""
        content = body if isinstance(body, bytes) else b"" if body is None else msgspec.json.encode(body)
        lines = [f"{method} {target} HTTP/{version}", "Host: here"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        if content:
            lines.append(f"Content-Length: {len(content)}")
        self.writer.write("\r\n".join([*lines, "", ""]).encode() + content)
        await self.read_head()

    async def read_head(self) -> None:
        first, *lines = (await self._until(b"\r\n\r\n")).decode().strip().split("\r\n")
        self.status = int(first.split(" ")[1])
        pairs = (line.split(": ", 1) for line in lines)
        self.headers = {name.lower(): value for name, value in pairs}

    async def _until(self, end: bytes) -> bytes:
        return await asyncio.wait_for(self.reader.readuntil(end), DEADLINE_S)

    async def _more(self) -> bool:
        """Read on. ``False`` at the end of the response."""
        if self.headers.get("transfer-encoding") == "chunked":
            size = int(await self._until(b"\r\n"), 16)
            content = await asyncio.wait_for(self.reader.readexactly(size + 2), DEADLINE_S)
            assert content.endswith(b"\r\n")
            self._text += content[:-2]
            return size > 0
        more = await asyncio.wait_for(self.reader.read(65_536), DEADLINE_S)
        self._text += more
        return bool(more)

    async def line(self) -> bytes:
        """The next line, without its end."""
        while b"\n" not in self._text:
            assert await self._more(), "the response ended"
        line, _, self._text = self._text.partition(b"\n")
        return line

    async def json(self) -> Any:
        return msgspec.json.decode(await self.line())

    async def block(self) -> Event:
        """The next block of an EventSource, whatever is in it."""
        fields: Event = {}
        while line := (await self.line()).rstrip(b"\r").decode():
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            fields[name] = f"{fields[name]}\n{value}" if name in fields else value
        return fields

    async def event(self) -> Event:
        """The next block that a reader gets to see."""
        while "data" not in (block := await self.block()):
            pass
        return block

    async def data(self, number: int) -> list[Any]:
        """The data of the next events."""
        return [msgspec.json.decode((await self.event())["data"]) for _ in range(number)]

    async def rest(self) -> bytes:
        """All that comes until the response ends, or all of a body whose length is known."""
        if length := self.headers.get("content-length"):
            return await asyncio.wait_for(self.reader.readexactly(int(length)), DEADLINE_S)
        while await self._more():
            pass
        rest, self._text = self._text, b""
        return rest

    async def has_ended(self) -> bool:
        """Whether the server lets the connection go."""
        try:
            while await asyncio.wait_for(self.reader.read(65_536), DEADLINE_S):
                pass
        except ConnectionError:
            pass
        self.drop()
        return True

    def drop(self) -> None:
        """Be gone without a word."""
        self.writer.transport.abort()


class Session:
    """The native dialect over HTTP, spoken by hand: a stream, and requests that name its session."""

    def __init__(self, server: Server | int, stream: Incoming, kind: str) -> None:
        self.server = server
        self.stream = stream
        self.secret = self.node = ""
        self._kind = kind

    @classmethod
    async def open(cls, server: Server | int, kind: str, connect: object = None) -> Self:
        command = msgspec.json.encode(connect or {"id": 1, "connect": {}})
        if kind == "sse":
            stream = await Incoming.get(server, f"/connection/sse?cf_connect={quote(command)}")
        else:
            stream = await Incoming.post(server, "/connection/http_stream", command)
        assert stream.status == 200
        return cls(server, stream, kind)

    async def connected(self) -> Any:
        """The reply to the connect command, with which the session begins."""
        reply = (await self.next())["connect"]
        self.secret, self.node = reply["session"], reply["node"]
        return reply

    async def next(self) -> Any:
        """What the server says next."""
        if self._kind == "sse":
            return msgspec.json.decode((await self.stream.event())["data"])
        return await self.stream.json()

    async def say(self, *commands: object) -> int:
        """Send commands in one request. Returns the status of the answer."""
        text = "\n".join(msgspec.json.encode(command).decode() for command in commands)
        body = {"session": self.secret, "node": self.node, "data": text}
        answer = await Incoming.post(self.server, "/emulation", body, content_type="application/json")
        answer.drop()
        return answer.status
