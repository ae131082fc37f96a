"""The clients of this node: a page of them, one of them, those that are slow.

Ten thousand are looked at in batches with the event loop between them, so that nobody waits while somebody looks.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from heapq import nlargest, nsmallest
from itertools import chain
from operator import itemgetter
from typing import Final

import msgspec

from vagus.hub import Hub
from vagus.hub.client import NEVER, Client
from vagus.hub.subscription import Subscription
from vagus.kernel.control import Target

from .choosing import KEY_LENGTH, ClientOrder, ClientsWanted, Key, matching
from .rates import Meter
from .values import ClientRow, ClientView, SlowClient, SubscriptionRow

BATCH: Final = 500
"""Clients looked at in one go: two milliseconds or so."""
FIRST_CHANNELS: Final = 5
AGENT_LENGTH: Final = 256
ANSWER_BYTES: Final = 524_288
"""Rows that go into one answer: a broker carries twice as much between nodes."""

KeyOf = Callable[[Client, float], str | float]
"""By what a client is ordered, at a time."""


class Found(msgspec.Struct, frozen=True):
    """The first rows of a node, with their places; ``more`` says that there are others after them."""

    rows: list[tuple[Key, ClientRow]]
    total: int
    more: bool


class FoundSlow(msgspec.Struct, frozen=True):
    """The slow clients of a node with the largest queues, and what it counts of them."""

    clients: list[SlowClient]
    total: int
    closed: int
    dropped: int


class Clients:
    """Those of this node. Its methods run on the hub's loop."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self.meter = Meter()

    async def page(self, wanted: ClientsWanted) -> Found:
        wants, key_of = _filter(wanted), self._key_of(wanted.order)
        pick: Callable[..., list[tuple[Key, Client]]] = nlargest if wanted.descending else nsmallest
        best: list[tuple[Key, Client]] = []
        total = 0
        for batch in _batches(list(self._hub.clients.values())):
            at, found = self._hub.loop.time(), []
            for client in batch:
                if not client.is_connected or not wants(client):
                    continue
                total += 1
                key = (key_of(client, at), client.id)
                if wanted.after is None or (key < wanted.after if wanted.descending else key > wanted.after):
                    found.append((key, client))
            best = pick(wanted.limit + 1, chain(best, found), key=itemgetter(0))
            await asyncio.sleep(0)
        rows = list(_fitting((key, self.row(client)) for key, client in best[: wanted.limit]))
        return Found(rows, total, len(rows) < len(best))

    def row(self, client: Client) -> ClientRow:
        traffic, origin = client.traffic, client.origin
        rates = self.meter.rates(client.id, self._hub.loop.time(), traffic) or (None,) * len(traffic)
        channels = client.subscriptions
        return ClientRow(
            id=client.id,
            node=self._hub.node_id,
            user=client.identity.user,
            roles=sorted(client.identity.roles),
            dialect=client.encoding.dialect.name,
            transport=origin.transport,
            section=client.section,
            address=origin.address,
            connected_at=client.connected_at,
            channels=len(channels),
            first_channels=[name for name, _ in zip(channels, range(FIRST_CHANNELS), strict=False)],
            messages_in=traffic.received_messages,
            bytes_in=traffic.received_bytes,
            messages_out=traffic.sent_messages,
            bytes_out=traffic.sent_bytes,
            messages_in_per_second=rates[0],
            bytes_in_per_second=rates[1],
            messages_out_per_second=rates[2],
            bytes_out_per_second=rates[3],
            queue_bytes=client.queue_bytes,
            slow=client in self._hub.lagging,
        )

    def one(self, id: str) -> ClientView | None:
        client = self._hub.clients.get(id)
        if client is None:
            return None
        return ClientView(
            client=self.row(client),
            agent=client.origin.headers.get("user-agent", "")[:AGENT_LENGTH],
            expires_at=None if client.expires_at == NEVER else self._moment(client.expires_at),
            queue_limit=self._hub.limits.queue_bytes,
            paused_ms=self._paused_ms(client) if client in self._hub.lagging else None,
            subscriptions=[_subscription_row(subscription) for subscription in client.subscriptions.values()],
        )

    def slow(self, limit: int) -> FoundSlow:
        lagging, figures = self._hub.lagging, self._hub.figures
        worst = [
            SlowClient(
                client=self.row(client),
                queue_limit=self._hub.limits.queue_bytes,
                paused_ms=self._paused_ms(client),
                when_full=dict(Counter(s.topic.rule.when_slow for s in client.subscriptions.values())),
            )
            for client in nlargest(limit, lagging, key=lambda client: client.queue_bytes)
        ]
        return FoundSlow(worst, len(lagging), figures.slow, figures.dropped)

    def count(self, target: Target) -> int:
        """How many an order would reach here."""
        return len(self._hub.registry.targets(target))

    def _key_of(self, order: ClientOrder) -> KeyOf:
        place = _COUNTED.get(order.removesuffix("PerSecond"))
        if place is None:
            return _KEYS[order]
        if order in _COUNTED:
            return lambda client, _: client.traffic[place]

        def rate(client: Client, at: float) -> float:
            rates = self.meter.rates(client.id, at, client.traffic)
            return -1.0 if rates is None else rates[place]  # unknown ones stand below all others

        return rate

    def _paused_ms(self, client: Client) -> int:
        return int((self._hub.loop.time() - self._hub.lagging[client]) * 1000)

    def _moment(self, loop_time: float) -> int:
        """A time of the loop in milliseconds since 1970."""
        return int((self._hub.now() + loop_time - self._hub.loop.time()) * 1000)


