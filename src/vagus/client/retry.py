"""How often and how patiently a lost connection is tried again. The delays alone: nobody waits here."""

from collections.abc import Callable

import msgspec


class Retry(msgspec.Struct, frozen=True, kw_only=True):
    """When to connect again after a loss. Raises ``ValueError`` for what makes no sense.

    The delay grows by ``factor`` from ``min_s`` to ``max_s``, and each is drawn from its upper half, so that the
    clients of a server that was started again do not all come at once.
    """

    tries: int | None = 5
    """Attempts after a loss before the client gives up; ``None`` for ever."""
    factor: float = 2.0
    min_s: float = 1.0
    max_s: float = 30.0

    def __post_init__(self) -> None:
        if self.tries is not None and self.tries < 0:
            raise ValueError("tries: must not be below 0")
        if not self.factor >= 1:
            raise ValueError("factor: must be at least 1")
        if not 0 < self.min_s <= self.max_s:
            raise ValueError("min_s: must be above 0 and at most max_s")

    def allows(self, attempt: int) -> bool:
        """Whether there is an attempt of this number; the first has number 0."""
        return self.tries is None or attempt < self.tries

    def delay_s(self, attempt: int, random: Callable[[], float]) -> float:
        """How long to wait before it. ``random`` gives numbers from 0 to 1."""
        longest = self.min_s
        for _ in range(attempt):
            if longest >= self.max_s or self.factor == 1:
                break
            longest *= self.factor
        return min(longest, self.max_s) * (1 + random()) / 2
