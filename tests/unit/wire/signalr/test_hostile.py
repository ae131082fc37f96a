"""Whatever comes is understood or refused; nothing else is ever raised."""

import contextlib
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vagus.kernel import codes
from vagus.kernel.errors import DisconnectError
from vagus.wire.signalr.dialect import DIALECTS
from vagus.wire.signalr.dialogue import HubDialogue
from vagus.wire.signalr.records import prefixed

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats()
    | st.text(max_size=5)
    | st.binary(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=6) | st.dictionaries(st.text(max_size=3) | st.integers(0, 9), inner, max_size=3)
    ),
    max_leaves=12,
)
NAMES = ("type", "invocationId", "target", "arguments", "streamIds", "item", "result", "error", "sequenceId")


def dialogue(notation: str) -> HubDialogue:
    return HubDialogue(DIALECTS[notation], bound=1_000, section="", owns=lambda target: False, on_refusal=lambda: None)


def heard(talk: HubDialogue, chunk: bytes) -> None:
    """Take a chunk, and answer all that it asks."""
    with contextlib.suppress(DisconnectError):
        for number, _ in talk.decode(chunk):
            talk.reply(number, codes.INTERNAL)


@pytest.mark.parametrize("notation", ["json", "messagepack"])
@given(chunks=st.lists(st.binary(max_size=60), max_size=5))
def test_any_bytes(notation: str, chunks: list[bytes]) -> None:
    talk = dialogue(notation)
    for chunk in chunks:
        heard(talk, chunk)


@given(st.integers(0, 10), st.lists(VALUES, max_size=6))
def test_any_packed_array(kind: int, values: list[Any]) -> None:
    try:
        record = msgspec.msgpack.encode([kind, *values])
    except OverflowError:
        return
    heard(dialogue("messagepack"), prefixed(record))


@given(st.integers(0, 10), st.dictionaries(st.sampled_from(NAMES[1:]), VALUES))
def test_any_json_object(kind: int, fields: dict[str, Any]) -> None:
    record = msgspec.json.encode({"type": kind, **fields})
    heard(dialogue("json"), record + b"\x1e")
