"""The books of a run: what publishers sent, what subscribers saw and were told, and the rules that both must satisfy.

Pure: no clock, no sockets, and nothing of the server that it judges. Times are seconds of one clock that never goes
back. A subscriber's log is cut into *stretches*, the spans over which it was promised to miss nothing: one begins where
it subscribed without a past, or was told that its past is lost, and a recovery prolongs it.
"""

from collections.abc import Iterable, Iterator
from enum import Enum
from typing import Final, NamedTuple

import msgspec


class Mark(NamedTuple):
    """What a publication carries: who wrote it, and the how manieth of theirs in its channel it is, from 1."""

    writer: str
    number: int


class Position(NamedTuple):
    offset: int
    epoch: str


class Fate(Enum):
    """What a publisher knows of a publication."""

    UNKNOWN = "unknown"
    """It may have happened, or may still happen."""
    ACKNOWLEDGED = "acknowledged"
    FAILED = "failed"
    """It has not happened and will not."""


class Sent(msgspec.Struct):
    """One publication of a publisher, tried once or, with an idempotency key, several times."""

    channel: str
    mark: Mark
    begun: float
    ended: float = float("inf")
    fate: Fate = Fate.UNKNOWN
    position: Position | None = None
    """Where the receipt says that it stands."""
    tries: int = 1


class Began(msgspec.Struct):
    """The server answered a subscribe command. ``since`` is what the subscriber had asked to recover from, if it did;

    ``position`` is what the answer names: the one asked for where all was recovered, else where the flow starts.
    """

    at: float
    position: Position
    since: Position | None = None
    recovered: bool = False


class Saw(msgspec.Struct):
    at: float
    offset: int
    mark: Mark


class Ended(msgspec.Struct):
    """The subscription is over, for a while or for good."""

    at: float
    why: str


Entry = Began | Saw | Ended


class Terms(msgspec.Struct, frozen=True):
    """What was promised in a run."""

    windows: dict[str, int]
    """How many missed publications can be recovered, by channel."""
    keeps_history: bool = True
    """Whether history outlives every fault of the run, so that no acknowledged publication and no epoch may be lost."""
    goes_back: bool = False
    """Whether history may go back in time, so that a position may be given twice; everybody must be told of it."""


class Violation(NamedTuple):
    rule: str
    channel: str
    subscriber: str
    text: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.channel} {self.subscriber}: {self.text}"


class Tally(msgspec.Struct):
    """The figures of a run."""

    sent: int = 0
    acknowledged: int = 0
    failed: int = 0
    unknown: int = 0
    subscribers: int = 0
    deliveries: int = 0
    comebacks: int = 0
    """Subscriptions that began again."""
    recovered: int = 0
    told: int = 0
    """Comebacks that were told ``recovered: false``."""


class Ledger:
    """Publishers and subscribers write into it while a run goes on; ``violations`` reads it afterwards."""

    def __init__(self) -> None:
        self.sent: dict[str, dict[Mark, Sent]] = {}
        """By channel and mark, in the order in which they were begun."""
        self.logs: dict[str, dict[str, list[Entry]]] = {}
        """By channel and subscriber."""
        self.finals: dict[str, Mark] = {}
        """The last publication of each channel, which everybody must reach."""
        self._numbers: dict[tuple[str, str], int] = {}

    def begin(self, channel: str, writer: str, at: float) -> Sent:
        """Number a publication that is about to be sent."""
        number = self._numbers[channel, writer] = self._numbers.get((channel, writer), 0) + 1
        sent = Sent(channel, Mark(writer, number), at)
        self.sent.setdefault(channel, {})[sent.mark] = sent
        return sent

    def log(self, channel: str, subscriber: str) -> list[Entry]:
        """A subscriber's log of a channel, to write into."""
        return self.logs.setdefault(channel, {}).setdefault(subscriber, [])

    def is_at_end(self, channel: str, position: Position | None) -> bool:
        """Whether who stands there has the channel's last publication, or was told where that stands already."""
        final = self.finals.get(channel)
        sent = self.sent.get(channel, {}).get(final) if final is not None else None
        if sent is None or sent.position is None or position is None:
            return False
        return position.epoch == sent.position.epoch and position.offset >= sent.position.offset

    def tally(self) -> Tally:
        tally = Tally(subscribers=len({name for logs in self.logs.values() for name in logs}))
        for book in self.sent.values():
            for sent in book.values():
                tally.sent += 1
                tally.acknowledged += sent.fate is Fate.ACKNOWLEDGED
                tally.failed += sent.fate is Fate.FAILED
                tally.unknown += sent.fate is Fate.UNKNOWN
        for logs in self.logs.values():
            for log in logs.values():
                tally.deliveries += sum(type(entry) is Saw for entry in log)
                begun = [entry for entry in log if type(entry) is Began]
                tally.comebacks += max(0, len(begun) - 1)
                tally.recovered += sum(entry.recovered for entry in begun)
                tally.told += sum(entry.since is not None and not entry.recovered for entry in begun)
        return tally


