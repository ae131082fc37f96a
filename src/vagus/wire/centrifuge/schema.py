"""Protobuf from tables: a ``Message`` reads and writes one type of frozen value by the numbers of its fields.

It holds what the native protocol needs of proto3 and no more: no floats, enumerations, packed lists or groups. It
knows nothing of that protocol; ``protobuf`` has the tables.

Bytes are not trusted: whatever is no such message ends in ``ValueError`` or ``IndexError``, with work linear in its
size. Fields with unknown numbers are skipped, as later versions of a client may send them.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, Generic, NamedTuple, TypeVar

Value = TypeVar("Value")

VARINT: Final = 0
"""The wire type of numbers."""
LENGTH: Final = 2
"""The wire type of whatever begins with its length."""
_WIDTHS: Final = {1: 8, 5: 4}
"""The wire types of numbers with so many bytes. No table here has them, but unknown fields may."""

MAX_DEPTH: Final = 100
"""Messages in messages. It is the bound of Protobuf's own parsers, so no client can mean more."""

_LONG: Final = 10
"""The bytes that a number of 64 bits takes at most."""
_SHORT: Final = 5
"""The bytes that a key or a length may take: both are numbers of 32 bits."""
_ONE_BYTE: Final = tuple(bytes((number,)) for number in range(0x80))


class Kind(NamedTuple):
    """How one kind of field stands on the wire.

    ``read`` takes the number of a ``VARINT`` or the bytes of a ``LENGTH`` (and the depth, where ``nested``); ``write``
    is its inverse, without the length. ``gather`` makes one value of a repeated field's several.
    """

    wire: int
    read: Callable[..., Any]
    write: Callable[[Any], bytes]
    nested: bool = False
    gather: type[tuple[Any, ...]] | type[dict[Any, Any]] | None = None


class _Field(NamedTuple):
    """A row of a table, ready for use. The fields of ``Kind`` are repeated to save a look-up for each field read."""

    key: bytes
    name: str
    wire: int
    read: Callable[..., Any]
    write: Callable[[Any], bytes]
    nested: bool
    gather: type[tuple[Any, ...]] | type[dict[Any, Any]] | None


class Message(Generic[Value]):
    """A type of message. ``make`` is called with the fields found, so each one needs a default to be read."""

    def __init__(self, make: Callable[..., Value], fields: Mapping[int, tuple[str, Kind]]) -> None:
        self._make = make
        self._by_key: dict[int, _Field] = {}
        self._in_order: list[_Field] = []
        self._gathered: dict[str, type[tuple[Any, ...]] | type[dict[Any, Any]]] = {}
        for number, (name, kind) in fields.items():
            self.add(number, name, kind)

    def add(self, number: int, name: str, kind: Kind) -> None:
        """One more field; for messages that contain themselves."""
        key = number << 3 | kind.wire
        field = _Field(varint(key), name, *kind)
        self._by_key[key] = field
        self._in_order.append(field)
        if kind.gather is not None:
            self._gathered[name] = kind.gather

    def read(self, message: bytes, depth: int = 0) -> Value:
        return self._make(**self.values(message, depth))

    def values(self, message: bytes, depth: int = 0) -> dict[str, Any]:
        """The fields that a message has, by name. Of a number or text given twice the last one counts.

        A message given twice is refused: Protobuf would have the two merged, but no client relies on it.
        """
        if depth > MAX_DEPTH:
            raise ValueError("nested too deeply")
        found: dict[str, Any] = {}
        at, end = 0, len(message)
        while at < end:
            key = message[at]
            at += 1
            if key > 0x7F:
                key, at = read_varint(message, at - 1, _SHORT)
            field = self._by_key.get(key)
            if field is None:
                at = self._skip(message, at, key)
                continue
            number = message[at]
            at += 1
            if number > 0x7F:
                number, at = read_varint(message, at - 1, _SHORT if field.wire else _LONG)
            if field.wire == VARINT:
                found[field.name] = field.read(number)
                continue
            start, at = at, at + number
            if at > end:
                raise ValueError("a length reaches past the end")
            content = message[start:at]
            value = field.read(content, depth + 1) if field.nested else field.read(content)
            if field.gather is not None:
                found.setdefault(field.name, []).append(value)
            elif field.nested and field.name in found:
                raise ValueError("a message is given twice")
            else:
                found[field.name] = value
        for name, gather in self._gathered.items():
            if name in found:
                found[name] = gather(found[name])
        return found

    def write(self, value: Any) -> bytes:
        """The message that says ``value``. Fields at their default are left out."""
        parts: list[bytes] = []
        for field in self._in_order:
            content = getattr(value, field.name)
            if not content:
                continue
            if field.gather is None:
                parts.append(_written(field, content))
            else:
                items = content.items() if field.gather is dict else content
                parts += [_written(field, item) for item in items]
        return b"".join(parts)

    def _skip(self, message: bytes, at: int, key: int) -> int:
        """Where the message goes on after an unknown field. A known one of another wire type is an error."""
        number, wire = key >> 3, key & 7
        if not 0 < number < 1 << 29 or number << 3 | VARINT in self._by_key or number << 3 | LENGTH in self._by_key:
            raise ValueError("no such field")
        if wire == VARINT:
            _, at = read_varint(message, at)
        elif wire == LENGTH:
            length, at = read_varint(message, at, _SHORT)
            at += length
        elif wire in _WIDTHS:
            at += _WIDTHS[wire]
        else:
            raise ValueError("groups and unknown wire types have no length to skip")
        if at > len(message):
            raise ValueError("a field is cut short")
        return at


