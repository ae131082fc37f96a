"""What is heard from and said to one client in its namespace.

The hub numbers commands; Socket.IO has ack ids, from 0 and in any order. An id becomes a number and back without a
table: twice the id and two, and one more for ``subscribe``, so that the reply knows what it answers. One number is
left for CONNECT.
"""

from collections.abc import Collection, Iterator
from typing import Any, Final, TypeVar

import msgspec

from vagus.kernel import codes, commands, replies
from vagus.kernel.codes import Closure, Fault
from vagus.kernel.commands import Command
from vagus.kernel.errors import DisconnectError, RefusedError
from vagus.kernel.events import Event, in_plain_json
from vagus.kernel.publications import NOTHING, Json
from vagus.kernel.replies import Push, Reply
from vagus.wire import Dialect
from vagus.wire.verbs import ArgumentError, verb_from

from .dialect import EventDialect
from .packets import Packet, PacketType, packet_of

T = TypeVar("T")

CONNECT_NUMBER: Final = 1

EVENTS: Final = frozenset({"subscribe", "unsubscribe", "publish", "presence", "presence_stats", "history", "refresh"})
"""Those that are verbs of the hub, unless the section has a call of that name."""

_encode: Final = msgspec.json.Encoder().encode
_fields: Final = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_SECRETS: Final = frozenset({"pid", "offset"})


class Return(msgspec.Struct, frozen=True):
    """What a client shows that wants to go on where it was cut off."""

    pid: str = ""
    offset: str = ""


class _Auth(msgspec.Struct, frozen=True):
    token: Any = ""
    pid: Any = ""
    offset: Any = ""


def connect_of(packet: Packet) -> tuple[commands.Connect, Return]:
    """The connect command of a CONNECT packet, without the secret with which the client comes back.

    Raises ``DisconnectError(MALFORMED)`` for values that nobody can read.
    """
    data = packet.arguments
    if not data:
        return commands.Connect(), Return()
    try:
        auth = msgspec.json.decode(data, type=_Auth)
    except (msgspec.DecodeError, RecursionError):
        raise DisconnectError(codes.MALFORMED) from None
    if b'"pid"' in bytes(data) or b'"offset"' in bytes(data):
        rest = {name: value for name, value in _fields(data).items() if name not in _SECRETS}
        data = msgspec.Raw(_encode(rest)) if rest else NOTHING
    return commands.Connect(token=_text(auth.token), data=data), Return(_text(auth.pid), _text(auth.offset))


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


class EventDialogue:
    """One client's. ``own`` are the names that its section has calls of; ``pid`` is told to clients that may return."""

    __slots__ = ("_own", "dialect", "is_joined", "is_refused", "pid")

    def __init__(self, dialect: EventDialect, own: Collection[str], pid: str = "") -> None:
        self.dialect = dialect
        self.pid = pid
        self.is_joined = False
        """Whether the client was told that it is in."""
        self.is_refused = False
        """Whether it was told that it does not get in."""
        self._own = own

    # what comes in

    def decode(self, message: bytes) -> Iterator[tuple[int, Command]]:
        """A packet without attachments, and without what Engine.IO puts before it."""
        packet = packet_of(message)
        if packet.due or packet.section != self.dialect.section:
            raise DisconnectError(codes.MALFORMED)
        yield number_of(packet), self.command_of(packet)

    def command_of(self, packet: Packet) -> Command:
        """What an event or ack asks for. Raises ``RefusedError`` for a verb whose arguments make no sense."""
        if packet.type is PacketType.ACK:
            return commands.Answer(packet.id or 0, packet.arguments, packet.attachments)
        if packet.type is not PacketType.EVENT:
            raise DisconnectError(codes.MALFORMED)
        if packet.event in EVENTS and packet.event not in self._own:
            try:
                return verb_from(packet.event.replace("_", ""), in_plain_json(packet.arguments, packet.attachments))
            except ArgumentError as error:
                raise RefusedError(Fault(codes.BAD_REQUEST.code, f"bad request: {error}")) from None
        section = self.dialect.section
        target = f"{section}.{packet.event}" if section else packet.event
        return commands.Invoke(target, packet.arguments, packet.attachments)

    # what goes out

    def welcome(self, client_id: str) -> bytes:
        self.is_joined = True
        return self.dialect.packet(0, _encode({"sid": client_id, "pid": self.pid} if self.pid else {"sid": client_id}))

    def farewell(self, closure: Closure) -> bytes:
        """That the client is out, or does not get in, and is not to come back by itself. Nothing if it knows."""
        if self.is_joined:
            return self.dialect.packet(1)
        return b"" if self.is_refused else self.refusal(Fault(closure.code, closure.reason))

    def refusal(self, fault: Fault) -> bytes:
        """That the client does not get in."""
        self.is_refused = True
        data = fault.data if fault.data else _error(fault, with_message=False)
        return self.dialect.packet(4, _encode({"message": fault.message, "data": data}))

    def reply(self, number: int, reply: Reply) -> bytes:
        if number == CONNECT_NUMBER:
            if isinstance(reply, replies.Connected):
                return self.welcome(reply.client)
            assert isinstance(reply, Fault)
            return self.refusal(reply)
        if reply == codes.ALREADY_SUBSCRIBED and number % 2:
            reply = replies.Subscribed()  # applications subscribe whenever they connect
        ack = number // 2 - 1
        match reply:
            case Fault():
                return self.dialect.numbered(3, ack, _encode([{"error": _error(reply)}]))
            case replies.CallResult(data, attachments):
                return self.dialect.numbered(3, ack, b"[%b]" % data, attachments)
        return self.dialect.numbered(3, ack, b"[%b]" % _encode(reply))

    def push(self, push: Push) -> bytes:
        return self.dialect.push(push)

    def question(self, number: int, event: Event) -> bytes:
        return self.dialect.event(event, number)

    def item(self, number: int, item: Json, attachments: tuple[bytes, ...] = ()) -> bytes:
        return b""  # nobody asks for streams here

    def end(self, number: int, fault: Fault | None) -> bytes:
        return b""

    def dialect_for(self, channel: str) -> Dialect | None:
        return None


def _error(fault: Fault, *, with_message: bool = True) -> dict[str, object]:
    fields: dict[str, object] = {"code": fault.code}
    if with_message:
        fields["message"] = fault.message
    if fault.temporary:
        fields["temporary"] = True
    if with_message and fault.data:
        fields["data"] = fault.data
    return fields


def number_of(packet: Packet) -> int:
    """The hub's number for an event; 0 if no ack is asked for."""
    if packet.id is None or packet.type is not PacketType.EVENT:
        return 0
    return 2 * packet.id + 2 + (packet.event == "subscribe")
