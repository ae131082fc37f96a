"""The proxy's faults are what they say: a proof with faults that do not happen would prove nothing."""

import asyncio
import random
from collections.abc import AsyncIterator

import pytest

from tests.faults.proxy import Proxy
from tests.patience import DEADLINE_S


class Echo:
    """A server that sends back what it gets, and remembers it."""

    def __init__(self) -> None:
        self.heard = bytearray()
        self.came = asyncio.Event()
        self.ended = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(4096):
                self.heard += data
                self.came.set()
                writer.write(data)
        except ConnectionError:
            pass
        finally:
            self.ended.set()
            writer.close()


@pytest.fixture
def echo() -> Echo:
    return Echo()


@pytest.fixture
async def proxy(echo: Echo) -> AsyncIterator[Proxy]:
    server = await asyncio.start_server(echo.serve, "127.0.0.1", 0)
    proxy = Proxy(random.Random(1), ("127.0.0.1", server.sockets[0].getsockname()[1]))
    await proxy.start()
    yield proxy
    await proxy.close()
    server.close()
    await server.wait_closed()


class Line:
    """A connection through the proxy."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer

    @classmethod
    async def to(cls, proxy: Proxy) -> "Line":
        return cls(*await asyncio.open_connection(*proxy.address))

    async def ask(self, data: bytes) -> bytes:
        self.writer.write(data)
        return await asyncio.wait_for(self._reader.readexactly(len(data)), DEADLINE_S)

    async def rest(self) -> bytes:
        """What comes until the end, whatever the end is."""
        heard = b""
        try:
            while data := await asyncio.wait_for(self._reader.read(4096), DEADLINE_S):
                heard += data
        except ConnectionError:
            pass
        finally:
            self.writer.close()
        return heard


async def test_a_good_line_passes_everything(proxy: Proxy) -> None:
    line = await Line.to(proxy)
    assert await line.ask(b"hello") == b"hello"
    line.writer.close()


async def test_a_cut_ends_what_there_is_and_lets_new_ones_in(proxy: Proxy, echo: Echo) -> None:
    line = await Line.to(proxy)
    await line.ask(b"a")
    proxy.cut()
    assert await line.rest() == b""
    await asyncio.wait_for(echo.ended.wait(), DEADLINE_S)
    again = await Line.to(proxy)
    assert await again.ask(b"b") == b"b"
    again.writer.close()


async def test_who_connects_while_it_refuses_is_reset(proxy: Proxy, echo: Echo) -> None:
    proxy.refuse()
    line = await Line.to(proxy)
    assert await line.rest() == b""
    assert not echo.heard
    proxy.heal()
    again = await Line.to(proxy)
    assert await again.ask(b"b") == b"b"
    again.writer.close()


async def test_a_stalled_line_loses_nothing(proxy: Proxy, echo: Echo) -> None:
    line = await Line.to(proxy)
    await line.ask(b"a")
    proxy.stall()
    line.writer.write(b"b")
    other = await Line.to(proxy)
    other.writer.write(b"c")
    await other.writer.drain()
    assert echo.heard == b"a"
    proxy.heal()
    assert await line.ask(b"d") == b"b"
    line.writer.close()
    other.writer.close()


async def test_a_truncated_line_ends_after_so_many_bytes(proxy: Proxy) -> None:
    line = await Line.to(proxy)
    await line.ask(b"a")
    proxy.truncate("down", 3)
    line.writer.write(b"bcdefg")
    assert await line.rest() == b"bcd"


async def test_a_line_that_is_broken_one_way_swallows_and_is_cut_when_it_heals(proxy: Proxy, echo: Echo) -> None:
    line = await Line.to(proxy)
    await line.ask(b"a")
    proxy.swallow("down")
    echo.came.clear()
    line.writer.write(b"b")
    await asyncio.wait_for(echo.came.wait(), DEADLINE_S)
    assert echo.heard == b"ab"
    while not proxy.has_swallowed:  # noqa: ASYNC110 - it counts, and has no event
        await asyncio.sleep(0)
    proxy.heal()
    assert await line.rest() == b""


async def test_a_late_and_narrow_line_keeps_the_order(proxy: Proxy) -> None:
    proxy.delay(0.0, 0.01)
    proxy.limit(1_000_000)
    line = await Line.to(proxy)
    sent = bytes(range(256)) * 100
    assert await line.ask(sent) == sent
    line.writer.close()
