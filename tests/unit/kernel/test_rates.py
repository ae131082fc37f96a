"""Token buckets: never more than the burst and what time has brought, and never less than that either."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vagus.kernel.rates import Bucket, Buckets, Rate

RATES = st.builds(Rate, st.floats(0.01, 1000), st.integers(1, 100))
STEPS = st.lists(st.floats(0, 100), min_size=1, max_size=60)


@given(RATES, STEPS)
def test_no_more_is_taken_than_the_burst_and_what_time_brought(rate: Rate, steps: list[float]) -> None:
    now, bucket, taken = 1000.0, Bucket(rate, 1000.0), 0
    for step in steps:
        now += step
        taken += bucket.take(now)
        assert taken <= rate.burst + rate.per_s * (now - 1000.0) * (1 + 1e-9) + 1e-6


@given(RATES, STEPS)
def test_between_any_two_moments_no_more_is_taken_either(rate: Rate, steps: list[float]) -> None:
    now, bucket, times = 0.0, Bucket(rate, 0.0), list[float]()
    for step in steps:
        now += step
        if bucket.take(now):
            times.append(now)
    for first in range(len(times)):
        assert len(times) - first <= rate.burst + rate.per_s * (now - times[first]) * (1 + 1e-9) + 1e-6


@given(RATES)
def test_the_whole_burst_can_be_taken_at_once(rate: Rate) -> None:
    bucket = Bucket(rate, 5.0)
    assert [bucket.take(5.0) for _ in range(rate.burst)] == [True] * rate.burst
    assert not bucket.take(5.0)


def test_who_waits_long_enough_is_served_again() -> None:
    bucket = Bucket(Rate(2, 1), 0)
    assert bucket.take(0)
    assert not bucket.take(0.4)
    assert bucket.take(0.5)


def test_a_clock_that_steps_back_gives_nothing_and_takes_nothing() -> None:
    bucket = Bucket(Rate(1, 2), 100)
    assert bucket.take(100)
    assert bucket.take(50)
    assert not bucket.take(50)
    assert bucket.take(51)


def test_a_bucket_is_full_when_nothing_of_it_is_used() -> None:
    bucket = Bucket(Rate(1, 2), 0)
    assert bucket.is_full(0)
    bucket.take(0)
    assert not bucket.is_full(0.5)
    assert bucket.is_full(1)


@pytest.mark.parametrize(("per_s", "burst"), [(0, 1), (-1, 1), (1, 0)])
def test_a_rate_that_lets_nothing_through_is_refused(per_s: float, burst: int) -> None:
    with pytest.raises(ValueError, match="per_s above 0"):
        Rate(per_s, burst)


def test_each_party_has_a_bucket_of_its_own() -> None:
    buckets = Buckets(Rate(1, 1))
    assert buckets.take("a", 0)
    assert not buckets.take("a", 0)
    assert buckets.take("b", 0)
    assert len(buckets) == 2


def test_another_rate_holds_at_once_and_gives_back_what_was_used() -> None:
    buckets = Buckets(Rate(1, 1))
    assert buckets.take("a", 0)
    buckets.begin_afresh(Rate(1, 2))
    assert [buckets.take("a", 0) for _ in range(3)] == [True, True, False]


def test_idle_parties_are_forgotten_when_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Buckets, "MOST", 4)
    buckets = Buckets(Rate(1, 1))
    for party in "abc":
        buckets.take(party, 0)
    buckets.take("busy", 100)
    assert buckets.take("new", 100)
    assert len(buckets) == 2
    assert not buckets.take("busy", 100)


def test_where_all_are_busy_the_oldest_half_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Buckets, "MOST", 4)
    buckets = Buckets(Rate(1, 1))
    for party in "abcd":
        buckets.take(party, 0)
    buckets.take("e", 0)
    assert len(buckets) == 3
    assert not buckets.take("d", 0)
    assert buckets.take("a", 0)
