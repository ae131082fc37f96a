"""The streams in Redis: publishing into them and reading parts of them. Raises ``BrokerError`` where Redis does."""

import asyncio
import random
from collections.abc import Awaitable
from functools import lru_cache
from typing import Any, Final

import msgspec

from vagus.broker import IDEMPOTENCY_S, STREAM_IDLE_S
from vagus.kernel.channels import Last
from vagus.kernel.errors import BrokerError
from vagus.kernel.history import Page, Query
from vagus.kernel.publications import Draft, Position, Publication, Receipt

from . import Servers, Word, parcels, scripts
from .keys import Keys, Names

RECEIPT_MS: Final = int(IDEMPOTENCY_S * 1000)
HIGHEST: Final = 2**63 - 1
"""Beyond what a stream can reach and within what Redis takes as an id."""


class Entry(msgspec.Struct, frozen=True, gc=False):
    """A publication as it is kept; ``exclude`` is the client that shall not get it.

    The mark is a random number: one that has the same offset and epoch, but another mark, is of a stream that was set
    back meanwhile.
    """

    publication: Publication
    exclude: str
    mark: int


class Top(msgspec.Struct, frozen=True, gc=False):
    """Where a stream stands, and the mark of its newest publication, if that is kept."""

    position: Position
    mark: int | None = None


def new_epoch() -> str:
    """Different from the one that the same channel had before, which is all that an epoch must be; and cheap, since
    every publication brings one along.
    """
    return f"{random.getrandbits(32):08x}"


def position_ms(ttl_s: float) -> int:
    """How long a position is kept from now on, if its content is for ``ttl_s``."""
    return int((ttl_s + STREAM_IDLE_S) * 1000)


@lru_cache(1024)
def _limits(keep: Last) -> tuple[int, int, int]:
    """How many publications are kept, for how many ms, and for how many their position is."""
    return keep.size, int(keep.ttl_s * 1000), position_ms(keep.ttl_s)


def is_foreign(error: BrokerError) -> bool:
    """Whether somebody else uses our keys for other things, so that it is of no use to try again."""
    return "WRONGTYPE" in str(error)


class Streams:
    """All streams under one prefix."""

    def __init__(self, servers: Servers, keys: Keys) -> None:
        self._servers = servers
        self._keys = keys

    async def send(self, channel: str, draft: Draft) -> Receipt:
        """Send what is not kept."""
        flow = self._keys.names(channel).flow
        message = b"=" + parcels.packed(draft)
        word = self._servers.publish_word()
        if not draft.idempotency_key:
            await self._servers.run(flow, word, flow, message)
            return Receipt()
        keys = (flow, self._keys.receipt(channel, draft.idempotency_key))
        return _receipt(await self._servers.call(scripts.SEND, keys, (word, message, RECEIPT_MS)))

    async def append(self, channel: str, draft: Draft, keep: Last) -> Receipt:
        """Give it its place, keep it and send it."""
        names = self._keys.names(channel)
        receipt = (self._keys.receipt(channel, draft.idempotency_key),) if draft.idempotency_key else ()
        return _receipt(await self.put(names, receipt, draft, keep))

    def put(self, names: Names, receipt: tuple[bytes, ...], draft: Draft, keep: Last) -> Awaitable[Any]:
        """``receipt`` is its key, if there is one."""
        word, parcel = self._servers.publish_word(), parcels.packed(draft)
        arguments: tuple[Word, ...] = (word, names.flow, parcel, *_limits(keep), new_epoch(), RECEIPT_MS)
        if draft.version:
            arguments = (*arguments, draft.version, draft.version_epoch)
        return self._servers.call(scripts.PUBLISH, (names.meta, names.stream, *receipt), arguments)

    async def page(self, names: Names, query: Query, ttl_s: float) -> tuple[Page, Top]:
        """A part of a stream, as ``Broker.history`` has it."""
        top, entries = await self.read(names, query, ttl_s)
        return Page(tuple([entry.publication for entry in entries]), top.position), top

    async def read(self, names: Names, query: Query, ttl_s: float) -> tuple[Top, list[Entry]]:
        """The same with what publications that are delivered again need. Entries that make no sense are left out."""
        words = _range_of(query)
        answer = await self._servers.call(
            scripts.PAGE, (names.meta, names.stream), (new_epoch(), position_ms(ttl_s), *words)
        )
        top = _position(answer[0], answer[1])
        offset, mark = _id(answer[3]) if answer[3] else (0, 0)
        entries = [entry for raw in answer[2] if (entry := _entry(raw, top.epoch)) is not None]
        return Top(top, mark if offset == top.offset > 0 else None), entries

    async def renew(self, names: Names, heard: Top) -> None:
        """Give the stream another epoch if it was set back behind what was heard of it, or has gone on from there."""
        mark = "" if heard.mark is None else heard.mark
        arguments = (heard.position.epoch, heard.position.offset, new_epoch(), mark)
        await self._servers.call(scripts.RENEW, (names.meta, names.stream), arguments)

    async def look(self, names: Names, offset: int) -> tuple[Position | None, int | None]:
        """Where the stream stands, if there is one, and the mark of its publication with an offset, if that is kept."""
        (epoch, top), entries = await asyncio.gather(
            self._servers.run(names.meta, b"HMGET", names.meta, b"e", b"o"),
            self._servers.run(names.meta, b"XRANGE", names.stream, offset, offset, b"COUNT", 1),
        )
        mark = _id(entries[0][0])[1] if entries else None
        return None if epoch is None else _position(top or 0, epoch), mark

    async def keep_position(self, names: Names, ttl_s: float) -> None:
        await self._servers.run(names.meta, b"PEXPIRE", names.meta, position_ms(ttl_s))

    async def remove(self, channel: str) -> None:
        names = self._keys.names(channel)
        await self._servers.run(names.meta, b"UNLINK", names.stream)


def _range_of(query: Query) -> tuple[str, str | int, str | int, str | int]:
    """The command, first and last id, and count."""
    count = "" if query.limit is None else min(query.limit, HIGHEST)
    since = None if query.since is None else min(query.since.offset, HIGHEST - 1)
    if query.limit == 0 or (query.reverse and since == 0):
        return "", "", "", ""
    if query.reverse:
        return "XREVRANGE", "+" if since is None else since - 1, "-", count
    return "XRANGE", "-" if since is None else since + 1, "+", count


def _receipt(answer: list[Any]) -> Receipt:
    offset, epoch, dropped = answer
    return Receipt(_position(offset, epoch), dropped=bool(dropped))


def _position(offset: bytes | int, epoch: bytes) -> Position:
    try:
        return Position(int(offset), epoch.decode())
    except ValueError:
        raise BrokerError("what Redis holds of the channel was not written by this program") from None


def _id(text: bytes) -> tuple[int, int]:
    """An entry's offset and mark."""
    offset, _, mark = text.partition(b"-")
    return int(offset), int(mark)


def _entry(raw: list[Any], epoch: str) -> Entry | None:
    """An entry as Redis gives it: its id, and its fields and their values."""
    try:
        offset, mark = _id(raw[0])
        return Entry(*parcels.unpacked(raw[1][1], offset, epoch), mark)
    except (ValueError, IndexError, TypeError, msgspec.DecodeError):
        return None
