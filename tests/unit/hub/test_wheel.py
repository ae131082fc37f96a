"""The wheel: whoever hangs on it is asked when due, or up to a slot later, and never earlier."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from vagus.hub.wheel import ALLOWANCE_S, SLOT_S, Wheel
from vagus.testing import FakeClock


class Timer:
    def __init__(self, wheel: Wheel, again_s: float = 0.0) -> None:
        self.slot = 0
        self.asked: list[float] = []
        self._wheel = wheel
        self._again_s = again_s

    def on_due(self, now: float) -> None:
        self.asked.append(now)
        if self._again_s:
            self._wheel.set(self, now + self._again_s)


@given(st.lists(st.floats(0, 60), max_size=20))
def test_each_is_asked_once_when_due_or_a_slot_later(delays: list[float]) -> None:
    async def play() -> None:
        loop = asyncio.get_running_loop()
        wheel, start = Wheel(loop), loop.time()
        timers = [(Timer(wheel), start + delay) for delay in delays]
        for timer, at in timers:
            wheel.set(timer, at)
        await asyncio.sleep(61)
        for timer, at in timers:
            assert len(timer.asked) == 1
            assert at <= timer.asked[0] < at + SLOT_S + 1e-6

    FakeClock().run(play())


@given(st.lists(st.tuples(st.floats(0.3, 30), st.floats(0, 30)), min_size=1, max_size=10))
def test_those_that_hang_themselves_up_again_do_not_delay_the_others(timers: list[tuple[float, float]]) -> None:
    async def play() -> None:
        loop = asyncio.get_running_loop()
        wheel, start = Wheel(loop), loop.time()
        made = [Timer(wheel, again_s) for again_s, _ in timers]
        for timer, (_, first) in zip(made, timers, strict=True):
            wheel.set(timer, start + first)
        await asyncio.sleep(100)
        for timer, (again_s, first) in zip(made, timers, strict=True):
            due = start + first
            for asked in timer.asked:
                assert due <= asked < due + SLOT_S + 1e-6
                due = asked + again_s

    FakeClock().run(play())


async def test_setting_anew_replaces_what_was_set() -> None:
    loop = asyncio.get_running_loop()
    wheel = Wheel(loop)
    timer, start = Timer(wheel), loop.time()
    wheel.set(timer, start + 5)
    wheel.set(timer, start + 20)
    wheel.set(timer, start + 20)
    await asyncio.sleep(10)
    assert timer.asked == []
    wheel.set(timer, start + 12)
    await asyncio.sleep(30)
    assert len(timer.asked) == 1


async def test_what_was_taken_down_is_not_asked() -> None:
    wheel = Wheel(asyncio.get_running_loop())
    timer = Timer(wheel)
    wheel.set(timer, asyncio.get_running_loop().time() + 1)
    wheel.unset(timer)
    wheel.unset(timer)
    await asyncio.sleep(5)
    assert (timer.asked, timer.slot) == ([], 0)


@given(st.floats(1.5, 100))
def test_after_a_standstill_everybody_has_as_long_again_within_bounds(stood_still_s: float) -> None:
    clock = FakeClock()

    async def play() -> None:
        loop = asyncio.get_running_loop()
        wheel = Wheel(loop)
        timer = Timer(wheel)
        due = loop.time()
        wheel.set(timer, due)
        clock.advance(stood_still_s)
        answered = asyncio.ensure_future(asyncio.sleep(0.1))  # whatever came meanwhile
        await asyncio.sleep(200)
        assert answered.done()
        (asked,) = timer.asked
        allowed = asked - due - stood_still_s
        assert min(stood_still_s, ALLOWANCE_S) - SLOT_S <= allowed <= ALLOWANCE_S + SLOT_S

    clock.run(play())


def test_a_loop_that_is_always_late_turns_all_the_same() -> None:
    clock = FakeClock()

    async def play() -> None:
        wheel = Wheel(asyncio.get_running_loop())
        timer = Timer(wheel, again_s=1)
        wheel.set(timer, asyncio.get_running_loop().time())
        for _ in range(100):
            clock.advance(3)
            await asyncio.sleep(0)
        assert len(timer.asked) >= 20

    clock.run(play())
