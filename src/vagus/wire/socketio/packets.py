"""Packets of Socket.IO as they come in: text into a value, and the binary messages that belong to it gathered.

Everything is checked here, so that a ``Packet`` is valid by itself: a bad one raises ``DisconnectError(MALFORMED)``,
after which the protocol wants the whole connection closed. What came without attachments has no placeholders, even if
it looks as if.
"""

import re
from enum import IntEnum
from typing import Final

import msgspec

from vagus.kernel import codes
from vagus.kernel.errors import DisconnectError
from vagus.kernel.events import MAX_ATTACHMENTS, are_placed
from vagus.kernel.publications import NOTHING, Json


class PacketType(IntEnum):
    CONNECT = 0
    DISCONNECT = 1
    EVENT = 2
    ACK = 3
    CONNECT_ERROR = 4
    BINARY_EVENT = 5
    BINARY_ACK = 6


RESERVED: Final = frozenset(
    {"connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"}
)
"""Names that no event may have on its way in either direction: client libraries use them for themselves."""

_BINARY: Final = frozenset({PacketType.BINARY_EVENT, PacketType.BINARY_ACK})
_TYPES: Final = tuple(PacketType)

_GRAMMAR: Final = re.compile(
    rb"""
    ([0-6])                 # type
    (?:([0-9]{1,3})-)?      # number of attachments
    (?:/([^,]{0,255})(?:,|\Z))?   # namespace; some clients leave its comma out at the end
    ([0-9]{1,15})?          # ack id: as many digits as JavaScript has exact integers
    (?=[\[{]|\Z)            # payload
    """,
    re.VERBOSE,
)

_elements: Final = msgspec.json.Decoder(list[msgspec.Raw]).decode
_fields: Final = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_name: Final = msgspec.json.Decoder(str | int | float).decode


class Packet(msgspec.Struct, frozen=True, gc=False):
    """A packet for the namespace ``/<section>``. ``id`` is what the other side wants to see in the answer.

    ``event`` is the name of an event, and ``arguments`` the JSON array after it; of an ack all of it, and of CONNECT
    its object. ``due`` binary messages are to follow before anything else.
    """

    type: PacketType
    section: str = ""
    id: int | None = None
    event: str = ""
    arguments: Json = NOTHING
    attachments: tuple[bytes, ...] = ()
    due: int = 0


def packet_of(text: bytes) -> Packet:
    """A packet, without what is due to it. ``text`` is UTF-8."""
    head = _GRAMMAR.match(text)
    if head is None:
        raise DisconnectError(codes.MALFORMED)
    kind, count, namespace, number = head.groups()
    try:
        return _checked(
            _TYPES[int(kind)],
            None if count is None else int(count),
            (namespace or b"").decode(),
            None if number is None else int(number),
            text[head.end() :],
        )
    except (msgspec.DecodeError, RecursionError):
        raise DisconnectError(codes.MALFORMED) from None


def _checked(kind: PacketType, count: int | None, section: str, number: int | None, payload: bytes) -> Packet:
    if (count is not None) is not (kind in _BINARY) or (count or 0) > MAX_ATTACHMENTS:
        raise DisconnectError(codes.MALFORMED)
    match kind:
        case PacketType.EVENT | PacketType.BINARY_EVENT:
            name, *rest = _elements(payload) or [NOTHING]
            return Packet(PacketType.EVENT, section, number, _event(name), _array(rest), due=count or 0)
        case PacketType.ACK | PacketType.BINARY_ACK if number is not None:
            return Packet(PacketType.ACK, section, number, arguments=_array(_elements(payload)), due=count or 0)
        case PacketType.CONNECT if number is None:
            return Packet(kind, section, arguments=msgspec.Raw(payload) if not payload or _fields(payload) else NOTHING)
        case PacketType.DISCONNECT if number is None and not payload:
            return Packet(kind, section)
    raise DisconnectError(codes.MALFORMED)  # CONNECT_ERROR too: only a server says that


def _event(name: msgspec.Raw) -> str:
    event = _name(name)
    if event in RESERVED:
        raise DisconnectError(codes.MALFORMED)
    return event if isinstance(event, str) else bytes(name).decode()


def _array(elements: list[msgspec.Raw]) -> Json:
    return msgspec.Raw(b"[%b]" % b",".join(elements))


class Assembly:
    """A packet whose binary messages are still to come: nothing else may come between them."""

    __slots__ = ("_attachments", "_packet", "_room")

    def __init__(self, packet: Packet, bound: int) -> None:
        """``bound`` is how many bytes all of them together may have."""
        self._packet = packet
        self._attachments: list[bytes] = []
        self._room = bound

    def add(self, attachment: bytes) -> Packet | None:
        """The whole packet, with its last attachment. Raises ``DisconnectError`` if they are no good."""
        self._room -= len(attachment)
        if self._room < 0:
            raise DisconnectError(codes.MALFORMED)
        self._attachments.append(attachment)
        if len(self._attachments) < self._packet.due:
            return None
        try:
            is_placed = are_placed(self._packet.arguments, self._packet.due)
        except (msgspec.DecodeError, RecursionError):  # a number beyond all bounds is JSON, but no value
            is_placed = False
        if not is_placed:
            raise DisconnectError(codes.MALFORMED)
        return msgspec.structs.replace(self._packet, attachments=tuple(self._attachments), due=0)
