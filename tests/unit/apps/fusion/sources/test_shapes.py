"""What is found without a path, in the forms in which people write such files."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from vagus.apps.fusion.sources.shapes import amount_in, count_in, list_in, sync_status

NOON = 1_795_262_400_000


def raw(document: object) -> Raw:
    return Raw(json.dumps(document).encode())


@pytest.mark.parametrize(
    ("document", "count"),
    [
        ([], 0),
        ([1, 2, 3], 3),
        (7, 7),
        ({"memos": [1, 2]}, 2),
        ({"version": 1, "Items": [1, 2], "tags": ["x"]}, 2),
        ({"anything": [1, 2, 3]}, 3),
        ({"count": 9, "a": [1], "b": [2]}, 9),
        ({"total_count": 4}, 4),
        ({"data": {"memos": [1]}}, 1),
        ({"memos": {"m1": {}, "m2": {}}}, 2),
        ({"m1": {"title": "a"}, "m2": {"title": "b"}, "m3": {}}, 3),
        ({}, 0),
    ],
)
def test_memos_are_counted_however_they_are_listed(document: object, count: int) -> None:
    assert count_in(raw(document)) == count


@pytest.mark.parametrize("document", [None, "x", True, {"name": "x"}, {"a": [1], "b": [2]}])
def test_what_cannot_be_counted_is_refused(document: object) -> None:
    with pytest.raises(ValueError, match="nothing to count"):
        count_in(raw(document))


@pytest.mark.parametrize(
    ("document", "amount"),
    [
        (1250.5, 1250.5),
        ({"mrr": 5}, 5),
        ({"MRR": 5, "total": 9}, 5),
        ({"monthly_recurring_revenue": "1250.50"}, 1250.5),
        ({"mrr": "$12,345.60"}, 12345.6),
        ({"mrr": "12 345 EUR"}, 12345),
        ({"mrr": {"amount": 7, "currency": "EUR"}}, 7),
        ({"data": {"summary": {"currentMrr": 3}}}, 3),
        ({"as_of": "x", "total": -2}, -2),
        ([{"mrr": 1}, {"mrr": 2}], 2),
    ],
)
def test_revenue_is_found_under_the_names_that_it_has(document: object, amount: float) -> None:
    assert amount_in(raw(document)) == amount


@pytest.mark.parametrize("document", [[], {}, {"mrr": None}, {"mrr": True}, {"mrr": "unknown"}, {"mrr": "1.2.3"}, "x"])
def test_what_is_no_revenue_is_refused(document: object) -> None:
    with pytest.raises(ValueError, match="no number under a name"):
        amount_in(raw(document))


@pytest.mark.parametrize(
    "document", [["a"], {"recommendations": ["a"]}, {"when": 1, "results": ["a"], "x": [1]}, {"data": {"items": ["a"]}}]
)
def test_a_list_is_found_where_it_is(document: object) -> None:
    assert json.loads(bytes(list_in(raw(document)))) == ["a"]


@pytest.mark.parametrize("document", [5, {}, {"x": [1], "y": [2]}])
def test_no_list_or_several_are_refused(document: object) -> None:
    with pytest.raises(ValueError, match="no list in it"):
        list_in(raw(document))


@pytest.mark.parametrize(
    ("line", "status", "at"),
    [
        ("2026-11-21 12:00:00,000 INFO sync completed: 12 files, 0 errors", "OK", NOON),
        ("[2026-11-21T12:00:00Z] ERROR upload failed, 3 files done", "ERROR", NOON),
        ("2026/11/21 12:00:00 +0000 WARN quota, sync finished", "WARNING", NOON),
        ("2026-11-21T13:00:00+01:00 sync started", "RUNNING", NOON),
        ('{"time": "2026-11-21T12:00:00.000Z", "status": "success", "note": "error log is empty"}', "OK", NOON),
        ("status=idle", "IDLE", None),
        ("Sync OK", "OK", None),
    ],
)
def test_a_line_of_the_sync_log_tells_a_status_and_a_time(line: str, status: str, at: int | None) -> None:
    assert sync_status(line) == (status, at)


@pytest.mark.parametrize("line", ["", "12 files", "2026-11-21 12:00:00 heartbeat", "lookup"])
def test_a_line_without_a_status_tells_nothing(line: str) -> None:
    assert sync_status(line) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["mrr", "data", "items", "count", "x"]), inner)
    ),
    max_leaves=15,
)


@given(JSON)
def test_whatever_a_document_is_something_is_found_or_it_is_a_value_error(document: object) -> None:
    for find in (count_in, amount_in, list_in):
        try:
            find(raw(document))
        except ValueError as error:
            assert "there is no" in str(error)
