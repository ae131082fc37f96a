"""Client bytes to events: every rule of RFC 6455 section 5, in whole reads and in every cut of the stream."""

import sys
import tracemalloc
import zlib
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.wire.websocket.client_frames import (
    BINARY,
    CLOSE,
    CONTINUATION,
    FIN,
    PING,
    PONG,
    RSV1,
    RSV2,
    RSV3,
    TEXT,
    client_frame,
    text,
)
from vagus.wire.websocket import Binary, Close, Event, FrameReader, Ping, Pong, Text, Violation


def compressed(payload: bytes, flush: int = zlib.Z_SYNC_FLUSH) -> bytes:
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    return (compressor.compress(payload) + compressor.flush(flush)).removesuffix(b"\x00\x00\xff\xff")


def whole(stream: bytes, limit: int = 65_536, *, deflate: bool = False) -> list[Event]:
    return FrameReader(limit, deflate=deflate).feed(stream)


def in_pieces(stream: bytes, cuts: list[int], limit: int = 65_536, *, deflate: bool = False) -> list[Event]:
    reader = FrameReader(limit, deflate=deflate)
    bounds = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    return [event for start, stop in pairwise(bounds) for event in reader.feed(stream[start:stop])]


def byte_by_byte(stream: bytes, limit: int = 65_536, *, deflate: bool = False) -> list[Event]:
    return in_pieces(stream, list(range(len(stream))), limit, deflate=deflate)


def fed_until_event(reader: FrameReader, stream: bytes) -> tuple[int, list[Event]]:
    """Feed one byte at a time; return how many it took to get an event, and the events."""
    for index in range(len(stream)):
        events = reader.feed(stream[index : index + 1])
        if events:
            return index + 1, events
    return len(stream), []


# Messages.


