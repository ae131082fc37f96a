"""Frames that a server sends, read back by the client of another project."""

import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.client import ClientProtocol
from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.uri import parse_uri

from vagus.wire.websocket import (
    Binary,
    Close,
    Event,
    FrameReader,
    Ping,
    Pong,
    Text,
    binary_frame,
    close_frame,
    compressed_binary_frame,
    compressed_text_frame,
    ping_frame,
    pong_frame,
    text_frame,
)


def open_client(*, deflate: bool = False) -> ClientProtocol:
    client = ClientProtocol(parse_uri("ws://localhost/"), state=State.OPEN, max_size=None)
    if deflate:
        client.extensions = [PerMessageDeflate(True, True, 12, 15)]
    return client


def received(client: ClientProtocol, data: bytes) -> list[tuple[Opcode, bytes]]:
    client.receive_data(data)
    frames = [frame for frame in client.events_received() if isinstance(frame, Frame)]
    assert all(frame.fin for frame in frames)
    return [(frame.opcode, bytes(frame.data)) for frame in frames]


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536, 100_000])
@pytest.mark.parametrize(("encode", "opcode"), [(text_frame, Opcode.TEXT), (binary_frame, Opcode.BINARY)])
def test_a_message_of_any_size_arrives(encode: Callable[[bytes], bytes], opcode: Opcode, size: int) -> None:
    assert received(open_client(), encode(bytes(size))) == [(opcode, bytes(size))]


def test_the_shortest_length_encoding_is_used() -> None:
    assert text_frame(b"ok") == b"\x81\x02ok"
    assert text_frame(bytes(126))[:4] == b"\x81\x7e\x00\x7e"
    assert binary_frame(bytes(65_536))[:10] == b"\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00"


@pytest.mark.parametrize("payload", [b"", b"x", bytes(125)])
def test_pings_and_pongs_arrive(payload: bytes) -> None:
    data = ping_frame(payload) + pong_frame(payload)
    assert received(open_client(), data) == [(Opcode.PING, payload), (Opcode.PONG, payload)]


@pytest.mark.parametrize("encode", [ping_frame, pong_frame])
def test_a_control_frame_over_125_bytes_is_misuse(encode: Callable[[bytes], bytes]) -> None:
    with pytest.raises(ValueError, match="at most 125 bytes"):
        encode(bytes(126))


@pytest.mark.parametrize(("code", "reason"), [(1000, ""), (1009, "too big"), (3000, "größer"), (4999, "x" * 123)])
def test_a_close_arrives(code: int, reason: str) -> None:
    client = open_client()
    client.receive_data(close_frame(code, reason))
    assert (client.close_rcvd and (client.close_rcvd.code, client.close_rcvd.reason)) == (code, reason)


def test_a_close_without_code_is_empty() -> None:
    assert close_frame() == close_frame(1005) == b"\x88\x00"


def test_a_long_reason_is_cut_at_a_character() -> None:
    assert close_frame(1000, "€" * 50)[4:].decode() == "€" * 41


@pytest.mark.parametrize("code", [0, 999, 1004, 1006, 1015, 2999, 5000])
def test_a_close_code_that_may_not_travel_is_misuse(code: int) -> None:
    with pytest.raises(ValueError, match="may not travel"):
        close_frame(code)


@given(st.lists(st.binary(max_size=300), max_size=5), st.integers(-1, 9))
def test_compressed_messages_arrive_each_from_an_empty_window(payloads: list[bytes], level: int) -> None:
    client = open_client(deflate=True)
    data = b"".join(compressed_binary_frame(payload, level) for payload in payloads)
    assert received(client, data) == [(Opcode.BINARY, payload) for payload in payloads]


def test_a_compressed_text_is_shorter_and_fits_the_window_we_promise() -> None:
    payload = b'{"channel":"sites:12","data":{"on":true}}\n' * 400
    frame = compressed_text_frame(payload)
    assert len(frame) < len(payload) / 20
    assert received(open_client(deflate=True), frame) == [(Opcode.TEXT, payload)]
    assert zlib.decompressobj(wbits=-12).decompress(frame[4:] + b"\x00\x00\xff\xff") == payload


# Another project's client writes, our reader reads.

messages = st.one_of(
    st.builds(lambda value: Text(value.encode()), st.text(max_size=200)),
    st.builds(Binary, st.one_of(st.binary(max_size=200), st.integers(60_000, 65_536).map(bytes))),
    st.builds(Ping, st.binary(max_size=125)),
    st.builds(Pong, st.binary(max_size=125)),
)


def send(client: ClientProtocol, event: Event, pieces: int) -> None:
    match event:
        case Text(payload) | Binary(payload):
            size = max(1, -(-len(payload) // pieces))
            first, *rest = [payload[at : at + size] for at in range(0, len(payload), size)] or [b""]
            (client.send_text if isinstance(event, Text) else client.send_binary)(first, fin=not rest)
            for index, piece in enumerate(rest):
                client.send_continuation(piece, fin=index == len(rest) - 1)
        case Ping(payload):
            client.send_ping(payload)
        case Pong(payload):
            client.send_pong(payload)
        case _:
            raise AssertionError(event)


@given(st.lists(st.tuples(messages, st.integers(1, 4)), max_size=8), st.booleans(), st.integers(1, 5_000))
def test_what_a_client_of_another_project_sends_is_read(
    sent: list[tuple[Event, int]], deflate: bool, read_size: int
) -> None:
    client = open_client(deflate=deflate)
    for event, pieces in sent:
        send(client, event, pieces)
    client.send_close(1001, "bye")
    stream = b"".join(client.data_to_send())
    reader = FrameReader(70_000, deflate=deflate)
    events = [event for at in range(0, len(stream), read_size) for event in reader.feed(stream[at : at + read_size])]
    assert events == [*(event for event, _ in sent), Close(1001, "bye")]
