"""An audience: the subscribers of one channel who receive the same bytes.

A publication is encoded once for an audience and put on its pile; the pile is written to every member once. So a
publication costs the same whatever the number of subscribers, and only writing grows with it. Three rules hold:

* a member gets exactly the parts that were pushed while it was a member, in order: ``join`` notes where the pile stood,
  ``leave`` hands over what is still due;
* a large audience is written in slices with the event loop between them, so that a broadcast delays nobody's direct
  message by more than a slice;
* a flush is followed by a rest in proportion to what it cost (``REST`` times, at most ``max_delay_s``), which holds for
  all audiences of the channel. Under load piles grow instead of system calls; a channel that is cheap to write, or
  quiet, is written at once.
"""

from collections.abc import Sequence
from time import perf_counter
from typing import Final, NamedTuple, Protocol

from vagus.kernel.channels import WhenSlow
from vagus.wire.encoding import Encoding

from .tick import Tick

SLICE: Final = 128
"""Members written in one go: about a millisecond of system calls, which is what a direct message then waits at most."""

REST: Final = 2.0
"""A busy audience spends at most a third of the time writing."""


class Sent(NamedTuple):
    """How much was sent. ``messages`` are parts, such as publications, whatever they were joined into."""

    messages: int = 0
    bytes: int = 0


NOTHING_SENT: Final = Sent()


class Member(Protocol):
    """What an audience needs of a client."""

    flowing: bool
    """Whether ``transport`` takes more at the moment."""

    @property
    def transport(self) -> "Writes": ...

    @property
    def id(self) -> str: ...

    def enqueue(self, part: bytes) -> None:
        """Put a part into the client's own mailbox."""
        ...

    def credit(self, sent: Sent) -> None:
        """Take over the count of what an audience has sent it, since that is not counted there any more."""
        ...

    def hold(self, messages: Sequence[bytes], audience: "Audience") -> None:
        """Take finished messages that the transport does not take now."""
        ...


class Writes(Protocol):
    def write(self, data: bytes) -> None: ...


class Pace:
    """When the audiences of one channel may write again. Their rests add up: dialects that rested side by side would

    write one after the other all the time.
    """

    __slots__ = ("rests_until",)

    def __init__(self) -> None:
        self.rests_until = 0.0