@pytest.mark.parametrize("size", [0, 1, 2, 3, 4, 5, 60, 125, 126, 127, 1_000, 65_535, 65_536])
def test_a_message_of_any_size_is_read_whole_or_in_bytes(size: int) -> None:
    payload = (b"0123456789abcdef" * 4_096)[:size]
    stream = text(payload) + client_frame(FIN | BINARY, payload)
    assert whole(stream) == [Text(payload), Binary(payload)]
    assert in_pieces(stream, list(range(0, len(stream), max(1, size // 50)))) == [Text(payload), Binary(payload)]


def test_several_messages_of_one_read_come_in_order() -> None:
    payloads = [b"%d" % number for number in range(16)]
    assert whole(b"".join(map(text, payloads))) == [Text(payload) for payload in payloads]


def test_a_fragmented_message_is_joined() -> None:
    stream = client_frame(TEXT, b"one ") + client_frame(CONTINUATION, b"") + client_frame(FIN | CONTINUATION, b"two")
    assert whole(stream) == byte_by_byte(stream) == [Text(b"one two")]


def test_empty_fragments_make_an_empty_message() -> None:
    assert whole(client_frame(BINARY) + client_frame(FIN | CONTINUATION)) == [Binary(b"")]


def test_control_frames_between_fragments_come_first() -> None:
    stream = (
        client_frame(BINARY, b"a")
        + client_frame(FIN | PING, b"p")
        + client_frame(CONTINUATION, b"b")
        + client_frame(FIN | PONG)
        + client_frame(FIN | CONTINUATION, b"c")
        + text(b"next")
    )
    assert whole(stream) == byte_by_byte(stream) == [Ping(b"p"), Pong(b""), Binary(b"abc"), Text(b"next")]


def test_a_close_between_fragments_drops_the_message() -> None:
    stream = client_frame(TEXT, b"a") + client_frame(FIN | CLOSE) + client_frame(FIN | CONTINUATION, b"b")
    assert whole(stream) == [Close(1005, "")]


# Text is UTF-8.

BAD_UTF8 = [
    (b"\x80", 1),
    (b"ab\xff", 3),
    (b"\xc0\xaf", 1),
    (b"\xc3(", 2),
    (b"\xe0\x80\x80", 2),
    (b"\xed\xa0\x80", 2),
    (b"\xf0\x80\x80\x80", 2),
    (b"\xf4\x90\x80\x80", 2),
    (b"\xf5", 1),
]


@pytest.mark.parametrize(("payload", "bad_at"), BAD_UTF8)
def test_text_that_is_not_utf8_fails_at_its_first_bad_byte(payload: bytes, bad_at: int) -> None:
    stream = text(payload + b" and more")
    events: list[Event] = [Violation(1007, "text is not UTF-8")]
    assert whole(stream) == events
    assert fed_until_event(FrameReader(), stream) == (6 + bad_at, events)


def test_a_bad_byte_in_a_fragment_fails_before_the_message_ends() -> None:
    stream = client_frame(TEXT, b"fine \xe2\x82") + client_frame(CONTINUATION, b"\xac then \xff bad")
    assert fed_until_event(FrameReader(), stream)[0] == len(stream) - len(b" bad")


def test_a_character_may_be_cut_by_fragments() -> None:
    euro = "€".encode()
    stream = client_frame(TEXT, euro[:1]) + client_frame(CONTINUATION, euro[1:2]) + client_frame(FIN, euro[2:])
    assert whole(stream) == byte_by_byte(stream) == [Text(euro)]


@pytest.mark.parametrize("stream", [text(b"\xe2\x82"), client_frame(TEXT, b"\xe2\x82") + client_frame(FIN)])
def test_text_that_ends_inside_a_character_fails(stream: bytes) -> None:
    assert whole(stream) == byte_by_byte(stream) == [Violation(1007, "text is not UTF-8")]


def test_binary_is_not_looked_at() -> None:
    stream = client_frame(FIN | BINARY, b"\xff\xfe") + client_frame(BINARY, b"\xff") + client_frame(FIN, b"\xfe")
    assert whole(stream) == byte_by_byte(stream) == [Binary(b"\xff\xfe"), Binary(b"\xff\xfe")]


# Control frames.


@pytest.mark.parametrize("payload", [b"", b"x", bytes(125)])
def test_pings_and_pongs_keep_their_payload(payload: bytes) -> None:
    stream = client_frame(FIN | PING, payload) + client_frame(FIN | PONG, payload)
    assert whole(stream) == byte_by_byte(stream) == [Ping(payload), Pong(payload)]


@pytest.mark.parametrize("code", [1000, 1001, 1002, 1003, 1007, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999])
def test_a_valid_close_gives_code_and_reason(code: int) -> None:
    stream = client_frame(FIN | CLOSE, code.to_bytes(2, "big") + "adiós".encode())
    assert whole(stream) == byte_by_byte(stream) == [Close(code, "adiós")]


@pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535])
def test_a_close_code_that_may_not_travel_is_refused(code: int) -> None:
    assert whole(client_frame(FIN | CLOSE, code.to_bytes(2, "big"))) == [Violation(1002, "invalid close code")]


def test_a_close_of_one_byte_is_refused() -> None:
    assert whole(client_frame(FIN | CLOSE, b"\x03")) == [Violation(1002, "invalid close code")]


def test_a_close_reason_must_be_utf8() -> None:
    assert whole(client_frame(FIN | CLOSE, b"\x03\xe8\xff")) == [Violation(1007, "close reason is not UTF-8")]


def test_what_follows_a_close_is_dropped() -> None:
    reader = FrameReader()
    assert reader.feed(client_frame(FIN | CLOSE) + text(b"late")) == [Close(1005, "")]
    assert reader.feed(text(b"later")) == reader.feed(b"\x00") == []


# Malformed frames, refused at the byte that tells.

MALFORMED = {
    "unmasked": (b"\x81\x02ok", 2, "frame not masked"),
    "RSV1 without the extension": (client_frame(FIN | RSV1 | TEXT, b"ok"), 1, "reserved bit set"),
    "RSV2": (client_frame(FIN | RSV2 | TEXT, b"ok"), 1, "reserved bit set"),
    "RSV3": (client_frame(FIN | RSV3 | PING), 1, "reserved bit set"),
    **{
        f"opcode {opcode:#x}": (client_frame(FIN | opcode, b"ok"), 1, "reserved opcode")
        for opcode in (0x3, 0x4, 0x5, 0x6, 0x7, 0xB, 0xC, 0xD, 0xE, 0xF)
    },
    "fragmented ping": (client_frame(PING), 1, "fragmented control frame"),
    "fragmented close": (client_frame(CLOSE), 1, "fragmented control frame"),
    "ping of 126 bytes": (client_frame(FIN | PING, bytes(126)), 2, "control frame too long"),
    "ping of 65,536 bytes": (client_frame(FIN | PING, bytes(65_536)), 2, "control frame too long"),
    "continuation of nothing": (client_frame(FIN | CONTINUATION, b"ok"), 1, "continuation of no message"),
    "first fragment of nothing": (client_frame(CONTINUATION, b"ok"), 1, "continuation of no message"),
    "125 in 16 bits": (b"\x81\xfe\x00\x7dmask" + bytes(125), 8, "length badly encoded"),
    "65,535 in 64 bits": (b"\x82\xff" + (65_535).to_bytes(8, "big") + b"mask", 14, "length badly encoded"),
    "3 in 64 bits": (b"\x82\xff" + (3).to_bytes(8, "big") + b"mask", 14, "length badly encoded"),
    "highest bit of 64": (b"\x82\xff\x80" + bytes(7) + b"mask", 14, "length badly encoded"),
}


@pytest.mark.parametrize(("stream", "told_at", "reason"), MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_frame_is_refused_at_the_byte_that_tells(stream: bytes, told_at: int, reason: str) -> None:
    events: list[Event] = [Violation(1002, reason)]
    assert whole(stream) == events
    assert fed_until_event(FrameReader(), stream) == (told_at, events)


@pytest.mark.parametrize(("stream", "told_at", "reason"), MALFORMED.values(), ids=MALFORMED)
def test_messages_before_a_malformed_frame_are_given_and_nothing_after_it(
    stream: bytes, told_at: int, reason: str
) -> None:
    reader = FrameReader()
    assert reader.feed(text(b"before") + stream + text(b"after")) == [Text(b"before"), Violation(1002, reason)]
    assert reader.feed(text(b"after")) == []


@pytest.mark.parametrize("opcode", [TEXT, BINARY, FIN | TEXT, FIN | BINARY])
def test_a_message_may_not_begin_inside_another(opcode: int) -> None:
    stream = client_frame(TEXT, b"first") + client_frame(opcode, b"second")
    assert whole(stream) == byte_by_byte(stream) == [Violation(1002, "message inside a fragmented message")]


# Limits.


@pytest.mark.parametrize("limit", [125, 126, 65_535, 65_536, 100_000])
def test_a_message_of_the_limit_passes_and_one_more_byte_does_not(limit: int) -> None:
    assert whole(text(bytes(limit)), limit) == [Text(bytes(limit))]
    assert whole(text(bytes(limit + 1)), limit) == [Violation(1009, f"message over {limit} bytes")]


@pytest.mark.parametrize("size", [65_537, 1 << 20, 1 << 40, (1 << 63) - 1])
def test_a_declared_size_over_the_limit_is_refused_before_the_payload(size: int) -> None:
    head = b"\x82\xff" + size.to_bytes(8, "big") + b"mask"
    assert whole(head) == byte_by_byte(head) == [Violation(1009, "message over 65536 bytes")]


def test_the_limit_holds_for_the_sum_of_the_fragments() -> None:
    stream = client_frame(TEXT, bytes(100)) + client_frame(FIN, bytes(100))
    assert whole(stream, 200) == [Text(bytes(200))]
    assert whole(stream[:-100], 199) == [Violation(1009, "message over 199 bytes")]


def test_control_frames_do_not_count_towards_the_limit() -> None:
    stream = client_frame(TEXT, bytes(100)) + client_frame(FIN | PING, bytes(125)) + client_frame(FIN, bytes(25))
    assert whole(stream, 125) == [Ping(bytes(125)), Text(bytes(125))]


def test_a_limit_that_control_frames_exceed_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 125"):
        FrameReader(124)


# Compression.


@pytest.mark.parametrize("payload", [b"", b"hello", b"repeat " * 1_000, "größer €".encode()])
def test_a_compressed_message_is_inflated(payload: bytes) -> None:
    stream = client_frame(FIN | RSV1 | TEXT, compressed(payload)) + text(b"plain")
    assert whole(stream, deflate=True) == byte_by_byte(stream, deflate=True) == [Text(payload), Text(b"plain")]


def test_a_compressed_message_may_be_fragmented() -> None:
    data = compressed(b"hello hello hello")
    stream = client_frame(RSV1 | BINARY, data[:3]) + client_frame(FIN | PING) + client_frame(FIN, data[3:])
    assert whole(stream, deflate=True) == [Ping(b""), Binary(b"hello hello hello")]


@pytest.mark.parametrize(
    "stream",
    [
        client_frame(RSV1 | TEXT) + client_frame(FIN | RSV1 | CONTINUATION),
        client_frame(FIN | RSV1 | PING),
        client_frame(FIN | RSV1 | CLOSE),
    ],
)
def test_only_the_first_frame_of_a_message_is_marked_compressed(stream: bytes) -> None:
    assert whole(stream, deflate=True) == [Violation(1002, "reserved bit set")]


def test_what_is_not_deflate_data_is_refused() -> None:
    assert whole(client_frame(FIN | RSV1 | TEXT, b"\xff\xff"), deflate=True) == [Violation(1007, "not deflate data")]


def test_inflated_text_must_be_utf8() -> None:
    stream = client_frame(FIN | RSV1 | TEXT, compressed(b"\xff"))
    assert whole(stream, deflate=True) == [Violation(1007, "text is not UTF-8")]


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
def test_an_inflated_message_of_the_limit_passes_and_one_more_byte_does_not(opcode: int) -> None:
    at_limit = client_frame(FIN | RSV1 | opcode, compressed(bytes(65_536)))
    over = client_frame(FIN | RSV1 | opcode, compressed(bytes(65_537)))
    assert whole(at_limit, deflate=True) == [Text(bytes(65_536)) if opcode == TEXT else Binary(bytes(65_536))]
    assert whole(over, deflate=True) == [Violation(1009, "decompressed message too big")]


def test_a_bomb_is_not_inflated_beyond_the_limit() -> None:
    bomb = client_frame(FIN | RSV1 | BINARY, compressed(bytes(50_000_000)))
    reader = FrameReader(deflate=True)
    tracemalloc.start()
    events = reader.feed(bomb)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert events == [Violation(1009, "decompressed message too big")]
    assert peak < 1_000_000


def test_a_final_deflate_block_may_end_a_message() -> None:
    # RFC 7692 section 7.2.3.4: after a block with BFINAL a zero byte follows.
    stream = client_frame(FIN | RSV1 | TEXT, compressed(b"Hello", zlib.Z_FINISH) + b"\x00")
    assert whole(stream, deflate=True) == [Text(b"Hello")]


def test_a_message_may_go_on_after_a_final_deflate_block() -> None:
    data = compressed(b"Hello, ", zlib.Z_FINISH) + compressed(b"world")
    assert whole(client_frame(FIN | RSV1 | TEXT, data), deflate=True) == [Text(b"Hello, world")]


def test_a_message_of_very_many_final_deflate_blocks_is_refused() -> None:
    stream = client_frame(FIN | RSV1 | TEXT, b"\x03\x00" * 30_000)
    assert whole(stream, deflate=True) == [Violation(1009, "too many final deflate blocks")]


# Memory.


def test_an_idle_reader_takes_less_than_a_hundred_bytes() -> None:
    assert sys.getsizeof(FrameReader()) < 100


@pytest.mark.parametrize(
    "stream",
    [
        text(b"done"),
        client_frame(FIN | PING, b"done"),
        client_frame(TEXT, b"do") + client_frame(FIN, b"ne"),
        client_frame(FIN | RSV1 | TEXT, compressed(b"done")),
        client_frame(FIN | CLOSE),
        b"\xff",
    ],
)
def test_nothing_is_kept_once_nothing_is_under_way(stream: bytes) -> None:
    readers = [FrameReader(deflate=True) for _ in range(100)]
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    for reader in readers:
        for index in range(len(stream)):
            reader.feed(stream[index : index + 1])
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert after - before < 50 * len(readers)


# Any cut of any stream.

masks = st.binary(min_size=4, max_size=4)
payloads = st.one_of(
    st.text(max_size=40).map(str.encode),
    st.binary(max_size=40),
    st.integers(100, 400).map(bytes),
    st.text(max_size=40).map(lambda value: compressed(value.encode())),
)
first_bytes = st.one_of(
    st.sampled_from([FIN | TEXT, FIN | BINARY, FIN | PING, TEXT, BINARY, CONTINUATION, FIN, FIN | RSV1 | TEXT]),
    st.integers(0, 255),
)
frames = st.builds(client_frame, first_bytes, payloads, masks)
streams = st.lists(st.one_of(frames, frames, frames, st.binary(max_size=20)), max_size=12).map(b"".join)


@given(streams, st.lists(st.integers(0, 600), max_size=30), st.booleans())
def test_however_a_stream_is_cut_the_events_are_the_same(stream: bytes, cuts: list[int], deflate: bool) -> None:
    expected = whole(stream, 200, deflate=deflate)
    assert in_pieces(stream, cuts, 200, deflate=deflate) == expected
    assert byte_by_byte(stream, 200, deflate=deflate) == expected


@given(streams, st.booleans())
def test_any_bytes_give_events_of_which_only_the_last_may_end_the_connection(stream: bytes, deflate: bool) -> None:
    events = whole(stream, 200, deflate=deflate)
    assert not any(isinstance(event, (Close, Violation)) for event in events[:-1])
    for event in events:
        if isinstance(event, (Text, Binary)):
            assert len(event.payload) <= 200


@given(st.binary(max_size=60))
def test_text_is_given_exactly_when_it_is_utf8(payload: bytes) -> None:
    try:
        payload.decode()
        expected: Event = Text(payload)
    except UnicodeDecodeError as error:
        expected = Violation(1007, "text is not UTF-8")
        # A decoder's own position: what a byte at a time must find no later.
        _, events = fed_until_event(FrameReader(), client_frame(FIN | TEXT, payload[: error.end + 1]))
        assert events == [expected]
    assert whole(text(payload)) == byte_by_byte(text(payload)) == [expected]
