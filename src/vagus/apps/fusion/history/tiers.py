"""Tiers: points and their roll-ups, how far back each reaches, and which of them a chart is drawn from.

Rules only; the statements are in ``reading`` and ``writing``. A tier's rows are ``width_ms`` long; those of the raw
tier are the points themselves.
"""

from collections.abc import Sequence
from typing import Final

import msgspec
from sqlalchemy import Table

from .tables import DAY_MS, HOUR_MS, MINUTE_MS, hours, minutes, points

MAX_POINTS: Final = 5_000
"""Points of a series in one answer: more than a wall of screens is wide."""

MAX_METRICS: Final = 500
MAX_VALUES: Final = 250_000
"""Points of all series in one answer: about 15 MB as JSON."""

MAX_READ: Final = 1_000_000
"""Rows read for one answer; it takes about a third of a second of one core. Beyond that a coarser tier answers."""

END_MS: Final = 253_402_300_800_000
"""The year 10000."""

AHEAD_MS: Final = DAY_MS
"""How far ahead of this machine's clock a point or a question may be: clocks differ, and so do time zones."""

NAME_LENGTH: Final = 200


class Tier(msgspec.Struct, frozen=True):
    """``name`` is what users see; ``table`` holds its rows."""

    name: str
    width_ms: int
    table: Table

    def reads(self, length_ms: int) -> int:
        """About how many rows a series has in a time of this length, if it is measured once a second."""
        return length_ms // max(self.width_ms, 1000)


RAW: Final = Tier("raw", 1, points)
MINUTES: Final = Tier("minutes", MINUTE_MS, minutes)
HOURS: Final = Tier("hours", HOUR_MS, hours)
TIERS: Final = (RAW, MINUTES, HOURS)
BY_NAME: Final = {tier.name: tier for tier in TIERS}


class Marks(msgspec.Struct, frozen=True):
    """How far things are, in milliseconds since 1970. The names are those of the rows in ``marks``.

    ``rolled``: all points before it are in the roll-ups. The others: what was before them has been removed from the
    tier of that name.
    """

    rolled: int = 0
    raw: int = 0
    minutes: int = 0
    hours: int = 0

    def since(self, tier: Tier) -> int:
        found: int = getattr(self, tier.name)
        return found


class Window(msgspec.Struct, frozen=True):
    """The times of an answer: from and including the one, up to the other. Raises ``ValueError`` for nonsense."""

    from_ms: int
    to_ms: int

    def __post_init__(self) -> None:
        if not 0 <= self.from_ms < self.to_ms <= END_MS:
            raise ValueError("from must lie before to, both in milliseconds since 1970 and before the year 10000")

    @property
    def length_ms(self) -> int:
        return self.to_ms - self.from_ms


class Plan(msgspec.Struct, frozen=True):
    """What a chart is drawn from: a tier, whose rows are joined into steps of this length, a multiple of its width."""

    tier: Tier
    step_ms: int

    @property
    def is_joined(self) -> bool:
        """Whether a step may hold several rows."""
        return self.tier is RAW or self.step_ms > self.tier.width_ms


def planned(window: Window, *, points: int, series: int, marks: Marks) -> Plan:
    """The finest tier that makes sense for so many points, and the step that gives that many, or one more.

    Steps lie on a fixed grid, so that peaks do not wander when a window moves on; hence the one more.

    A tier whose rows are up to twice as long as the points that were asked for will do: it gives half as many at least,
    and a chart of a day comes from 1,440 minutes whether 1,500 or 2,500 points were asked for. A finer one is taken
    only if it has all of the window and reading it does not cost too much.
    """
    wished = -(-window.length_ms // points)
    for tier in TIERS[:-1]:
        coarser = TIERS[TIERS.index(tier) + 1]
        has_all = window.from_ms >= marks.since(tier) or marks.since(coarser) >= marks.since(tier)
        if wished * 2 < coarser.width_ms and has_all and tier.reads(window.length_ms) * series <= MAX_READ:
            return Plan(tier, _step(wished, tier))
    return Plan(HOURS, _step(wished, HOURS))


def _step(wished_ms: int, tier: Tier) -> int:
    return -(-wished_ms // tier.width_ms) * tier.width_ms


def kept_whole(window: Window, marks: Marks) -> Tier:
    """The finest tier that reaches back to the window's beginning, or the coarsest."""
    return next((tier for tier in TIERS if window.from_ms >= marks.since(tier)), HOURS)


def checked_metrics(metrics: Sequence[str]) -> list[str]:
    """Those names without repetitions. Raises ``ValueError`` unless each could be one."""
    wanted = list(dict.fromkeys(metrics))
    if not 0 < len(wanted) <= MAX_METRICS:
        raise ValueError(f"1 to {MAX_METRICS} metrics may be asked for at a time")
    for metric in wanted:
        check_metric(metric)
    return wanted


def check_metric(metric: str) -> None:
    if not (0 < len(metric) <= NAME_LENGTH and metric.isprintable()):
        raise ValueError(f"the name of a metric has 1 to {NAME_LENGTH} printable characters")


def check_points(points: int, series: int) -> None:
    """Raises ``ValueError`` unless so many points of so many series may be asked for."""
    if not 1 <= points <= MAX_POINTS:
        raise ValueError(f"points must be from 1 to {MAX_POINTS:,}")
    if points * series > MAX_VALUES:
        raise ValueError(f"{series} metrics may have at most {MAX_VALUES // series:,} points each in one answer")
