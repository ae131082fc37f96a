"""What the server wrote, as values again: replies, pushes and publications, with patches applied.

Written apart from the dialect that it reads, so that the two can disagree.
"""

from typing import Any

import msgspec

from vagus.kernel import replies
from vagus.kernel.codes import Closure, Ending
from vagus.kernel.publications import NOTHING, ClientInfo, Json, Publication
from vagus.kernel.replies import Attached, Ended, Farewell, Joined, Left, Message, Renewed
from vagus.wire.centrifuge import fossil


class Received(msgspec.Struct, frozen=True):
    """A publication as a client got it. ``data`` is decoded, ``text`` is the JSON it came as."""

    channel: str
    data: Any
    text: bytes
    offset: int = 0
    info: ClientInfo | None = None
    tags: dict[str, str] | None = None
    epoch: str = ""
    is_patch: bool = False


class ServerLine(msgspec.Struct, frozen=True):
    """One reply: a number and what it answers with, or a push; what is not there is empty."""

    id: int = 0
    error: Json = NOTHING
    push: Json = NOTHING
    connect: Json = NOTHING
    subscribe: Json = NOTHING
    unsubscribe: Json = NOTHING
    publish: Json = NOTHING
    presence: Json = NOTHING
    presence_stats: Json = NOTHING
    history: Json = NOTHING
    rpc: Json = NOTHING
    refresh: Json = NOTHING
    sub_refresh: Json = NOTHING


class _Pub(msgspec.Struct, frozen=True):
    data: Json = NOTHING
    info: ClientInfo | None = None
    offset: int = 0
    tags: dict[str, str] | None = None
    time: int = 0
    epoch: str = ""
    delta: bool = False


class _About(msgspec.Struct, frozen=True):
    info: ClientInfo


class _Data(msgspec.Struct, frozen=True):
    data: Json = NOTHING


class _Push(msgspec.Struct, frozen=True):
    channel: str = ""
    pub: _Pub | None = None
    join: _About | None = None
    leave: _About | None = None
    unsubscribe: Ending | None = None
    message: _Data | None = None
    subscribe: Json = NOTHING
    refresh: replies.Refreshed | None = None
    disconnect: Closure | None = None


_line = msgspec.json.Decoder(ServerLine).decode
_push = msgspec.json.Decoder(_Push).decode


def read_line(text: bytes) -> ServerLine:
    return _line(text)


class Reader:
    """Reads the pushes of one connection. It remembers which subscriptions get patches, and their last payload."""

    def __init__(self) -> None:
        self._bases: dict[str, bytes] = {}

    def began(self, channel: str, has_deltas: bool) -> None:
        self._bases.pop(channel, None)
        if has_deltas:
            self._bases[channel] = b""

    def ended(self, channel: str) -> None:
        self._bases.pop(channel, None)

    def subscribed(self, channel: str, body: bytes | msgspec.Raw) -> replies.Subscribed:
        """A subscription's reply, with the publications that it recovered whole again."""
        fields = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
        pubs = msgspec.json.decode(fields.pop("publications", b"[]"), type=list[_Pub])
        subscribed = msgspec.json.decode(msgspec.json.encode(fields), type=replies.Subscribed)
        self.began(channel, subscribed.delta)
        whole = [
            Publication(msgspec.Raw(self._text(channel, pub)), pub.info, pub.offset, pub.tags, pub.time, pub.epoch)
            for pub in pubs
        ]
        return msgspec.structs.replace(subscribed, publications=tuple(whole))

    def pushed(
        self, body: bytes | msgspec.Raw
    ) -> list[Received | Joined | Left | Ended | Attached | Message | Renewed | Farewell]:
        push = _push(body)
        channel = push.channel
        if push.pub is not None:
            return [self._received(channel, push.pub)]
        if push.join is not None:
            return [Joined(channel, push.join.info)]
        if push.leave is not None:
            return [Left(channel, push.leave.info)]
        if push.unsubscribe is not None:
            self.ended(channel)
            return [Ended(channel, push.unsubscribe)]
        if push.subscribe:
            return [Attached(channel, self.subscribed(channel, push.subscribe))]
        if push.message is not None:
            return [Message(push.message.data)]
        if push.refresh is not None:
            return [Renewed(push.refresh.expires, push.refresh.ttl)]
        if push.disconnect is not None:
            return [Farewell(push.disconnect)]
        raise AssertionError(f"the server said what no client understands: {bytes(body)!r}")

    def _received(self, channel: str, pub: _Pub) -> Received:
        text = self._text(channel, pub)
        data = msgspec.json.decode(text)
        return Received(channel, data, text, pub.offset, pub.info, pub.tags, pub.epoch, is_patch=pub.delta)

    def _text(self, channel: str, pub: _Pub) -> bytes:
        base = self._bases.get(channel)
        if base is None:
            return bytes(pub.data)
        sent = msgspec.json.decode(pub.data, type=str).encode()
        whole = self._bases[channel] = fossil.apply(base, sent) if pub.delta else sent
        return whole
