"""Delays between attempts: how they grow, and where they end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vagus.client.retry import Retry


def test_delays_double_from_one_second_to_thirty() -> None:
    longest = [Retry().delay_s(attempt, lambda: 1.0) for attempt in range(7)]
    assert longest == [1, 2, 4, 8, 16, 30, 30]


def test_half_of_a_delay_is_chance() -> None:
    assert Retry().delay_s(2, lambda: 0.0) == 2
    assert Retry().delay_s(2, lambda: 0.5) == 3
    assert Retry().delay_s(2, lambda: 1.0) == 4


@given(st.integers(0, 10**9), st.floats(1, 1e300), st.floats(0, 1))
def test_no_delay_leaves_its_bounds(attempt: int, factor: float, chance: float) -> None:
    assert 0.5 <= Retry(factor=factor).delay_s(attempt, lambda: chance) <= 30


def test_five_tries_and_no_more_unless_there_is_no_end() -> None:
    assert [Retry().allows(attempt) for attempt in (0, 4, 5)] == [True, True, False]
    assert Retry(tries=None).allows(10**6)
    assert not Retry(tries=0).allows(0)


@pytest.mark.parametrize(
    "wrong", [{"tries": -1}, {"factor": 0.5}, {"min_s": 0}, {"min_s": 31}, {"factor": float("nan")}]
)
def test_what_makes_no_sense_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Retry(**wrong)  # type: ignore[arg-type]
