"""Fields and terms make sense or are refused; snapshots, health and figures follow from states alone."""

import msgspec
import pytest

from vagus.apps.fusion.values import (
    Field,
    SourceState,
    Terms,
    checked,
    figures,
    health,
    snapshot,
)

NOON = 1_795_262_400_000  # 2026-11-21T12:00:00Z


def test_a_value_that_lies_or_is_left_out_is_refused_with_its_name() -> None:
    with pytest.raises(ValueError, match=r"^open: must be a number, and this text is none"):
        checked([Field("open")], {"open": "many"})
    with pytest.raises(ValueError, match=r"^missing: the source did not give it, but other$"):
        checked([Field("missing")], {"other": 1})


@pytest.mark.parametrize(
    "name", ["", "Orders", "open-orders", "open orders", "a" * 65, "orders\n", "timestamp", "health"]
)
def test_a_name_that_would_not_do_in_a_snapshot_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"^name: "):
        Field(name)


def test_terms_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^fields: two have the same name"):
        Terms("a", (Field("b"), Field("b")))
    with pytest.raises(ValueError, match=r"^fields: a source has at least one"):
        Terms("a", ())
    with pytest.raises(ValueError, match=r"^timeout_s: "):
        Terms("a", (Field("b"),), timeout_s=0)


MEMOS = SourceState(Terms("memoIndex", (Field("memos"),)), {"memos": 12}, as_of=NOON - 4000, read_at=NOON)
SYNC = SourceState(
    Terms("driveSyncLog", (Field("driveSync", "text"), Field("driveSyncLastSync", "moment"))),
    {"driveSync": "OK", "driveSyncLastSync": NOON},
    as_of=NOON - 9000,
    read_at=NOON - 5000,
    error="it is gone",
    failing_since=NOON - 1000,
    collections=7,
    failures=1,
)
ADVICE = SourceState(
    Terms("recommendations", (Field("recommendations", "list"),)),
    {"recommendations": ["a", "b"]},
    as_of=NOON,
    read_at=NOON,
)
WAITING = SourceState(Terms("door", (Field("isOpen", "flag"),)))


def test_a_snapshot_has_all_values_by_name_and_who_answered() -> None:
    assert snapshot([MEMOS, SYNC, ADVICE, WAITING], NOON) == {
        "ok": True,
        "data": {
            "timestamp": "2026-11-21T12:00:00.000Z",
            "memos": 12,
            "driveSync": "OK",
            "driveSyncLastSync": "2026-11-21T12:00:00.000Z",
            "recommendations": ["a", "b"],
            "isOpen": None,
            "health": {
                "memoIndexAvailable": True,
                "driveSyncLogAvailable": False,
                "recommendationsAvailable": True,
                "doorAvailable": False,
            },
        },
    }


def test_figures_are_what_can_be_drawn_of_sources_that_answered() -> None:
    door = SourceState(WAITING.terms, {"isOpen": True}, as_of=NOON, read_at=NOON)
    assert figures([MEMOS, SYNC, ADVICE, WAITING, door]) == {"memos": 12.0, "recommendations": 2.0, "isOpen": 1.0}


@pytest.mark.parametrize(
    ("states", "status"),
    [
        ([MEMOS, ADVICE], "ok"),
        ([MEMOS, SYNC], "degraded"),
        ([MEMOS, WAITING], "degraded"),
        ([SYNC, WAITING], "down"),
        ([], "ok"),
    ],
)
def test_health_is_that_of_all_sources_together(states: list[SourceState], status: str) -> None:
    found = health(states, NOON)
    assert (found["status"], found["ok"]) == (status, status == "ok")


def test_health_says_of_a_source_that_failed_how_old_its_values_are_and_why() -> None:
    rows = health([SYNC], NOON)["sources"]
    assert isinstance(rows, dict)
    row = rows["driveSyncLog"]
    assert (row["available"], row["status"], row["ageSeconds"], row["error"]) == (False, "failed", 9.0, "it is gone")
    assert (row["collections"], row["failures"], row["failingSince"]) == (7, 1, "2026-11-21T11:59:59.000Z")


def test_values_older_than_the_source_promises_are_stale() -> None:
    promised = msgspec.structs.replace(MEMOS, terms=Terms("memoIndex", (Field("memos"),), freshness_s=4))
    assert promised.status(NOON) == "ok"
    assert promised.status(NOON + 1) == "stale"
    assert promised.is_available
