"""What the demo makes up fits the sources that it stands in for, moves, and says of itself that it is a demo."""

import random
from pathlib import Path

import pytest

from vagus.apps.fusion.sources.making import Surroundings, default_sources
from vagus.apps.fusion.values import checked
from vagus.server.demo_sources import SYNC_S, SYNC_TAKES_S, demo_sources
from vagus.testing import FakeClock

HOUR_S = 3600


def test_it_gives_every_value_of_the_sources_that_come_ready(tmp_path: Path) -> None:
    clock = FakeClock()
    invented = demo_sources(clock, random.Random(7))
    for source in default_sources(Surroundings(tmp_path)):
        for _ in range(HOUR_S // 5):
            clock.advance(5)
            values = checked(source.terms.fields, invented[source.terms.name]())
            assert all(value not in (None, "", []) for value in values.values())


@pytest.mark.parametrize("name", ["memoIndex", "revenue", "driveSyncLog", "recommendations"])
def test_every_value_moves_within_minutes(name: str) -> None:
    clock = FakeClock()
    invent = demo_sources(clock, random.Random(7))[name]
    seen = set()
    for _ in range(60):
        clock.advance(5)
        seen.add(str(invent()))
    assert len(seen) > 3


def test_the_last_sync_is_over_and_the_next_one_is_due() -> None:
    clock = FakeClock()
    invent = demo_sources(clock, random.Random(7))["driveSyncLog"]
    for _ in range(HOUR_S):
        clock.advance(1)
        values = invent()
        ended = values["driveSyncLastSync"]
        assert isinstance(ended, int)
        assert 0 <= clock() - ended / 1000 <= SYNC_S + SYNC_TAKES_S
        assert values["driveSync"] in ("OK", "RUNNING")


def test_all_its_words_say_that_it_is_a_demo() -> None:
    clock = FakeClock()
    invent = demo_sources(clock, random.Random(7))["recommendations"]
    for _ in range(60):
        clock.advance(SYNC_S)
        listed = invent()["recommendations"]
        assert isinstance(listed, list)
        assert all(each["demo"] and each["title"].startswith("Demo: ") for each in listed)
