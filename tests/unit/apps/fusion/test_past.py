"""The past of a demo: which moments it has, and which metrics it leaves alone."""

import math
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Final

import pytest

from vagus.apps.fusion.history import History
from vagus.apps.fusion.past import invent_past, moments_before
from vagus.apps.fusion.values import Field, SourceState, Terms
from vagus.store import Store

NOW: Final = 1_795_262_400
DAY_S: Final = 86_400
MADE_UP: Final = SourceState(Terms("memoIndex", (Field("memos"),)), {"memos": 1}, read_at=NOW * 1000, is_demo=True)
REAL: Final = SourceState(Terms("revenue", (Field("revenue"),)), {"revenue": 1.5}, read_at=NOW * 1000)
DEMO: Final = {"memoIndex": lambda at: {"memos": wave(at)}, "revenue": lambda at: {"revenue": at}}


def wave(at: float) -> float:
    return 100 + 50 * math.sin(at / 1000)


class Known:
    def __init__(self, states: Iterable[SourceState]) -> None:
        self._states = tuple(states)

    def states(self) -> tuple[SourceState, ...]:
        return self._states


async def invented(history: History, *states: SourceState) -> int:
    return await invent_past(history, Known(states), DEMO, before=NOW * 1000, interval_s=60)


@pytest.mark.parametrize(("interval_s", "step"), [(1, 5), (5, 5), (20, 20), (300, 60)])
def test_moments_go_back_a_day_closer_together_in_the_last_hour(interval_s: float, step: float) -> None:
    moments = [NOW, *moments_before(NOW, interval_s)]
    steps = [later - earlier for later, earlier in pairwise(moments)]
    assert set(steps) == {step, 60}
    assert steps == sorted(steps)
    assert steps.count(60) >= 23 * 60
    assert NOW - moments[-1] == DAY_S


async def test_what_is_invented_before_the_first_pulse_is_in_the_charts_at_once(store: Store) -> None:
    history = History(store, clock=lambda: NOW)
    history.add(NOW * 1000, {"memos": NOW})
    await history.flush()
    await history.roll_up()
    assert await invented(history, MADE_UP) == 1440
    for tier_points in (1440, 24):
        (line,) = (await history.query(["memos"], (NOW - DAY_S) * 1000, NOW * 1000, tier_points)).series
        assert (len(line.at), line.at[0]) == (tier_points, (NOW - DAY_S) * 1000)


async def kept(history: History, moments: Iterable[float], says: Callable[[float], float]) -> None:
    """Keep what a source said at these moments."""
    for at in moments:
        history.add(int(at * 1000), {"memos": says(at)})
    await history.flush()


def minutes(start: float, end: float) -> Iterable[float]:
    return range(NOW + int(start * 3600), NOW + int(end * 3600), 60)


@pytest.mark.parametrize("hours", [5, 30])
async def test_while_a_demo_was_stopped_its_past_goes_on_and_the_rest_stays_as_it_was(
    store: Store, hours: float
) -> None:
    history = History(store, clock=lambda: NOW)
    before = [at + 0.004 for at in minutes(-hours - 2, -hours)]  # a pulse is a little later than its values
    await kept(history, before, lambda at: wave(at - 0.004))
    missing = len([at for at in minutes(-24, 0) if at > before[-1] + 60])
    assert await invented(history, MADE_UP) == missing
    points = await history.newest("memos", before_ms=NOW * 1000, count=10_000)
    assert len(points) == len(before) + missing
    assert {at // 1000 for at, _ in points} >= set(minutes(-min(hours, 24) + 0.1, 0))
    assert await invented(history, MADE_UP) == 0


async def test_a_metric_that_is_known_from_before_and_one_with_real_values_stay_as_they_are(store: Store) -> None:
    history = History(store, clock=lambda: NOW)
    await kept(history, minutes(-3, -2), lambda at: 1.01 * wave(at))
    history.add(NOW * 1000, {"memos": 4, "revenue": 1.5})
    await history.flush()
    assert await invented(history, MADE_UP, REAL) == 0
    await history.roll_up()
    assert {row.metric: row.count for row in await history.metrics()} == {"memos": 61, "revenue": 1}
