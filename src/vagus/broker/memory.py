"""The broker of a single node, in memory: the executable specification of what a broker does.

Nothing here ever waits, so a publication has reached this node's subscribers when ``publish`` returns. All of it is
gone when the process ends; clients learn that from the new epoch.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from vagus.kernel.channels import Last
from vagus.kernel.control import Answer, Order, Question
from vagus.kernel.history import Page, Query, Stream, new_epoch
from vagus.kernel.presence import Roster
from vagus.kernel.publications import ClientInfo, Draft, Position, Publication, Receipt
from vagus.kernel.replies import PresenceStatsResult

from . import ANSWER_S, IDEMPOTENCY_S, STREAM_IDLE_S, Condition, Listener

SWEEP: Final = 500
"""Streams looked at in one sweep, so that a million of them never stall the loop."""


class MemoryBroker:
    """See ``Broker`` for the contract. ``clock`` gives the time in seconds since the epoch."""

    def __init__(self, clock: Callable[[], float] = time.time, *, max_keys: int = 1_000_000) -> None:
        self._clock = clock
        self._max_keys = max_keys
        self._listener: Listener | None = None
        self._subscribed: set[str] = set()
        self._streams: dict[str, Stream] = {}
        self._rosters: dict[str, Roster] = {}
        self._receipts: OrderedDict[tuple[str, str], tuple[float, Receipt]] = OrderedDict()
        self._to_sweep: list[str] = []
        self._condition = Condition()

    async def start(self, listener: Listener) -> None:
        self._listener = listener

    async def close(self) -> None:
        self._listener = None

    async def check(self) -> None:
        return None

    @property
    def condition(self) -> Condition:
        return self._condition

    async def publish(self, channel: str, draft: Draft, keep: Last | None) -> Receipt:
        key = draft.idempotency_key
        if key and (known := self._receipts.get((channel, key))) is not None and known[0] > self._clock():
            return Receipt(known[1].position, dropped=True)
        if keep is None or draft.skip_history:
            receipt = self._send(channel, draft)
        else:
            receipt = self._append(channel, draft, keep)
        if key:
            self._remember(channel, key, receipt)
        return receipt

    def _send(self, channel: str, draft: Draft) -> Receipt:
        if channel in self._subscribed and self._listener is not None:
            publication = Publication(draft.data, draft.info, 0, draft.tags, draft.time)
            self._listener.published(channel, publication, "", draft.exclude)
        return Receipt()

    def _append(self, channel: str, draft: Draft, keep: Last) -> Receipt:
        now = self._clock()
        stream = self._stream(channel)
        if draft.version and stream.is_outdated(draft.version, draft.version_epoch):
            return Receipt(stream.position, dropped=True)
        stream.expire(now)
        offset = stream.top + 1
        epoch = stream.epoch if offset == 1 else ""
        publication = Publication(draft.data, draft.info, offset, draft.tags, draft.time, epoch)
        stream.append(publication, keep.size, now + keep.ttl_s)
        if channel in self._subscribed and self._listener is not None:
            self._listener.published(channel, publication, stream.epoch, draft.exclude)
        return Receipt(Position(offset, stream.epoch))

    def _stream(self, channel: str) -> Stream:
        stream = self._streams.get(channel)
        if stream is None:
            stream = self._streams[channel] = Stream(new_epoch())
            stream.expires_at = self._clock()
            self._sweep()
        return stream

    def _remember(self, channel: str, key: str, receipt: Receipt) -> None:
        now = self._clock()
        self._receipts.pop((channel, key), None)  # one whose time was over stands in the wrong place
        self._receipts[channel, key] = (now + IDEMPOTENCY_S, receipt)
        while self._receipts:
            oldest = next(iter(self._receipts.values()))
            if oldest[0] > now and len(self._receipts) <= self._max_keys:
                break
            self._receipts.popitem(last=False)

    def _sweep(self) -> None:
        """Give back what has expired: a few streams for each new one, so that the work keeps pace with the growth."""
        if not self._to_sweep:
            self._to_sweep = list(self._streams)
        now = self._clock()
        doomed, self._to_sweep = self._to_sweep[-SWEEP:], self._to_sweep[:-SWEEP]
        for channel in doomed:
            stream = self._streams.get(channel)
            if stream is None:
                continue
            stream.expire(now)
            if stream.expires_at + STREAM_IDLE_S < now and channel not in self._subscribed:
                del self._streams[channel]

    async def subscribe(self, channel: str) -> None:
        self._subscribed.add(channel)

    async def unsubscribe(self, channel: str) -> None:
        self._subscribed.discard(channel)

    async def history(self, channel: str, query: Query, keep: Last) -> Page:
        return self._stream(channel).page(query, self._clock())

    async def remove_history(self, channel: str) -> None:
        stream = self._streams.get(channel)
        if stream is not None:
            stream.clear()

    async def enter(self, channel: str, info: ClientInfo) -> None:
        self._rosters.setdefault(channel, Roster()).add(info)

    async def exit(self, channel: str, client: str) -> None:
        roster = self._rosters.get(channel)
        if roster is not None:
            roster.remove(client)
            if not roster:
                del self._rosters[channel]

    async def presence(self, channel: str) -> dict[str, ClientInfo]:
        roster = self._rosters.get(channel)
        return roster.clients if roster is not None else {}

    async def presence_stats(self, channel: str) -> PresenceStatsResult:
        roster = self._rosters.get(channel)
        return roster.stats if roster is not None else PresenceStatsResult()

    async def announce(self, channel: str, info: ClientInfo, *, joined: bool) -> None:
        if channel in self._subscribed and self._listener is not None:
            self._listener.announced(channel, info, joined=joined)

    async def order(self, order: Order) -> None:
        if self._listener is not None:
            self._listener.ordered(order)

    async def ask(self, question: Question, *, node: str = "", timeout_s: float = ANSWER_S) -> list[Answer]:
        here = self._listener
        if here is None or node not in ("", here.node_id):
            return []
        task = asyncio.ensure_future(here.asked(question))
        try:
            await asyncio.wait({task}, timeout=timeout_s)
        finally:
            late = not task.done()
            if late:
                task.cancel()
        content = None if late else task.result()
        return [] if content is None else [Answer(here.node_id, content)]
