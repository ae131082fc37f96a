"""Bundles: messages that also know what they are made of.

A bundle is one message for a mailbox and for a transport, so that nothing comes between a packet and its attachments
where somebody else makes the frames. And it names the events in it that may be asked for again, so that a client's
record of them is references to what all clients share.
"""

from collections.abc import Iterator, Sequence
from typing import Final
from weakref import WeakValueDictionary

from vagus.hub.audience import Writes
from vagus.wire import Dialect
from vagus.wire.encoding import MESSAGE_BYTES, Encoding, Framing
from vagus.wire.socketio import EventDialect

Event = tuple[bytes, bytes]
"""The offset of an event, and the event as a part."""


class Bundle(bytes):
    """The bytes are the frames joined."""

    frames: tuple[bytes, ...] = ()
    events: tuple[Event, ...] = ()


class Bundles(Framing):
    """A framing whose encodings make bundles. One for each framing, so that clients go on sharing bytes."""

    __slots__ = ("_bundled",)

    def __init__(self, base: Framing) -> None:
        super().__init__(base.text, base.binary, separator=base.separator, is_each=base.is_each)
        self._bundled: Final[WeakValueDictionary[Dialect, Encoding]] = WeakValueDictionary()

    def encoding(self, dialect: Dialect) -> Encoding:
        encoding = self._bundled.get(dialect)
        if encoding is None:
            encoding = self._bundled[dialect] = _BundledEncoding(dialect, self)
        return encoding


class _BundledEncoding(Encoding):
    __slots__ = ()

    def messages(self, parts: Sequence[bytes]) -> list[bytes]:
        return [self._bundle(pile) for pile in _piles(parts)]

    def _bundle(self, pile: Sequence[bytes]) -> bytes:
        frames = super().messages(pile)
        bundle = Bundle((self.framing.separator or b"").join(frames))
        bundle.frames = tuple(frames)
        dialect = self.dialect
        if isinstance(dialect, EventDialect) and dialect.has_offsets:
            bundle.events = tuple((offset, part) for part in pile if (offset := dialect.offset_of(part)) is not None)
        return bundle


def _piles(parts: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    pile: list[bytes] = []
    size = 0
    for part in parts:
        if pile and size + len(part) > MESSAGE_BYTES:
            yield pile
            pile, size = [], 0
        pile.append(part)
        size += len(part)
    yield pile


class Unbundled:
    """A transport that takes one frame at a time."""

    __slots__ = ("_transport",)

    def __init__(self, transport: Writes) -> None:
        self._transport = transport

    def write(self, data: bytes) -> None:
        for frame in data.frames if isinstance(data, Bundle) else (data,):
            self._transport.write(frame)
