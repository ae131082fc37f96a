"""Bounds: the defaults make sense together, and what does not is refused by name."""

from typing import Any

import pytest

from vagus.kernel.limits import Limits


def test_the_defaults_are_those_that_client_libraries_expect() -> None:
    limits = Limits()
    assert (limits.ping_interval_s, limits.pong_timeout_s, limits.message_bytes, limits.history) == (25, 8, 65536, 300)


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"pong_timeout_s": 25.0}, "pong_timeout_s"),
        ({"pong_timeout_s": 0.0}, "pong_timeout_s"),
        ({"max_delay_s": -1.0}, "max_delay_s"),
        ({"max_delay_s": 1.1}, "max_delay_s"),
        ({"stale_s": 0}, "stale_s"),
        ({"channels": 0}, "channels"),
        ({"channel_length": 0}, "channel_length"),
        ({"queue_bytes": -1}, "queue_bytes"),
        ({"message_bytes": 0}, "message_bytes"),
        ({"history": 0}, "history"),
    ],
)
def test_a_bound_that_makes_no_sense_is_refused_by_name(options: dict[str, Any], name: str) -> None:
    with pytest.raises(ValueError, match=f"^{name}: "):
        Limits(**options)


def test_without_pings_there_is_nothing_to_wait_for() -> None:
    assert Limits(ping_interval_s=0, pong_timeout_s=99).ping_interval_s == 0
