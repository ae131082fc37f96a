"""The native dialect in JSON: objects separated by newlines, fields of type ``bytes`` as embedded JSON.

Stateless. Incoming numbers and types are checked by msgspec while it decodes; data is passed through as it came.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Annotated, Final, assert_never

import msgspec

from vagus.kernel import codes, commands, replies
from vagus.kernel.commands import Command
from vagus.kernel.errors import DisconnectError
from vagus.kernel.publications import Publication
from vagus.kernel.replies import Push, Reply

from . import fossil


class _Envelope(msgspec.Struct, frozen=True):
    """A command on the wire: exactly one of the fields besides the number."""

    id: Annotated[int, msgspec.Meta(ge=0, le=0xFFFFFFFF)] = 0
    publish: commands.Publish | None = None
    subscribe: commands.Subscribe | None = None
    unsubscribe: commands.Unsubscribe | None = None
    connect: commands.Connect | None = None
    rpc: commands.Call | None = None
    send: commands.Send | None = None
    history: commands.History | None = None
    presence: commands.Presence | None = None
    presence_stats: commands.PresenceStats | None = None
    refresh: commands.Refresh | None = None
    sub_refresh: commands.SubRefresh | None = None

    @property
    def command(self) -> Command | None:
        """The first one in the protocol's order, as the reference server takes it."""
        return (
            self.connect
            or self.subscribe
            or self.unsubscribe
            or self.publish
            or self.presence
            or self.presence_stats
            or self.history
            or self.send
            or self.rpc
            or self.refresh
            or self.sub_refresh
        )


_decode: Final = msgspec.json.Decoder(_Envelope).decode
_decode_fields: Final = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_encode: Final = msgspec.json.Encoder().encode
_PONG: Final = commands.Pong()

_REPLY_KEYS: Final[dict[type, bytes]] = {
    codes.Fault: b"error",
    replies.Connected: b"connect",
    replies.Subscribed: b"subscribe",
    replies.Unsubscribed: b"unsubscribe",
    replies.Published: b"publish",
    replies.PresenceResult: b"presence",
    replies.PresenceStatsResult: b"presence_stats",
    replies.HistoryResult: b"history",
    replies.CallResult: b"rpc",
    replies.Refreshed: b"refresh",
    replies.SubRefreshed: b"sub_refresh",
}


