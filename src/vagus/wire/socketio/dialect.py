"""What many clients of one namespace get: publications as events, written once for all of them.

With recovery every event without an ack id carries an *offset* as its last argument: a string that occurs once. Client
libraries keep the last one and show it when they come back. So no event may go without one then, since any last
argument that is text is taken for it.
"""

import re
from collections.abc import Sequence
from itertools import count
from typing import Final, assert_never

import msgspec

from vagus.kernel import replies
from vagus.kernel.events import Event, event_of
from vagus.kernel.publications import ClientInfo, Json, Publication
from vagus.kernel.replies import Push
from vagus.wire.encoding import Packet

from .packets import RESERVED

PUBLICATION: Final = "publication"
MESSAGE: Final = "message"

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
        match push:
            case replies.Joined(channel, info):
                return self._notice("join", {"channel": channel, "info": info})
            case replies.Left(channel, info):
                return self._notice("leave", {"channel": channel, "info": info})
            case replies.Ended(is_attached=True):
                return b""  # it was not told of the beginning either: rooms are the server's business
            case replies.Ended(channel, ending):
                return self._notice("unsubscribed", {"channel": channel, "code": ending.code, "reason": ending.reason})
            case replies.Message(data):
                event = _named_event(data)
                return self.event(event) if event is not None else self.carrying(b'["%b",%b]' % (b"message", data))
            case replies.Attached() | replies.Renewed() | replies.Farewell():
                return b""
            case _:
                assert_never(push)

    def _notice(self, name: str, fields: dict[str, object]) -> bytes:
        return self.carrying(_encode([name, fields]))

    def opening(self, channel: str) -> bytes:
        return b'["publication",{"channel":%b,"data":' % _encode(channel)

    def publication(self, opening: bytes, publication: Publication) -> bytes:
        event = _named_event(publication.data)
        if event is not None:
            return self.event(event)
        return self.carrying(b"".join((opening, publication.data, _rest(publication), b"}]")))

    def full(self, opening: bytes, publication: Publication) -> bytes:
        return self.publication(opening, publication)

    def patch(self, opening: bytes, publication: Publication, base: bytes) -> bytes:
        return self.publication(opening, publication)  # nobody asks for patches here

    def join(self, parts: Sequence[bytes]) -> bytes:
        raise NotImplementedError("each packet has a frame of its own")


def _named_event(data: Json) -> Event | None:
    """The event that data is, unless client libraries keep its name to themselves."""
    event = event_of(data)
    return event if event is not None and event.type not in RESERVED else None


def _rest(publication: Publication) -> bytes:
    """What follows the data: offset, tags, and who sent it."""
    if publication.info is None and publication.tags is None:
        return b',"offset":%d' % publication.offset if publication.offset else b""
    fields: dict[str, object] = {}
    if publication.offset:
        fields["offset"] = publication.offset
    if publication.tags:
        fields["tags"] = publication.tags
    if publication.info is not None:
        fields["info"] = _sender(publication.info)
    return b"," + _encode(fields)[1:-1] if fields else b""


def _sender(info: ClientInfo) -> dict[str, object]:
    sender: dict[str, object] = {"user": info.user, "client": info.client}
    if info.conn_info:
        sender["conn_info"] = info.conn_info
    return sender


def _in_base_36(number: int) -> bytes:
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits.encode()
