"""What many connections get: publications as invocations without an id, or as items of a stream.

A subscription made by ``Stream`` follows its channel in a dialect of its own, one for each invocation id. Ids are small
numbers that clients count up, so that many clients share one, and with it the bytes.
"""

from collections.abc import Sequence
from typing import Final
from weakref import WeakValueDictionary

from vagus.kernel import replies
from vagus.kernel.events import Event, event_of
from vagus.kernel.publications import Publication
from vagus.kernel.replies import Push
from vagus.wire.naming import MESSAGE, PUBLICATION, arguments_of, event_from, opening_of

from .json import JSON
from .messagepack import MESSAGEPACK
from .notation import Notation

RESERVED: Final = frozenset({PUBLICATION, MESSAGE, "join", "leave", "unsubscribed"})
"""Targets that are the hub's own; an event of such a name is an ordinary publication. Clients ignore case."""


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
        if isinstance(push, replies.Farewell):
            closure = push.closure
            reason = "" if closure.code < 3004 else closure.reason
            return self.notation.close(reason, reconnects=closure.reconnects)
        event = event_from(push)
        return self.event(event) if event is not None else b""

    def event(self, event: Event, id: str = "") -> bytes:
        return self.notation.invocation(event.type, event.arguments, event.attachments, id)

    def opening(self, channel: str) -> bytes:
        return opening_of(channel)

    def publication(self, opening: bytes, publication: Publication) -> bytes:
        event = event_of(publication.data)
        if event is not None and event.type.lower() not in RESERVED:
            return self.event(event)
        return self.notation.invocation(PUBLICATION, arguments_of(opening, publication))

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


DIALECTS: Final = {notation.name: HubDialect(notation) for notation in (JSON, MESSAGEPACK)}
"""By the name that the handshake has for the notation."""
