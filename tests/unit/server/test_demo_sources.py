"""What the demo makes up fits the sources that it stands in for, moves, and says of itself that it is a demo."""

from itertools import pairwise
from pathlib import Path

import pytest

from vagus.apps.fusion.sources.making import READY, Surroundings, source_of
from vagus.apps.fusion.values import checked
from vagus.server.demo_sources import DEMO_SOURCES, SYNC_S, SYNC_TAKES_S, WAVES, wandering

NOON = 1_795_262_400
HOUR_S = 3600
DAY_S = 24 * HOUR_S


def test_it_gives_every_value_of_the_sources_that_come_ready(tmp_path: Path) -> None:
    around = Surroundings(tmp_path)
    for source in (source_of(one, around) for one in READY):
        for at in range(NOON, NOON + HOUR_S, 5):
            values = checked(source.terms.fields, DEMO_SOURCES[source.terms.name](at))
            assert all(value not in (None, "", []) for value in values.values())


@pytest.mark.parametrize("name", ["memoIndex", "revenue", "driveSyncLog", "recommendations"])
def test_every_value_moves_within_minutes(name: str) -> None:
    assert len({str(DEMO_SOURCES[name](at)) for at in range(NOON, NOON + 300, 5)}) > 3


def test_what_it_says_of_a_moment_is_always_the_same() -> None:
    first = DEMO_SOURCES["revenue"](NOON)
    for at in range(NOON - DAY_S, NOON + DAY_S, 60):
        DEMO_SOURCES["revenue"](at)
    assert DEMO_SOURCES["revenue"](NOON) == first


def test_hardly_two_readings_within_milliseconds_are_alike() -> None:
    values = [DEMO_SOURCES["revenue"](NOON + step / 200)["revenue"] for step in range(1000)]
    assert sum(one == other for one, other in pairwise(values)) < 20


def test_values_wander_by_little_at_a_time_and_by_more_in_a_day() -> None:
    values = [wandering("revenue", at) for at in range(NOON - DAY_S, NOON, 5)]
    bound = sum(size for _, size in WAVES)
    assert max(abs(later - earlier) for earlier, later in pairwise(values)) < bound / 10
    assert bound / 3 < max(values) - min(values) <= 2 * bound


def test_the_last_sync_is_over_and_the_next_one_is_due() -> None:
    for at in range(NOON, NOON + HOUR_S):
        values = DEMO_SOURCES["driveSyncLog"](at)
        ended = values["driveSyncLastSync"]
        assert isinstance(ended, int)
        assert 0 <= at - ended / 1000 <= SYNC_S + SYNC_TAKES_S
        assert values["driveSync"] in ("OK", "RUNNING")


def test_all_its_words_say_that_it_is_a_demo() -> None:
    for at in range(NOON, NOON + HOUR_S, SYNC_S):
        listed = DEMO_SOURCES["recommendations"](at)["recommendations"]
        assert isinstance(listed, list)
        assert all(each["demo"] and each["title"].startswith("Demo: ") for each in listed)
