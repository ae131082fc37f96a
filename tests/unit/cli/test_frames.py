"""The command line's own WebSocket: frames in and out against the server's reader and writer."""

import asyncio
from typing import Any, cast

import pytest

from vagus.cli.frames import MAX_BYTES, ClosedError, Socket
from vagus.wire.websocket import FrameReader, Pong, Text, close_frame, ping_frame, text_frame
from vagus.wire.websocket.events import Close


class Wire:
    """What a socket writes, kept."""

    def __init__(self) -> None:
        self.written = b""
        self.is_over = False

    def write(self, data: bytes) -> None:
        self.written += data

    def close(self) -> None:
        self.is_over = True

    def is_closing(self) -> bool:
        return self.is_over


def socket_that_reads(data: bytes) -> tuple[Socket, Wire]:
    reader, wire = asyncio.StreamReader(), Wire()
    reader.feed_data(data)
    reader.feed_eof()
    return Socket(reader, cast("Any", wire)), wire


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536])
async def test_what_is_sent_is_what_a_server_reads(size: int) -> None:
    socket, wire = socket_that_reads(b"")
    socket.send(b"x" * size)
    assert FrameReader(1_000_000).feed(wire.written) == [Text(b"x" * size)]


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536])
async def test_what_a_server_sends_is_what_is_read(size: int) -> None:
    socket, _ = socket_that_reads(text_frame(b"x" * size))
    assert await socket.receive() == b"x" * size


async def test_fragments_are_joined_and_a_ping_between_them_is_answered() -> None:
    socket, wire = socket_that_reads(b"\x01\x02he" + ping_frame(b"!") + b"\x80\x03llo")
    assert await socket.receive() == b"hello"
    assert FrameReader().feed(wire.written) == [Pong(b"!")]


async def test_a_close_is_answered_and_says_why() -> None:
    socket, wire = socket_that_reads(close_frame(3001, "shutdown"))
    with pytest.raises(ClosedError) as closed:
        await socket.receive()
    assert (closed.value.code, closed.value.reason, closed.value.comes_back) == (3001, "shutdown", True)
    assert FrameReader().feed(wire.written) == [Close(3001, "")]


async def test_a_lost_connection_is_a_close_that_nobody_explained() -> None:
    socket, _ = socket_that_reads(b"\x81\x05he")
    with pytest.raises(ClosedError) as closed:
        await socket.receive()
    assert closed.value.code == 1006


async def test_a_message_beyond_all_measure_is_refused_before_it_is_read() -> None:
    socket, _ = socket_that_reads(b"\x81\x7f" + (MAX_BYTES + 1).to_bytes(8, "big"))
    with pytest.raises(ClosedError, match="too big"):
        await socket.receive()


@pytest.mark.parametrize(
    ("code", "comes_back"),
    [
        (1006, True),
        (3000, True),
        (3499, True),
        (3500, False),
        (3999, False),
        (4000, True),
        (4500, False),
        (4999, False),
    ],
)
def test_the_code_says_whether_to_come_back(code: int, comes_back: bool) -> None:
    assert ClosedError(code).comes_back is comes_back
