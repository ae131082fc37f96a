"""Records in MessagePack. Data is JSON inside, so that it is converted on the way: once for a publication.

Binary values become attachments on the way in and binary again on the way out, timestamps text. What JSON does not have
is refused: keys that are no text, numbers that are none, types of somebody's own.
"""

from datetime import datetime
from math import isfinite
from typing import Any, Final

import msgspec

from vagus.kernel import codes
from vagus.kernel.errors import DisconnectError
from vagus.kernel.events import MAX_ATTACHMENTS, unpacked
from vagus.kernel.publications import Json

from .messages import (
    Ack,
    CancelInvocation,
    Close,
    Completion,
    Invocation,
    Item,
    Message,
    Ping,
    Sequence,
    checked_id,
    checked_number,
)
from .records import PrefixedRecords, count_prefixed, prefixed

_decode: Final = msgspec.msgpack.Decoder().decode
_encode: Final = msgspec.msgpack.Encoder().encode
_decode_json: Final = msgspec.json.Decoder().decode
_encode_json: Final = msgspec.json.Encoder().encode

_WRONG: Final = (msgspec.DecodeError, ValueError, TypeError, OverflowError, RecursionError)
"""What bytes that are no value of ours raise."""

_ERROR, _VOID, _RESULT = 1, 2, 3
"""Kinds of completions."""

_NIL: Final = b"\xc0"


class _UnfitError(Exception):
    """A value that JSON does not have; the text says which."""


class MessagePackNotation:
    """One object serves every connection. It remembers the last value it converted: of a publication, each kind of

    subscriber wants the same.
    """

    name: Final = "messagepack"
    binary: Final = True
    ping: Final = b"\x02\x91\x06"

    def __init__(self) -> None:
        self._last: tuple[Json, bytes] = (msgspec.Raw(b"null"), _NIL)

    @staticmethod
    def records(bound: int) -> PrefixedRecords:
        return PrefixedRecords(bound)

    @staticmethod
    def read(record: bytes) -> Message | None:
        try:
            fields = _decode(record)
        except _WRONG:
            raise DisconnectError(codes.MALFORMED) from None
        if type(fields) is not list or not fields or type(fields[0]) is not int:
            raise DisconnectError(codes.MALFORMED)
        return _message(fields)

    @staticmethod
    def count(payload: bytes) -> int:
        return count_prefixed(payload)

    def invocation(self, target: str, arguments: Json, attachments: tuple[bytes, ...] = (), id: str = "") -> bytes:
        name = _encode(id) if id else _NIL
        return prefixed(b"\x96\x01\x80", name, _encode(target), self._packed(arguments, attachments), b"\x90")

    @staticmethod
    def item_opening(id: str) -> bytes:
        return b"\x94\x02\x80" + _encode(id)

    def item(self, opening: bytes, item: Json, attachments: tuple[bytes, ...] = ()) -> bytes:
        return prefixed(opening, self._packed(item, attachments))

    def completion(self, id: str, result: Json, attachments: tuple[bytes, ...] = ()) -> bytes:
        if not result:
            return prefixed(b"\x94\x03\x80", _encode(id), b"\x02")
        return prefixed(b"\x95\x03\x80", _encode(id), b"\x03", self._packed(result, attachments))

    @staticmethod
    def failure(id: str, error: str) -> bytes:
        return prefixed(b"\x95\x03\x80", _encode(id), b"\x01", _encode(error))

    @staticmethod
    def close(error: str, *, reconnects: bool) -> bytes:
        return prefixed(b"\x93\x07", _encode(error) if error else _NIL, _encode(reconnects))

    @staticmethod
    def ack(sequence: int) -> bytes:
        return prefixed(b"\x92\x08", _encode(sequence))

    @staticmethod
    def sequence(sequence: int) -> bytes:
        return prefixed(b"\x92\x09", _encode(sequence))

    def _packed(self, text: Json, attachments: tuple[bytes, ...]) -> bytes:
        if attachments:
            return _written(unpacked(text, attachments))
        last, packed = self._last
        if last is not text:
            packed = packed_json(text)
            self._last = text, packed
        return packed


