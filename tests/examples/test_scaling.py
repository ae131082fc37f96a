"""docs/scaling.md says what the script computes: its tables are made by it, from the costs that are committed."""

import pytest

from bench.scaling.costs import read
from bench.scaling.report import docs_tables, with_tables
from tests.examples.pages import ROOT


@pytest.mark.timeout(60)  # the loss of a machine with hundreds of thousands of clients is played through
def test_the_tables_are_what_the_script_prints() -> None:
    page = (ROOT / "docs" / "scaling.md").read_text()
    assert with_tables(page, docs_tables(read())) == page, "python -m bench.scaling --adopt, or put the tables in"
