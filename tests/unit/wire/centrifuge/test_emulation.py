"""The envelope of commands that come by request."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vagus.wire.centrifuge.emulation import EmulationError, EmulationRequest, emulation_from


def test_json_holds_the_commands_in_a_string() -> None:
    body = msgspec.json.encode({"session": "s", "node": "n", "data": '{"id":2}\n{"id":3}', "more": 1})
    assert emulation_from(body, is_binary=False) == EmulationRequest("s", "n", b'{"id":2}\n{"id":3}')


def test_protobuf_numbers_are_those_of_the_schema() -> None:
    body = b"\x0a\x01n\x12\x01s\x1a\x03\x02\x08\x01"
    assert emulation_from(body, is_binary=True) == EmulationRequest("s", "n", b"\x02\x08\x01")


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"data":{}}', b'{"data":1}', b"\xff", b'{"data":"\\ud800"}', b"[" * 9_999]
)
def test_what_is_no_envelope_is_refused(body: bytes) -> None:
    with pytest.raises(EmulationError):
        emulation_from(body, is_binary=False)


@given(st.binary(max_size=60), st.booleans())
def test_any_bytes_are_an_envelope_or_refused(body: bytes, is_binary: bool) -> None:
    try:
        assert isinstance(emulation_from(body, is_binary=is_binary).data, bytes)
    except EmulationError:
        pass
