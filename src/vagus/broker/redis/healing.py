"""What flows to this node, and that nothing is missing in it: gaps are filled from the streams, or told of.

A ``Flow`` knows how far it was heard. It is looked after

* when a message leaves a gap behind what was heard: then what comes is held back until the gap is filled;
* after a cut, and now and then without any reason: the top of its stream is read, which costs next to nothing.

Whatever a stream has kept is told in its place. What it has not is lost, and so is everything where it began anew.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Final

import msgspec
import structlog

from vagus.broker import STREAM_IDLE_S
from vagus.kernel.errors import BrokerError
from vagus.kernel.history import Query
from vagus.kernel.publications import Position, Publication

from . import parcels
from .keys import Names
from .streams import Entry, Streams, is_foreign

log = structlog.get_logger()

TOPS: Final = 512
"""Streams whose tops are read in one write."""

CHUNK: Final = 128
"""Publications that are read again at once."""

UNDERWAY: Final = 64
"""Flows that are mended at the same time."""

HELD = 1024
"""Messages held back for one flow; those beyond them are read again."""

HELD_BYTES: Final = 64 << 20
"""What is held back for all flows together."""

LOG_S: Final = 1.0
"""For how long losses are counted before they are logged as one."""

AGAIN_S: Final = 0.5
"""How long to wait where Redis cannot be asked."""

GRACE_S: Final = 0.1
"""How long a message may be on its way here after its stream shows it, before it counts as missing."""


class Heard(msgspec.Struct, frozen=True, gc=False):
    """A message with a place, held back."""

    offset: int
    epoch: str
    publication: Publication
    exclude: str
    size: int


class Flow:
    """A channel that is listened to. ``offset`` and ``epoch`` say how far it was heard; no epoch: nothing is known."""

    __slots__ = (
        "channel",
        "epoch",
        "held",
        "is_over",
        "lose",
        "names",
        "offset",
        "overflowed",
        "seen",
        "tell",
        "ttl_s",
    )

    def __init__(
        self,
        channel: str,
        names: Names,
        tell: Callable[[Publication, str, str], None],
        lose: Callable[[Position], None],
    ) -> None:
        self.channel = channel
        self.names = names
        self.tell = tell
        self.lose = lose
        self.epoch = ""
        self.offset = 0
        self.seen = -1
        """The offset when its top was last compared."""
        self.ttl_s = 0.0
        self.held: list[Heard] | None = None
        """What comes while a gap is being filled."""
        self.overflowed = False
        self.is_over = False

    @property
    def position(self) -> Position:
        return Position(self.offset, self.epoch)

    def stands_at(self, position: Position) -> None:
        self.offset, self.epoch = position.offset, position.epoch

    def adopt(self, position: Position) -> None:
        """Somebody else knows how far it is, unless that is being found out."""
        if self.held is None and (position.epoch != self.epoch or position.offset > self.offset):
            self.stands_at(position)


class Healer:
    """Hands publications to their flows in order. ``caught_up`` and ``lost`` count as ``Condition`` has it."""

    def __init__(self, streams: Streams) -> None:
        self._streams = streams
        self._tasks: set[asyncio.Task[None]] = set()
        self._room = asyncio.Semaphore(UNDERWAY)
        self._held_bytes = 0
        self._renewed_at = 0.0
        self._complained = False
        self._unlogged = 0
        self.caught_up = 0
        self.lost = 0

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def hear(self, flow: Flow, message: bytes) -> None:
        """A message with a place came. Raises ``ValueError`` or ``DecodeError`` if it cannot be read."""
        offset, epoch, start = parcels.place_of(message)
        publication, exclude = parcels.unpacked(message[start:], offset, epoch)
        if flow.held is not None:
            self._hold(flow, flow.held, Heard(offset, epoch, publication, exclude, len(message)))
        elif epoch != flow.epoch or offset == flow.offset + 1:
            flow.offset, flow.epoch = offset, epoch
            flow.tell(publication, epoch, exclude)
        elif offset > flow.offset:
            heard = Heard(offset, epoch, publication, exclude, len(message))
            self._hold(flow, self._begin_mending(flow), heard)

    def _hold(self, flow: Flow, held: list[Heard], heard: Heard) -> None:
        if len(held) < HELD and self._held_bytes < HELD_BYTES:
            held.append(heard)
            self._held_bytes += heard.size
        else:
            flow.overflowed = True

    def end(self, flow: Flow) -> None:
        """Nobody listens to it any more."""
        flow.is_over = True
        self._let_go(flow)

    def _let_go(self, flow: Flow) -> None:
        self._held_bytes -= sum(heard.size for heard in flow.held or ())
        flow.held = None

    # finding what is behind

    async def sweep(self, flows: list[Flow], within_s: float) -> None:
        """Check flows, spread over some time; those that moved since the last sweep are alive and wait for the next."""
        now = asyncio.get_running_loop().time()
        renewing = now - self._renewed_at > STREAM_IDLE_S / 4
        if renewing:
            self._renewed_at = now
        quiet = []
        for flow in flows:
            if flow.seen == flow.offset:
                quiet.append(flow)
            flow.seen = flow.offset
        pause = within_s / (len(quiet) // TOPS + 1)
        for start in range(0, len(quiet), TOPS):
            batch = quiet[start : start + TOPS]
            await self.check(batch, grace_s=GRACE_S)
            if renewing:
                await asyncio.gather(*[self._streams.keep_position(flow.names, flow.ttl_s) for flow in batch])
            await asyncio.sleep(pause)

    async def check(self, flows: Iterable[Flow], *, grace_s: float = 0.0) -> None:
        """Compare flows with their streams, and mend those that are behind. Raises ``BrokerError``."""
        known = [flow for flow in flows if flow.epoch and flow.held is None and not flow.is_over]
        for start in range(0, len(known), TOPS):
            batch = known[start : start + TOPS]
            before = [flow.position for flow in batch]
            tops = await asyncio.gather(*[self._top(flow) for flow in batch])
            looks = list(zip(batch, before, tops, strict=True))
            behind = [look for look in looks if not _is_well(*look)]
            if behind and grace_s:
                await asyncio.sleep(grace_s)
            for look in behind:
                flow = look[0]
                if flow.held is None and not flow.is_over and not _is_well(*look):
                    self._begin_mending(flow)

    async def _top(self, flow: Flow) -> Position | None:
        """Of its stream; what cannot be read is not ours, and nothing is missing there."""
        before = flow.position
        try:
            return await self._streams.top(flow.names)
        except BrokerError as error:
            if not is_foreign(error):
                raise
            self._complain(flow)
            return before

    def _complain(self, flow: Flow) -> None:
        """Of the first stream that cannot be read; others may well be meant to fill the log."""
        if not self._complained:
            self._complained = True
            log.warning("stream_is_of_others", key=flow.names.meta.decode())

    # filling gaps

    def _begin_mending(self, flow: Flow) -> list[Heard]:
        held: list[Heard] = []
        flow.held = held
        task = asyncio.create_task(self._mend(flow))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return held

    async def _mend(self, flow: Flow) -> None:
        try:
            async with self._room:
                await self._mend_now(flow)
        except BrokerError:
            self._complain(flow)
            self._give_up(flow)
        except Exception:
            log.exception("mending_failed", channel=flow.channel)
            self._give_up(flow)

    async def _mend_now(self, flow: Flow) -> None:
        """Fill the gap, and those that show up behind it, until what was held back has its place."""
        left = flow.epoch
        while flow.held is not None:
            heard_before = len(flow.held)
            flow.overflowed = False
            try:
                await self._fill(flow)
            except BrokerError as error:
                if is_foreign(error):
                    raise
                await asyncio.sleep(AGAIN_S)
            else:
                self._release(flow, heard_before, left)

    async def _fill(self, flow: Flow) -> None:
        """Tell what the stream has kept since the flow stopped, up to its top."""
        while not flow.is_over:
            at = flow.position
            top, entries = await self._streams.read(flow.names, Query(CHUNK, at), flow.ttl_s)
            if top.epoch == at.epoch and top.offset < at.offset:
                top, entries = await self._streams.renew(flow.names, at), []
            elif top.epoch != at.epoch:
                top, entries = await self._streams.read(flow.names, Query(CHUNK), flow.ttl_s)
            if flow.is_over:
                return
            if top.epoch != at.epoch:
                start = entries[0].publication.offset - 1 if entries else top.offset
                self._lose(flow, Position(start, top.epoch))
            for entry in entries:
                self._tell_again(flow, entry)
            if len(entries) < CHUNK:
                if flow.offset < top.offset:
                    self._lose(flow, top)
                return

    def _tell_again(self, flow: Flow, entry: Entry) -> None:
        offset = entry.publication.offset
        if offset > flow.offset + 1:
            self._lose(flow, Position(offset - 1, flow.epoch))
        flow.offset = offset
        self.caught_up += 1
        flow.tell(entry.publication, flow.epoch, entry.exclude)

    def _lose(self, flow: Flow, top: Position) -> None:
        if not self._unlogged:
            asyncio.get_running_loop().call_later(LOG_S, self._log_losses, flow.channel)
        self._unlogged += 1
        self.lost += 1
        flow.stands_at(top)
        flow.lose(top)

    def _log_losses(self, example: str) -> None:
        log.warning("publications_lost", channels=self._unlogged, example=example)
        self._unlogged = 0

    def _release(self, flow: Flow, heard_before: int, left: str) -> None:
        """Tell what was held back, up to the next gap. The first ``heard_before`` messages were heard before the stream

        was read: what it does not have of them somebody invented. ``left`` is the epoch that the flow was in.
        """
        held = flow.held
        if held is None:
            return
        for index, heard in enumerate(held):
            if heard.epoch == flow.epoch:
                if heard.offset <= flow.offset:
                    continue
                if heard.offset != flow.offset + 1:
                    if index < heard_before:
                        continue
                    self._let_go(flow)
                    flow.held = held[index:]
                    self._held_bytes += sum(later.size for later in flow.held)
                    return
            elif heard.epoch == left:
                continue
            flow.offset, flow.epoch = heard.offset, heard.epoch
            flow.tell(heard.publication, heard.epoch, heard.exclude)
        self._let_go(flow)
        flow.held = [] if flow.overflowed else None

    def _give_up(self, flow: Flow) -> None:
        """Nothing can be said of the stream: what comes next is told as it is."""
        self._let_go(flow)
        flow.epoch = ""


def _is_well(flow: Flow, before: Position, top: Position | None) -> bool:
    """Whether the flow is where its stream was, or further, and the stream was not behind what had been heard."""
    if top is None or flow.epoch != top.epoch:
        return False
    return flow.offset >= top.offset and (before.epoch != top.epoch or before.offset <= top.offset)
