"""The channels of this node, and those of all nodes put together.

What a node tells of a channel is as short as it can be: the rule and its history are known where the answers meet.
"""

import asyncio
from collections.abc import Iterable
from heapq import nlargest, nsmallest
from itertools import islice
from typing import Final

import msgspec

from vagus.hub import Hub
from vagus.kernel.publications import Position

from .choosing import ChannelsWanted, matching
from .rates import Meter
from .values import ChannelRow, HistorySize

BATCH: Final = 2000
"""Channels looked at in one go."""
MAX_CHANNELS: Final = 10_000
"""That one node tells another of."""
ANSWER_BYTES: Final = 786_432
"""The same in bytes of names: what a broker carries between nodes is bounded."""


class Seen(msgspec.Struct, frozen=True, array_like=True):
    """A channel on one node."""

    name: str
    subscribers: int
    published: int
    rate: float | None
    position: Position | None


class FoundChannels(msgspec.Struct, frozen=True):
    """Those of one node; ``total`` is more than there are where not all can be told."""

    channels: list[Seen]
    total: int


class Channels:
    """Those of this node. Its methods run on the hub's loop."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self.meter = Meter()

    async def found(self, pattern: str) -> FoundChannels:
        loop, matches = self._hub.loop, matching(pattern)
        seen: list[Seen] = []
        total = size = 0
        topics = iter(list(self._hub.topics.items()))
        while batch := list(islice(topics, BATCH)):
            at = loop.time()
            for name, topic in batch:
                if not topic.count or not matches(name):
                    continue
                total += 1
                size += 64 + 2 * len(name)
                if total <= MAX_CHANNELS and size <= ANSWER_BYTES:
                    rates = self.meter.rates(name, at, (topic.published,))
                    rate = None if rates is None else rates[0]
                    seen.append(Seen(name, topic.count, topic.published, rate, topic.position))
            await asyncio.sleep(0)
        return FoundChannels(seen, total)


class _Sum:
    """A channel on all nodes: every one of them hears each publication, so that the most is what there was."""

    __slots__ = ("nodes", "position", "published", "rate", "subscribers")

    def __init__(self) -> None:
        self.nodes = self.subscribers = self.published = 0
        self.rate: float | None = None
        self.position: Position | None = None

    def add(self, seen: Seen) -> None:
        self.nodes += 1
        self.subscribers += seen.subscribers
        self.published = max(self.published, seen.published)
        if seen.rate is not None:
            self.rate = max(seen.rate, self.rate or 0.0)
        at = seen.position
        if at is not None and (self.position is None or at.offset > self.position.offset):
            self.position = at


async def put_together(
    hub: Hub, answers: Iterable[FoundChannels], wanted: ChannelsWanted
) -> tuple[list[ChannelRow], int, bool]:
    """The channels that are wanted, how many there are, and whether that is certain."""
    sums: dict[str, _Sum] = {}
    whole = True
    for answer in answers:
        whole = whole and len(answer.channels) == answer.total
        rest = iter(answer.channels)
        while batch := list(islice(rest, BATCH)):
            for seen in batch:
                sums.setdefault(seen.name, _Sum()).add(seen)
            await asyncio.sleep(0)
    pick = nlargest if wanted.descending else nsmallest
    chosen = pick(wanted.limit, sums, key=lambda name: (_key(sums[name], wanted.order), name))
    return [_row(hub, name, sums[name]) for name in chosen], len(sums), whole


def _key(channel: _Sum, order: str) -> float:
    match order:
        case "subscribers":
            return channel.subscribers
        case "publications":
            return channel.published
        case "publicationsPerSecond":
            return -1.0 if channel.rate is None else channel.rate
    return 0.0  # by name alone


def _row(hub: Hub, name: str, channel: _Sum) -> ChannelRow:
    match = hub.rules.match(name)
    rule = match.rule if match is not None else None  # it may have gone with a reload
    keeps = rule.history if rule is not None else None
    at = channel.position
    return ChannelRow(
        name=name,
        rule=rule.pattern if rule is not None else "",
        subscribers=channel.subscribers,
        nodes=channel.nodes,
        publications=channel.published,
        publications_per_second=channel.rate,
        history=HistorySize(keeps.size, keeps.ttl_s) if keeps is not None else None,
        position=at if at is not None and (at.epoch or at.offset) else None,
    )
