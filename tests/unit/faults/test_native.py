"""The client that proves: frames are cut anywhere, joined, fragmented, and a bad one is noticed."""

import pytest

from tests.faults import native
from tests.faults.native import Closed, Incoming, ProtocolError

OPENED = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"


def from_server(first: int, payload: bytes) -> bytes:
    head = bytes((first, len(payload))) if len(payload) < 126 else bytes((first, 126)) + len(payload).to_bytes(2, "big")
    return head + payload


def test_messages_come_whole_however_the_bytes_are_cut() -> None:
    stream = OPENED + from_server(0x81, b'{"id":1}\n{}') + from_server(0x81, b'{"x":"' + b"y" * 500 + b'"}')
    incoming = Incoming()
    heard = [message for byte in stream for message in incoming.feed(bytes((byte,)))]
    assert heard == [{"id": 1}, {}, {"x": "y" * 500}]


def test_fragments_are_joined_and_pings_between_them_left_out() -> None:
    stream = from_server(0x01, b'{"id"') + from_server(0x89, b"p") + from_server(0x80, b":2}")
    assert list(Incoming().feed(OPENED + stream)) == [{"id": 2}]


def test_a_close_is_told_with_its_code_and_reason() -> None:
    stream = from_server(0x88, (3001).to_bytes(2, "big") + b"shutdown") + from_server(0x88, b"")
    assert list(Incoming().feed(OPENED + stream)) == [Closed(3001, "shutdown"), Closed(1005, "")]


@pytest.mark.parametrize(
    "stream",
    [
        b"HTTP/1.1 503 Service Unavailable\r\n\r\n",
        OPENED + from_server(0x81, b"no json"),
        OPENED + from_server(0x81, b"[1]"),
        OPENED + bytes((0x81, 0x80)),
    ],
    ids=["refused", "no JSON", "no object", "masked"],
)
def test_what_no_server_may_send_is_an_error(stream: bytes) -> None:
    with pytest.raises(ProtocolError):
        list(Incoming().feed(stream))


@pytest.mark.parametrize(("size", "head"), [(5, 6), (500, 8), (70_000, 14)])
def test_a_frame_has_the_length_that_its_payload_needs(size: int, head: int) -> None:
    assert len(native.frame(native.TEXT, b"x" * size)) == head + size
