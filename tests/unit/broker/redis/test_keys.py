import pytest
from hypothesis import given
from hypothesis import strategies as st

from vagus.broker.redis.keys import PARTITIONS, Keys

KEYS = Keys("vagus")
TEXT = st.text(st.characters(codec="utf-8"), min_size=1, max_size=40)


def _tag(key: bytes) -> bytes:
    """What a Cluster hashes: what is between the first brace and the next one that closes."""
    return key[key.index(b"{") + 1 : key.index(b"}")]


@given(TEXT, TEXT)
def test_all_keys_of_a_channel_lie_in_one_slot(channel: str, key: str) -> None:
    names = KEYS.names(channel)
    receipt = KEYS.receipt(channel, key)
    keys = [names.meta, names.stream, names.flow, receipt, *KEYS.presence(channel, "n.1")]
    assert {_tag(key) for key in keys} == {b"%d" % Keys.partition(channel)}
    assert len(set(keys)) == 7


def test_keys_say_what_they_are() -> None:
    assert KEYS.names("orders:42").stream == b"vagus:{22}:s:orders:42"
    assert KEYS.orders.flow == b"vagus:{nodes}:f:orders"


def test_channels_spread_over_the_partitions() -> None:
    counts = [0] * PARTITIONS
    for number in range(100 * PARTITIONS):
        counts[Keys.partition(f"orders:{number}")] += 1
    assert min(counts) > 50
    assert max(counts) < 200


@given(TEXT, TEXT, TEXT, TEXT)
def test_receipts_of_different_keys_are_never_mixed_up(channel: str, key: str, other: str, another: str) -> None:
    same = (channel, key) == (other, another)
    assert (KEYS.receipt(channel, key) == KEYS.receipt(other, another)) is same


def test_the_receipts_of_a_channel_whose_name_begins_another_ones_stay_apart() -> None:
    assert KEYS.receipt("a:b", "c") != KEYS.receipt("a", "b:c")


@pytest.mark.parametrize("prefix", ["", "a{b", "a}b"])
def test_a_prefix_that_would_move_keys_to_other_slots_is_refused(prefix: str) -> None:
    with pytest.raises(ValueError, match="without braces"):
        Keys(prefix)
