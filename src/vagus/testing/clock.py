"""A clock that jumps: hub time and loop time that pass only when nobody has anything to do.

A loop made by ``FakeClock.new_loop`` never sleeps for a timer. When nothing is ready it moves the clock to the next
timer and goes on, so that an expiry in an hour is tested in a millisecond and in the same order every time. Sockets,
pipes and other threads still take their real time; while one of them is waited for, timers fire first.
"""

import asyncio
import selectors
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Final, TypeVar

T = TypeVar("T")

EPOCH: Final = 1_700_000_000.0
"""Where a fake clock starts: a time like any other, above zero and easy to read in a failure."""

LOOP_START: Final = 1000.0
"""Loop time at the start: as on a machine that has been up for a while, so that nothing rests on it being zero."""


class FakeClock:
    """Calling it gives seconds since the epoch, as ``time.time`` does: hand it to ``Hub(clock=...)``.

    ::

        clock = FakeClock()

        async def main() -> None:
            async with in_memory(Hub(clock=clock)) as world:
                client = await world.connect(user="42")
                await asyncio.sleep(3600)  # takes no time

        clock.run(main())
    """

    __slots__ = ("_passed", "_start")

    def __init__(self, start: float = EPOCH) -> None:
        self._start = start
        self._passed = 0.0

    def __call__(self) -> float:
        return self._start + self._passed

    def loop_time(self) -> float:
        return LOOP_START + self._passed

    def advance(self, seconds: float) -> None:
        """Move on at once; what falls due meanwhile runs late, when the loop next looks. Raises ``ValueError`` for a
        step back.

        ``await asyncio.sleep(seconds)`` is the better way where a loop runs: everything then runs when it is due.
        """
        if not seconds >= 0:
            raise ValueError(f"a clock does not go back: {seconds}")
        self._passed += seconds

    def new_loop(self) -> "FakeLoop":
        """An event loop on this clock, for ``asyncio.Runner(loop_factory=clock.new_loop)`` and the like."""
        return FakeLoop(self)

    def run(self, main: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on a loop of its own, as ``asyncio.run`` does."""
        with asyncio.Runner(loop_factory=self.new_loop) as runner:
            return runner.run(main)


class FakeLoop(asyncio.SelectorEventLoop):
    """An event loop whose timers are served by ``clock`` instead of by waiting."""

    def __init__(self, clock: FakeClock | None = None) -> None:
        self.clock = clock if clock is not None else FakeClock()
        super().__init__(_JumpingSelector(self.clock.advance))

    def time(self) -> float:
        return self.clock.loop_time()


class _JumpingSelector(selectors.BaseSelector):
    """Looks at sockets without waiting, and advances the clock by the time that it was asked to wait."""

    def __init__(self, advance: Callable[[float], None]) -> None:
        self._inner = selectors.DefaultSelector()
        self._advance = advance

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None or timeout <= 0:
            return self._inner.select(timeout)
        ready = self._inner.select(0)
        if not ready:
            self._advance(timeout)
        return ready

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._inner.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._inner.unregister(fileobj)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._inner.modify(fileobj, events, data)

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._inner.get_map()

    def close(self) -> None:
        self._inner.close()
