"""Programs in the documentation have sound types, for mypy; in a file of their own, since that takes its time."""

import sys
from pathlib import Path

import pytest

from tests.examples.pages import ROOT, Page
from tests.examples.test_docs import pages_with, run


@pages_with(lambda page: page.programs("python"))
@pytest.mark.timeout(120)  # mypy without a cache
def test_python_programs_have_sound_types(page: Page, tmp_path: Path) -> None:
    files = page.write_programs("python", tmp_path)
    # The Centrifuge client has no py.typed marker, so its classes have no types to be strict about.
    options = ("--strict", "--allow-subclassing-any", "--config-file", str(ROOT / "pyproject.toml"))
    checked = run(
        sys.executable, "-m", "mypy", *options, "--cache-dir", str(ROOT / "build" / "mypy-docs"), *files, cwd=tmp_path
    )
    assert checked.returncode == 0, checked.stdout
