"""A reverse proxy as they stand before servers: HTTP/1.0 to the server, as nginx speaks it unless it is told not to. It
buffers nothing, and blocks what it shall. It ends every connection with the response.
"""

import asyncio
from collections.abc import Collection

from tests.listening import stop_listening


class Proxy:
    """Before the server at ``upstream``. Requests for the paths in ``blocked`` are answered with 403."""

    def __init__(self, upstream: int, *, version: str = "1.0", blocked: Collection[str] = ()) -> None:
        self.port = 0
        self.blocked = set(blocked)
        self.asked: list[str] = []
        """The paths of the requests that came."""
        self.answers: list[bytes] = []
        """The heads of the server's responses."""
        self._upstream = upstream
        self._version = version
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        await stop_listening(self._server)
        self.cut()
        if self._tasks:
            await asyncio.wait(self._tasks)
        await self._server.wait_closed()

    def cut(self) -> None:
        """Cut every connection without a word."""
        for writer in self._open:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self._open.add(writer)
        try:
            await self._pass(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self._open.discard(writer)
            writer.transport.abort() if writer.transport.is_closing() else writer.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").rstrip().split("\r\n")
        method, target, _ = first.split(" ")
        path = target.partition("?")[0]
        self.asked.append(path)
        headers = [line for line in lines if not line.lower().startswith(("connection:", "keep-alive:", "upgrade:"))]
        length = next((int(line[15:]) for line in lines if line.lower().startswith("content-length:")), 0)
        body = await reader.readexactly(length)
        if path in self.blocked:
            writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            await writer.drain()
            return
        head = "\r\n".join([f"{method} {target} HTTP/{self._version}", *headers, "Connection: close", "", ""])
        await self._relay(head.encode("latin-1") + body, reader, writer)

    async def _relay(self, request: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_server, to_server = await asyncio.open_connection("127.0.0.1", self._upstream)
        self._open.add(to_server)
        leaving = asyncio.ensure_future(reader.read())
        leaving.add_done_callback(lambda _: to_server.transport.abort())
        try:
            to_server.write(request)
            answer = await from_server.readuntil(b"\r\n\r\n")
            self.answers.append(answer)
            while answer:
                writer.write(answer)
                await writer.drain()
                answer = await from_server.read(65_536)
        finally:
            self._open.discard(to_server)
            leaving.cancel()
            to_server.transport.abort()