def packed_json(text: Json | bytes) -> bytes:
    """JSON in MessagePack. Numbers beyond 64 bits become floats; what cannot be read at all stays text."""
    try:
        value = _decode_json(text)
    except _WRONG:
        return _encode(bytes(text).decode(errors="replace"))
    return _written(value)


def _written(value: Any) -> bytes:
    try:
        return _encode(value)
    except OverflowError:
        return _encode(_in_64_bits(value))


def _in_64_bits(value: Any) -> Any:
    match value:
        case int() if not -(2**63) <= value < 2**64:
            try:
                return float(value)
            except OverflowError:
                return str(value) if value.bit_length() < 4_096 else None
        case list():
            return [_in_64_bits(each) for each in value]
        case dict():
            return {key: _in_64_bits(each) for key, each in value.items()}
    return value


def _message(fields: list[Any]) -> Message | None:
    match fields:
        case [1 | 4, _, id, str(target), list(arguments), *rest]:
            return _invocation(fields[0] == 4, id, target, arguments, rest[0] if rest else None)
        case [2, _, id, item, *_]:
            try:
                return Item(checked_id(id), *_plain_json(item))
            except _UnfitError as error:
                return Completion(checked_id(id), error=str(error))
        case [3, _, id, int(kind), *rest] if rest or kind == _VOID:
            return _completion(checked_id(id), kind, rest)
        case [5, _, id, *_]:
            return CancelInvocation(checked_id(id))
        case [6, *_]:
            return Ping()
        case [7, error, *_]:
            return Close(error if type(error) is str else None)
        case [8, number, *_]:
            return Ack(checked_number(number))
        case [9, number, *_]:
            return Sequence(checked_number(number))
        case [int(kind), *_] if not 1 <= kind <= 9:
            return None
    raise DisconnectError(codes.MALFORMED)


def _invocation(wants_stream: bool, id: object, target: str, arguments: list[Any], streams: object) -> Invocation:
    if streams is not None and type(streams) is not list:
        raise DisconnectError(codes.MALFORMED)
    invocation = Invocation(
        target,
        id=checked_id(id) if id or wants_stream else "",
        streams=tuple(map(checked_id, streams or ())),
        wants_stream=wants_stream,
    )
    try:
        array, attachments = _plain_json(arguments)
    except _UnfitError as error:
        return msgspec.structs.replace(invocation, unfit=str(error))
    return msgspec.structs.replace(invocation, arguments=array, attachments=attachments)


def _completion(id: str, kind: int, rest: list[Any]) -> Completion:
    if kind == _VOID:
        return Completion(id)
    if kind == _ERROR:
        return Completion(id, error=rest[0] if type(rest[0]) is str else "an error without words")
    if kind != _RESULT:
        raise DisconnectError(codes.MALFORMED)
    try:
        return Completion(id, *_plain_json(rest[0]))
    except _UnfitError as error:
        return Completion(id, error=str(error))


def _plain_json(value: Any) -> tuple[Json, tuple[bytes, ...]]:
    """As JSON, and the binary values whose places it marks. Raises ``_UnfitError``."""
    attachments: list[bytes] = []
    try:
        text = _encode_json(_plain(value, attachments))
    except RecursionError:
        raise _UnfitError("it is nested too deep") from None
    return msgspec.Raw(text), tuple(attachments)


def _plain(value: Any, attachments: list[bytes]) -> Any:
    match value:
        case str() | bool() | int() | None:
            return value
        case float():
            if not isfinite(value):
                raise _UnfitError("a number must be finite")
            return value
        case list():
            return [_plain(each, attachments) for each in value]
        case dict():
            if not all(type(key) is str for key in value):
                raise _UnfitError("a key must be text")
            return {key: _plain(each, attachments) for key, each in value.items()}
        case bytes():
            if len(attachments) >= MAX_ATTACHMENTS:
                raise _UnfitError(f"at most {MAX_ATTACHMENTS} binary values are taken")
            attachments.append(value)
            return {"_placeholder": True, "num": len(attachments) - 1}
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
    raise _UnfitError("an extension type is not known here")


MESSAGEPACK: Final = MessagePackNotation()
