"""EventSource: the text/event-stream format of HTML (9.2), which every browser and ``curl -N`` reads.

Nothing comes in but the request (``listening``), so there is no conversation here, only what is said. Its words for
ours:

=============  =======================================================================================
EventSource    Vagus
=============  =======================================================================================
named event    publication of an event's envelope: its type, with its payload or arguments as the data
message        any other publication
last event id  the positions of the channels
=============  =======================================================================================

A publication is finished in two steps, since its id says how far the reader has come: a dialect makes a ``Due``, which
lacks the id, and what writes it adds that. With one channel the id is the publication's own position, so that all
readers share the finished bytes. With several it is the positions of all of them in the order in which this one reader
was written to: ``Progress`` adds it when a message goes to the transport, and not a moment before.
"""

import re
import zlib
from collections.abc import Iterable, Sequence
from typing import Final, assert_never

import msgspec

from vagus.kernel import replies
from vagus.kernel.events import event_of, single_argument
from vagus.kernel.publications import Position, Publication
from vagus.kernel.replies import Push

from .encoding import Framing
from .streaming import chunk

HEARTBEAT: Final = b":\n\n"
"""A comment: nobody hears of it, but proxies see that the connection lives."""

RESERVED: Final = frozenset({"message", "open", "error", "join", "leave", "unsubscribed", "unrecovered", "disconnect"})
"""Names that mean something here or in a browser: an event of such a type is a message that holds its envelope."""

UNKNOWN: Final = Position(0, "-")
"""Where a reader stands whose id cannot be read: nowhere, so that it is told that it may have missed something."""

_MAX_OFFSET: Final = 2**63 - 1
_ENTRY: Final = re.compile(r"([0-9a-f]{8})\.([0-9]{1,19})\.([A-Za-z0-9_-]{1,64})")
_CONTROL: Final = re.compile(r"[\x00-\x1f]")

_encode: Final = msgspec.json.Encoder().encode


# ids: of each channel a fingerprint of its name, the offset and the epoch: "1c291ca3.42.LiiCWvkx~…"


def fingerprint(channel: str) -> str:
    """Short, since ids travel in a header; two channels that share one disagree about the epoch, so nothing is lost."""
    return f"{zlib.crc32(channel.encode()):08x}"


def entry(channel: str, position: Position) -> bytes:
    """One channel's part of an id."""
    return f"{fingerprint(channel)}.{position.offset}.{position.epoch}".encode()


def positions_in(last_id: str, channels: Iterable[str]) -> dict[str, Position]:
    """Where a reader stood, by channel. An id that is none of ours stands nowhere, in every channel."""
    found: dict[str, Position] = {}
    for text in last_id.split("~"):
        match = _ENTRY.fullmatch(text)
        if match is None or int(match[2]) > _MAX_OFFSET:
            return dict.fromkeys(channels, UNKNOWN)
        found[match[1]] = Position(int(match[2]), match[3])
    marks = {channel: fingerprint(channel) for channel in channels}
    return {channel: found[mark] for channel, mark in marks.items() if mark in found}


# parts


_NO_EVENT: Final = b":\n"
"""In place of an event where there is only an id to say, since an empty part is not sent at all."""


class Due(bytes):
    """An event without its id and the empty line that ends it; or no event, but an id that goes out alone."""

    channel: str = ""
    position: Position = Position()
    is_event: bool = True
    entry: bytes = b""
    """Its part of an id, made when it is finished for the first time."""

    @classmethod
    def of(cls, text: bytes, channel: str, position: Position) -> "Due":
        due = cls(text)
        due.channel = channel
        due.position = position
        due.is_event = text is not _NO_EVENT
        return due

    def counted(self, epochs: "Epochs") -> bytes:
        """Its part of an id; empty where the channel has none."""
        if not self.entry and (self.position.offset or not self.is_event):
            epoch = self.position.epoch or epochs.of(self.channel)
            if epoch:
                self.entry = entry(self.channel, Position(self.position.offset, epoch))
        return self.entry


MARK: Final = Due.of(_NO_EVENT, "", Position())
"""Says where a reader of several channels stands in all of them; of no channel itself."""


class Blocks(bytes):
    """Several parts that are written together, such as all that a reader has missed."""

    parts: tuple[bytes, ...] = ()

    @classmethod
    def of(cls, parts: Sequence[bytes]) -> "Blocks":
        blocks = cls(b"".join(parts))
        blocks.parts = tuple(parts)
        return blocks


def block(data: bytes, name: str = "") -> bytes:
    """A finished event that is no step in any channel."""
    return _event(data, name) + b"\n"


def _event(data: bytes, name: str = "") -> bytes:
    return b"event: %b\ndata: %b\n" % (name.encode(), data) if name else b"data: %b\n" % data


def _named(data: msgspec.Raw) -> tuple[str, bytes]:
    """The name and the data under which published data goes out; no name for what is no event, or may not be named."""
    event = event_of(data)
    if event is None or event.type in RESERVED or _CONTROL.search(event.type):
        return "", bytes(data)
    if event.attachments:
        return event.type, bytes(data)  # the places of the attachments mean nothing without them
    single = single_argument(event.arguments)
    if single is not None:
        return event.type, bytes(single)
    return event.type, b"null" if bytes(event.arguments) == b"[]" else bytes(event.arguments)


# dialects


