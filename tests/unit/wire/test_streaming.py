"""Messages in responses that go on: lines, events, chunks."""

from vagus.wire.centrifuge.json import JSON
from vagus.wire.centrifuge.protobuf import PROTOBUF
from vagus.wire.streaming import CHUNKED_EVENTS, CHUNKED_LINES, EVENTS, LINES, chunk

PARTS = [b'{"id":1}', b"{}"]


def test_texts_are_lines() -> None:
    assert LINES.encoding(JSON).messages(PARTS) == [b'{"id":1}\n{}\n']


def test_protobuf_goes_as_it_is() -> None:
    assert LINES.encoding(PROTOBUF).messages([b"\x01a", b"\x01b"]) == [b"\x01a\x01b"]


def test_each_event_is_one_line_of_data() -> None:
    assert EVENTS.encoding(JSON).messages(PARTS) == [b'data: {"id":1}\n\ndata: {}\n\n']


def test_chunks_say_how_long_they_are() -> None:
    assert chunk(b"x" * 26) == b"1a\r\n" + b"x" * 26 + b"\r\n"
    assert CHUNKED_LINES.encoding(JSON).messages(PARTS) == [b'c\r\n{"id":1}\n{}\n\r\n']
    assert CHUNKED_EVENTS.encoding(JSON).messages(PARTS[1:]) == [b"a\r\ndata: {}\n\n\r\n"]


def test_nothing_is_no_chunk_since_that_would_end_the_response() -> None:
    assert chunk(b"") == b""


def test_pings_are_framed_too() -> None:
    assert (LINES.encoding(JSON).ping, CHUNKED_EVENTS.encoding(JSON).ping) == (b"{}\n", b"a\r\ndata: {}\n\n\r\n")
