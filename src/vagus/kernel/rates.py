"""How often somebody may do something: a token bucket that is a plain value with the time as a parameter."""

import msgspec


class Rate(msgspec.Struct, frozen=True):
    """``per_s`` in the long run, at most ``burst`` at once."""

    per_s: float
    burst: int

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