class JsonDialect:
    """The native dialect's text form. One object serves every connection."""

    name: Final = "centrifuge-json"
    binary: Final = False
    ping: Final = b"{}"
    is_packets: Final = False

    def decode(self, message: bytes) -> Iterator[tuple[int, Command]]:
        lines = message.split(b"\n") if b"\n" in message else (message,)
        if len(lines) > 1 and not lines[-1]:
            lines = lines[:-1]
        for line in lines:
            yield self._command(line)

    @staticmethod
    def _command(line: bytes) -> tuple[int, Command]:
        try:
            if not line.isascii():
                line.decode()  # embedded data is passed through, so nobody else looks at it
            envelope = _envelope(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise DisconnectError(codes.MALFORMED) from None
        command = envelope.command
        if command is None:
            if envelope.id == 0:
                return 0, _PONG
            raise DisconnectError(codes.MALFORMED)
        if envelope.id == 0 and type(command) is not commands.Send:
            raise DisconnectError(codes.MALFORMED)
        return envelope.id, command

    def reply(self, number: int, reply: Reply) -> bytes:
        body = _with_deltas(reply) if isinstance(reply, replies.Subscribed) and reply.delta else _encode(reply)
        return b'{"id":%d,"%b":%b}' % (number, _REPLY_KEYS[type(reply)], body)

    def push(self, push: Push) -> bytes:
        match push:
            case replies.Joined(channel, info):
                return b'{"push":{"channel":%b,"join":{"info":%b}}}' % (_encode(channel), _encode(info))
            case replies.Left(channel, info):
                return b'{"push":{"channel":%b,"leave":{"info":%b}}}' % (_encode(channel), _encode(info))
            case replies.Ended(channel, ending):
                return b'{"push":{"channel":%b,"unsubscribe":%b}}' % (_encode(channel), _encode(ending))
            case replies.Attached(channel, subscribed):
                return b'{"push":{"channel":%b,"subscribe":%b}}' % (_encode(channel), _encode(subscribed))
            case replies.Message(data):
                return b'{"push":{"message":{"data":%b}}}' % bytes(data)
            case replies.Renewed(expires, ttl):
                return b'{"push":{"refresh":%b}}' % _encode({"expires": expires, "ttl": ttl})
            case replies.Farewell(closure):
                body = {"code": closure.code, "reason": closure.reason, "reconnect": closure.reconnects}
                return b'{"push":{"disconnect":%b}}' % _encode(body)
            case _:
                assert_never(push)

    def opening(self, channel: str) -> bytes:
        return b'{"push":{"channel":%b,"pub":{"data":' % _encode(channel)

    def publication(self, opening: bytes, publication: Publication) -> bytes:
        return b"".join((opening, publication.data, _rest(publication), b"}}}"))

    def full(self, opening: bytes, publication: Publication) -> bytes:
        return b"".join((opening, _quoted(publication.data), _rest(publication), b"}}}"))

    def patch(self, opening: bytes, publication: Publication, base: bytes) -> bytes:
        target = bytes(publication.data)
        patch = fossil.create(base, target)
        if len(patch) >= len(target):
            return self.full(opening, publication)
        return b"".join((opening, _quoted(patch), _rest(publication), b',"delta":true}}}'))

    def join(self, parts: Sequence[bytes]) -> bytes:
        return b"\n".join(parts)


def _envelope(line: bytes) -> _Envelope:
    """A command. The reference server reads ``null`` as "not given", so what is refused is read once more that way."""
    try:
        return _decode(line)
    except msgspec.ValidationError:
        fields = _decode_fields(line)
        for name, value in fields.items():
            if name != "id" and bytes(value)[:1] == b"{":
                fields[name] = msgspec.Raw(_encode(_given(_decode_fields(value))))
        return _decode(_encode(_given(fields)))


def _given(fields: dict[str, msgspec.Raw]) -> dict[str, msgspec.Raw]:
    return {name: value for name, value in fields.items() if name == "data" or bytes(value) != b"null"}


def _rest(publication: Publication) -> bytes:
    """A publication's fields after its data, without its time: in the live flow that is now.

    The common case, an offset alone, is written without an encoder.
    """
    if publication.info is None and publication.tags is None and not publication.epoch:
        return b',"offset":%d' % publication.offset if publication.offset else b""
    fields: dict[str, object] = {}
    if publication.info is not None:
        fields["info"] = publication.info
    if publication.offset:
        fields["offset"] = publication.offset
    if publication.tags:
        fields["tags"] = publication.tags
    if publication.epoch:
        fields["epoch"] = publication.epoch
    return b"," + _encode(fields)[1:-1] if fields else b""


def _quoted(data: bytes | msgspec.Raw) -> bytes:
    """JSON text as a JSON string: the form that data takes where it may be a patch."""
    return _encode(str(memoryview(data), "utf-8"))


def _with_deltas(reply: replies.Subscribed) -> bytes:
    """A subscription whose recovered publications are a chain of patches, the first one in full."""
    chain = [_as_object(publication, None) for publication in reply.publications[:1]]
    chain += [_as_object(later, bytes(base.data)) for base, later in pairwise(reply.publications)]
    fields = _decode_fields(_encode(msgspec.structs.replace(reply, publications=())))
    return _encode({**fields, "publications": chain} if chain else fields)


def _as_object(publication: Publication, base: bytes | None) -> msgspec.Raw:
    opening = b'{"time":%d,"data":' % publication.time if publication.time else b'{"data":'
    target = bytes(publication.data)
    patch = fossil.create(base, target) if base is not None else target
    if base is not None and len(patch) < len(target):
        return msgspec.Raw(b"".join((opening, _quoted(patch), _rest(publication), b',"delta":true}')))
    return msgspec.Raw(b"".join((opening, _quoted(target), _rest(publication), b"}")))


JSON: Final = JsonDialect()
