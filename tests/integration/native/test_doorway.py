"""The first bytes of a connection: heads that never end, that are too long, or bring a first frame along."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from tests.patience import DEADLINE_S
from vagus import Hub, Limits

from .conftest import Serve
from .serving import Server

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]
HEAD = (
    b"GET /connection/websocket HTTP/1.1\r\nHost: here\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
)


@pytest.fixture
async def dial() -> AsyncIterator[Callable[[Server], Awaitable[Stream]]]:
    """Open plain TCP connections."""
    writers: list[asyncio.StreamWriter] = []

    async def dialled(server: Server) -> Stream:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writers.append(writer)
        return reader, writer

    yield dialled
    for writer in writers:
        writer.transport.abort()


Dial = Callable[[Server], Awaitable[Stream]]


def masked(text: bytes) -> bytes:
    """A short text frame as a client sends it."""
    return b"\x81" + bytes([0x80 | len(text)]) + b"\0\0\0\0" + text


async def everything(reader: asyncio.StreamReader) -> bytes:
    return await asyncio.wait_for(reader.read(), DEADLINE_S)


async def test_a_handshake_may_come_in_pieces_and_bring_a_frame(serve: Serve, dial: Dial) -> None:
    reader, writer = await dial(await serve(Hub(open_to_all=True)))
    writer.write(HEAD[:40])
    await writer.drain()
    writer.write(HEAD[40:] + b"\r\n" + masked(b'{"id":1,"connect":{}}'))
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), DEADLINE_S)
    assert head.startswith(b"HTTP/1.1 101") and b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in head
    frame = await asyncio.wait_for(reader.readuntil(b"}}"), DEADLINE_S)
    assert frame[2:].startswith(b'{"id":1,"connect":{"client":')


async def test_who_does_not_answer_pings_of_the_websocket_is_closed(serve: Serve, dial: Dial) -> None:
    limits = Limits(ping_interval_s=0.5, pong_timeout_s=0.3)
    reader, writer = await dial(await serve(Hub(open_to_all=True, limits=limits)))
    writer.write(
        HEAD.replace(b" HTTP", b"?cf_ws_frame_ping_pong=true HTTP") + b"\r\n" + masked(b'{"id":1,"connect":{}}')
    )
    said = await asyncio.wait_for(reader.readuntil(b"no pong"), DEADLINE_S)
    assert said.endswith(b"\x89\x00\x88\x09" + (3012).to_bytes(2) + b"no pong")


async def test_a_head_that_never_ends_is_given_up(serve: Serve, dial: Dial) -> None:
    reader, writer = await dial(await serve(Hub(open_to_all=True, limits=Limits(stale_s=0.2))))
    writer.write(HEAD)
    assert await ended(reader)


async def test_who_says_nothing_is_given_up(serve: Serve, dial: Dial) -> None:
    reader, _ = await dial(await serve(Hub(open_to_all=True, limits=Limits(stale_s=0.2))))
    assert await ended(reader)


async def ended(reader: asyncio.StreamReader) -> bool:
    """Whether the server lets go, politely or not."""
    try:
        return await everything(reader) == b""
    except ConnectionError:
        return True


async def test_a_head_that_is_too_long_is_refused(serve: Serve, dial: Dial) -> None:
    reader, writer = await dial(await serve(Hub(open_to_all=True)))
    writer.write(HEAD + b"Cookie: " + b"c" * 20_000)
    assert (await everything(reader)).startswith(b"HTTP/1.1 431")


@pytest.mark.parametrize(
    ("removed", "status"),
    [
        (b"Upgrade: websocket\r\n", b"426"),
        (b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", b"400"),
        (b"Sec-WebSocket-Version: 13\r\n", b"426"),
        (b"Connection: Upgrade\r\n", b"426"),
    ],
)
async def test_half_a_handshake_is_refused(serve: Serve, dial: Dial, removed: bytes, status: bytes) -> None:
    reader, writer = await dial(await serve(Hub(open_to_all=True)))
    writer.write(HEAD.replace(removed, b"") + b"\r\n")
    assert (await everything(reader)).split(b" ")[1] == status


async def test_other_requests_are_the_applications(serve: Serve, dial: Dial) -> None:
    reader, writer = await dial(await serve(Hub(open_to_all=True)))
    writer.write(b"GET /elsewhere HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n")
    assert (await everything(reader)).startswith(b"HTTP/1.1 404")