class Audience:
    """Members, the pile of parts that is due to them, and the flush in progress."""

    __slots__ = (
        "_cost_s",
        "_cursor",
        "_excluded",
        "_gone",
        "_is_enlisted",
        "_late",
        "_mark",
        "_members",
        "_messages",
        "_pace",
        "_pile",
        "_queue",
        "_sent_bytes",
        "_sent_messages",
        "_tick",
        "encoding",
        "max_delay_s",
        "urgent",
        "when_slow",
    )

    def __init__(
        self,
        encoding: Encoding,
        tick: Tick,
        *,
        max_delay_s: float,
        when_slow: WhenSlow,
        urgent: bool = False,
        pace: Pace | None = None,
    ) -> None:
        self.encoding = encoding
        self.max_delay_s = 0.0 if urgent else max_delay_s
        self.when_slow: WhenSlow = when_slow
        self.urgent = urgent
        self._tick = tick
        self._members: dict[Member, Sent] = {}  # with what had been sent before they joined
        self._sent_messages = 0  # to a member who was there all the time: counted once for all of them
        self._sent_bytes = 0
        self._mark = NOTHING_SENT  # the two as of late, shared by those who join one after the other
        self._pile: list[bytes] = []
        self._late: dict[Member, int] = {}  # members that joined onto a pile, and where it stood
        self._excluded: dict[int, str] = {}  # parts that one client shall not get
        self._is_enlisted = False
        self._pace = pace or Pace()
        # the flush in progress
        self._queue: list[Member] = []
        self._cursor = 0
        self._messages: list[bytes] = []
        self._gone: set[Member] = set()
        self._cost_s = 0.0

    def __len__(self) -> int:
        return len(self._members)

    @property
    def members(self) -> tuple[Member, ...]:
        return tuple(self._members)

    def join(self, member: Member) -> None:
        if self._mark.messages != self._sent_messages:
            self._mark = Sent(self._sent_messages, self._sent_bytes)
        self._members[member] = self._mark
        if self._pile:
            self._late[member] = len(self._pile)

    def leave(self, member: Member, *, settle: bool) -> None:
        """Remove a member. With ``settle``, what is still due goes to its own mailbox; without, it is lost."""
        joined_at = self._members.pop(member, None)
        if joined_at is None:
            return
        if joined_at.messages != self._sent_messages:
            member.credit(self._since(joined_at))
        start = self._late.pop(member, 0)
        if self._queue and member not in self._gone:
            self._gone.add(member)
            if settle and member in self._queue[self._cursor :]:
                self._write(member, self._messages)
        if settle:
            for part in self._due(member, start):
                member.enqueue(part)

    def sent_to(self, member: Member) -> Sent:
        """What was sent to a member in its time here."""
        joined_at = self._members.get(member)
        return NOTHING_SENT if joined_at is None else self._since(joined_at)

    def _since(self, mark: Sent) -> Sent:
        return Sent(self._sent_messages - mark.messages, self._sent_bytes - mark.bytes)

    def push(self, part: bytes, exclude: str = "") -> None:
        """Put a part onto the pile; ``exclude`` is the id of a client that shall not get it."""
        if not self._members:
            return
        if exclude:
            self._excluded[len(self._pile)] = exclude
        self._pile.append(part)
        if not self._is_enlisted:
            self._is_enlisted = True
            self._tick.enlist_audience(self)

    def drop(self) -> None:
        """Forget the pile: something newer replaces it."""
        self._pile.clear()
        self._late.clear()
        self._excluded.clear()

    def flush(self) -> None:
        """Write the pile, or come back when the rest is over. Called by the tick alone."""
        if self._queue:
            return  # the flush in progress enlists us again when it ends
        now = perf_counter()
        if now < self._pace.rests_until:
            self._tick.loop.call_later(self._pace.rests_until - now, self._tick.enlist_audience, self)
            return
        self._is_enlisted = False
        if not self._pile or not self._members:
            self.drop()
            return
        self._cost_s = 0.0
        self._begin()
        self._write_slice()

    def _begin(self) -> None:
        exceptions = self._write_exceptions() if self._late or self._excluded else None
        self._queue = [m for m in self._members if m not in self._gone] if self._gone else list(self._members)
        self._gone.clear()
        self._cursor = 0
        self._messages = messages = self.encoding.messages(self._pile)
        size = len(messages[0]) if len(messages) == 1 else sum(map(len, messages))
        self._sent_messages += len(self._pile)
        self._sent_bytes += size
        for member, got in (exceptions or {}).items():
            mark = self._members[member]
            missed = len(self._pile) - got.messages
            self._members[member] = Sent(mark.messages + missed, mark.bytes + size - got.bytes)
        self._pile = []
        self._late.clear()
        self._excluded.clear()

    def _write_exceptions(self) -> dict[Member, Sent]:
        """Serve those who get less than the whole pile, and count them out of this flush. Returns what they got."""
        banned = set(self._excluded.values())
        apart = dict(self._late)
        if banned:
            apart.update({m: self._late.get(m, 0) for m in self._members if m.id in banned})
        got = {}
        for member, start in apart.items():
            due = self._due(member, start)
            messages = self.encoding.messages(due) if due else []
            got[member] = Sent(len(due), sum(map(len, messages)))
            self._write(member, messages)
            self._gone.add(member)
        return got

    def _due(self, member: Member, start: int) -> list[bytes]:
        if not self._excluded:
            return self._pile[start:]
        return [part for at, part in enumerate(self._pile) if at >= start and self._excluded.get(at) != member.id]

    def _write(self, member: Member, messages: Sequence[bytes]) -> None:
        for at, message in enumerate(messages):
            if not member.flowing:  # also from one message to the next: a transport says so when it is full
                member.hold(messages[at:], self)
                return
            member.transport.write(message)

    def _write_slice(self) -> None:
        started = perf_counter()
        queue, cursor, gone = self._queue, self._cursor, self._gone
        self._cursor = end = cursor + SLICE
        members = queue[cursor:end]
        if gone:
            members = [m for m in members if m not in gone]
        if len(self._messages) == 1:
            (message,) = self._messages
            for member in members:
                if member.flowing:
                    member.transport.write(message)
                else:
                    member.hold(self._messages, self)
        else:
            for member in members:
                self._write(member, self._messages)
        self._cost_s += perf_counter() - started
        self._tick.loop.call_soon(self._write_slice if end < len(queue) else self._finish)

    def _finish(self) -> None:
        now = perf_counter()
        pace = self._pace
        pace.rests_until = min(now + self.max_delay_s, max(now, pace.rests_until) + self._cost_s * REST)
        self._queue = []
        self._messages = []
        self._gone.clear()
        if self._pile and self._is_enlisted:
            self._tick.enlist_audience(self)
