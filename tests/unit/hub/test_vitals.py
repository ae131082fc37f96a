"""What is told of the process: how late its loop runs, its processor time, its memory."""

import asyncio
import itertools

import pytest

from vagus.hub.vitals import WINDOW, Lag, Vitals, cpu_seconds, memory_bytes


def test_nothing_is_told_before_anything_was_measured() -> None:
    vitals = Vitals()
    assert (vitals.lag, vitals.cpu_percent) == (Lag(0.0, 0.0), 0.0)


def test_the_lag_has_a_middle_and_a_top() -> None:
    vitals = Vitals()
    for late in (0.001, 0.25, 0.002, -0.5, 0.003):
        vitals.note(late, at=0.0, used=0.0)
    assert vitals.lag == Lag(0.002, 0.25)


def test_a_stall_is_forgotten_after_the_window() -> None:
    vitals = Vitals()
    vitals.note(3.0, at=0.0, used=0.0)
    for _ in range(WINDOW):
        vitals.note(0.001, at=0.0, used=0.0)
    assert vitals.lag.highest == 0.001


def test_processor_time_is_a_share_of_the_time_that_passed() -> None:
    vitals = Vitals()
    for second in range(5):
        vitals.note(0.0, at=100.0 + second, used=7.0 + second * 0.25)
    assert vitals.cpu_percent == 25.0


def test_time_that_stands_still_divides_nothing() -> None:
    vitals = Vitals()
    vitals.note(0.0, at=1.0, used=1.0)
    vitals.note(0.0, at=1.0, used=2.0)
    assert vitals.cpu_percent == 0.0


async def test_a_started_watch_measures_until_it_is_stopped() -> None:
    real_time = itertools.count(100.0, 0.75)  # between each look at it and the next
    vitals = Vitals(lambda: next(real_time))
    vitals.start()
    vitals.start()
    await asyncio.sleep(0.25)
    vitals.stop()
    vitals.stop()
    await asyncio.sleep(10)
    assert vitals.lag.median == pytest.approx(0.65)
    assert vitals.lag.highest == pytest.approx(0.65)
    assert next(real_time) == 103.75


def test_the_process_has_used_time_and_memory() -> None:
    assert cpu_seconds() > 0.0
    assert memory_bytes() > 1_000_000
