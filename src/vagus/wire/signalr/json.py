"""Records in JSON. Data is passed through as it came; binary values are base64 text."""

from typing import Final

import msgspec

from vagus.kernel import codes
from vagus.kernel.errors import DisconnectError
from vagus.kernel.events import NO_ARGUMENTS, in_plain_json
from vagus.kernel.publications import NOTHING, Json

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
from .records import SeparatedRecords, count_separated

_NULL: Final = msgspec.Raw(b"null")


class _Fields(msgspec.Struct, frozen=True):
    """The fields of all kinds together."""

    type: int
    invocationId: str | None = None
    target: str | None = None
    arguments: Json = NO_ARGUMENTS
    streamIds: tuple[str, ...] | None = None
    item: Json = _NULL
    result: Json = NOTHING
    error: str | None = None
    sequenceId: int | None = None


_decode: Final = msgspec.json.Decoder(_Fields).decode
_encode: Final = msgspec.json.Encoder().encode


class JsonNotation:
    name: Final = "json"
    binary: Final = False
    ping: Final = b'{"type":6}\x1e'

    @staticmethod
    def records(bound: int) -> SeparatedRecords:
        return SeparatedRecords(bound)

    @staticmethod
    def read(record: bytes) -> Message | None:
        try:
            if not record.isascii():
                record.decode()  # embedded data is passed through, so nobody else looks at it
            return _message(_decode(record))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise DisconnectError(codes.MALFORMED) from None

    @staticmethod
    def count(payload: bytes) -> int:
        return count_separated(payload)

    @staticmethod
    def invocation(target: str, arguments: Json, attachments: tuple[bytes, ...] = (), id: str = "") -> bytes:
        array = in_plain_json(arguments, attachments)
        if id:
            return b'{"type":1,"invocationId":%b,"target":%b,"arguments":%b}\x1e' % (
                _encode(id),
                _encode(target),
                array,
            )
        return b'{"type":1,"target":%b,"arguments":%b}\x1e' % (_encode(target), array)

    @staticmethod
    def item_opening(id: str) -> bytes:
        return b'{"type":2,"invocationId":%b,"item":' % _encode(id)

    @staticmethod
    def item(opening: bytes, item: Json, attachments: tuple[bytes, ...] = ()) -> bytes:
        return b"%b%b}\x1e" % (opening, in_plain_json(item, attachments))

    @staticmethod
    def completion(id: str, result: Json, attachments: tuple[bytes, ...] = ()) -> bytes:
        if not result:
            return b'{"type":3,"invocationId":%b}\x1e' % _encode(id)
        return b'{"type":3,"invocationId":%b,"result":%b}\x1e' % (_encode(id), in_plain_json(result, attachments))

    @staticmethod
    def failure(id: str, error: str) -> bytes:
        return b'{"type":3,"invocationId":%b,"error":%b}\x1e' % (_encode(id), _encode(error))

    @staticmethod
    def close(error: str, *, reconnects: bool) -> bytes:
        fields: dict[str, object] = {"type": 7}
        if error:
            fields["error"] = error
        if reconnects:
            fields["allowReconnect"] = True
        return _encode(fields) + b"\x1e"

    @staticmethod
    def ack(sequence: int) -> bytes:
        return b'{"type":8,"sequenceId":%d}\x1e' % sequence

    @staticmethod
    def sequence(sequence: int) -> bytes:
        return b'{"type":9,"sequenceId":%d}\x1e' % sequence


def _message(fields: _Fields) -> Message | None:
    match fields.type:
        case 1 | 4:
            return _invocation(fields)
        case 2:
            return Item(checked_id(fields.invocationId), msgspec.Raw(bytes(fields.item)))
        case 3:
            return Completion(checked_id(fields.invocationId), msgspec.Raw(bytes(fields.result)), error=fields.error)
        case 5:
            return CancelInvocation(checked_id(fields.invocationId))
        case 6:
            return Ping()
        case 7:
            return Close(fields.error)
        case 8:
            return Ack(checked_number(fields.sequenceId))
        case 9:
            return Sequence(checked_number(fields.sequenceId))
    return None


def _invocation(fields: _Fields) -> Invocation:
    array = bytes(fields.arguments)
    wants_stream = fields.type == 4
    if fields.target is None or array[:1] != b"[":
        raise DisconnectError(codes.MALFORMED)
    return Invocation(
        fields.target,
        msgspec.Raw(array),
        id=checked_id(fields.invocationId) if fields.invocationId or wants_stream else "",
        streams=tuple(map(checked_id, fields.streamIds or ())),
        wants_stream=wants_stream,
    )


JSON: Final = JsonNotation()
