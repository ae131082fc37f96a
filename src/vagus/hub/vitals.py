"""How this process does: how late the event loop runs, how much processor time it takes, how much memory it holds.

A timer on the loop notes ten times a second by how much it was called too late: that is how long everybody else had to
wait as well. What is kept covers the last seconds, so that a stall is seen and then forgotten.
"""

import asyncio
import os
import statistics
import sys
import time
from collections import deque
from collections.abc import Callable
from typing import Final

import msgspec

INTERVAL_S: Final = 0.1
"""Often enough to catch stalls of a tenth of a second, seldom enough to cost nothing."""

WINDOW: Final = 100
"""Ten seconds of samples."""


class Lag(msgspec.Struct, frozen=True):
    """Seconds by which the loop ran late, over the last seconds."""

    median: float = 0.0
    highest: float = 0.0


class Vitals:
    """Constructing it does nothing; ``start`` begins to measure on the running loop, and may be called again.

    ``clock`` is the real time, of which uvloop's own has milliseconds alone.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._late: deque[float] = deque(maxlen=WINDOW)
        self._used: deque[tuple[float, float]] = deque(maxlen=WINDOW)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0

    def start(self) -> None:
        loop = asyncio.get_running_loop()
        if self._loop is loop:
            return
        self.stop()
        self._loop = loop
        self._schedule(loop)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._loop = self._timer = None

    def _schedule(self, loop: asyncio.AbstractEventLoop) -> None:
        self._due = self._clock() + INTERVAL_S
        self._timer = loop.call_later(INTERVAL_S, self._tick, loop)

    def _tick(self, loop: asyncio.AbstractEventLoop) -> None:
        now = self._clock()
        self.note(now - self._due, at=now, used=time.process_time())
        self._schedule(loop)

    def note(self, late: float, *, at: float, used: float) -> None:
        """Take a sample: how late the loop was, the time, and the processor time used up to then."""
        self._late.append(max(0.0, late))
        self._used.append((at, used))

    @property
    def lag(self) -> Lag:
        return Lag(statistics.median(self._late), max(self._late)) if self._late else Lag()

    @property
    def cpu_percent(self) -> float:
        """Of one core, over the last seconds."""
        if len(self._used) < 2:
            return 0.0
        (began, before), (ended, after) = self._used[0], self._used[-1]
        return 100.0 * (after - before) / (ended - began) if ended > began else 0.0


def cpu_seconds() -> float:
    """The processor time that this process has taken since it began."""
    return time.process_time()


def memory_bytes() -> int:
    """Memory that this process holds now; elsewhere than on Linux the most it ever held, or 0 if nobody tells."""
    try:
        statm = os.open("/proc/self/statm", os.O_RDONLY)
    except OSError:
        return _most_memory_bytes()
    try:
        return int(os.pread(statm, 128, 0).split()[1]) * os.sysconf("SC_PAGE_SIZE")
    finally:
        os.close(statm)


def _most_memory_bytes() -> int:
    try:
        import resource  # not on Windows
    except ImportError:
        return 0
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024
