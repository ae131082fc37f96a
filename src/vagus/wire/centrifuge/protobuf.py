"""The native dialect in Protobuf: messages with their length in front, fields of type ``bytes`` as plain JSON.

Stateless. The numbers are those of the protocol's public schema, in the order of its fields; a field that the hub has
no value for is absent here, so it is skipped when read. Incoming data is passed through as it came: that it is JSON is
for the hub to check. A patch needs no quotes here, so a subscription with deltas differs in nothing but its patches.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, Final, assert_never

import msgspec

from vagus.kernel import codes, commands, replies
from vagus.kernel.commands import Command
from vagus.kernel.errors import DisconnectError
from vagus.kernel.filters import FilterNode
from vagus.kernel.publications import NOTHING, ClientInfo, Position, Publication
from vagus.kernel.replies import Push, Reply

from . import fossil
from .schema import (
    BOOL,
    INT32,
    INT64,
    LENGTH,
    STRING,
    UINT32,
    UINT64,
    Kind,
    Message,
    many,
    mapped,
    one,
    read_varint,
    varint,
)


def _json(content: bytes) -> msgspec.Raw:
    """Data as it came. Empty data is absent: Protobuf makes no difference, and no JSON text is empty."""
    return msgspec.Raw(content) if content else NOTHING


_JSON: Final = Kind(LENGTH, _json, bytes)

_POSITION: Final = Message(Position, {1: ("offset", UINT64), 2: ("epoch", STRING)})

_FILTER: Final = Message(
    FilterNode,
    {1: ("op", STRING), 2: ("key", STRING), 3: ("cmp", STRING), 4: ("val", STRING), 5: ("vals", many(STRING))},
)
_FILTER.add(6, "nodes", many(one(_FILTER)))

_SUBSCRIBE: Final = Message(
    commands.Subscribe,
    {
        1: ("channel", STRING),
        2: ("token", STRING),
        3: ("recover", BOOL),
        6: ("epoch", STRING),
        7: ("offset", UINT64),
        8: ("data", _JSON),
        9: ("positioned", BOOL),
        10: ("recoverable", BOOL),
        11: ("join_leave", BOOL),
        12: ("delta", STRING),
        13: ("tf", one(_FILTER)),
        14: ("flag", INT64),
        15: ("type", INT32),
    },
)
_CONNECT: Final = Message(
    commands.Connect,
    {
        1: ("token", STRING),
        2: ("data", _JSON),
        3: ("subs", mapped(one(_SUBSCRIBE), commands.Subscribe())),
        4: ("name", STRING),
        5: ("version", STRING),
        6: ("headers", mapped(STRING, "")),
        7: ("flag", INT64),
    },
)
_HISTORY: Final = Message(
    commands.History,
    {1: ("channel", STRING), 7: ("limit", INT32), 8: ("since", one(_POSITION)), 9: ("reverse", BOOL)},
)
_SUB_REFRESH: Final = Message(commands.SubRefresh, {1: ("channel", STRING), 2: ("token", STRING)})

_COMMAND: Final = Message(
    dict[str, Any],
    {
        1: ("id", UINT32),
        4: ("connect", one(_CONNECT)),
        5: ("subscribe", one(_SUBSCRIBE)),
        6: ("unsubscribe", one(Message(commands.Unsubscribe, {1: ("channel", STRING)}))),
        7: ("publish", one(Message(commands.Publish, {1: ("channel", STRING), 2: ("data", _JSON)}))),
        8: ("presence", one(Message(commands.Presence, {1: ("channel", STRING)}))),
        9: ("presence_stats", one(Message(commands.PresenceStats, {1: ("channel", STRING)}))),
        10: ("history", one(_HISTORY)),
        12: ("send", one(Message(commands.Send, {1: ("data", _JSON)}))),
        13: ("rpc", one(Message(commands.Call, {1: ("data", _JSON), 2: ("method", STRING)}))),
        14: ("refresh", one(Message(commands.Refresh, {1: ("token", STRING)}))),
        15: ("sub_refresh", one(_SUB_REFRESH)),
    },
)
_PRECEDENCE: Final = (
    "connect",
    "subscribe",
    "unsubscribe",
    "publish",
    "presence",
    "presence_stats",
    "history",
    "send",
    "rpc",
    "refresh",
    "sub_refresh",
)
"""Which one counts where a client names several, as the reference server takes it."""
_PONG: Final = commands.Pong()

_CLIENT_INFO: Final = Message(
    ClientInfo, {1: ("user", STRING), 2: ("client", STRING), 3: ("conn_info", _JSON), 4: ("chan_info", _JSON)}
)
_TAGS: Final = mapped(STRING, "")
_AFTER_DATA: Final = Message(
    Publication, {5: ("info", one(_CLIENT_INFO)), 6: ("offset", UINT64), 7: ("tags", _TAGS), 14: ("epoch", STRING)}
)
_PUBLICATION: Final = Message(
    Publication,
    {
        4: ("data", _JSON),
        5: ("info", one(_CLIENT_INFO)),
        6: ("offset", UINT64),
        7: ("tags", _TAGS),
        9: ("time", INT64),
        14: ("epoch", STRING),
    },
)
_SUBSCRIBED: Final = Message(
    replies.Subscribed,
    {
        1: ("expires", BOOL),
        2: ("ttl", UINT32),
        3: ("recoverable", BOOL),
        6: ("epoch", STRING),
        7: ("publications", many(one(_PUBLICATION))),
        8: ("recovered", BOOL),
        9: ("offset", UINT64),
        10: ("positioned", BOOL),
        11: ("data", _JSON),
        12: ("was_recovering", BOOL),
        13: ("delta", BOOL),
    },
)
_CONNECTED: Final = Message(
    replies.Connected,
    {
        1: ("client", STRING),
        2: ("version", STRING),
        3: ("expires", BOOL),
        4: ("ttl", UINT32),
        5: ("data", _JSON),
        6: ("subs", mapped(one(_SUBSCRIBED), replies.Subscribed())),
        7: ("ping", UINT32),
        8: ("pong", BOOL),
        9: ("session", STRING),
        10: ("node", STRING),
        11: ("time", INT64),
    },
)
_FAULT: Final = Message(codes.Fault, {1: ("code", UINT32), 2: ("message", STRING), 3: ("temporary", BOOL)})
_PRESENT: Final = mapped(one(_CLIENT_INFO), ClientInfo("", ""))
_HISTORY_RESULT: Final = Message(
    replies.HistoryResult,
    {1: ("publications", many(one(_PUBLICATION))), 2: ("epoch", STRING), 3: ("offset", UINT64)},
)

_REPLIES: Final[dict[type, tuple[int, Message[Any]]]] = {
    codes.Fault: (2, _FAULT),
    replies.Connected: (5, _CONNECTED),
    replies.Subscribed: (6, _SUBSCRIBED),
    replies.Unsubscribed: (7, Message(replies.Unsubscribed, {})),
    replies.Published: (8, Message(replies.Published, {})),
    replies.PresenceResult: (9, Message(replies.PresenceResult, {1: ("presence", _PRESENT)})),
    replies.PresenceStatsResult: (
        10,
        Message(replies.PresenceStatsResult, {1: ("num_clients", UINT32), 2: ("num_users", UINT32)}),
    ),
    replies.HistoryResult: (11, _HISTORY_RESULT),
    replies.CallResult: (13, Message(replies.CallResult, {1: ("data", _JSON)})),
    replies.Refreshed: (14, Message(replies.Refreshed, {3: ("expires", BOOL), 4: ("ttl", UINT32)})),
    replies.SubRefreshed: (15, Message(replies.SubRefreshed, {1: ("expires", BOOL), 2: ("ttl", UINT32)})),
}
_JOINED: Final = Message(replies.Joined, {1: ("info", one(_CLIENT_INFO))})
_ENDING: Final = Message(codes.Ending, {2: ("code", UINT32), 3: ("reason", STRING)})
_ATTACHED: Final = Message(
    replies.Subscribed,
    {
        1: ("recoverable", BOOL),
        4: ("epoch", STRING),
        5: ("offset", UINT64),
        6: ("positioned", BOOL),
        7: ("data", _JSON),
    },
)
_MESSAGE: Final = Message(replies.Message, {1: ("data", _JSON)})
_CLOSURE: Final = Message(codes.Closure, {1: ("code", UINT32), 2: ("reason", STRING), 3: ("reconnects", BOOL)})
_RENEWED: Final = Message(replies.Renewed, {1: ("expires", BOOL), 2: ("ttl", UINT32)})


class ProtobufDialect:
    """The native dialect's binary form. One object serves every connection."""

    name: Final = "centrifuge-protobuf"
    binary: Final = True
    ping: Final = b"\x00"
    is_packets: Final = False

    def decode(self, message: bytes) -> Iterator[tuple[int, Command]]:
        if not message:
            raise DisconnectError(codes.MALFORMED)
        at = 0
        while at < len(message):
            try:
                length, start = read_varint(message, at)
                at = start + length
                if at > len(message):
                    raise ValueError("a command is cut short")
                found = _COMMAND.values(message[start:at])
            except (ValueError, IndexError, RecursionError):
                raise DisconnectError(codes.MALFORMED) from None
            yield _command(found)

    def reply(self, number: int, reply: Reply) -> bytes:
        field, message = _REPLIES[type(reply)]
        body = _with_deltas(reply) if isinstance(reply, replies.Subscribed) and reply.delta else message.write(reply)
        head = b"\x08" + varint(number) if number else b""
        return _framed(head + _field(field, body))

    def push(self, push: Push) -> bytes:
        match push:
            case replies.Joined(channel, _):
                return _pushed(self.opening(channel) + _field(5, _JOINED.write(push)))
            case replies.Left(channel, _):
                return _pushed(self.opening(channel) + _field(6, _JOINED.write(push)))
            case replies.Ended(channel, ending):
                return _pushed(self.opening(channel) + _field(7, _ENDING.write(ending)))
            case replies.Attached(channel, subscribed):
                return _pushed(self.opening(channel) + _field(9, _ATTACHED.write(subscribed)))
            case replies.Message():
                return _pushed(_field(8, _MESSAGE.write(push)))
            case replies.Renewed():
                return _pushed(_field(12, _RENEWED.write(push)))
            case replies.Farewell(closure):
                return _pushed(_field(11, _CLOSURE.write(closure)))
            case _:
                assert_never(push)

    def opening(self, channel: str) -> bytes:
        return _field(2, channel.encode())

    def publication(self, opening: bytes, publication: Publication) -> bytes:
        return _published(opening, publication.data, _rest(publication))

    def full(self, opening: bytes, publication: Publication) -> bytes:
        return _published(opening, publication.data, _rest(publication))

    def patch(self, opening: bytes, publication: Publication, base: bytes) -> bytes:
        patch = _patch(publication, base)
        if patch is None:
            return self.full(opening, publication)
        return _published(opening, patch, _rest(publication) + _DELTA)

    def join(self, parts: Sequence[bytes]) -> bytes:
        return b"".join(parts)


