"""An encoding: parts become as few finished messages as they fit into."""

from hypothesis import given
from hypothesis import strategies as st

from vagus.wire.centrifuge.json import JSON
from vagus.wire.encoding import MESSAGE_BYTES, Binary, Encoding, Framing, Packet


def framed(payload: bytes) -> bytes:
    return b"[" + payload + b"]"


def framed_binary(payload: bytes) -> bytes:
    return b"<" + payload + b">"


FRAMING = Framing(framed, framed_binary)
ENCODING = FRAMING.encoding(JSON)


def test_parts_are_joined_in_one_frame() -> None:
    assert ENCODING.messages([b"a"]) == [b"[a]"]
    assert ENCODING.messages([b"a", b"b"]) == [b"[a\nb]"]


def test_a_framing_frames_each_part_where_it_must() -> None:
    assert Encoding(JSON, Framing(framed, framed, is_each=True)).messages([b"a", b"b"]) == [b"[a][b]"]
    assert Encoding(JSON, Framing(framed, framed, is_each=True, separator=b"|")).messages([b"a", b"b"]) == [b"[a]|[b]"]
    assert Encoding(JSON, Framing(framed, framed, is_each=True, separator=None)).messages([b"a", b"b"]) == [
        b"[a]",
        b"[b]",
    ]


def test_attachments_follow_their_packet_in_binary_frames() -> None:
    packet = Packet.of(b"2", (b"one", b"two"))
    assert Encoding(JSON, Framing(framed, framed_binary, is_each=True)).messages([b"1", packet]) == [
        b"[1][2]<one><two>"
    ]
    bare = Framing(bytes, Binary, is_each=True, separator=None)
    assert [type(message) for message in Encoding(JSON, bare).messages([packet])] == [bytes, Binary, Binary]


def test_a_framing_has_one_encoding_of_a_dialect_while_it_is_used() -> None:
    assert FRAMING.encoding(JSON) is ENCODING


def test_a_ping_is_the_dialects_unless_the_transport_has_its_own() -> None:
    native = Encoding(JSON, Framing(framed, framed, native_ping=b"PING"))
    assert (ENCODING.ping, ENCODING.pings_natively) == (b"[{}]", False)
    assert (native.ping, native.pings_natively) == (b"PING", True)


def test_encodings_are_told_apart_by_identity() -> None:
    other = Encoding(JSON, FRAMING)
    assert ENCODING != other
    assert len({ENCODING, other, ENCODING}) == 2
    assert repr(other) == "<Encoding centrifuge-json>"


@given(st.lists(st.integers(1, MESSAGE_BYTES + 10), min_size=1, max_size=12))
def test_messages_hold_all_parts_in_order_within_the_bound(sizes: list[int]) -> None:
    parts = [b"%x" % (n % 16) * size for n, size in enumerate(sizes)]
    messages = ENCODING.messages(parts)
    assert b"\n".join(message[1:-1] for message in messages).split(b"\n") == parts
    for message in messages:
        inside = message[1:-1].split(b"\n")
        assert len(inside) == 1 or sum(map(len, inside)) <= MESSAGE_BYTES


@given(st.lists(st.integers(1, 40_000), min_size=2, max_size=12))
def test_no_two_neighbours_would_fit_into_one(sizes: list[int]) -> None:
    messages = ENCODING.messages([b"x" * size for size in sizes])
    lengths = [sum(map(len, message[1:-1].split(b"\n"))) for message in messages]
    firsts = [len(message[1:-1].split(b"\n")[0]) for message in messages]
    assert all(length + first > MESSAGE_BYTES for length, first in zip(lengths, firsts[1:], strict=False))
