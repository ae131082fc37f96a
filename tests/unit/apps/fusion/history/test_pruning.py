"""What is over, by age and by size."""

from hypothesis import given
from hypothesis import strategies as st

from vagus.apps.fusion.history.pruning import Room, by_age, by_size
from vagus.apps.fusion.history.tables import DAY_MS, HOUR_MS
from vagus.apps.fusion.history.tiers import HOURS, MINUTES, RAW, TIERS
from vagus.settings.history import History as Settings

END = 1_700_006_400_000 + 1
CUTS = dict.fromkeys(TIERS, 0)


def test_cuts_lie_on_full_hours() -> None:
    cuts = by_age(Settings(), END)
    assert [END - 1 - cut for cut in cuts.values()] == [2 * DAY_MS, 30 * DAY_MS, 730 * DAY_MS]
    assert by_age(Settings(raw_hours=0.5), END)[RAW] == END - 1 - HOUR_MS


def test_a_coarser_tier_is_kept_as_long_as_a_finer_one() -> None:
    cuts = by_age(Settings(raw_hours=100, minutes_days=1, hours_days=2), END)
    assert len(set(cuts.values())) == 1


def test_nothing_is_cut_where_there_is_room() -> None:
    assert by_size(CUTS, {tier: Room(100, 0, END) for tier in TIERS}, 300) == CUTS


def test_the_finest_tier_goes_first_and_no_further_than_needed() -> None:
    rooms = {tier: Room(100, 0, 100 * HOUR_MS) for tier in TIERS}
    assert by_size(CUTS, rooms, 250) == CUTS | {RAW: 50 * HOUR_MS}
    assert by_size(CUTS, rooms, 150) == CUTS | {RAW: 100 * HOUR_MS, MINUTES: 50 * HOUR_MS}


@given(st.integers(0, 10_000), st.integers(1, 10**7), st.integers(0, 10**7))
def test_the_last_hour_of_each_tier_stays_however_little_room_there_is(size: int, length: int, limit: int) -> None:
    rooms = {tier: Room(size, END, END + length) for tier in TIERS}
    cuts = by_size(CUTS, rooms, limit)
    assert all(cut % HOUR_MS == 0 and cut <= END + length for cut in cuts.values())
    assert cuts[RAW] >= cuts[MINUTES] >= cuts[HOURS]