_DELTA: Final = b"\x40\x01"
"""A publication's field 8: its data is a patch."""


def _command(found: dict[str, Any]) -> tuple[int, Command]:
    """The number and the command of an envelope's fields. Only what wants no answer may be without a number."""
    number = found.pop("id", 0)
    if not found:
        if number == 0:
            return 0, _PONG
        raise DisconnectError(codes.MALFORMED)
    name = next(iter(found)) if len(found) == 1 else min(found, key=_PRECEDENCE.index)
    command: Command = found[name]
    if number == 0 and type(command) is not commands.Send:
        raise DisconnectError(codes.MALFORMED)
    return number, command


def _field(number: int, content: bytes) -> bytes:
    return b"".join((varint(number << 3 | 2), varint(len(content)), content))


def _framed(reply: bytes) -> bytes:
    return varint(len(reply)) + reply


def _pushed(push: bytes) -> bytes:
    return _framed(_field(4, push))


def _published(opening: bytes, data: bytes | msgspec.Raw, rest: bytes) -> bytes:
    """A whole frame, from the inside out. Data, publication and push are each a field 4, which begins with ``22``."""
    data_size = varint(len(data))
    size = 1 + len(data_size) + len(data) + len(rest)
    publication_size = varint(size)
    size += 1 + len(publication_size) + len(opening)
    push_size = varint(size)
    frame_size = varint(size + 1 + len(push_size))
    head = (frame_size, b"\x22", push_size, opening, b"\x22", publication_size, b"\x22", data_size)
    return b"".join((*head, data, rest))


