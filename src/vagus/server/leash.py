"""The leash between the parent of workers and each of them: a socket pair that the worker is born with.

On it the worker says that it is ready and hears what to do. When the parent's end is gone, it stops.
"""

import asyncio
import contextlib
import socket
import subprocess
from functools import partial
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from .node import NodeServer

READY: Final = b"ready\n"
STOP: Final = b"stop\n"
RETIRE: Final = b"retire\n"
"""Stop, while the others stay: clients are theirs."""
CUT_SHORT: Final = b"cut short\n"
RELOAD: Final = b"reload\n"

START_S: Final = 60.0
"""How long a worker may take until it is ready."""


class Post(msgspec.Struct, frozen=True):
    """Where a worker stands: which of how many it is, and its file descriptors."""

    number: int
    count: int
    listener: int
    leash: int

    @property
    def text(self) -> str:
        return f"{self.number}/{self.count}:{self.listener}:{self.leash}"

    @classmethod
    def from_text(cls, text: str) -> "Post":
        """Raises ``ValueError`` for anything but the text of a post."""
        numbers = [int(part) for part in text.replace("/", ":").split(":")]
        if len(numbers) != 4:
            raise ValueError(f"{text!r} is not a worker's post")
        return cls(*numbers)


class Leash:
    """The worker's end: what the parent says is done."""

    def __init__(self, post: Post) -> None:
        self._socket = socket.socket(fileno=post.leash)
        self._writer: asyncio.StreamWriter
        self._following: asyncio.Task[None]

    def hold(self, server: "NodeServer") -> None:
        """Do as told from the moment it begins to start. Signals to stop count once, however many come: the parent's

        word and a signal to all processes may mean the same.
        """
        server.on_signal = lambda *_: server.stop()
        server.on_start = partial(self._follow, server)

    def say_ready(self) -> None:
        self._writer.write(READY)

    async def _follow(self, server: "NodeServer") -> None:
        reader, self._writer = await asyncio.open_connection(sock=self._socket)
        self._following = asyncio.create_task(self._heed(server, reader))

    @staticmethod
    async def _heed(server: "NodeServer", reader: asyncio.StreamReader) -> None:
        while order := await reader.readline():
            match order:
                case b"retire\n":
                    server.stop(company=1)
                case b"cut short\n":
                    server.cut_short()
                case b"reload\n":
                    server.reload()
                case _:
                    server.stop()
        server.stop()


class Worker:
    """The parent's end: a process, and what it is told."""

    def __init__(
        self, process: asyncio.subprocess.Process, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.process: Final = process
        self._reader = reader
        self._writer = writer

    @classmethod
    async def start(cls, command: list[str], post: Post, leash: socket.socket) -> "Worker":
        """It has a session of its own, so that an interrupt from a terminal is the parent's alone."""
        process = await asyncio.create_subprocess_exec(
            *command, pass_fds=(post.listener, post.leash), start_new_session=True, stdin=subprocess.DEVNULL
        )
        reader, writer = await asyncio.open_connection(sock=leash)
        return cls(process, reader, writer)

    async def is_ready(self) -> bool:
        """Wait until it is; ``False`` if it died first, or takes too long and is killed."""
        try:
            async with asyncio.timeout(START_S):
                return await self._reader.readline() == READY
        except (TimeoutError, OSError):
            self.kill()
            return False

    def tell(self, order: bytes) -> None:
        if not self._writer.is_closing():
            self._writer.write(order)

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()

    async def end(self) -> int:
        """Wait until it has ended; its exit code, or the negative number of the signal."""
        code = await self.process.wait()
        self._writer.close()
        return code
