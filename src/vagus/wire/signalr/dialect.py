"""What many connections get: publications as invocations without an id, or as items of a stream.

A subscription made by ``Stream`` follows its channel in a dialect of its own, one for each invocation id. Ids are small
numbers that clients count up, so that many clients share one, and with it the bytes.
"""

from collections.abc import Sequence
from typing import Final, assert_never
from weakref import WeakValueDictionary

import msgspec

from vagus.kernel import replies
from vagus.kernel.events import Event, event_of
from vagus.kernel.publications import Json, Publication
from vagus.kernel.replies import Push

from .json import JSON
from .messagepack import MESSAGEPACK
from .notation import Notation

PUBLICATION: Final = "publication"
MESSAGE: Final = "message"
RESERVED: Final = frozenset({PUBLICATION, MESSAGE, "join", "leave", "unsubscribed"})
"""Targets that are the hub's own; an event of such a name is an ordinary publication. Clients ignore case."""

_encode: Final = msgspec.json.Encoder().encode


class HubDialect:
    """The dialect of a notation. One object serves every connection."""

    ping: Final = b""
    is_packets: Final = False

    def __init__(self, notation: Notation) -> None:
        self.notation: Final = notation
        self.name: Final = f"signalr-{notation.name}"
        self.binary: Final = notation.binary
        self._streams: WeakValueDictionary[str, StreamDialect] = WeakValueDictionary()

    def push(self, push: Push) -> bytes:
        match push:
            case replies.Joined(channel, info):
                return self._told("join", {"channel": channel, "info": info})
            case replies.Left(channel, info):
                return self._told("leave", {"channel": channel, "info": info})
            case replies.Ended(is_attached=True):
                return b""  # it was not told of the beginning either: groups are the server's business
            case replies.Ended(channel, ending):
                return self._told("unsubscribed", {"channel": channel, "code": ending.code, "reason": ending.reason})
            case replies.Message(data):
                event = event_of(data)
                return self.event(event if event is not None else Event(MESSAGE, _array(data)))
            case replies.Farewell(closure):
                reason = "" if closure.code < 3004 else closure.reason
                return self.notation.close(reason, reconnects=closure.reconnects)
            case replies.Attached() | replies.Renewed():
                return b""
            case _:
                assert_never(push)

    def event(self, event: Event, id: str = "") -> bytes:
        return self.notation.invocation(event.type, event.arguments, event.attachments, id)

    def opening(self, channel: str) -> bytes:
        return b'[{"channel":%b,"data":' % _encode(channel)

    def publication(self, opening: bytes, publication: Publication) -> bytes:
        event = event_of(publication.data)
        if event is not None and event.type.lower() not in RESERVED:
            return self.event(event)
        arguments = b"".join((opening, publication.data, _rest(publication), b"}]"))
        return self.notation.invocation(PUBLICATION, msgspec.Raw(arguments))

    full = publication

    def patch(self, opening: bytes, publication: Publication, base: bytes) -> bytes:
        return self.publication(opening, publication)

    def join(self, parts: Sequence[bytes]) -> bytes:
        return b"".join(parts)

    def stream(self, id: str) -> "StreamDialect":
        """The dialect of channels that are followed as the stream with this id."""
        dialect = self._streams.get(id)
        if dialect is None:
            dialect = self._streams[id] = StreamDialect(self, id)
        return dialect

    def _told(self, target: str, argument: object) -> bytes:
        return self.notation.invocation(target, msgspec.Raw(_encode([argument])))


class StreamDialect:
    """Publications as the items of one stream: their data alone."""

    ping: Final = b""
    is_packets: Final = False

    def __init__(self, hub: HubDialect, id: str) -> None:
        self.name: Final = hub.name
        self.binary: Final = hub.binary
        self._hub = hub
        self._item_opening = hub.notation.item_opening(id)

    def push(self, push: Push) -> bytes:
        return self._hub.push(push)

    def opening(self, channel: str) -> bytes:
        return self._item_opening

    def publication(self, opening: bytes, publication: Publication) -> bytes:
        return self._hub.notation.item(opening, publication.data)

    full = publication

    def patch(self, opening: bytes, publication: Publication, base: bytes) -> bytes:
        return self.publication(opening, publication)

    def join(self, parts: Sequence[bytes]) -> bytes:
        return b"".join(parts)


def _array(data: Json) -> Json:
    return msgspec.Raw(b"[%b]" % bytes(data))


def _rest(publication: Publication) -> bytes:
    """The fields of a publication after its data; the common case without an encoder."""
    if publication.info is None and not publication.tags:
        return b',"offset":%d' % publication.offset if publication.offset else b""
    fields: dict[str, object] = {}
    if publication.offset:
        fields["offset"] = publication.offset
    if publication.tags:
        fields["tags"] = publication.tags
    if publication.info is not None:
        fields["info"] = publication.info
    return b"," + _encode(fields)[1:-1]


DIALECTS: Final = {notation.name: HubDialect(notation) for notation in (JSON, MESSAGEPACK)}
"""By the name that the handshake has for the notation."""
