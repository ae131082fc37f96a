"""What many clients of one namespace get: publications as events, written once for all of them.

With recovery every event without an ack id carries an *offset* as its last argument: a string that occurs once. Client
libraries keep the last one and show it when they come back. So no event may go without one then, since any last
argument that is text is taken for it.
"""

import re
from collections.abc import Sequence
from itertools import count
from typing import Final

import msgspec

from vagus.kernel import replies
from vagus.kernel.events import Event, event_of
from vagus.kernel.publications import Publication
from vagus.kernel.replies import Push
from vagus.wire.encoding import Packet
from vagus.wire.naming import MESSAGE, arguments_of, event_from, opening_of

from .packets import RESERVED

_encode: Final = msgspec.json.Encoder().encode
_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"


class EventDialect:
    """One object for each namespace; the fan-out compares dialects by identity."""

    name: Final = "socketio"
    binary: Final = False
    ping: Final = b""
    is_packets: Final = True

    def __init__(self, section: str = "", *, has_offsets: bool = False) -> None:
        self.section = section
        self.has_offsets = has_offsets
        self._numbers = count(1)
        self._namespace = f"/{section},".encode() if section else b""
        self._event = b"42" + self._namespace
        self._with_offset = re.compile(
            rb'4(?:2|5[0-9]+-)%b\[.*,"([0-9a-z]+)"\]' % re.escape(self._namespace), re.DOTALL
        ).fullmatch

    def packet(self, kind: int, payload: bytes = b"") -> bytes:
        return b"4%d%b%b" % (kind, self._namespace, payload)

    def event(self, event: Event, number: int | None = None) -> bytes:
        """An event, with the id of the ack that it asks for; that kind is none of those that are recovered."""
        array = bytes(event.arguments)
        name = _encode(event.type)
        inner = b"[%b,%b]" % (name, array[1:-1]) if array[1:-1].strip() else b"[%b]" % name
        if number is None:
            return self.carrying(inner, event.attachments)
        return self.numbered(2, number, inner, event.attachments)

    def carrying(self, array: bytes, attachments: tuple[bytes, ...] = ()) -> bytes:
        """An event that is a JSON array already."""
        if self.has_offsets:
            array = b'%b,"%b"]' % (array[:-1], _in_base_36(next(self._numbers)))
        if attachments:
            return Packet.of(b"45%d-%b%b" % (len(attachments), self._namespace, array), attachments)
        return self._event + array

    def numbered(self, kind: int, number: int, array: bytes, attachments: tuple[bytes, ...] = ()) -> bytes:
        """An event or ack with an id. ``kind`` is that of a packet without attachments."""
        if attachments:
            text = b"4%d%d-%b%d%b" % (kind + 3, len(attachments), self._namespace, number, array)
            return Packet.of(text, attachments)
        return b"4%d%b%d%b" % (kind, self._namespace, number, array)

    def offset_of(self, part: bytes) -> bytes | None:
        """The offset of an event that may be sent again; ``None`` for all other parts."""
        found = self._with_offset(part) if self.has_offsets else None
        return found[1] if found is not None else None

    # wire.Dialect

    def push(self, push: Push) -> bytes:
        event = event_from(push)
        if event is None:
            return b""
        return self.event(event if event.type not in RESERVED else _as_message(push))

    def opening(self, channel: str) -> bytes:
        return b'["publication",' + opening_of(channel)[1:]

    def publication(self, opening: bytes, publication: Publication) -> bytes:
        event = event_of(publication.data)
        if event is not None and event.type not in RESERVED:  # client libraries keep some names to themselves
            return self.event(event)
        return self.carrying(bytes(arguments_of(opening, publication)))

    def full(self, opening: bytes, publication: Publication) -> bytes:
        return self.publication(opening, publication)

    def patch(self, opening: bytes, publication: Publication, base: bytes) -> bytes:
        return self.publication(opening, publication)  # nobody asks for patches here

    def join(self, parts: Sequence[bytes]) -> bytes:
        raise NotImplementedError("each packet has a frame of its own")


def _as_message(push: Push) -> Event:
    assert isinstance(push, replies.Message)
    return Event(MESSAGE, msgspec.Raw(b"[%b]" % bytes(push.data)))


def _in_base_36(number: int) -> bytes:
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits.encode()