def _rest(publication: Publication) -> bytes:
    """A publication's fields after its data. The common case, an offset alone, is written without a table."""
    if publication.info is None and publication.tags is None and not publication.epoch:
        return b"\x30" + varint(publication.offset) if publication.offset else b""
    return _AFTER_DATA.write(publication)


def _patch(publication: Publication, base: bytes) -> bytes | None:
    """The publication's data as a patch of ``base``, if that is shorter."""
    target = bytes(publication.data)
    patch = fossil.create(base, target)
    return patch if len(patch) < len(target) else None


def _with_deltas(reply: replies.Subscribed) -> bytes:
    """A subscription whose recovered publications are a chain of patches, the first one in full."""
    chain = [_PUBLICATION.write(publication) for publication in reply.publications[:1]]
    chain += [_chained(publication, bytes(base.data)) for base, publication in pairwise(reply.publications)]
    fields = _SUBSCRIBED.write(msgspec.structs.replace(reply, publications=()))
    return fields + b"".join(_field(7, publication) for publication in chain)


def _chained(publication: Publication, base: bytes) -> bytes:
    patch = _patch(publication, base)
    if patch is None:
        return _PUBLICATION.write(publication)
    return _PUBLICATION.write(msgspec.structs.replace(publication, data=msgspec.Raw(patch))) + _DELTA


PROTOBUF: Final = ProtobufDialect()
