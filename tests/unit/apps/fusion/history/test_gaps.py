"""Where a line is broken, and where it is not."""

from collections.abc import Iterable
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vagus.apps.fusion.history.gaps import gaps


def times(*distances: int) -> list[int]:
    return list(accumulate(distances, initial=1_000_000))


def each(distance: int, count: int) -> Iterable[int]:
    return [distance] * count


@pytest.mark.parametrize("at", [[], [1], times(5), times(5, 5, 5)])
def test_a_steady_pace_has_no_gap(at: list[int]) -> None:
    assert gaps(at, 1) == []


def test_a_pause_is_one() -> None:
    assert gaps(times(*each(1, 9), 100, *each(1, 9)), 1) == [10]


def test_a_missed_measurement_or_two_are_none() -> None:
    assert gaps(times(*each(60, 9), 180, *each(60, 9)), 1) == []


def test_another_pace_is_none_in_either_direction() -> None:
    assert gaps(times(*each(1, 20), *each(300, 20), *each(1, 20)), 1) == []


def test_a_pause_between_two_paces_is_one_if_it_is_long_for_both() -> None:
    assert gaps(times(*each(1, 9), 2000, *each(300, 9)), 1) == [10]


def test_a_point_alone_is_between_two_gaps() -> None:
    assert gaps(times(*each(1, 9), 500, 500, *each(1, 9)), 1) == [10, 11]


def test_what_is_closer_than_three_steps_is_drawn_through() -> None:
    assert gaps(times(*each(60, 9), 180, *each(60, 9)), 60) == []
    assert gaps(times(*each(60, 9), 240, *each(60, 9)), 60) == [10]


@given(st.lists(st.integers(1, 1000), max_size=50), st.integers(1, 100))
def test_gaps_are_between_points_ascending_and_never_shorter_than_what_is_drawn_through(
    distances: list[int], step: int
) -> None:
    at = times(*distances)
    found = gaps(at, step)
    assert found == sorted(set(found))
    assert all(at[position] - at[position - 1] > 3 * step for position in found)
