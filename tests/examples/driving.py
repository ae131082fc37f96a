"""Examples run as a reader runs them: uvicorn in a process of its own, driven by the unmodified Centrifuge client."""

import asyncio
import re
import sys
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from centrifuge import (
    Client,
    PublicationContext,
    SubscribedContext,
    Subscription,
    SubscriptionEventHandler,
    UnsubscribedContext,
)

from tests.listening import stop_listening
from tests.patience import DEADLINE_S

ROOT = Path(__file__).parents[2]

_RUNNING = re.compile(rb"running on http://127\.0\.0\.1:(\d+)")


class Server:
    """An example that runs, and what it printed."""

    def __init__(self, port: int, output: list[bytes]) -> None:
        self.port = port
        self.output = output

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


async def _port_of(process: asyncio.subprocess.Process, output: list[bytes]) -> int:
    assert process.stdout is not None
    async for line in process.stdout:
        output.append(line)
        if found := _RUNNING.search(line):
            return int(found[1])
    raise AssertionError(f"the example did not start:\n{b''.join(output).decode()}")


async def _collect(stream: asyncio.StreamReader, output: list[bytes]) -> None:
    while line := await stream.readline():
        output.append(line)


@asynccontextmanager
async def serving(module: str) -> AsyncIterator[Server]:
    """Run an example on a free port. It must end cleanly when it is told to, and print no traceback."""
    command = [sys.executable, "-m", "uvicorn", f"{module}:app", "--port", "0", "--log-level", "info"]
    process = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    assert process.stdout is not None
    output: list[bytes] = []
    try:
        port = await asyncio.wait_for(_port_of(process, output), DEADLINE_S)
        rest = asyncio.create_task(_collect(process.stdout, output))
        yield Server(port, output)
        process.terminate()
        await asyncio.wait_for(process.wait(), DEADLINE_S)
        await rest
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert b"Traceback" not in b"".join(output), b"".join(output).decode()
    assert b"Application shutdown complete" in b"".join(output)


class Wire:
    """A cable between client and server that can be cut: a relay that knows nothing of what it carries."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._is_cut = False

    async def __aenter__(self) -> "Wire":
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        await stop_listening(self._server)
        self.cut()

    @property
    def websocket_url(self) -> str:
        assert self._server is not None
        return f"ws://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/connection/websocket"

    def cut(self) -> None:
        """End every connection, and refuse new ones until ``mend``."""
        self._is_cut = True
        for writer in self._writers:
            writer.transport.abort()

    def mend(self) -> None:
        self._is_cut = False

    async def _carry(self, near_reader: asyncio.StreamReader, near: asyncio.StreamWriter) -> None:
        if self._is_cut:
            near.transport.abort()
            return
        try:
            far_reader, far = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:  # it was stopped
            near.transport.abort()
            return
        self._writers |= {near, far}
        await asyncio.gather(self._pump(near_reader, far), self._pump(far_reader, near), return_exceptions=True)
        self._writers -= {near, far}

    @staticmethod
    async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
        finally:
            writer.close()


class Follower(SubscriptionEventHandler):  # type: ignore[misc]  # centrifuge-python has no py.typed marker
    """Queues what a subscription tells."""

    def __init__(self) -> None:
        self.data: asyncio.Queue[Any] = asyncio.Queue()
        self.subscribed: asyncio.Queue[SubscribedContext] = asyncio.Queue()
        self.unsubscribed: asyncio.Queue[UnsubscribedContext] = asyncio.Queue()

    async def on_publication(self, ctx: PublicationContext) -> None:
        self.data.put_nowait(ctx.pub.data)

    async def on_subscribed(self, ctx: SubscribedContext) -> None:
        self.subscribed.put_nowait(ctx)

    async def on_unsubscribed(self, ctx: UnsubscribedContext) -> None:
        self.unsubscribed.put_nowait(ctx)

    async def follow(self, client: Client, channel: str) -> Subscription:
        subscription = client.new_subscription(channel, events=self, recoverable=True)
        await subscription.subscribe()
        return subscription


async def soon(awaitable: Awaitable[Any]) -> Any:
    """Wait with a bound, so that what never comes fails the test by name."""
    return await asyncio.wait_for(awaitable, DEADLINE_S)


@asynccontextmanager
async def connected(url: str, token: str) -> AsyncIterator[Client]:
    client = Client(url, token=token, proxy=None, max_reconnect_delay=0.3)
    await client.connect()
    try:
        yield client
    finally:
        await client.disconnect()
