"""What dialects with named events have in common: which event a publication or a push is, and with what argument.

An envelope is the event of its type. Any other data is the event ``publication``, whose one argument has the data and
its channel; whoever joins or leaves is told of by ``join`` and ``leave``, the end of a subscription by
``unsubscribed``, and a message for one connection that is no envelope by ``message``.
"""

from typing import Final

import msgspec

from vagus.kernel import replies
from vagus.kernel.events import Event, event_of
from vagus.kernel.publications import Json, Publication
from vagus.kernel.replies import Push

PUBLICATION: Final = "publication"
MESSAGE: Final = "message"

_encode: Final = msgspec.json.Encoder().encode


def event_from(push: Push) -> Event | None:
    """The event that a push is; ``None`` for what has no event.

    Subscriptions that the server makes have none, neither their beginning nor their end: they are its own business.
    """
    match push:
        case replies.Joined(channel, info):
            return _told("join", {"channel": channel, "info": info})
        case replies.Left(channel, info):
            return _told("leave", {"channel": channel, "info": info})
        case replies.Ended(channel, ending, is_attached=False):
            return _told("unsubscribed", {"channel": channel, "code": ending.code, "reason": ending.reason})
        case replies.Message(data):
            return event_of(data) or Event(MESSAGE, msgspec.Raw(b"[%b]" % bytes(data)))
    return None


def _told(name: str, argument: dict[str, object]) -> Event:
    return Event(name, msgspec.Raw(_encode([argument])))


def opening_of(channel: str) -> bytes:
    """What begins the argument of each publication of a channel."""
    return b'[{"channel":%b,"data":' % _encode(channel)


def arguments_of(opening: bytes, publication: Publication) -> Json:
    """The arguments of the event ``publication``."""
    return msgspec.Raw(b"".join((opening, publication.data, _rest(publication), b"}]")))


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
