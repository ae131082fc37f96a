"""Samples of the text format of Prometheus: which match, and what several come to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vagus.apps.fusion.sources.prometheus import Metric, values_in
from vagus.apps.fusion.values import Field
from vagus.settings.fusion import Combine

TEXT = r"""
# HELP http_requests_total Requests.
# TYPE http_requests_total counter
http_requests_total{method="post",code="200"} 1027 1395066363000
http_requests_total{method="post",code="400"}    3
http_requests_total{ method = "get" , code = "200", } 5e2
http_requests_total_more 9
up 1
empty{} 4
quiet{quantile="0.5"} NaN
quiet{quantile="0.9"} 2
msdos{path="C:\\DIR\\FILE.TXT",error="Cannot find \"}\":\n\"FILE\" # 1"} 1.5e9
late 7 # {trace_id="x"} 0.5
"""


def value(
    name: str, labels: dict[str, str] | None = None, how: Combine | None = None, text: str = TEXT
) -> float | None:
    return Metric(Field("value"), name, labels or {}, how).value_in(text)


@pytest.mark.parametrize(
    ("name", "labels", "found"),
    [
        ("up", {}, 1),
        ("empty", {}, 4),
        ("late", {}, 7),
        ("http_requests_total", {"code": "400"}, 3),
        ("http_requests_total", {"method": "get"}, 500),
        ("http_requests_total", {"method": "post", "code": "200"}, 1027),
        ("up", {"absent": ""}, 1),
        ("msdos", {"path": r"C:\DIR\FILE.TXT", "error": 'Cannot find "}":\n"FILE" # 1'}, 1.5e9),
        ("quiet", {"quantile": "0.5"}, None),
    ],
)
def test_a_sample_is_chosen_by_name_and_labels(name: str, labels: dict[str, str], found: float | None) -> None:
    assert value(name, labels) == found


@pytest.mark.parametrize(("how", "found"), [("sum", 1530), ("min", 3), ("max", 1027), ("average", 510), ("count", 3)])
def test_several_samples_become_one_number(how: Combine, found: float) -> None:
    assert value("http_requests_total", how=how) == found


def test_several_samples_without_a_word_on_what_they_come_to_are_refused() -> None:
    with pytest.raises(ValueError, match="3 samples of http_requests_total match: name more labels"):
        value("http_requests_total")


@pytest.mark.parametrize(("name", "labels"), [("down", {}), ("up", {"job": "x"}), ("http_requests", {}), ("p", {})])
def test_no_sample_is_refused_unless_they_are_counted(name: str, labels: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"no .*"):
        value(name, labels)
    assert value(name, labels, "count") == 0


def test_all_values_are_taken_from_one_answer_whatever_its_line_ends() -> None:
    metrics = [Metric(Field("a"), "up", {}, None), Metric(Field("b"), "empty", {}, None)]
    assert values_in(metrics, TEXT.replace("\n", "\r\n").encode()) == {"a": 1, "b": 4}


@given(st.text('up{}="\\, \n1#abc', max_size=60))
def test_whatever_is_answered_is_a_value_or_a_value_error(text: str) -> None:
    try:
        value("up", {"a": "b"}, text=text)
    except ValueError:
        pass
