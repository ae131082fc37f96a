"""A client whose dialect has questions and streams, without a wire: it takes commands, and keeps what it is told."""

import itertools
from collections.abc import Iterator
from typing import Any

import msgspec

from vagus.hub.client import Client
from vagus.hub.hub import Hub
from vagus.kernel.codes import Closure, Fault
from vagus.kernel.commands import Answer, Cancel, Command, Connect, Invoke, StreamEnd, StreamItem
from vagus.kernel.events import Event, event_of, packed, unpacked
from vagus.kernel.publications import NOTHING, Json
from vagus.kernel.replies import Attached, CallResult, Connected, Ended, Message, Push, Reply
from vagus.testing.link import MEMORY_ORIGIN, PLAIN_JSON
from vagus.wire import Dialect

Said = tuple[Any, ...]

NULL = msgspec.Raw(b"null")
PING = PLAIN_JSON.dialect.ping


class _Publication(msgspec.Struct):
    """The native dialect's, which is how channels reach this client."""

    data: msgspec.Raw


class _Push(msgspec.Struct):
    pub: _Publication


class _Line(msgspec.Struct):
    push: _Push


def _publication(line: bytes) -> Said:
    return _event(msgspec.json.decode(line, type=_Line).push.pub.data)


def _event(data: Json) -> Said:
    event = event_of(data)
    if event is None:
        return ("data", msgspec.json.decode(data))
    return ("event", event.type, unpacked(event.arguments, event.attachments))


class Talker:
    """Link, transport and dialogue in one. ``said`` is what the hub said, decoded, in order.

    ``("result", number, value)`` · ``("fault", number, code, message)`` · ``("question", number, name, arguments)`` ·
    ``("item", number, value)`` · ``("end", number, None or a code)`` · ``("event", name, arguments)``
    """

    def __init__(self, hub: Hub, section: str = "") -> None:
        self._numbers = itertools.count(1)
        self._notes: dict[bytes, Said] = {}
        self.said: list[Said] = []
        self.is_read = True
        self.closure: Closure | None = None
        self.client = Client(hub, self, self, PLAIN_JSON, MEMORY_ORIGIN, dialogue=self, section=section)

    # what this side says

    def connect(self, data: Json = NOTHING, token: str = "") -> None:
        self.take(Connect(token, data))

    def take(self, *commands: Command) -> int:
        """Send commands in one go. Returns the number of the last one."""
        numbered = [(next(self._numbers), command) for command in commands]
        self.client.take(numbered)
        return numbered[-1][0]

    def invoke(self, target: str, *arguments: object, wants_stream: bool = False, streams: tuple[int, ...] = ()) -> int:
        text, attachments = packed(arguments)
        return self.take(Invoke(target, text, attachments, streams, wants_stream))

    def feed(self, stream: int, *items: object) -> None:
        for item in items:
            self.take(StreamItem(stream, *packed(item)))

    def end_feed(self, stream: int, error: str = "") -> None:
        self.take(StreamEnd(stream, error))

    def answer(self, question: int, *values: object, error: str | None = None) -> None:
        self.take(Answer(question, *packed(values), error))

    def cancel(self, number: int) -> None:
        self.take(Cancel(number))

    # what the hub says (wire.Dialogue)

    def decode(self, message: bytes) -> Iterator[tuple[int, Command]]:
        raise AssertionError("it is handed commands")

    def reply(self, number: int, reply: Reply) -> bytes:
        match reply:
            case Fault():
                return self._note("fault", number, reply.code, reply.message)
            case CallResult():
                return self._note("result", number, unpacked(reply.data or NULL, reply.attachments))
            case Connected():
                return self._note("connected", number)
        return self._note(type(reply).__name__, number)

    def push(self, push: Push) -> bytes:
        match push:
            case Message(data):
                return self._note(*_event(data))
            case Attached():
                return b""
            case Ended(channel, ending):
                return self._note("ended", channel, ending.code)
        return self._note(type(push).__name__)

    def question(self, number: int, event: Event) -> bytes:
        return self._note("question", number, event.type, unpacked(event.arguments, event.attachments))

    def item(self, number: int, item: Json, attachments: tuple[bytes, ...] = ()) -> bytes:
        return self._note("item", number, unpacked(item, attachments))

    def end(self, number: int, fault: Fault | None) -> bytes:
        return self._note("end", number, fault and fault.code)

    def dialect_for(self, channel: str) -> Dialect | None:
        return None

    def _note(self, *said: Any) -> bytes:
        part = msgspec.json.encode(len(self._notes))
        self._notes[part] = said
        return part

    # the connection (hub.client.Link and hub.audience.Writes)

    def write(self, data: bytes) -> None:
        self.said += [self._notes.get(line) or _publication(line) for line in data.split(b"\n") if line != PING]

    def close(self, closure: Closure) -> None:
        self.closure = closure

    def abort(self, closure: Closure) -> None:
        self.closure = closure

    def pause_reading(self) -> None:
        self.is_read = False

    def resume_reading(self) -> None:
        self.is_read = True
