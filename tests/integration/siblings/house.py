"""Nodes behind one port: servers that know each other by a folder, and a door that leads to each of them in turn."""

import asyncio
from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path
from typing import Any, Final

from tests.integration.native.serving import LoopThread, Server
from tests.listening import stop_listening
from vagus import Caller, Hub
from vagus.broker import Broker
from vagus.gateway.siblings import Siblings

ANYONE: Final = ("anyone",)


class SiblingServer(Server):
    """A server that gives connections to its siblings, and takes theirs."""

    def __init__(self, thread: LoopThread, folder: Path) -> None:
        super().__init__(thread)
        self.siblings: Siblings
        self._folder = folder

    async def _start(self) -> None:
        await super()._start()
        assert self._running is not None
        server, _ = self._running

        def make() -> asyncio.Protocol:
            front: Any = server.config.http
            protocol: asyncio.Protocol = front(server.config, server.server_state, {})
            return protocol

        self.siblings = Siblings(self._folder, self.hub.node_id)
        await self.siblings.listen(make)
        self.gate.siblings = self.siblings

    async def _stop(self) -> None:
        if self._running is not None:
            await self.siblings.close()
        await super()._stop()


class Door:
    """Takes connections at one port and gives each to the next server in turn, byte for byte."""

    def __init__(self) -> None:
        self.port = 0
        self.taken = 0
        self._listener: asyncio.Server | None = None
        self._servers: list[Server] = []
        self._turns = count()
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def site(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    async def open(self, *servers: Server) -> None:
        self._servers = list(servers)
        self._listener = await asyncio.start_server(self._pass, "127.0.0.1", 0)
        self.port = self._listener.sockets[0].getsockname()[1]

    async def close(self) -> None:
        if self._listener is None:
            return
        await stop_listening(self._listener)
        for writer in self._open:
            writer.transport.abort()
        if self._tasks:
            await asyncio.wait(self._tasks)
        await self._listener.wait_closed()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.taken += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        server = self._servers[next(self._turns) % len(self._servers)]
        self._open.add(writer)
        try:
            answers, onwards = await asyncio.open_connection("127.0.0.1", server.port)
        except OSError:  # it was stopped
            self._open.discard(writer)
            writer.close()
            return
        self._open.add(onwards)
        await asyncio.gather(_copy(reader, onwards), _copy(answers, writer))
        self._open -= {writer, onwards}


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


def furnished_hub(broker: Broker | None = None) -> Hub:
    """A hub with something to call; only ``node`` says which one it is."""
    hub = Hub(open_to_all=True, broker=broker)
    chat = hub.section("chat", allow=ANYONE)

    @hub.call("double", allow=ANYONE)
    async def double(caller: Caller, number: int) -> int:
        return 2 * number

    @chat.call("add")
    async def add(caller: Caller, *numbers: int) -> int:
        return sum(numbers)

    @chat.call("echo")
    async def echo(caller: Caller, *values: Any) -> Any:
        return values[0]

    @chat.call("node")
    async def node(caller: Caller) -> str:
        return hub.node_id

    @chat.call("count")
    async def counted(caller: Caller, number: int) -> AsyncIterator[int]:
        for each in range(number):
            yield each

    @chat.call("total")
    async def total(caller: Caller, numbers: AsyncIterator[int]) -> int:
        return sum([number async for number in numbers])

    return hub


def home_of(servers: list[SiblingServer], client: str) -> SiblingServer:
    return next(server for server in servers if client in server.hub.clients)
