"""How often somebody may do something: token buckets, with the time as a parameter."""

from typing import Final

import msgspec


class Rate(msgspec.Struct, frozen=True):
    """``per_s`` in the long run, at most ``burst`` at once."""

    per_s: float
    """How many a second in the long run."""
    burst: int
    """How many at once after a pause."""

    def __post_init__(self) -> None:
        if self.per_s <= 0 or self.burst < 1:
            raise ValueError("a rate needs per_s above 0 and burst of at least 1")


class Bucket:
    """The tokens one party has left under a rate."""

    __slots__ = ("_at", "_tokens", "rate")

    def __init__(self, rate: Rate, now: float) -> None:
        self.rate = rate
        self._tokens = float(rate.burst)
        self._at = now

    def take(self, now: float, count: float = 1.0) -> bool:
        """Take ``count`` tokens if they are there. A clock that steps back gives nothing and takes nothing."""
        gained = max(0.0, now - self._at) * self.rate.per_s
        self._tokens = min(float(self.rate.burst), self._tokens + gained)
        self._at = now
        if self._tokens < count:
            return False
        self._tokens -= count
        return True

    def is_full(self, now: float) -> bool:
        """Whether nothing of it is used, so that it may be forgotten."""
        return self._tokens + max(0.0, now - self._at) * self.rate.per_s >= self.rate.burst


class Buckets:
    """A bucket for each of many parties, such as addresses. Those that used nothing lately are forgotten."""

    __slots__ = ("_buckets", "rate")

    MOST: Final = 50_000
    """Parties remembered at most; when it is reached the idle ones go, then the oldest: memory is worth more than the
    rate of one of fifty thousand."""

    def __init__(self, rate: Rate) -> None:
        self.rate = rate
        self._buckets: dict[str, Bucket] = {}

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, party: str, now: float) -> bool:
        bucket = self._buckets.get(party)
        if bucket is None:
            if len(self._buckets) >= self.MOST:
                self._forget(now)
            bucket = self._buckets[party] = Bucket(self.rate, now)
        return bucket.take(now)

    def begin_afresh(self, rate: Rate) -> None:
        """Let another rate hold, of which nobody has used anything."""
        self.rate = rate
        self._buckets.clear()

    def _forget(self, now: float) -> None:
        kept = {party: bucket for party, bucket in self._buckets.items() if not bucket.is_full(now)}
        if len(kept) >= self.MOST:
            kept = dict(list(kept.items())[self.MOST // 2 :])
        self._buckets = kept
