"""What one connection hears and is told: its invocations by id, streams that it feeds, channels that it follows.

Clients name what they ask with texts; the hub counts. The table between the two is here, and bounded.
"""

import re
from collections.abc import Callable, Iterator
from typing import Final

import msgspec

from vagus.kernel import codes, replies
from vagus.kernel.codes import Fault
from vagus.kernel.commands import (
    Answer,
    Cancel,
    Command,
    Invoke,
    StreamEnd,
    StreamItem,
    Subscribe,
    Unsubscribe,
)
from vagus.kernel.errors import DisconnectError
from vagus.kernel.events import Event, in_plain_json
from vagus.kernel.publications import NOTHING, Json
from vagus.kernel.replies import Push, Reply
from vagus.wire.verbs import STREAM, VERBS, ArgumentError, verb_from

from .dialect import HubDialect, StreamDialect
from .handshake import ACCEPTED
from .messages import CancelInvocation, Completion, Invocation, Item, Message
from .notation import Notation

CONNECT: Final = 1
"""The number of the connect command, whose answer is the answer to the handshake."""

MAX_ASKED: Final = 1_024
"""Invocations that are not answered yet, streams included."""

MAX_FED: Final = 64
"""Streams that the client feeds."""

_QUESTION: Final = "s"
"""Begins the ids of the server's own questions, which clients do not begin theirs with."""

_NUMBERED: Final = re.compile(_QUESTION + r"([1-9][0-9]{0,17})")


class UnfitError(Exception):
    """An invocation cannot be taken: it is to be answered with ``fault``. The conversation goes on."""

    def __init__(self, number: int, fault: Fault) -> None:
        super().__init__(fault.message)
        self.number = number
        self.fault = fault


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """An invocation under way. ``id`` is empty where only the hub's own bookkeeping asks."""

    id: str
    target: str = ""
    is_verb: bool = False
    """It is a command of the hub and calls nothing."""
    streams: tuple[str, ...] = ()
    wants_stream: bool = False
    follows: str = ""
    """The channel that it follows."""
    leaves: str = ""
    """The channel that it unsubscribes from."""