class Epochs:
    """The epochs of the channels that somebody reads: live publications do not carry theirs."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[str, int]] = {}

    def __len__(self) -> int:
        return len(self._known)

    def enter(self, channel: str, epoch: str) -> None:
        """One reader more, who was told this epoch."""
        self._known[channel] = (epoch, self._known.get(channel, ("", 0))[1] + 1)

    def leave(self, channel: str) -> None:
        """Undo one ``enter``."""
        epoch, readers = self._known.pop(channel)
        if readers > 1:
            self._known[channel] = (epoch, readers - 1)

    def of(self, channel: str) -> str:
        """Empty before the first reader was told, which it is together with the first publication that it gets."""
        return self._known.get(channel, ("", 0))[0]


class EventSourceDialect:
    """What is common to readers of one channel and of several. One object of each kind serves all of them."""

    name: Final = "eventsource"
    binary: Final = False
    ping: Final = b""
    is_packets: Final = False

    def __init__(self, epochs: Epochs, *, of_several: bool) -> None:
        """Readers of several channels are told with each event from which one it comes."""
        self.epochs: Final = epochs
        self._of_several = of_several

    def push(self, push: Push) -> bytes:
        match push:
            case replies.Joined(channel, info):
                return block(_encode({"channel": channel, "info": info}), "join")
            case replies.Left(channel, info):
                return block(_encode({"channel": channel, "info": info}), "leave")
            case replies.Ended(channel, ending):
                fields = {"channel": channel, "code": ending.code, "reason": ending.reason}
                return block(_encode(fields), "unsubscribed")
            case replies.Message(data):
                name, text = _named(data)
                return block(b'{"data":%b}' % text if self._of_several else text, name)
            case replies.Farewell(closure):
                body = {"code": closure.code, "reason": closure.reason, "reconnect": closure.reconnects}
                return block(_encode(body), "disconnect")
            case replies.Attached() | replies.Renewed():
                return b""
            case _:
                assert_never(push)

    def opening(self, channel: str) -> bytes:
        return channel.encode()

    def publication(self, opening: bytes, publication: Publication) -> bytes:
        channel = opening.decode()
        epoch = (publication.epoch or self.epochs.of(channel)) if publication.offset else ""
        return self._due(channel, publication, epoch)

    full = publication

    def patch(self, opening: bytes, publication: Publication, base: bytes) -> bytes:
        return self.publication(opening, publication)

    def join(self, parts: Sequence[bytes]) -> bytes:
        return b"".join(parts)

    def past(self, channel: str, subscribed: replies.Subscribed) -> bytes:
        """What a reader is told when its subscription stands: what it missed, or that it did, and where it stands."""
        parts: list[bytes] = []
        if subscribed.was_recovering and not subscribed.recovered:
            parts.append(block(_encode({"channel": channel}), "unrecovered"))
        start = Position(subscribed.offset, subscribed.epoch)
        if subscribed.epoch and not subscribed.publications:
            parts.append(Due.of(_NO_EVENT, channel, start))
        parts += [self._due(channel, missed, subscribed.epoch) for missed in subscribed.publications]
        return Blocks.of(parts)

    def _due(self, channel: str, publication: Publication, epoch: str) -> Due:
        name, text = _named(publication.data)
        if self._of_several:
            text = b'{"channel":%b,"data":%b}' % (_encode(channel), text)
        return Due.of(_event(text, name), channel, Position(publication.offset, epoch))


class MuteDialect:
    """For channels that a reader is let into by the server, but did not ask for: nothing of them goes out."""

    name: Final = "eventsource-mute"
    binary: Final = False
    ping: Final = b""
    is_packets: Final = False

    def push(self, push: Push) -> bytes:
        return b""

    def opening(self, channel: str) -> bytes:
        return b""

    def publication(self, opening: bytes, publication: Publication) -> bytes:
        return b""

    full = publication

    def patch(self, opening: bytes, publication: Publication, base: bytes) -> bytes:
        return b""

    def join(self, parts: Sequence[bytes]) -> bytes:
        return b""


MUTE: Final = MuteDialect()


# finishing


def framing_of_one(epochs: Epochs, *, chunked: bool) -> Framing:
    """For readers of one channel: they share what is finished here."""

    def finished(part: bytes) -> bytes:
        if type(part) is Blocks:
            return b"".join(map(finished, part.parts))
        if type(part) is not Due:
            return part
        counted = part.counted(epochs)
        return b"%bid: %b\n\n" % (part, counted) if counted else part + b"\n"

    frame = (lambda part: chunk(finished(part))) if chunked else finished
    return Framing(frame, frame, is_each=True)


PLAIN: Final = Framing(lambda part: part, lambda part: part, separator=None, is_each=True)
"""For readers of several channels: parts stay as they are until ``Progress`` finishes them."""


class Progress:
    """How far one reader of several channels has come, and its events finished with that. The order of the calls is

    the order on the wire: what overtakes others on their way counts when it is written, and nothing that is still held.
    Where each channel begins must be known before the first event is finished: an id that lacks a channel loses it.
    """

    __slots__ = ("_entries", "_epochs")

    def __init__(self, epochs: Epochs) -> None:
        self._epochs = epochs
        self._entries: dict[str, bytes] = {}

    def begin_at(self, channel: str, position: Position) -> None:
        """Where the reader stands in a channel before anything of it is written."""
        self._entries[channel] = entry(channel, position)

    def finished(self, part: bytes) -> bytes:
        if type(part) is Blocks:
            return b"".join(map(self.finished, part.parts))
        if type(part) is not Due:
            return part
        if part is MARK:
            return part + self._id()
        counted = part.counted(self._epochs)
        if not counted:
            return part + b"\n"
        self._entries[part.channel] = counted
        return part + self._id() if part.is_event else b""

    def _id(self) -> bytes:
        return b"id: %b\n\n" % b"~".join(self._entries.values()) if self._entries else b"\n"


def retry(milliseconds: int) -> bytes:
    """How long a reader waits before it comes back."""
    return b"retry: %d\n\n" % milliseconds
