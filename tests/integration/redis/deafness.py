"""A way to Redis that loses what is published, and passes on everything else."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.integration.redis.servers import RedisServer
from tests.listening import stop_listening


class DeafProxy:
    """``url`` leads to a server; while ``is_deaf``, no messages of channels come back from there."""

    def __init__(self, server: RedisServer) -> None:
        self.is_deaf = False
        self.url = ""
        self._address = server.address
        self._writers: list[asyncio.StreamWriter] = []
        self._copying: list[asyncio.Task[None]] = []

    async def serve(self) -> asyncio.Server:
        serving = await asyncio.start_server(self._pass_on, "127.0.0.1", 0)
        self.url = f"redis://127.0.0.1:{serving.sockets[0].getsockname()[1]}"
        return serving

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, away = await asyncio.open_connection(*self._address)
        except OSError:  # it was stopped
            writer.close()
            return
        self._writers += [writer, away]
        self._copying += [
            asyncio.create_task(self._copy(reader, away, is_back=False)),
            asyncio.create_task(self._copy(there, writer, is_back=True)),
        ]

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, is_back: bool) -> None:
        try:
            while data := await reader.read(65_536):
                if not (is_back and self.is_deaf and b"message" in data):
                    writer.write(data)
        except ConnectionError:
            pass
        finally:
            writer.close()

    async def close(self) -> None:
        for writer in self._writers:
            writer.close()
        await asyncio.gather(*self._copying)


@asynccontextmanager
async def deaf_proxy(server: RedisServer) -> AsyncIterator[DeafProxy]:
    proxy = DeafProxy(server)
    serving = await proxy.serve()
    try:
        yield proxy
    finally:
        await stop_listening(serving)
        await proxy.close()
