"""How publications reach an audience: whole, chosen by tags, as patches, or no more often than asked.

A feed turns publications into parts and pushes them to its audience; ``join`` and ``leave`` let subscribers in and out.
Subscribers with equal wishes share a feed, so that a filter is evaluated and a patch is made once for all of them.
"""

from collections.abc import MutableMapping
from typing import Protocol

import msgspec

from vagus.kernel.filters import Filter
from vagus.kernel.publications import Publication
from vagus.wire import Dialect
from vagus.wire.encoding import Encoding

from .audience import Audience, Member
from .tick import Tick

Encoded = MutableMapping[Dialect, bytes]
"""A publication's whole part in each dialect that needed it so far."""


class Wishes(msgspec.Struct, frozen=True):
    """What subscribers must have in common to share a feed."""

    encoding: Encoding
    is_positioned: bool = False
    has_deltas: bool = False
    tags: Filter | None = None
    rate: float | None = None

    def wants(self, publication: Publication) -> bool:
        """Whether its tags pass the filter."""
        return self.tags is None or self.tags.matches(publication.tags or {})


class Feed(Protocol):
    @property
    def audience(self) -> Audience: ...

    @property
    def members(self) -> tuple[Member, ...]: ...

    def __len__(self) -> int: ...

    def publish(self, publication: Publication, exclude: str, encoded: Encoded) -> None: ...

    def join(self, member: Member) -> None: ...

    def leave(self, member: Member, *, settle: bool) -> None: ...


class WholeFeed:
    """Every publication as it is, or with a filter those that match."""

    __slots__ = ("_opening", "_tags", "audience")

    def __init__(self, audience: Audience, opening: bytes, tags: Filter | None = None) -> None:
        self.audience = audience
        self._opening = opening
        self._tags = tags

    def publish(self, publication: Publication, exclude: str, encoded: Encoded) -> None:
        if self._tags is not None and not self._tags.matches(publication.tags or {}):
            return
        dialect = self.audience.encoding.dialect
        part = encoded.get(dialect)
        if part is None:
            part = encoded[dialect] = dialect.publication(self._opening, publication)
        self.audience.push(part, exclude)

    @property
    def members(self) -> tuple[Member, ...]:
        return self.audience.members

    def __len__(self) -> int:
        return len(self.audience)

    def join(self, member: Member) -> None:
        self.audience.join(member)

    def leave(self, member: Member, *, settle: bool) -> None:
        self.audience.leave(member, settle=settle)


class DeltaFeed:
    """Each publication as a patch of the one before. Who has just joined gets its first one in full.

    An excluded sender misses a base, so it starts anew with a full one.
    """

    __slots__ = ("_base", "_fresh", "_opening", "audience")

    def __init__(self, audience: Audience, opening: bytes) -> None:
        self.audience = audience
        self._opening = opening
        self._base = b""
        self._fresh: dict[Member, None] = {}

    def publish(self, publication: Publication, exclude: str, encoded: Encoded) -> None:
        dialect = self.audience.encoding.dialect
        if exclude:
            self._set_back(exclude)
        if len(self.audience):
            self.audience.push(dialect.patch(self._opening, publication, self._base))
        self._base = bytes(publication.data)
        if self._fresh:
            self._welcome(dialect.full(self._opening, publication), exclude)

    def _set_back(self, client: str) -> None:
        for member in [m for m in self.audience.members if m.id == client]:
            self.audience.leave(member, settle=True)
            self._fresh[member] = None

    def _welcome(self, part: bytes, exclude: str) -> None:
        for member in [m for m in self._fresh if m.id != exclude]:
            del self._fresh[member]
            member.enqueue(part)
            self.audience.join(member)

    @property
    def members(self) -> tuple[Member, ...]:
        return (*self.audience.members, *self._fresh)

    def __len__(self) -> int:
        return len(self.audience) + len(self._fresh)

    def join(self, member: Member) -> None:
        self._fresh[member] = None

    def leave(self, member: Member, *, settle: bool) -> None:
        if self._fresh.pop(member, self) is self:
            self.audience.leave(member, settle=settle)


class ThrottledFeed:
    """At most ``rate`` publications a second, the newest winning: it costs what it sends, not what is published.

    Who joins while a publication waits is let in after it, since that one is older than the subscription.
    """

    __slots__ = ("_interval_s", "_is_timed", "_late", "_next_at", "_opening", "_tags", "_tick", "_waiting", "audience")

    def __init__(self, audience: Audience, opening: bytes, tick: Tick, rate: float, tags: Filter | None) -> None:
        self.audience = audience
        self._opening = opening
        self._tick = tick
        self._interval_s = 1 / rate
        self._tags = tags
        self._next_at = 0.0
        self._is_timed = False
        self._late: dict[Member, None] = {}
        self._waiting: tuple[Publication, str] | None = None

    def publish(self, publication: Publication, exclude: str, encoded: Encoded) -> None:
        if self._tags is not None and not self._tags.matches(publication.tags or {}):
            return
        self._admit()
        self._waiting = (publication, exclude)
        if self._is_timed:
            return
        self._is_timed = True
        delay = self._next_at - self._tick.loop.time()
        if delay > 0:
            self._tick.loop.call_later(delay, self._emit)
        else:
            self._emit()

    def _emit(self) -> None:
        self._is_timed = False
        if self._waiting is not None:
            publication, exclude = self._waiting
            self._waiting = None
            self._next_at = self._tick.loop.time() + self._interval_s
            self.audience.push(self.audience.encoding.dialect.publication(self._opening, publication), exclude)
        self._admit()

    def _admit(self) -> None:
        for member in self._late:
            self.audience.join(member)
        self._late.clear()

    @property
    def members(self) -> tuple[Member, ...]:
        return (*self.audience.members, *self._late)

    def __len__(self) -> int:
        return len(self.audience) + len(self._late)

    def join(self, member: Member) -> None:
        if self._waiting is None:
            self.audience.join(member)
        else:
            self._late[member] = None

    def leave(self, member: Member, *, settle: bool) -> None:
        if self._late.pop(member, self) is self:
            self.audience.leave(member, settle=settle)

    def withheld(self, member: Member) -> bytes:
        """The part that a member has yet to get when the interval is over; empty if there is none."""
        if self._waiting is None or member in self._late or self._waiting[1] == member.id:
            return b""
        return self.audience.encoding.dialect.publication(self._opening, self._waiting[0])
