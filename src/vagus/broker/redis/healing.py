"""What flows to this node, and that nothing is missing in it: gaps are filled from the streams, or told of.

A ``Flow`` knows how far it was heard. It is looked after

* when a message leaves a gap behind what was heard: then what comes is held back until the gap is filled;
* when one comes that does not belong behind what was heard: the stream may have been set back, to an older copy of it,
  or a master that was deposed still speaks. Each says the mark of the one before it, and what is kept decides;
* after a cut, and now and then without any reason: the stream is looked at, which costs next to nothing.

Whatever a stream has kept is told in its place. What it has not is lost, and so is everything where it began anew or
was set back: then it gets another epoch, so that numbers that were heard do not mean something else.
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
from .streams import Entry, Streams, Top, is_foreign

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
    """A message with a place, held back. ``before`` is the mark of the one before it, if that is known."""

    offset: int
    epoch: str
    mark: int
    before: int | None
    publication: Publication
    exclude: str
    size: int


class Flow:
    """A channel that is listened to. ``offset`` and ``epoch`` say how far it was heard; no epoch: nothing is known.

    ``mark`` is that of the publication heard last, if it is known (see ``streams.Entry``).
    """

    __slots__ = (
        "channel",
        "doubted",
        "epoch",
        "held",
        "is_over",
        "lose",
        "mark",
        "names",
        "noted",
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
        self.mark: int | None = None
        self.noted = Top(Position())
        """The top of the stream as it was read last, for whoever adopts it."""
        self.doubted: Top | None = None
        """Where it stood when its stream was found to be another one."""
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

    @property
    def top(self) -> Top:
        return Top(self.position, self.mark)

    def goes_on(self, offset: int, before: int | None) -> bool:
        """Whether this is the next publication, by its offset and, if known, the mark of the one ``before`` it."""
        return offset == self.offset + 1 and (before == self.mark or before is None or self.mark is None)

    def note(self, top: Top) -> None:
        self.noted = top

    def stands_at(self, position: Position) -> None:
        self.offset, self.epoch = position.offset, position.epoch
        self.mark = self.noted.mark if self.noted.position == position else None

    def adopt(self, position: Position) -> None:
        """Somebody else knows how far it is, unless that is being found out."""
        if self.held is None and (position.epoch != self.epoch or position.offset > self.offset):
            self.stands_at(position)


class Look(msgspec.Struct, frozen=True, gc=False):
    """What was found of a flow's stream: where it stands, and the mark of what the flow had heard last before."""

    flow: Flow
    before: Top
    top: Position | None
    mark: int | None

    @property
    def is_other(self) -> bool:
        """Whether the stream was set back, behind what had been heard or to go on differently from before that."""
        at, top = self.before.position, self.top
        if top is None or top.epoch != at.epoch:
            return False
        return top.offset < at.offset or (None not in (self.mark, self.before.mark) and self.mark != self.before.mark)

    @property
    def is_well(self) -> bool:
        """Whether the flow is where its stream was, or further."""
        flow, top = self.flow, self.top
        return top is not None and flow.epoch == top.epoch and flow.offset >= top.offset and not self.is_other


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
        offset, epoch, mark, before, start = parcels.place_of(message)
        publication, exclude = parcels.unpacked(message[start:], offset, epoch)
        if flow.held is not None:
            self._hold(flow, flow.held, Heard(offset, epoch, mark, before, publication, exclude, len(message)))
        elif epoch != flow.epoch or flow.goes_on(offset, before):
            flow.offset, flow.epoch, flow.mark = offset, epoch, mark
            flow.tell(publication, epoch, exclude)
        elif offset != flow.offset or mark != flow.mark:
            heard = Heard(offset, epoch, mark, before, publication, exclude, len(message))
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
            looks = await asyncio.gather(*[self._look(flow) for flow in batch])
            behind = [look for look in looks if not look.is_well]
            if behind and grace_s:
                await asyncio.sleep(grace_s)
            for look in behind:
                flow = look.flow
                if flow.held is None and not flow.is_over and not look.is_well:
                    flow.doubted = look.before if look.is_other else None
                    self._begin_mending(flow)

    async def _look(self, flow: Flow) -> "Look":
        """At its stream; what cannot be read is not ours, and nothing is missing there."""
        before = flow.top
        try:
            return Look(flow, before, *await self._streams.look(flow.names, before.position.offset))
        except BrokerError as error:
            if not is_foreign(error):
                raise
            self._complain(flow)
            return Look(flow, before, before.position, before.mark)

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
        await self._streams.renew(flow.names, flow.doubted or flow.top)
        flow.doubted = None
        while not flow.is_over:
            at = flow.position
            found, entries = await self._streams.read(flow.names, Query(CHUNK, at), flow.ttl_s)
            if found.position.epoch != at.epoch:
                found, entries = await self._streams.read(flow.names, Query(CHUNK), flow.ttl_s)
            if flow.is_over:
                return
            top = found.position
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
        flow.offset, flow.mark = offset, entry.mark
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
                if not flow.goes_on(heard.offset, heard.before):
                    if index < heard_before:
                        continue
                    self._let_go(flow)
                    flow.held = held[index:]
                    self._held_bytes += sum(later.size for later in flow.held)
                    return
            elif heard.epoch == left:
                continue
            flow.offset, flow.epoch, flow.mark = heard.offset, heard.epoch, heard.mark
            flow.tell(heard.publication, heard.epoch, heard.exclude)
        self._let_go(flow)
        flow.held = [] if flow.overflowed else None

    def _give_up(self, flow: Flow) -> None:
        """Nothing can be said of the stream: what comes next is told as it is."""
        self._let_go(flow)
        flow.epoch = ""
