from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vagus.kernel.errors import DisconnectError
from vagus.wire.signalr.messagepack import MESSAGEPACK, packed_json
from vagus.wire.signalr.messages import Ack, CancelInvocation, Close, Completion, Invocation, Item, Ping, Sequence

encode, decode = msgspec.msgpack.encode, msgspec.msgpack.decode
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def raw(text: str) -> msgspec.Raw:
    return msgspec.Raw(text.encode())


def read(*fields: Any) -> Any:
    return MESSAGEPACK.read(encode(list(fields)))


def written(record: bytes) -> Any:
    """What a record holds; all of these here are shorter than 128 bytes."""
    assert record[0] == len(record) - 1
    return decode(record[1:])


def test_every_kind_of_message_is_read() -> None:
    assert read(1, {}, None, "Send", [1, "a"]) == Invocation("Send", raw('[1,"a"]'))
    assert read(1, {"h": "x"}, "7", "Send", [], [], "later") == Invocation("Send", id="7")
    assert read(4, {}, "7", "S", [], ["8"]) == Invocation("S", id="7", streams=("8",), wants_stream=True)
    assert read(2, {}, "8", {"x": 1}) == Item("8", raw('{"x":1}'))
    assert read(3, {}, "8", 3, 5) == Completion("8", raw("5"))
    assert read(3, {}, "8", 1, "oh") == Completion("8", error="oh")
    assert read(3, {}, "8", 2) == Completion("8")
    assert read(5, {}, "8") == CancelInvocation("8")
    assert read(6) == Ping()
    assert read(7, None) == Close()
    assert read(7, "oh", True) == Close("oh")
    assert read(8, 12) == Ack(12)
    assert read(9, 13) == Sequence(13)
    assert read(99, "what") is None


@pytest.mark.parametrize(
    "record",
    [
        b"",
        b"\xc1",
        encode({}),
        encode([]),
        encode(["1"]),
        encode([1]),
        encode([1, {}, None, "S"]),
        encode([1, {}, None, 5, []]),
        encode([1, {}, None, "S", {}]),
        encode([1, {}, None, "S", [], 5]),
        encode([1, {}, 7, "S", []]),
        encode([4, {}, None, "S", []]),
        encode([2, {}, None, 1]),
        encode([3, {}, "8", 3]),
        encode([3, {}, "8", 9, 1]),
        encode([8, -1]),
        encode([9, "1"]),
        encode([6]) + b"\x00",
        b"\xdd\xff\xff\xff\xff",
        b"\x91" * 5_000 + b"\x01",
        b"\x81\x80\x01",
        b"\xd6\xff" + b"\xff" * 3,
    ],
)
def test_what_is_no_message_is_refused(record: bytes) -> None:
    with pytest.raises(DisconnectError):
        MESSAGEPACK.read(record)


def test_binary_values_become_attachments_and_timestamps_text() -> None:
    message = read(1, {}, "1", "S", [b"\x00", {"at": datetime(2026, 1, 2, tzinfo=UTC), "more": [b"\x01"]}])
    assert msgspec.json.decode(message.arguments) == [
        {"_placeholder": True, "num": 0},
        {"at": "2026-01-02T00:00:00Z", "more": [{"_placeholder": True, "num": 1}]},
    ]
    assert message.attachments == (b"\x00", b"\x01")


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (float("nan"), "finite"),
        (float("inf"), "finite"),
        ({1: 2}, "key"),
        (msgspec.msgpack.Ext(5, b"x"), "extension"),
        ([b"x"] * 11, "binary"),
    ],
)
def test_a_value_that_json_does_not_have_makes_its_invocation_unfit_and_nothing_else(value: Any, reason: str) -> None:
    assert reason in read(1, {}, "1", "S", [value]).unfit
    assert reason in read(2, {}, "1", value).error
    assert reason in read(3, {}, "1", 3, value).error


def test_messages_are_written_as_clients_expect_them() -> None:
    opening = MESSAGEPACK.item_opening("3")
    assert written(MESSAGEPACK.invocation("news", raw("[1]"))) == [1, {}, None, "news", [1], []]
    assert written(MESSAGEPACK.invocation("ask", raw("[]"), id="s1")) == [1, {}, "s1", "ask", [], []]
    assert written(MESSAGEPACK.item(opening, raw('{"a":1}'))) == [2, {}, "3", {"a": 1}]
    assert written(MESSAGEPACK.completion("3", raw("null"))) == [3, {}, "3", 3, None]
    assert written(MESSAGEPACK.completion("3", raw(""))) == [3, {}, "3", 2]
    assert written(MESSAGEPACK.failure("3", "oh")) == [3, {}, "3", 1, "oh"]
    assert written(MESSAGEPACK.close("", reconnects=True)) == [7, None, True]
    assert written(MESSAGEPACK.close("oh", reconnects=False)) == [7, "oh", False]
    assert written(MESSAGEPACK.ack(5)) == [8, 5]
    assert written(MESSAGEPACK.sequence(6)) == [9, 6]
    assert written(MESSAGEPACK.ping) == [6]


def test_attachments_are_binary_again() -> None:
    array = raw('[{"_placeholder":true,"num":0}]')
    assert written(MESSAGEPACK.invocation("t", array, (b"\x00\x01",)))[4] == [b"\x00\x01"]


@given(VALUES)
def test_json_is_converted_without_loss(value: Any) -> None:
    assert decode(packed_json(msgspec.json.encode(value))) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b"[18446744073709551616]", [2.0**64]),
        (b'{"a":-9223372036854775809}', {"a": -(2.0**63)}),
        (b"1e400", "1e400"),
        (b'{"a":1,"a":2}', {"a": 2}),
        (b"1" + b"0" * 400, "1" + "0" * 400),
    ],
)
def test_what_64_bits_do_not_hold_is_converted_as_well_as_can_be(text: bytes, value: Any) -> None:
    assert decode(packed_json(text)) == value


def test_json_that_is_nested_too_deep_stays_text() -> None:
    text = b"[" * 30_000 + b"]" * 30_000
    assert decode(packed_json(text)) == text.decode()


def test_one_value_is_converted_once_for_all_who_want_it() -> None:
    data = raw('{"n":1}')
    first = MESSAGEPACK.item(MESSAGEPACK.item_opening("1"), data)
    second = MESSAGEPACK.item(MESSAGEPACK.item_opening("2"), data)
    assert written(first)[3] == written(second)[3] == {"n": 1}
    assert MESSAGEPACK._last[0] is data
