"""Rates of what only counts up: how much more it is than when somebody looked before.

Nothing is measured while nobody looks. Who looks notes the counts it sees, which are kept for a minute or two; so a
rate is that since the look before, which is at least a second ago, and unknown to the first one who looks.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

SPAN_S: Final = 1.0
"""A rate over less than this says little."""
KEPT_S: Final = 60.0
"""How long a look is good for; what nobody looked at for twice as long is forgotten."""

Rates = list[float] | None


class Noted(NamedTuple):
    """Counts at a time, and what their rates were then."""

    at: float
    counts: Sequence[int]
    rates: Rates


class Meter:
    """Of many things by their names. Times are the loop's."""

    def __init__(self) -> None:
        self._young: dict[str, Noted] = {}
        self._old: dict[str, Noted] = {}
        self._turned_at = 0.0

    def rates(self, name: str, at: float, counts: Sequence[int]) -> Rates:
        """Note counts. Returns by how much they grow in a second, ``None`` for what nobody has looked at before."""
        noted = self._young.get(name) or self._old.get(name)
        if noted is None:
            self._young[name] = Noted(at, counts, None)
            return None
        span = at - noted.at
        if span < SPAN_S:
            return noted.rates
        rates = [round(max(0, now - then) / span, 1) for now, then in zip(counts, noted.counts, strict=True)]
        self._young[name] = Noted(at, counts, rates)
        return rates

    def forget(self, now: float) -> None:
        """Drop what nobody has looked at for long."""
        if now - self._turned_at > KEPT_S:
            self._young, self._old, self._turned_at = {}, self._young, now
