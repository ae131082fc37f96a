"""Which tier a chart is drawn from, and which questions make no sense."""

import pytest

from vagus.apps.fusion.history.tables import DAY_MS, HOUR_MS, MINUTE_MS
from vagus.apps.fusion.history.tiers import (
    HOURS,
    MAX_METRICS,
    MAX_POINTS,
    MAX_READ,
    MINUTES,
    NAME_LENGTH,
    RAW,
    Marks,
    Plan,
    Window,
    check_points,
    checked_metrics,
    kept_whole,
    planned,
)

START = 1_700_006_400_000
ALL = Marks(rolled=START)


def plan(length_ms: int, points: int = 1500, series: int = 1, marks: Marks = ALL) -> Plan:
    return planned(Window(START, START + length_ms), points=points, series=series, marks=marks)


def test_a_day_comes_from_its_minutes_for_any_width_of_a_screen() -> None:
    assert {plan(DAY_MS, points).tier.name for points in (800, 1440, 1500, 2500)} == {"minutes"}
    assert plan(DAY_MS, 1500).step_ms == MINUTE_MS


@pytest.mark.parametrize("points", [1, 2, 7, 300, 1500, MAX_POINTS])
@pytest.mark.parametrize("length_ms", [1, 999, HOUR_MS, DAY_MS + 1, 40 * DAY_MS, 3000 * DAY_MS])
def test_steps_are_whole_rows_and_no_more_than_were_asked_for(points: int, length_ms: int) -> None:
    found = plan(length_ms, points)
    assert found.step_ms % found.tier.width_ms == 0
    assert -(-length_ms // found.step_ms) <= points


def test_what_would_cost_too_much_to_read_comes_from_a_coarser_tier() -> None:
    assert plan(DAY_MS, 5000).tier is RAW
    many = plan(DAY_MS, 5000, series=50)
    assert many.tier is MINUTES
    assert many.tier.reads(DAY_MS) * 50 <= MAX_READ
    assert plan(14 * DAY_MS, 5000, series=100).tier is HOURS


def test_what_is_gone_from_a_tier_comes_from_the_next_one() -> None:
    assert plan(HOUR_MS).tier is RAW
    assert plan(HOUR_MS, marks=Marks(raw=START + 1)).tier is MINUTES
    assert plan(HOUR_MS, marks=Marks(raw=START + 2, minutes=START + 1)).tier is HOURS


def test_a_coarser_tier_that_reaches_no_further_back_is_no_help() -> None:
    assert plan(HOUR_MS, marks=Marks(raw=START + 1, minutes=START + 1, hours=START + 1)).tier is RAW


def test_an_export_is_of_the_finest_tier_that_has_its_beginning() -> None:
    window = Window(START, START + 1)
    marks = (ALL, Marks(raw=START + 1), Marks(raw=START + 1, minutes=START + 1), Marks(0, *[START + 1] * 3))
    assert [kept_whole(window, one) for one in marks] == [RAW, MINUTES, HOURS, HOURS]


@pytest.mark.parametrize(("start", "end"), [(2, 1), (1, 1), (-1, 5), (0, 10**15), (10**30, 10**31)])
def test_a_time_that_is_none_is_refused(start: int, end: int) -> None:
    with pytest.raises(ValueError, match="from must lie before to"):
        Window(start, end)


@pytest.mark.parametrize("metrics", [[], [""], ["a\nb"], ["a\x00"], ["x" * (NAME_LENGTH + 1)], ["\u202e"]])
def test_names_that_are_none_are_refused(metrics: list[str]) -> None:
    with pytest.raises(ValueError, match="metric"):
        checked_metrics(metrics)


def test_a_metric_that_is_asked_for_twice_is_asked_for_once() -> None:
    assert checked_metrics(["b", "a", "b"]) == ["b", "a"]
    with pytest.raises(ValueError, match=str(MAX_METRICS)):
        checked_metrics([str(number) for number in range(MAX_METRICS + 1)])


@pytest.mark.parametrize("points", [0, -1, MAX_POINTS + 1, 10**9])
def test_points_that_nobody_could_draw_are_refused(points: int) -> None:
    with pytest.raises(ValueError, match=f"{MAX_POINTS:,}"):
        check_points(points, 1)


def test_many_points_of_many_metrics_are_refused_with_what_would_do() -> None:
    check_points(500, 500)
    with pytest.raises(ValueError, match="at most 500 points each"):
        check_points(501, 500)
