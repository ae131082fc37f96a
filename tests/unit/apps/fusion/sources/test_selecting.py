"""Paths into JSON mean what RFC 9535 says, or are refused."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vagus.apps.fusion.sources.selecting import PATH_CHARACTERS, Path

DOCUMENT = {
    "open": 5,
    "a b": {"c'd": 1},
    "none": None,
    "tasks": [
        {"state": "done", "points": 3, "owner": {"name": "x"}},
        {"state": "open", "points": 5},
        {"state": "done", "points": 8.0, "late": False},
        {"points": None, "late": True},
    ],
}
BODY = msgspec.json.encode(DOCUMENT)


def found(path: str) -> list[object]:
    return [msgspec.json.decode(node) for node in Path(path)(BODY)]


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("$", [DOCUMENT]),
        ("$.open", [5]),
        ("$.none", [None]),
        ("$.nothing", []),
        ("$.open.deeper", []),
        ("$['a b'][\"c'd\"]", [1]),
        (r"$['a b']['c\'d']", [1]),
        ("$.tasks[1].state", ["open"]),
        ("$.tasks[-4].points", [3]),
        ("$.tasks[4]", []),
        ("$.tasks[-5]", []),
        ("$.open[0]", []),
        ("$.tasks[*].points", [3, 5, 8.0, None]),
        ("$.tasks[:2].points", [3, 5]),
        ("$.tasks[-1:].late", [True]),
        ("$['a b'].*", [1]),
        ("$.tasks[?@.state == 'done'].points", [3, 8.0]),
        ('$.tasks[?@.state=="done"].points', [3, 8.0]),
        ("$.tasks[?@.state != 'done'].points", [5, None]),
        ("$.tasks[?@.points >= 5].points", [5, 8.0]),
        ("$.tasks[?@.points < 5].points", [3]),
        ("$.tasks[?@.points == null].late", [True]),
        ("$.tasks[?@.state > 'a'].state", ["done", "open", "done"]),
        ("$.tasks[?@.late].late", [False, True]),
        ("$.tasks[?@.late == false].points", [8.0]),
        ("$.tasks[?@.late == 0].points", []),
        ("$.tasks[?@.owner.name == 'x'].points", [3]),
        ("$.tasks[?@['state'] == 'open'].points", [5]),
        ("$.tasks[?@.late <= true].points", [None]),
    ],
)
def test_a_path_leads_to_what_the_standard_says(path: str, values: list[object]) -> None:
    assert found(path) == values


def test_a_path_of_names_and_indexes_leads_to_one_value() -> None:
    assert Path("$.a[0]['b']").is_single
    assert not Path("$.a[:1]").is_single


@pytest.mark.parametrize(
    "path",
    ["", "open", "$open", "$..open", "$.a[", "$.a[1:2:3]", "$.a[?@.b =~ 'x']", "$.a[?@.b && @.c]", "$.a['b']x",
     "$.a[?length(@) > 1]", "$['\\x']", "$[?@.a == 1.2.3]", "$[99999999999]"],
)  # fmt: skip
def test_what_is_not_understood_is_refused(path: str) -> None:
    with pytest.raises(ValueError):
        Path(path)


def test_a_path_has_a_bound() -> None:
    with pytest.raises(ValueError, match="at most 500"):
        Path("$" + ".a" * PATH_CHARACTERS)


@given(st.text("$.[]'\"*?@=<>!:abc019\\ ()", max_size=40))
def test_whatever_is_typed_is_a_path_or_refused(text: str) -> None:
    try:
        path = Path(text)
    except ValueError:
        return
    path(BODY)


@given(st.binary(max_size=60))
def test_a_document_that_is_no_json_is_a_value_error_or_leads_nowhere(document: bytes) -> None:
    try:
        Path("$.a[*].b")(document)
    except ValueError:
        pass
