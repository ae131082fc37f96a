"""Engine.IO: the handshake, and packets in bodies."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vagus.kernel.errors import DisconnectError
from vagus.wire.socketio import engine


def test_a_handshake_has_exactly_the_keys_that_clients_know() -> None:
    packet = engine.Handshake("abc", ("websocket",), 25_000, 8_000, 1_000_000).packet
    assert packet[:1] == b"0"
    assert msgspec.json.decode(packet[1:]) == {
        "sid": "abc",
        "upgrades": ["websocket"],
        "pingInterval": 25_000,
        "pingTimeout": 8_000,
        "maxPayload": 1_000_000,
    }


def test_a_problem_says_its_number_and_what_it_means() -> None:
    assert engine.UNKNOWN_SESSION.body == b'{"code":1,"message":"Session ID unknown"}'


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\x1e"), min_size=1), min_size=1))
def test_packets_of_a_body_come_apart_as_they_went_together(packets: list[str]) -> None:
    encoded = [packet.encode() for packet in packets]
    assert engine.packets_of(engine.SEPARATOR.join(encoded)) == encoded


@pytest.mark.parametrize(
    "body", [b"", b"\x1e", b"4a\x1e", b"\x1e4a", b"4a\x1e\x1e4b", b"4\xff", b"3\x1e" * 10_000 + b"3"]
)
def test_a_body_with_empty_packets_or_too_many_or_no_text_is_refused(body: bytes) -> None:
    with pytest.raises(DisconnectError):
        engine.packets_of(body)


@given(st.binary())
def test_binary_messages_of_a_body_are_base64(payload: bytes) -> None:
    assert engine.payload_of(engine.binary_in_body(payload)) == payload


@pytest.mark.parametrize("packet", [b"b!", b"bA", b"bQU JD", b"bQUJD\n"])
def test_what_is_no_base64_is_refused(packet: bytes) -> None:
    with pytest.raises(DisconnectError):
        engine.payload_of(packet)