class Stretch:
    """A span of a log over which nothing may be missing."""

    __slots__ = ("begun", "marks", "start")

    def __init__(self, begun: float, start: Position) -> None:
        self.begun = begun
        self.start = start
        self.marks: list[Mark] = []


def violations(ledger: Ledger, terms: Terms) -> list[Violation]:
    """Everything in the books that breaks a promise; empty for a server that kept its word."""
    found: list[Violation] = []
    for channel in sorted({*ledger.sent, *ledger.logs}):
        found += Channel(ledger, channel, terms).check()
    return found


class Channel:
    """The checks of one channel; each rule is a method that yields what breaks it."""

    def __init__(self, ledger: Ledger, channel: str, terms: Terms) -> None:
        self.channel = channel
        self.sent = ledger.sent.get(channel, {})
        self.logs = ledger.logs.get(channel, {})
        self.ledger = ledger
        self.window = terms.windows.get(channel, 0)
        self.keeps_history = terms.keeps_history
        self.goes_back = terms.goes_back
        self.content: dict[Position, Mark] = {}
        """What stands at each position, by receipts and by what was seen."""
        self.places: dict[Mark, dict[str, int]] = {}
        """Where each publication stands, by epoch."""

    def check(self) -> list[Violation]:
        found = list(self._check_receipts())
        for subscriber, log in self.logs.items():
            stretches: list[Stretch] = []
            found += [
                *self._check_flow(subscriber, log, stretches),
                *self._check_marks(subscriber, log),
                *self._check_completeness(subscriber, stretches),
                *self._check_end(subscriber, log),
            ]
        return found + list(self._check_epochs())

    def _violation(self, rule: str, subscriber: str, text: str) -> Violation:
        return Violation(rule, self.channel, subscriber, text)

    def _check_receipts(self) -> Iterator[Violation]:
        for sent in self.sent.values():
            if sent.fate is Fate.ACKNOWLEDGED and sent.position is not None and sent.position.offset:
                yield from self._place(sent.position, sent.mark, f"receipt of {_name(sent.mark)}")

    def _place(self, position: Position, mark: Mark, who: str) -> Iterator[Violation]:
        """All who speak of a position must mean the same publication, and a publication has one position.

        A publication that was tried again may have another where history was lost, for its key was lost with it.
        """
        other = self.content.setdefault(position, mark)
        if other != mark and not self.goes_back:
            yield self._violation("disagreement", who, f"{_place(position)} holds {_name(mark)} and {_name(other)}")
        places = self.places.setdefault(mark, {})
        offset = places.setdefault(position.epoch, position.offset)
        tries = self.sent[mark].tries if mark in self.sent else 1
        lost_with_its_key = tries > 1 and (self.goes_back or offset == position.offset)
        if (offset != position.offset or len(places) > 1) and not lost_with_its_key:
            shown = ", ".join(_place(Position(offset, epoch)) for epoch, offset in places.items())
            yield self._violation("doubled", who, f"{_name(mark)} stands at {shown} and {_place(position)}")

    def _check_flow(self, subscriber: str, log: list[Entry], stretches: list[Stretch]) -> Iterator[Violation]:
        """Offsets follow one another, from where each stretch starts; recoveries go on exactly where it stood."""
        at: Position | None = None
        is_on = False
        for entry in log:
            match entry:
                case Began():
                    yield from self._check_beginning(subscriber, entry, at)
                    is_on = True
                    if not (entry.recovered and stretches):
                        stretches.append(Stretch(entry.at, entry.position))
                        at = entry.position
                    elif at is not None and entry.position.epoch != at.epoch:
                        at = Position(at.offset, entry.position.epoch)
                case Saw(offset=offset, mark=mark):
                    if not is_on or at is None:
                        yield self._violation("uninvited", subscriber, f"saw {_name(mark)} without a subscription")
                        continue
                    if offset > at.offset + 1:
                        lacking = f"{at.offset + 1} to {offset - 1}"
                        yield self._violation("gap", subscriber, f"offsets {lacking} of {at.epoch} are missing, untold")
                    elif offset <= at.offset:
                        yield self._violation(
                            "repeated", subscriber, f"offset {offset} came after {at.offset} of {at.epoch}"
                        )
                    at = Position(offset, at.epoch)
                    stretches[-1].marks.append(mark)
                    yield from self._place(at, mark, subscriber)
                case Ended():
                    is_on = False

    def _check_beginning(self, subscriber: str, began: Began, at: Position | None) -> Iterator[Violation]:
        since, position = began.since, began.position
        if since is None:
            if began.recovered:
                yield self._violation("false recovery", subscriber, "recovered, though it asked for nothing")
            return
        if at is not None and since != at:
            yield self._violation("harness", subscriber, f"asked from {_place(since)} but stood at {_place(at)}")
        if began.recovered:
            if since.epoch and position.epoch != since.epoch:
                text = f"told that all since {_place(since)} was recovered, by a stream of epoch {position.epoch}"
                yield self._violation("false recovery", subscriber, text)
            elif position.offset != since.offset:
                text = f"asked from {_place(since)}, recovered from {_place(position)}"
                yield self._violation("false recovery", subscriber, text)
        elif position.epoch == since.epoch:
            missed = position.offset - since.offset
            if 0 <= missed <= self.window or (missed < 0 and self.keeps_history):
                text = f"{missed} of at most {self.window} were missed since {_place(since)}, top {position.offset}"
                yield self._violation("told without reason", subscriber, text)

    def _check_marks(self, subscriber: str, log: list[Entry]) -> Iterator[Violation]:
        """Nothing invented, nothing twice, and the acknowledged publications of each writer in their order."""
        seen: dict[Mark, int] = {}
        newest: dict[str, int] = {}
        for index, entry in enumerate(log):
            if type(entry) is not Saw:
                continue
            mark = entry.mark
            sent = self.sent.get(mark)
            if sent is None:
                yield self._violation("invented", subscriber, f"{_name(mark)} was never sent")
            elif sent.fate is Fate.FAILED:
                yield self._violation("failed but seen", subscriber, f"{_name(mark)} had been refused")
            before = seen.get(mark)
            seen[mark] = index
            if before is not None:
                told_between = any(type(e) is Began and not e.recovered for e in log[before:index])
                if not (told_between and sent is not None and sent.tries > 1):
                    yield self._violation("seen twice", subscriber, f"{_name(mark)} at offset {entry.offset} again")
                continue
            if sent is not None and sent.fate is Fate.ACKNOWLEDGED:
                if newest.get(mark.writer, 0) > mark.number:
                    text = f"{_name(mark)} came after {mark.writer}/{newest[mark.writer]}"
                    yield self._violation("out of order", subscriber, text)
                newest[mark.writer] = max(newest.get(mark.writer, 0), mark.number)

    def _check_completeness(self, subscriber: str, stretches: list[Stretch]) -> Iterator[Violation]:
        """What was sent after a stretch began, and acknowledged before its last publication was sent, is in it."""
        for stretch in stretches:
            if not stretch.marks or stretch.marks[-1] not in self.sent:
                continue
            until = self.sent[stretch.marks[-1]].begun
            seen = set(stretch.marks)
            lacking = [
                sent.mark
                for sent in self.sent.values()
                if sent.fate is Fate.ACKNOWLEDGED
                and stretch.begun < sent.begun
                and sent.ended < until
                and sent.mark not in seen
            ]
            if lacking:
                few = ", ".join(map(_name, lacking[:5]))
                yield self._violation("missed", subscriber, f"{len(lacking)} acknowledged ones, untold: {few}")

    def _check_end(self, subscriber: str, log: list[Entry]) -> Iterator[Violation]:
        """After the end of all faults everybody is there and has the last publication."""
        final = self.ledger.finals.get(self.channel)
        if final is None:
            return
        if not log or type(log[-1]) is Ended:
            why = log[-1].why if log and type(log[-1]) is Ended else "never"
            yield self._violation("not back", subscriber, f"is not subscribed at the end ({why})")
        elif not self.ledger.is_at_end(self.channel, _last_position(log)):
            yield self._violation("end not reached", subscriber, f"{_name(final)} never came")

    def _check_epochs(self) -> Iterator[Violation]:
        epochs = {position.epoch for position in self.content}
        epochs |= {e.position.epoch for log in self.logs.values() for e in log if type(e) is Began and e.position.epoch}
        if self.keeps_history and len(epochs) > 1:
            yield self._violation("history lost", "all", f"it outlives all faults, but there were {len(epochs)} epochs")


def _last_position(log: list[Entry]) -> Position | None:
    offset = None
    for entry in reversed(log):
        match entry:
            case Saw():
                offset = entry.offset if offset is None else offset
            case Began():
                return Position(entry.position.offset if offset is None else offset, entry.position.epoch)
    return None


def _name(mark: Mark) -> str:
    return f"{mark.writer}/{mark.number}"


def _place(position: Position) -> str:
    return f"{position.offset}@{position.epoch}"


MOST_SHOWN: Final = 5


def shortened(found: Iterable[Violation], most: int = MOST_SHOWN) -> list[str]:
    """The first few of each rule, and how many more there are."""
    by_rule: dict[str, list[Violation]] = {}
    for violation in found:
        by_rule.setdefault(violation.rule, []).append(violation)
    lines: list[str] = []
    for rule, several in by_rule.items():
        lines += map(str, several[:most])
        if len(several) > most:
            lines.append(f"{rule}: and {len(several) - most} more")
    return lines
