"""Cells that a spreadsheet would execute."""

import pytest

from vagus.apps.fusion.history.exporting import _csv


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_a_name_that_is_a_formula_is_written_as_text(start: str) -> None:
    assert _csv([("t", f"{start}1+1")]).lstrip(b"t,").lstrip(b'"').startswith(b"'" + start.encode())


def test_numbers_stay_numbers_and_quotes_are_doubled() -> None:
    assert _csv([("t", 'a"b,c', -5.5)]) == b't,"a""b,c",-5.5\r\n'