def _written(field: _Field, content: Any) -> bytes:
    text = field.write(content)
    return field.key + text if field.wire == VARINT else b"".join((field.key, varint(len(text)), text))


def varint(number: int) -> bytes:
    """A number in groups of seven bits, the lowest first. Negative ones in the two's complement of 64 bits."""
    if 0 <= number < 0x80:
        return _ONE_BYTE[number]
    number &= 0xFFFF_FFFF_FFFF_FFFF
    digits = bytearray()
    while number > 0x7F:
        digits.append(number & 0x7F | 0x80)
        number >>= 7
    digits.append(number)
    return bytes(digits)


def read_varint(message: bytes, at: int, longest: int = _LONG) -> tuple[int, int]:
    """The number that begins at ``at``, and where it ends. It may be padded, within ``longest`` bytes."""
    number = 0
    for shift in range(0, 7 * longest, 7):
        byte = message[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            if number > 0xFFFF_FFFF_FFFF_FFFF:
                raise ValueError("a number has more than 64 bits")
            return number, at
    raise ValueError("a number is too long")


def _uint32(number: int) -> int:
    if number > 0xFFFF_FFFF:
        raise ValueError("a number has more than 32 bits")
    return number


def _int64(number: int) -> int:
    return number - (1 << 64) if number >> 63 else number


def _int32(number: int) -> int:
    signed = _int64(number)
    if not -(1 << 31) <= signed < 1 << 31:
        raise ValueError("a number has more than 32 bits")
    return signed


UINT32: Final = Kind(VARINT, _uint32, varint)
UINT64: Final = Kind(VARINT, int, varint)
INT32: Final = Kind(VARINT, _int32, varint)
INT64: Final = Kind(VARINT, _int64, varint)
BOOL: Final = Kind(VARINT, bool, varint)
STRING: Final = Kind(LENGTH, bytes.decode, str.encode)


def one(message: Message[Any]) -> Kind:
    """A message in a field."""
    return Kind(LENGTH, message.read, message.write, nested=True)


def many(kind: Kind) -> Kind:
    """A list of texts or messages, as a tuple."""
    return kind._replace(gather=tuple)


def mapped(kind: Kind, default: object) -> Kind:
    """A mapping from texts. ``default`` stands for the value of an entry that has none."""
    entry = Message(_Entry, {1: ("key", STRING), 2: ("value", kind)})

    def read(message: bytes, depth: int) -> tuple[str, object]:
        pair = entry.values(message, depth)
        return pair.get("key", ""), pair.get("value", default)

    def write(item: tuple[str, Any]) -> bytes:
        return entry.write(_Entry(*item))

    return Kind(LENGTH, read, write, nested=True, gather=dict)


class _Entry(NamedTuple):
    """How Protobuf writes a mapping: a list of these."""

    key: str = ""
    value: Any = None