def _batches(clients: list[Client]) -> Iterator[list[Client]]:
    for start in range(0, len(clients), BATCH):
        yield clients[start : start + BATCH]


def _fitting(rows: Iterator[tuple[Key, ClientRow]]) -> Iterator[tuple[Key, ClientRow]]:
    """As many as go into an answer, and one at least."""
    size = 0
    for key, row in rows:
        yield key, row
        size += len(msgspec.json.encode(row))
        if size > ANSWER_BYTES:
            return


def _filter(wanted: ClientsWanted) -> Callable[[Client], bool]:
    is_user, channel, dialect, slow = matching(wanted.user), wanted.channel, wanted.dialect, wanted.slow

    def wants(client: Client) -> bool:
        return (
            (not channel or channel in client.subscriptions)
            and (not dialect or client.encoding.dialect.name == dialect)
            and (slow is None or (client in client.hub.lagging) is slow)
            and bool(is_user(client.identity.user))
        )

    return wants


def _subscription_row(subscription: Subscription) -> SubscriptionRow:
    topic, wishes = subscription.topic, subscription.wishes
    position = topic.position
    return SubscriptionRow(
        channel=subscription.channel,
        rule=topic.rule.pattern,
        by_server=subscription.is_attached,
        position=position if position is not None and (position.epoch or position.offset) else None,
        recoverable=topic.rule.is_recoverable and wishes is not None and wishes.is_positioned,
        max_per_second=wishes.rate if wishes is not None else None,
        deltas=wishes is not None and wishes.has_deltas,
        filtered=wishes is not None and wishes.tags is not None,
        when_full=topic.rule.when_slow,
    )


_COUNTED: Final = {"messagesIn": 0, "bytesIn": 1, "messagesOut": 2, "bytesOut": 3}
"""Where a client's traffic has what it is ordered by."""

_KEYS: Final[dict[str, KeyOf]] = {
    "user": lambda client, _: client.identity.user[:KEY_LENGTH],
    "dialect": lambda client, _: client.encoding.dialect.name,
    "address": lambda client, _: client.origin.address[:KEY_LENGTH],
    "node": lambda client, _: client.hub.node_id,
    "connectedAt": lambda client, _: client.connected_at,
    "channels": lambda client, _: len(client.subscriptions),
    "queueBytes": lambda client, _: client.queue_bytes,
}
