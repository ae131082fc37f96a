"""A value becomes what its kind says, or is refused with the reason."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vagus.apps.fusion.kinds import LIST_BYTES, combine, converted, moment
from vagus.settings.fusion import Kind

NOON = 1_795_262_400_000  # 2026-11-21T12:00:00Z

KINDS: list[Kind] = ["number", "text", "flag", "moment", "list"]


@pytest.mark.parametrize(
    ("kind", "raw", "value"),
    [
        ("number", 5, 5),
        ("number", 2.5, 2.5),
        ("number", "12", 12),
        ("number", " 1.5e3 ", 1500),
        ("number", Decimal("0.25"), 0.25),
        ("number", 2**60, float(2**60)),
        ("text", "OK", "OK"),
        ("text", 7, "7"),
        ("flag", True, True),
        ("flag", "Yes", True),
        ("flag", 0, False),
        ("moment", "2026-11-21T12:00:00Z", NOON),
        ("moment", "2026-11-21 12:00:00,500", NOON + 500),
        ("moment", "2026/11/21 13:00:00+01:00", NOON),
        ("moment", "Sat, 21 Nov 2026 12:00:00 GMT", NOON),
        ("moment", NOON / 1000, NOON),
        ("moment", NOON, NOON),
        ("moment", str(NOON), NOON),
        ("moment", datetime(2026, 11, 21, 14, tzinfo=timezone(timedelta(hours=2))), NOON),
        ("list", (1, "two"), [1, "two"]),
    ],
)
def test_a_value_becomes_what_its_field_says(kind: Kind, raw: object, value: object) -> None:
    assert converted(kind, raw) == value
    assert type(converted(kind, raw)) is type(value)


@pytest.mark.parametrize("kind", KINDS)
def test_a_source_may_say_that_a_value_is_unknown(kind: Kind) -> None:
    assert converted(kind, None) is None


@pytest.mark.parametrize(
    ("kind", "raw", "reason"),
    [
        ("number", True, "must be a number, not true or false"),
        ("number", "many", "must be a number, and this text is none"),
        ("number", [1], "must be a number, not a list"),
        ("number", float("nan"), "must be a finite number"),
        ("number", 10**400, "is too large"),
        ("text", {"a": 1}, "must be text, not an object"),
        ("text", "x" * 4097, "has more than 4,096 characters"),
        ("flag", "perhaps", "must be true or false"),
        ("flag", 2, "must be true or false"),
        ("moment", "yesterday", "is not a moment such as"),
        ("moment", -1, "before 1970"),
        ("moment", 1e300, "after 9999"),
        ("moment", float("nan"), "before 1970"),
        ("moment", True, "must be a moment, not true"),
        ("list", "abc", "must be a list, not text"),
        ("list", [object()], "holds what is not JSON"),
        ("list", ["x" * LIST_BYTES], r"is larger than 256 KiB"),
    ],
)
def test_a_value_that_lies_is_refused(kind: Kind, raw: object, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        converted(kind, raw)


@given(st.sampled_from(KINDS), st.from_type(object) | st.text() | st.integers() | st.floats() | st.binary())
def test_whatever_a_source_gives_is_a_value_or_refused(kind: Kind, raw: object) -> None:
    try:
        value = converted(kind, raw)
    except ValueError:
        return
    assert msgspec.json.encode(value)


@given(st.datetimes(datetime(1970, 1, 2), timezones=st.just(UTC)))  # noqa: DTZ001 - the zone is beside it
def test_a_moment_is_found_again_in_what_it_is_written_as(at: datetime) -> None:
    assert moment(at.isoformat()) == moment(at)


def test_several_numbers_become_one() -> None:
    values = [1.0, 2.0, 6.0]
    assert [combine(values, how) for how in ("count", "sum", "min", "max", "average")] == [3, 9, 1, 6, 3]
    assert [combine([], how) for how in ("count", "sum", "min", "max", "average")] == [0, 0, None, None, None]
