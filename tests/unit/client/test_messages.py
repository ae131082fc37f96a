"""What a program is handed."""

from typing import Any

import msgspec
import pytest

from vagus.client.errors import DataError
from vagus.client.messages import Message, Publication, Receipt, decoder_of
from vagus.kernel.publications import Position


def message(data: bytes, type: Any = Any, **facts: Any) -> Message[Any]:
    return Message("news", Publication(msgspec.Raw(data), **facts), decoder_of(type), "e")


def test_data_is_decoded_once_and_only_when_it_is_asked_for() -> None:
    broken, whole = message(b"{"), message(b'{"a":[1]}', offset=4)
    assert whole.data is whole.data
    assert (whole.data, whole.position, whole.raw) == ({"a": [1]}, Position(4, "e"), b'{"a":[1]}')
    with pytest.raises(DataError):
        _ = broken.data


def test_data_of_another_type_says_where() -> None:
    with pytest.raises(DataError, match=r"\$\[1\]"):
        _ = message(b'[1,"two"]', list[int]).data


def test_a_message_without_data_tags_or_sender_has_nothing_there() -> None:
    empty = message(b"")
    assert (empty.data, dict(empty.tags), empty.publisher, empty.time_ms) == (None, {}, None, 0)
    assert repr(empty) == "<Message news #0 0 bytes>"


def test_a_receipt_says_where() -> None:
    assert Receipt(3, "e").position == Position(3, "e")
