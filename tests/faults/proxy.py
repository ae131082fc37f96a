"""A TCP proxy whose line can be made bad while it runs: between clients and a node, or a node and its servers.

What is said of its state holds for connections that exist and for new ones, until ``heal``. Connections that have lost
bytes are never continued: a line may be late or end, but it does not make things up.
"""

import asyncio
import contextlib
import random
import socket
import struct
from typing import Final, Literal

from tests.listening import stop_listening

Direction = Literal["up", "down"]
"""Up is from who connected to the target."""

CHUNK: Final = 16_384


class Link:
    """One connection through the proxy: two sockets and two pumps."""

    def __init__(self, near: asyncio.StreamWriter, far: asyncio.StreamWriter) -> None:
        self.near = near
        self.far = far
        self.swallowed: set[Direction] = set()
        """Where bytes were lost, so that it may not go on."""
        self.is_over = asyncio.Event()

    def reset(self) -> None:
        """End it as a crash does: without a word, and with a reset where the system can."""
        self.is_over.set()
        for writer in (self.near, self.far):
            sock = writer.get_extra_info("socket")
            if sock is not None and sock.fileno() >= 0:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()


class Proxy:
    """Listens on a free loopback port as long as it lives; ``target`` may move."""

    def __init__(self, rng: random.Random, target: tuple[str, int] | None = None) -> None:
        self.target = target
        self.port = 0
        self.connections = 0
        self._rng = rng
        self._links: set[Link] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._flows: dict[Direction, asyncio.Event] = {"up": asyncio.Event(), "down": asyncio.Event()}
        self._is_refusing = False
        self._delay_s = (0.0, 0.0)
        self._rate = 0.0
        self._swallowed: frozenset[Direction] = frozenset()
        self._allowance: dict[Direction, int | None] = {"up": None, "down": None}
        for flow in self._flows.values():
            flow.set()

    @property
    def address(self) -> tuple[str, int]:
        return ("127.0.0.1", self.port)

    @property
    def has_swallowed(self) -> bool:
        """Whether bytes of a connection that is still there were lost."""
        return any(link.swallowed for link in self._links)

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, limit=CHUNK)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        assert self._server is not None
        await stop_listening(self._server)
        for task in self._tasks:
            task.cancel()
        self.cut()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # faults

    def cut(self) -> None:
        """Reset every connection there is. New ones may come at once."""
        for link in list(self._links):
            link.reset()

    def refuse(self) -> None:
        """Cut, and reset whoever connects."""
        self._is_refusing = True
        self.cut()

    def stall(self, *directions: Direction) -> None:
        """Nothing moves, and nobody is told. ``heal`` lets it go on."""
        for direction in directions or ("up", "down"):
            self._flows[direction].clear()

    def delay(self, at_least_s: float, at_most_s: float) -> None:
        """Each piece is late, by a time that varies; order stays."""
        self._delay_s = (at_least_s, at_most_s)

    def limit(self, bytes_per_s: float) -> None:
        """So many bytes a second, for each connection and direction."""
        self._rate = bytes_per_s

    def truncate(self, direction: Direction, after: int) -> None:
        """Let so many more bytes pass, wherever in a frame that ends, and cut the connection that sends the next."""
        self._allowance[direction] = after

    def swallow(self, direction: Direction) -> None:
        """A cable that is broken one way: what is sent there never arrives, and no end of it is seen."""
        self._swallowed = self._swallowed | {direction}

    def strand(self) -> None:
        """What the connections there are send never arrives any more, and no end of them is seen. New ones are well."""
        for link in self._links:
            link.swallowed = {"up", "down"}

    def heal(self) -> None:
        """All is well again. Connections that have lost bytes are cut."""
        self._is_refusing = False
        self._delay_s, self._rate = (0.0, 0.0), 0.0
        self._swallowed = frozenset()
        self._allowance = {"up": None, "down": None}
        for link in list(self._links):
            if link.swallowed:
                link.reset()
        for flow in self._flows.values():
            flow.set()

    # lines

    def _accept(self, near_reader: asyncio.StreamReader, near: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._serve(near_reader, near))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda _: near.transport.abort())  # also of a task that never began

    async def _serve(self, near_reader: asyncio.StreamReader, near: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):  # one of the sides is gone
            await self._join(near_reader, near)

    async def _join(self, near_reader: asyncio.StreamReader, near: asyncio.StreamWriter) -> None:
        if self._is_refusing or self.target is None:
            Link(near, near).reset()
            return
        far_reader, far = await asyncio.open_connection(*self.target, limit=CHUNK)
        link = Link(near, far)
        if self._is_refusing:
            link.reset()
            return
        self._links.add(link)
        self.connections += 1
        pumps = [
            asyncio.ensure_future(self._pump(link, near_reader, far, "up")),
            asyncio.ensure_future(self._pump(link, far_reader, near, "down")),
        ]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._links.discard(link)
            for pump in pumps:
                pump.cancel()
            far.close()
            near.close()
            await asyncio.gather(*pumps, return_exceptions=True)

    async def _pump(
        self, link: Link, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, direction: Direction
    ) -> None:
        """Copy until one side ends. What was read before the other side's end is still written."""
        while data := await reader.read(CHUNK):
            await self._flows[direction].wait()
            if direction in self._swallowed or direction in link.swallowed:
                link.swallowed.add(direction)
                continue
            if self._delay_s[1]:
                await asyncio.sleep(self._rng.uniform(*self._delay_s))
            if self._rate:
                await asyncio.sleep(len(data) / self._rate)
            allowance = self._allowance[direction]
            if allowance is not None:
                if len(data) > allowance:
                    self._allowance = {"up": None, "down": None}
                    writer.write(data[:allowance])
                    return
                self._allowance[direction] = allowance - len(data)
            writer.write(data)
            await writer.drain()
        await self._flows[direction].wait()
        if direction in link.swallowed or direction in self._swallowed:
            link.swallowed.add(direction)
            await link.is_over.wait()
