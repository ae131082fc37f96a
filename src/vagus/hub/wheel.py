"""Shared timers: pings, time-outs and expiries of all clients hang on one wheel instead of a timer each.

Times are rounded up to a slot of a quarter second. A client hangs in one slot at a time, at the earliest of what is due
for it, and is asked what to do then. When the process stood still, nobody is asked before what came meanwhile is read:
clients that have answered in time shall not be blamed for it.
It goes on turning when its hub has stopped, since connections are still to end then.
"""

import asyncio
from collections.abc import Iterator
from math import ceil
from typing import Final, Protocol

SLOT_S: Final = 0.25

LATE_S: Final = 1.0
"""By so much more than a slot a turn is late only if the process stood still, or the whole machine did."""

ALLOWANCE_S: Final = 5.0
"""Everybody has as long again as it stood still, but no longer than this."""

BATCH: Final = 256
"""How many are asked in one go, which is about a millisecond."""


class Timed(Protocol):
    slot: int
    """Where it hangs on the wheel; 0 while it does not."""

    def on_due(self, now: float) -> None: ...


class Wheel:
    __slots__ = ("_handle", "_has_allowed", "_loop", "_next", "_slots")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._slots: dict[int, dict[Timed, None]] = {}
        self._handle: asyncio.TimerHandle | None = None
        self._next = 0
        self._has_allowed = False

    def time(self) -> float:
        """Now, in the loop's time."""
        return self._loop.time()

    def __iter__(self) -> Iterator[Timed]:
        """Whoever hangs on it now, in no particular order."""
        return iter([timed for hanging in self._slots.values() for timed in hanging])

    def set_in(self, timed: Timed, seconds: float) -> None:
        """The same as ``set``, from now on."""
        self.set(timed, self._loop.time() + seconds)

    def set(self, timed: Timed, at: float) -> None:
        """Call ``timed.on_due`` at ``at`` in the loop's time, or up to a slot later, instead of what was set before."""
        slot = ceil(at / SLOT_S)
        if slot == timed.slot:
            return
        self.unset(timed)
        timed.slot = slot
        self._slots.setdefault(slot, {})[timed] = None
        if self._handle is None or slot < self._next:
            self._wind(slot)

    def unset(self, timed: Timed) -> None:
        hanging = self._slots.get(timed.slot)
        if hanging is not None:
            hanging.pop(timed, None)
        timed.slot = 0

    def _wind(self, slot: int) -> None:
        if self._handle is not None:
            self._handle.cancel()
        self._next = slot
        self._handle = self._loop.call_at(slot * SLOT_S, self._turn)

    def _turn(self) -> None:
        """Ask those that are due, some at a time: ten thousand that came together shall not hold up everybody else."""
        self._handle = None
        now = self._loop.time()
        late_s = now - self._next * SLOT_S if self._next else 0.0
        if late_s > LATE_S and not self._has_allowed:
            self._has_allowed = True
            self._handle = self._loop.call_later(min(late_s, ALLOWANCE_S), self._turn)
            return
        self._has_allowed = False
        left = BATCH
        for slot in sorted(slot for slot in self._slots if slot * SLOT_S <= now + SLOT_S / 2):
            hanging = self._slots[slot]
            while hanging and left:
                left -= 1
                timed, _ = hanging.popitem()
                timed.slot = 0
                timed.on_due(now)
            if not hanging:
                self._slots.pop(slot, None)
        if not left:
            self._handle = self._loop.call_later(0, self._turn)
            self._next = 0
        elif self._slots:
            soonest = min(self._slots)
            if (
                self._handle is None or soonest < self._next
            ):  # who was set meanwhile may be due after those that hang on
                self._wind(soonest)
