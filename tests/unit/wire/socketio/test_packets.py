"""Packets: text and binary messages into values, and everything that is none refused."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vagus.kernel import codes
from vagus.kernel.errors import DisconnectError
from vagus.wire.socketio import Assembly, Packet, PacketType, packet_of

PLACEHOLDERS = [b'{"_placeholder":true,"num":%d}' % number for number in range(11)]


def parts_of(packet: Packet) -> tuple[PacketType, str, int | None, str, bytes]:
    return packet.type, packet.section, packet.id, packet.event, bytes(packet.arguments)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"0", (PacketType.CONNECT, "", None, "", b"")),
        (b"0/chat,", (PacketType.CONNECT, "chat", None, "", b"")),
        (b"0/chat", (PacketType.CONNECT, "chat", None, "", b"")),
        (b"0/,", (PacketType.CONNECT, "", None, "", b"")),
        (b'0{"token":"x"}', (PacketType.CONNECT, "", None, "", b'{"token":"x"}')),
        (b'0/chat,{"a":[1]}', (PacketType.CONNECT, "chat", None, "", b'{"a":[1]}')),
        (b"0{}", (PacketType.CONNECT, "", None, "", b"")),
        (b"1", (PacketType.DISCONNECT, "", None, "", b"")),
        (b"1/chat,", (PacketType.DISCONNECT, "chat", None, "", b"")),
        (b'2["hi"]', (PacketType.EVENT, "", None, "hi", b"[]")),
        (b'2["hi",1,{"a":"\xc3\xa4"}]', (PacketType.EVENT, "", None, "hi", b'[1,{"a":"\xc3\xa4"}]')),
        (b'2/chat,12["hi",null]', (PacketType.EVENT, "chat", 12, "hi", b"[null]")),
        (b'20["hi"]', (PacketType.EVENT, "", 0, "hi", b"[]")),
        (b"2[7]", (PacketType.EVENT, "", None, "7", b"[]")),
        (b"3456[]", (PacketType.ACK, "", 456, "", b"[]")),
        (b"3/chat,0[1,2]", (PacketType.ACK, "chat", 0, "", b"[1,2]")),
        (b'2["hi",{"_placeholder":true,"num":5}]', (PacketType.EVENT, "", None, "hi", b"[%b]" % PLACEHOLDERS[5])),
    ],
)
def test_a_packet_is_read(text: bytes, expected: tuple[object, ...]) -> None:
    packet = packet_of(text)
    assert parts_of(packet) == expected
    assert packet.due == 0


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"7",
        b"x",
        b"0[]",
        b'0"x"',
        b"0null",
        b"01",
        b"0{",
        b'0{"a":1,}',
        b"01{}",
        b"1[]",
        b"11",
        b"2",
        b"2[]",
        b"2{}",
        b'2["a"',
        b'2["a"]x',
        b'2"a"',
        b"2[null]",
        b"2[true]",
        b'2[["a"]]',
        b'2["connect"]',
        b'2["connect_error"]',
        b'2["disconnect"]',
        b'2["disconnecting",1]',
        b'2["newListener"]',
        b'2["removeListener"]',
        b'2 ["a"]',
        b'2-1["a"]',
        b'21-["a"]',
        b'2/chat["a"]',
        b'21234567890123456["a"]',
        b"3[]",
        b"31",
        b'31"a"',
        b"31{}",
        b'4{"message":"x"}',
        b"4",
        b'5["a"]',
        b'5-["a"]',
        b'511-["a"]',
        b'51000-["a"]',
        b"51-",
        b"61-[]",
        b'6["a"]',
        b"0/" + b"x" * 256 + b",",
        b"2" + b"[" * 100_000 + b"]" * 100_000,
        b'0{"a":' + b"[" * 100_000,
    ],
)
def test_what_is_no_packet_is_refused(text: bytes) -> None:
    with pytest.raises(DisconnectError) as refused:
        packet_of(text)
    assert refused.value.closure is codes.MALFORMED


@given(st.text(max_size=40) | st.from_regex(r"[0-6]\d{0,3}-?(/[a-z]{0,3},)?\d{0,3}[\[{].{0,20}", fullmatch=True))
def test_whatever_comes_is_a_packet_or_refused(message: str) -> None:
    text = message.encode()
    try:
        packet = packet_of(text)
    except DisconnectError as error:
        assert error.closure is codes.MALFORMED
    else:
        assert re.match(rb"[012356]", text)
        assert packet.type.value in (text[0] - 48, text[0] - 51)


def event_with(count: int, *numbers: int) -> Packet:
    places = b",".join(PLACEHOLDERS[number] for number in numbers)
    return packet_of(b'5%d-["files",%b]' % (count, places))


def test_attachments_complete_a_packet_in_their_order() -> None:
    packet = event_with(2, 1, 0)
    assert packet.due == 2
    assembly = Assembly(packet, 100)
    assert assembly.add(b"one") is None
    whole = assembly.add(b"two")
    assert whole is not None
    assert (whole.type, whole.attachments, whole.due) == (PacketType.EVENT, (b"one", b"two"), 0)


def test_an_ack_may_have_attachments() -> None:
    packet = packet_of(b"61-/chat,7[%b]" % PLACEHOLDERS[0])
    whole = Assembly(packet, 100).add(b"x")
    assert whole is not None
    assert (whole.type, whole.section, whole.id, whole.attachments) == (PacketType.ACK, "chat", 7, (b"x",))


def test_a_packet_may_have_ten_attachments() -> None:
    assembly = Assembly(event_with(10, *range(10)), 100)
    assert [assembly.add(b"x") is not None for _ in range(10)] == [False] * 9 + [True]


def test_a_packet_that_names_no_attachments_needs_none() -> None:
    assert packet_of(b'50-["files"]').due == 0


@pytest.mark.parametrize(
    "packet",
    [
        event_with(1, 0, 1),
        event_with(1, 1),
        packet_of(b'51-["a"]'),
        packet_of(b'51-["a",1e999,{"_placeholder":true,"num":0}]'),
        packet_of(b'51-["a",{"_placeholder":true,"num":-1}]'),
        packet_of(b'51-["a",{"_placeholder":true,"num":"0"}]'),
        packet_of(b'51-["a",{"_placeholder":true,"num":0.5}]'),
        packet_of(b'51-["a",{"_placeholder":true,"num":true}]'),
        packet_of(b'51-["a",{"_placeholder":true}]'),
    ],
    ids=lambda packet: bytes(packet.arguments).decode(),
)
def test_places_that_do_not_fit_the_attachments_are_refused(packet: Packet) -> None:
    with pytest.raises(DisconnectError):
        Assembly(packet, 100).add(b"x")


def test_attachments_have_a_bound_together() -> None:
    assembly = Assembly(event_with(2, 0, 1), 100)
    assembly.add(b"x" * 60)
    with pytest.raises(DisconnectError):
        assembly.add(b"x" * 41)
