"""Events: something with a name that happened, with its arguments.

Apps publish events in one envelope, ``{"type": …, "id": …, "at": …, "payload": …}``; a dialect with named events gives
its clients ``type`` as the name and ``payload`` as the argument. An event with any other number of arguments, or with
binary ones, is written as ``{"type": …, "arguments": […], "attachments": ["<base64>", …]}``: where a binary value
belongs, the arguments hold a *placeholder*, ``{"_placeholder": true, "num": <index of the attachment>}``.
"""

from base64 import b64encode
from typing import Annotated, Any, Final

import msgspec

from .publications import NOTHING, Json

MAX_ATTACHMENTS: Final = 10
"""As many as client libraries take in one packet."""

MAX_DEPTH: Final = 64
"""How deep arguments with attachments may be nested: whoever puts those into their places goes as deep."""

NO_ARGUMENTS: Final = msgspec.Raw(b"[]")


class Event(msgspec.Struct, frozen=True):
    """``arguments`` is a JSON array; ``attachments`` are the binary values whose places it marks."""

    type: str
    arguments: Json = NO_ARGUMENTS
    attachments: tuple[bytes, ...] = ()


class _Envelope(msgspec.Struct, frozen=True):
    type: Annotated[str, msgspec.Meta(min_length=1)]
    payload: Json = NOTHING
    arguments: tuple[Json, ...] | None = None
    attachments: tuple[bytes, ...] = ()


_decode_envelope: Final = msgspec.json.Decoder(_Envelope).decode
_decode_elements: Final = msgspec.json.Decoder(tuple[Json, ...]).decode

_PLACE: Final = b'"_placeholder":true'
"""As it is encoded. In a string its quotes would be escaped, so that this is never found in one."""


def event_of(data: Json | bytes) -> Event | None:
    """The event that an envelope holds; ``None`` for any other data, or one whose attachments do not fit."""
    text = bytes(data)
    if b'"type"' not in text:
        return None
    try:
        envelope = _decode_envelope(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if envelope.arguments is None:
        return Event(envelope.type, _array((envelope.payload,)) if envelope.payload else NO_ARGUMENTS)
    arguments = _array(envelope.arguments)
    if envelope.attachments and not are_placed(arguments, len(envelope.attachments)):
        return None
    return Event(envelope.type, arguments, envelope.attachments)


def envelope_of(event: Event) -> Json:
    """What to publish so that ``event_of`` gives the event again."""
    if not event.attachments:
        single = single_argument(event.arguments)
        if single is not None:
            return msgspec.Raw(b'{"type":%b,"payload":%b}' % (msgspec.json.encode(event.type), bytes(single)))
    fields: dict[str, Any] = {"type": event.type, "arguments": event.arguments}
    if event.attachments:
        fields["attachments"] = [b64encode(value).decode() for value in event.attachments]
    return msgspec.Raw(msgspec.json.encode(fields))


def single_argument(arguments: Json) -> Json | None:
    """The only element of a JSON array that has exactly one."""
    elements = _decode_elements(arguments)
    return elements[0] if len(elements) == 1 else None


def are_placed(arguments: Json, count: int) -> bool:
    """Whether placeholders in the arguments name attachments 0 to ``count - 1``, and no other, at a bearable depth."""
    if count > MAX_ATTACHMENTS:
        return False
    try:
        level: list[Any] = [msgspec.json.decode(arguments)]
    except (msgspec.DecodeError, RecursionError):  # a number beyond all bounds is JSON, but no value
        return False
    found: set[int] = set()
    for _ in range(MAX_DEPTH):
        inner: list[Any] = []
        for value in level:
            if isinstance(value, list):
                inner += value
            elif isinstance(value, dict) and value.get("_placeholder") is not True:
                inner += value.values()
            elif isinstance(value, dict):
                number = value.get("num")
                if type(number) is not int or not 0 <= number < count:
                    return False
                found.add(number)
        level = inner
    return not level and len(found) == count


def _array(elements: tuple[Json, ...]) -> Json:
    return msgspec.Raw(b"[%b]" % b",".join(map(bytes, elements)))


def event(type: str, *arguments: object) -> Event:
    """An event of values: anything msgspec encodes, where bytes become attachments."""
    array, attachments = packed(arguments)
    return Event(type, array, attachments)


def packed(values: object) -> tuple[Json, tuple[bytes, ...]]:
    """Values as JSON with placeholders, and the binary values that belong there.

    Raises ``ValueError`` for too many, and for data beside them that looks like a placeholder: somebody may have sent
    it so that others, to whom it is passed on, get what their libraries cannot read.
    """
    attachments: list[bytes] = []
    plain = msgspec.to_builtins(values, builtin_types=(bytes, bytearray, memoryview), str_keys=True)
    text = msgspec.json.encode(_taken_out(plain, attachments))
    if len(attachments) > MAX_ATTACHMENTS:
        raise ValueError(f"at most {MAX_ATTACHMENTS} binary values fit into one event, not {len(attachments)}")
    if attachments and text.count(_PLACE) != len(attachments):
        raise ValueError("some of the data looks like the place of a binary value, and there are such values")
    return msgspec.Raw(text), tuple(attachments)


def unpacked(text: Json, attachments: tuple[bytes, ...] = ()) -> Any:
    """The values that ``packed`` was given."""
    values = msgspec.json.decode(text)
    return _put_back(values, attachments) if attachments else values


def in_plain_json(text: Json, attachments: tuple[bytes, ...]) -> Json:
    """The same with base64 text in place of what is binary, for who knows JSON alone."""
    return msgspec.Raw(msgspec.json.encode(unpacked(text, attachments))) if attachments else text


def _taken_out(value: Any, attachments: list[bytes]) -> Any:
    match value:
        case bytes() | bytearray() | memoryview():
            attachments.append(bytes(value))
            return {"_placeholder": True, "num": len(attachments) - 1}
        case dict():
            return {key: _taken_out(each, attachments) for key, each in value.items()}
        case list() | tuple():
            return [_taken_out(each, attachments) for each in value]
    return value


def _put_back(value: Any, attachments: tuple[bytes, ...]) -> Any:
    match value:
        case {"_placeholder": True, "num": number} if type(number) is int and 0 <= number < len(attachments):
            return attachments[number]
        case dict():
            return {key: _put_back(each, attachments) for key, each in value.items()}
        case list():
            return [_put_back(each, attachments) for each in value]
    return value
