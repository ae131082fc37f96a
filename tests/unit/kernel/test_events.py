"""Events and their envelopes: names, arguments in their order, and the places of binary values."""

from base64 import b64encode
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vagus.kernel.events import (
    MAX_ATTACHMENTS,
    MAX_DEPTH,
    Event,
    are_placed,
    envelope_of,
    event,
    event_of,
    in_plain_json,
    packed,
    single_argument,
    unpacked,
)

FIRST = {"_placeholder": True, "num": 0}

plain_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text() | st.binary(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


def decoded(data: msgspec.Raw) -> Any:
    return msgspec.json.decode(data)


def test_an_event_of_one_argument_is_written_with_a_payload() -> None:
    assert decoded(envelope_of(event("chat", {"text": "hi"}))) == {"type": "chat", "payload": {"text": "hi"}}


@pytest.mark.parametrize("arguments", [(), (1, "two", None)])
def test_any_other_number_of_arguments_is_written_as_a_list(arguments: tuple[Any, ...]) -> None:
    assert decoded(envelope_of(event("chat", *arguments))) == {"type": "chat", "arguments": list(arguments)}


def test_binary_values_are_written_in_base64_beside_their_places() -> None:
    data = decoded(envelope_of(event("file", "a.txt", b"hello")))
    assert data == {"type": "file", "arguments": ["a.txt", FIRST], "attachments": [b64encode(b"hello").decode()]}


def test_a_single_binary_argument_is_no_payload() -> None:
    assert decoded(envelope_of(event("file", b"x")))["arguments"] == [FIRST]


def test_an_envelope_of_an_app_is_an_event_with_its_payload() -> None:
    data = msgspec.Raw(b'{"type":"paid","id":"e1","at":17,"payload":{"sum":3}}')
    assert event_of(data) == Event("paid", msgspec.Raw(b'[{"sum":3}]'))


def test_an_envelope_without_a_payload_is_an_event_without_arguments() -> None:
    assert event_of(b'{"type":"tick"}') == Event("tick")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"1",
        b'{"kind":"x"}',
        b'["type"]',
        b'{"type":""}',
        b'{"type":7}',
        b'{"type":"x","arguments":{}}',
        b'{"type":"x","attachments":["!"]}',
        b'{"type":"x"',
        b'{"type":"\xff"}',
        b'{"type":"x","arguments":[],"attachments":["aGk="]}',
        b'{"type":"x","arguments":[{"_placeholder":true,"num":1}],"attachments":["aGk="]}',
    ],
)
def test_other_data_is_no_event(data: bytes) -> None:
    assert event_of(data) is None


def test_data_that_is_nested_without_end_is_no_event() -> None:
    assert event_of(b'{"type":"x","payload":' + b"[" * 100_000) is None


@given(st.text(min_size=1), st.lists(plain_values, max_size=3))
def test_what_was_put_into_an_envelope_comes_out_again(name: str, values: list[Any]) -> None:
    found = event_of(envelope_of(event(name, *values)))
    assert found is not None
    assert (found.type, unpacked(found.arguments, found.attachments)) == (name, values)


@pytest.mark.parametrize(("array", "element"), [(b"[]", None), (b"[ 1 ]", b"1"), (b"[1,2]", None), (b'["]"]', b'"]"')])
def test_the_only_element_of_an_array_is_taken_out_as_it_stands(array: bytes, element: bytes | None) -> None:
    single = single_argument(msgspec.Raw(array))
    assert (bytes(single) if single is not None else None) == element


@pytest.mark.parametrize(
    ("arguments", "count", "fits"),
    [
        ([FIRST], 1, True),
        ([{"deep": [FIRST, {"_placeholder": True, "num": 1}]}], 2, True),
        ([FIRST, FIRST], 1, True),
        ([], 0, True),
        ([], 1, False),
        ([FIRST], 0, False),
        ([{"_placeholder": True, "num": -1}], 1, False),
        ([{"_placeholder": True, "num": True}, FIRST], 2, False),
        ([{"_placeholder": True, "num": "0"}], 1, False),
        ([{"_placeholder": True}], 1, False),
        ([{"_placeholder": 1, "num": 5}, FIRST], 1, True),
    ],
)
def test_placeholders_must_name_all_attachments_and_no_other(arguments: list[Any], count: int, *, fits: bool) -> None:
    assert are_placed(msgspec.Raw(msgspec.json.encode(arguments)), count) is fits


@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 900, 30_000])
def test_no_attachment_is_placed_beyond_a_bearable_depth(depth: int) -> None:
    text = b"[" * depth + b'{"_placeholder":true,"num":0}' + b"]" * depth
    assert not are_placed(msgspec.Raw(text), 1)
    assert event_of(b'{"type":"x","arguments":%b,"attachments":["AA=="]}' % text) is None


def test_what_is_no_value_has_no_attachments() -> None:
    assert not are_placed(msgspec.Raw(b'[1e999,{"_placeholder":true,"num":0}]'), 1)


def test_no_more_attachments_are_placed_than_clients_take() -> None:
    places = [{"_placeholder": True, "num": n} for n in range(MAX_ATTACHMENTS + 1)]
    assert not are_placed(msgspec.Raw(msgspec.json.encode(places)), MAX_ATTACHMENTS + 1)


@pytest.mark.parametrize("value", [b"x", bytearray(b"x"), memoryview(b"x")])
def test_every_kind_of_bytes_is_an_attachment(value: Any) -> None:
    assert packed([value]) == (msgspec.Raw(b'[{"_placeholder":true,"num":0}]'), (b"x",))


class Picture(msgspec.Struct):
    name: str
    pixels: bytes


def test_bytes_are_found_in_structs_and_tuples() -> None:
    text, attachments = packed((Picture("a", b"1"), {"b": (b"2",)}))
    assert unpacked(text, attachments) == [{"name": "a", "pixels": b"1"}, {"b": [b"2"]}]


def test_keys_that_are_no_text_become_text() -> None:
    assert packed({1: "one"}) == (msgspec.Raw(b'{"1":"one"}'), ())


def test_more_binary_values_than_clients_take_are_refused() -> None:
    with pytest.raises(ValueError, match="at most 10 binary values"):
        packed([b"x"] * (MAX_ATTACHMENTS + 1))


@pytest.mark.parametrize("number", [0, 7, "x"])
def test_data_that_looks_like_the_place_of_a_binary_value_does_not_go_with_binary_values(number: object) -> None:
    """A client could send it so that others, to whom it is passed on, get what their libraries die of."""
    with pytest.raises(ValueError, match="looks like the place"):
        packed([{"_placeholder": True, "num": number}, b"x"])


def test_without_binary_values_such_data_is_data() -> None:
    assert unpacked(*packed([{"_placeholder": True, "num": 7}])) == [{"_placeholder": True, "num": 7}]


@pytest.mark.parametrize("number", [-1, 2, "0", None, True])
def test_a_place_without_an_attachment_stays_what_it_is(number: object) -> None:
    text = msgspec.Raw(msgspec.json.encode([{"_placeholder": True, "num": number}, FIRST]))
    assert unpacked(text, (b"x", b"y")) == [{"_placeholder": True, "num": number}, b"x"]


def test_binary_values_in_plain_json_are_base64() -> None:
    assert in_plain_json(*packed(["a", b"hello"])) == msgspec.Raw(b'["a","aGVsbG8="]')


def test_plain_json_without_binary_values_is_not_touched() -> None:
    text = msgspec.Raw(b'[ 1 , {"a" : 2} ]')
    assert in_plain_json(text, ()) is text
