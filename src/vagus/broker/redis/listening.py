"""What is listened to: which channels, over which link, and whether Redis has confirmed it.

Channels that begin or end in one tick are named in one command for each link, up to 512 of them. A ``Batch`` is the
channels of one such command; a channel belongs to the batch that it was last listened to with, so that listening,
stopping and listening again can follow each other in any rhythm. When a link is gone its channels wait for ``place``.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, Final

from vagus.kernel.errors import BrokerError

from . import Ears
from .link import ListeningLink, ReplyError

AT_ONCE: Final = 512
"""Channels in one command."""

UNDERWAY: Final = 16
"""Commands that are under way at once when much is listened to again."""

SLICE: Final = 2_000
"""Channels that are looked at before others get their turn."""

MISPLACED: Final = frozenset({"MOVED", "ASK", "CLUSTERDOWN", "TRYAGAIN"})
"""Answers that say: not here, or not yet."""

Route = Callable[[int], ListeningLink | None]


class Batch:
    """Channels of one group, named in one command. ``link`` is None while it has no place."""

    __slots__ = ("channels", "future", "group", "is_again", "is_sent", "link")

    def __init__(self, group: int, link: ListeningLink | None, *, is_again: bool = False) -> None:
        self.group = group
        self.link = link
        self.channels: dict[bytes, None] = {}
        self.future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.is_sent = False
        self.is_again = is_again


class Listening:
    """All channels of one node. ``group_of`` says which channels can share a command, ``route`` who hears a group.

    ``misplaced`` is called when Redis says that some channels belong elsewhere, and with what it says of where; whoever
    knows better calls ``reroute``.
    """

    def __init__(
        self,
        ears: Ears,
        route: Route,
        timeout_s: float,
        *,
        group_of: Callable[[bytes], int] = lambda _: 0,
        misplaced: Callable[[str], None] = lambda _: None,
        is_sharded: bool = False,
    ) -> None:
        self._ears = ears
        self._route = route
        self._timeout_s = timeout_s
        self._group_of = group_of
        self._misplaced = misplaced
        self._subscribe = b"SSUBSCRIBE" if is_sharded else b"SUBSCRIBE"
        self._unsubscribe = b"SUNSUBSCRIBE" if is_sharded else b"UNSUBSCRIBE"
        self._batches: dict[bytes, Batch] = {}
        self._open: dict[int, Batch] = {}
        self._leaving: dict[bytes, Batch] = {}
        self._is_scheduled = False
        self._has_homeless = False
        self._wants_placing = False
        self._placing: asyncio.Task[None] | None = None

    @property
    def channels(self) -> Iterable[bytes]:
        """All that are listened to, or will be when there is a link."""
        return self._batches.keys()

    async def listen(self, channels: Iterable[bytes]) -> None:
        """Return when Redis has confirmed all. Whoever cancels this, or gets an error for several, has to unlisten."""
        awaited = {batch for channel in channels if not (batch := self._batch_of(channel)).future.done()}
        if not awaited:
            return
        _, late = await asyncio.wait({batch.future for batch in awaited}, timeout=self._timeout_s)
        if late:  # what came while this process was held up is read first
            _, late = await asyncio.wait(late, timeout=self._timeout_s / 5)
        if late:
            raise BrokerError(f"Redis did not confirm a subscription within {self._timeout_s:g} s")
        for batch in awaited:
            batch.future.result()

    def _batch_of(self, channel: bytes) -> Batch:
        batch = self._leaving.pop(channel, None)
        if batch is not None and batch.link is not None:
            self._batches[channel] = batch
        batch = self._batches.get(channel)
        if batch is None:
            batch = self._join(channel)
        elif batch.link is None and batch.future.done():
            raise BrokerError("the connection that listens is lost at present")
        return batch

    def _join(self, channel: bytes) -> Batch:
        group = self._group_of(channel)
        batch = self._open.get(group)
        if batch is None or len(batch.channels) >= AT_ONCE:
            link = self._route(group)
            if link is None:
                raise BrokerError("there is no connection that listens at present")
            if batch is not None:
                self._send(batch)
            batch = self._open[group] = Batch(group, link)
            self._schedule()
        batch.channels[channel] = None
        self._batches[channel] = batch
        return batch

    def unlisten(self, channels: Iterable[bytes]) -> None:
        for channel in channels:
            batch = self._batches.pop(channel, None)
            if batch is None:
                continue
            if batch.is_sent and batch.link is not None:
                self._leaving[channel] = batch
                self._schedule()
            else:
                batch.channels.pop(channel, None)

    def _schedule(self) -> None:
        if not self._is_scheduled:
            self._is_scheduled = True
            asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self) -> None:
        self._is_scheduled = False
        batches, self._open = self._open, {}
        for batch in batches.values():
            self._send(batch)
        leaving, self._leaving = self._leaving, {}
        groups: dict[tuple[ListeningLink, int], list[bytes]] = {}
        for channel, batch in leaving.items():
            if batch.link is not None:
                groups.setdefault((batch.link, batch.group), []).append(channel)
        for (link, _), channels in groups.items():
            for start in range(0, len(channels), AT_ONCE):
                try:
                    link.send_channels(self._unsubscribe, channels[start : start + AT_ONCE])
                except BrokerError as error:  # a link that is full or gone: it hears nothing that anybody waits for
                    link.abort(str(error))

    def _send(self, batch: Batch) -> None:
        batch.is_sent = True
        if not batch.channels or batch.link is None:
            self._settle(batch)
            return
        try:
            answer = batch.link.send_channels(self._subscribe, list(batch.channels))
        except BrokerError as error:
            self._fail(batch, error)
        else:
            answer.add_done_callback(lambda answer: self._answered(batch, answer))

    def _answered(self, batch: Batch, answer: asyncio.Future[Any]) -> None:
        error = answer.exception()
        if error is None:
            self._settle(batch)
        elif isinstance(error, ReplyError) and error.code in MISPLACED and batch.link is not None:
            batch.link, batch.is_sent = None, False
            self._has_homeless = True
            self._misplaced(error.detail)
        else:
            self._fail(batch, error)

    def _settle(self, batch: Batch) -> None:
        if not batch.future.done():
            batch.future.set_result(None)
        channels, batch.channels = batch.channels, {}
        if batch.is_again:
            self._ears.restored([channel for channel in channels if self._batches.get(channel) is batch])

    def _fail(self, batch: Batch, error: BaseException) -> None:
        """A channel that was heard before is not given up: it waits for another link."""
        if not batch.future.done():
            batch.future.set_exception(BrokerError(str(error)))
            batch.future.exception()
        channels, batch.channels = batch.channels, {}
        if batch.is_again:
            if batch.link is not None:
                batch.link.abort(f"listening again failed: {error}")
                batch.link = None
            return
        for channel in channels:
            if self._batches.get(channel) is batch:
                del self._batches[channel]

    def detach(self, link: ListeningLink) -> None:
        """The link is lost: its channels have no place. Those that were not confirmed yet have failed."""
        self._has_homeless = True
        for batch in set(self._batches.values()):
            if batch.link is link:
                if not batch.is_sent:
                    self._fail(batch, BrokerError("the connection that listens was lost"))
                batch.link = None

    def displace(self, link: ListeningLink, channel: bytes) -> None:
        """Redis took this channel away from this link."""
        batch = self._batches.get(channel)
        if batch is not None and batch.link is link:
            batch.channels.pop(channel, None)
            self._batches[channel] = homeless = Batch(batch.group, None, is_again=True)
            homeless.future.set_result(None)
            self._has_homeless = True
            self._misplaced("")

    def reroute(self) -> None:
        """Groups may have other links now: what is heard over a wrong one is listened to where it belongs."""
        for batch in set(self._batches.values()):
            if batch.link is not None and batch.future.done() and self._route(batch.group) is not batch.link:
                batch.link = None
                self._has_homeless = True
        self.place()

    def place(self) -> None:
        """Listen again to whatever has no place and for which there is a link now; ``Ears.restored`` is told of it."""
        self._wants_placing = self._has_homeless
        if self._wants_placing and self._placing is None:
            self._placing = asyncio.create_task(self._place())

    async def _place(self) -> None:
        try:
            while self._wants_placing:
                self._wants_placing = self._has_homeless = False
                batches = await self._rehouse()
                for start in range(0, len(batches), UNDERWAY):
                    some = batches[start : start + UNDERWAY]
                    for batch in some:
                        self._send(batch)
                    await asyncio.wait([batch.future for batch in some], timeout=self._timeout_s)
        finally:
            self._placing = None

    async def _rehouse(self) -> list[Batch]:
        """Batches that are to be sent: those that Redis had refused, and new ones of what was heard before."""
        homes: dict[int, Batch] = {}
        batches: dict[Batch, None] = {}
        for number, channel in enumerate(list(self._batches)):
            if number % SLICE == SLICE - 1:
                await asyncio.sleep(0)
            batch = self._batches.get(channel)
            if batch is None or batch.link is not None:
                continue
            link = self._route(batch.group)
            if link is None:
                self._has_homeless = True
            elif not batch.future.done():
                batch.link = link
                batches[batch] = None
            else:
                home = homes.get(batch.group)
                if home is None or home.link is not link or len(home.channels) >= AT_ONCE:
                    home = homes[batch.group] = Batch(batch.group, link, is_again=True)
                    batches[home] = None
                home.channels[channel] = None
                self._batches[channel] = home
        return list(batches)

    async def close(self) -> None:
        if self._placing is not None:
            self._placing.cancel()
            await asyncio.wait([self._placing])
        for batch in set(self._batches.values()):
            self._fail(batch, BrokerError("this server is closing its connection to Redis"))
        self._batches.clear()
