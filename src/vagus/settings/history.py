"""What is kept of measurements, for how long, and how much room it may take.

Each tier is coarser than the one before and reaches further back. A tier that is given less time than a finer one has
that one's time: roll-ups are made again from what is finer, which must be there.
"""

from typing import Annotated

import msgspec

from .section import Count, Positive, Section


class History(Section, frozen=True):
    """How much of what was measured is kept in the store. What is over is removed once an hour."""

    raw_hours: Positive = 48.0
    """For how many hours every point is kept."""
    minutes_days: Positive = 30.0
    """For how many days the lowest, highest, mean and last value of each minute are kept."""
    hours_days: Positive = 730.0
    """The same for each hour."""
    max_bytes: Annotated[int, msgspec.Meta(ge=1_048_576)] = 2_147_483_648
    """About how much room all of it may take. Beyond that the oldest points go first, then the oldest minutes, then the
    oldest hours, however long they were to be kept."""
    max_metrics: Count = 10_000
    """How many metrics are kept. New ones beyond that are refused, and counted."""
    max_pending: Count = 100_000
    """How many points wait in memory while the store cannot be written. Beyond that the oldest are dropped, and
    counted."""