class HubDialogue:
    """``owns`` says whether the section has a call of a name itself. ``on_refusal`` is called when the connect command

    was answered with an error, whose text is then in ``refusal``: the owner of the connection is to end it.
    """

    __slots__ = (
        "_asked",
        "_bound",
        "_fed",
        "_followed",
        "_on_refusal",
        "_owns",
        "_prefix",
        "_records",
        "_serial",
        "dialect",
        "is_greeted",
        "refusal",
    )

    def __init__(
        self,
        dialect: HubDialect,
        *,
        bound: int,
        section: str,
        owns: Callable[[str], bool],
        on_refusal: Callable[[], None],
    ) -> None:
        self.dialect = dialect
        self.is_greeted = False
        """Whether its handshake was answered."""
        self.refusal = ""
        self._bound = bound
        self._records = dialect.notation.records(bound)
        self._prefix = f"{section}." if section else ""
        self._owns = owns
        self._on_refusal = on_refusal
        self._serial = CONNECT
        self._asked: dict[int, Asked] = {}
        self._fed: dict[str, int] = {}
        self._followed: dict[str, list[int]] = {}
        """By channel the numbers of what wants to follow it, of which only the first one can."""

    # what comes in

    def start_over(self) -> None:
        """Another socket brings what follows: forget the part of a record that the one before left."""
        self._records = self.dialect.notation.records(self._bound)

    def messages(self, chunk: bytes) -> Iterator[Message]:
        """The messages that are whole now. Raises ``DisconnectError``."""
        for record in self._records.feed(chunk):
            message = self.dialect.notation.read(record)
            if message is not None:
                yield message

    def decode(self, message: bytes) -> Iterator[tuple[int, Command]]:
        for each in self.messages(message):
            try:
                numbered = self.command(each)
            except UnfitError:
                raise DisconnectError(codes.MALFORMED) from None
            if numbered is not None:
                yield numbered

    def command(self, message: Message) -> tuple[int, Command] | None:
        """What a message asks of the hub, if anything. Raises ``UnfitError`` and ``DisconnectError``."""
        match message:
            case Invocation():
                return self._invoked(message)
            case Item(id, item, attachments):
                number = self._fed.get(id)
                return (0, StreamItem(number, item, attachments)) if number is not None else None
            case Completion():
                return self._completed(message)
            case CancelInvocation(id):
                return self._cancelled(id)
        return None

    def _invoked(self, message: Invocation) -> tuple[int, Command]:
        name, target = message.target.lower(), self._prefix + message.target
        if name in VERBS and not self._owns(target):
            return self._commanded(message, self._verb(name, message))
        asked = Asked(id=message.id, target=message.target, streams=message.streams, wants_stream=message.wants_stream)
        number = self._asking(asked) if message.id else 0
        if message.unfit:
            raise UnfitError(number, _bad_request(message.unfit))
        streams = tuple(self._feeding(id) for id in message.streams)
        return number, Invoke(target, message.arguments, message.attachments, streams, message.wants_stream)

    def _verb(self, name: str, message: Invocation) -> Command:
        if message.wants_stream is not (name == STREAM):
            raise self._unfit(message, codes.GIVES_NO_STREAM if message.wants_stream else codes.GIVES_STREAM)
        reason = message.unfit or ("no streams are taken" if message.streams else "")
        try:
            if not reason:
                return verb_from(name, in_plain_json(message.arguments, message.attachments))
        except ArgumentError as error:
            reason = str(error)
        raise self._unfit(message, _bad_request(reason))

    def _unfit(self, message: Invocation, fault: Fault) -> UnfitError:
        return UnfitError(self._asking(_verb_asked(message)) if message.id else 0, fault)

    def _commanded(self, message: Invocation, verb: Command) -> tuple[int, Command]:
        asked = _verb_asked(message)
        match verb:
            case Subscribe(channel) if message.wants_stream:
                number = self._asking(msgspec.structs.replace(asked, follows=channel, wants_stream=True))
                self._followed.setdefault(channel, []).append(number)
                return number, verb
            case Unsubscribe(channel):
                return self._asking(msgspec.structs.replace(asked, leaves=channel)), verb
        return self._asking(asked) if asked.id else 0, verb

    def _asking(self, asked: Asked) -> int:
        if len(self._asked) >= MAX_ASKED:
            raise DisconnectError(codes.TOO_MANY)
        if asked.wants_stream and any(asked.id == other.id for other in self._asked.values()):
            raise DisconnectError(codes.MALFORMED)  # whose items would these be?
        self._serial += 1
        self._asked[self._serial] = asked
        return self._serial

    def _feeding(self, id: str) -> int:
        if id in self._fed:
            raise DisconnectError(codes.MALFORMED)
        if len(self._fed) >= MAX_FED:
            raise DisconnectError(codes.TOO_MANY)
        self._serial += 1
        self._fed[id] = self._serial
        return self._serial

    def _completed(self, message: Completion) -> tuple[int, Command] | None:
        stream = self._fed.pop(message.id, None)
        if stream is not None:
            return 0, StreamEnd(stream, message.error or "")
        question = _NUMBERED.fullmatch(message.id)
        if question is None:
            return None
        arguments = msgspec.Raw(b"[%b]" % bytes(message.result))
        return 0, Answer(int(question[1]), arguments, message.attachments, message.error)

    def _cancelled(self, id: str) -> tuple[int, Command] | None:
        for number, asked in self._asked.items():
            if asked.id == id and asked.wants_stream:
                return self._unfollowing(number, asked.follows) if asked.follows else (0, Cancel(number))
        return None

    def _unfollowing(self, number: int, channel: str) -> tuple[int, Command] | None:
        """A second one that wants to follow a channel is refused in a moment anyway; the first one goes on."""
        if self._following(channel) != number:
            return None
        return self._asking(Asked(id="", leaves=channel)), Unsubscribe(channel)

    # what goes out

    def reply(self, number: int, reply: Reply) -> bytes:
        if number == CONNECT:
            return self._greet(reply)
        asked = self._asked.get(number)
        if asked is None:
            return b""
        if isinstance(reply, replies.Subscribed) and asked.follows:
            opening = self._notation.item_opening(asked.id)
            return b"".join(self._notation.item(opening, missed.data) for missed in reply.publications)
        self._forget(number, asked)
        match reply:
            case Fault():
                return self._failure(asked, reply)
            case replies.CallResult(data, attachments):
                return self._completion(asked, data, attachments)
            case replies.Unsubscribed():
                return self._unfollowed(asked.leaves, number) + self._completion(asked, _fields(reply))
        return self._completion(asked, _fields(reply))

    def _greet(self, reply: Reply) -> bytes:
        if isinstance(reply, Fault):
            self.refusal = reply.message
            self._on_refusal()
            return b""
        self.is_greeted = True
        return ACCEPTED

    def push(self, push: Push) -> bytes:
        if isinstance(push, replies.Ended):
            number = self._following(push.channel)
            if number is not None:
                fault = None if push.ending == codes.UNSUBSCRIBED else Fault(push.ending.code, push.ending.reason)
                return self.end(number, fault)
        return self.dialect.push(push)

    def question(self, number: int, event: Event) -> bytes:
        return self.dialect.event(event, f"{_QUESTION}{number}")

    def item(self, number: int, item: Json, attachments: tuple[bytes, ...] = ()) -> bytes:
        asked = self._asked.get(number)
        if asked is None:
            return b""
        return self._notation.item(self._notation.item_opening(asked.id), item, attachments)

    def end(self, number: int, fault: Fault | None) -> bytes:
        asked = self._asked.get(number)
        if asked is None:
            return b""
        self._forget(number, asked)
        return self._completion(asked, NOTHING) if fault is None else self._failure(asked, fault)

    def dialect_for(self, channel: str) -> StreamDialect | None:
        number = self._following(channel)
        return None if number is None else self.dialect.stream(self._asked[number].id)

    def _following(self, channel: str) -> int | None:
        """What follows a channel as a stream, or is about to."""
        numbers = self._followed.get(channel)
        return numbers[0] if numbers else None

    def _unfollowed(self, channel: str, number: int) -> bytes:
        """The ends of the streams that followed a channel when it was asked to leave it."""
        return b"".join(self.end(each, None) for each in list(self._followed.get(channel, ())) if each < number)

    def _forget(self, number: int, asked: Asked) -> None:
        del self._asked[number]
        for id in asked.streams:
            self._fed.pop(id, None)
        if asked.follows:
            numbers = self._followed[asked.follows]
            numbers.remove(number)
            if not numbers:
                del self._followed[asked.follows]

    @property
    def _notation(self) -> Notation:
        return self.dialect.notation

    def _completion(self, asked: Asked, result: Json, attachments: tuple[bytes, ...] = ()) -> bytes:
        return self._notation.completion(asked.id, result, attachments) if asked.id else b""

    def _failure(self, asked: Asked, fault: Fault) -> bytes:
        return self._notation.failure(asked.id, error_text(asked, fault)) if asked.id else b""


def error_text(asked: Asked, fault: Fault) -> str:
    """A fault in the words that clients of this protocol know, where it has words for it."""
    target = asked.target
    if fault == codes.METHOD_NOT_FOUND or (fault == codes.NOT_AVAILABLE and not asked.is_verb):
        return f"Unknown hub method '{target}'"
    if fault == codes.INTERNAL:
        return f"An unexpected error occurred invoking '{target}' on the server."
    if fault == codes.GIVES_STREAM:
        return f"The client attempted to invoke the streaming '{target}' method with a non-streaming invocation."
    if fault == codes.GIVES_NO_STREAM:
        return f"The client attempted to invoke the non-streaming '{target}' method with a streaming invocation."
    return fault.message


def _verb_asked(message: Invocation) -> Asked:
    return Asked(id=message.id, target=message.target, is_verb=True)


def _bad_request(reason: str) -> Fault:
    return Fault(codes.BAD_REQUEST.code, f"bad request: {reason}")


def _fields(reply: Reply) -> Json:
    return msgspec.Raw(msgspec.json.encode(reply))
