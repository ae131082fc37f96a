"""Cells that a spreadsheet would execute."""

import pytest

from vagus.apps.fusion.history.exporting import _csv, file_name


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_a_name_that_is_a_formula_is_written_as_text(start: str) -> None:
    assert _csv([("t", f"{start}1+1")]).lstrip(b"t,").lstrip(b'"').startswith(b"'" + start.encode())


def test_numbers_stay_numbers_and_quotes_are_doubled() -> None:
    assert _csv([("t", 'a"b,c', -5.5)]) == b't,"a""b,c",-5.5\r\n'


@pytest.mark.parametrize(
    ("metrics", "name"),
    [
        (["memos"], "memos"),
        (["a", "b", "c", "d", "e"], "a-b-c-and-2-more"),
        (['x"; rm/../ü'], "x___rm_..__"),
    ],
)
def test_a_file_is_called_by_its_metrics_in_letters_that_every_system_takes(metrics: list[str], name: str) -> None:
    assert file_name(metrics, 0, 60_000, "csv") == f"{name}_1970-01-01T000000Z_1970-01-01T000100Z.csv"
