"""The public API as mypy sees it: what applications write passes, and what would fail at run time does not."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
_MARK = re.compile(r"# E: ([a-z-]+)")
_ERROR = re.compile(r"^[^:]+:(\d+): error: .*\[([a-z-]+)\]$", re.MULTILINE)

pytestmark = pytest.mark.timeout(180)


def complaints(path: Path, tmp_path: Path) -> list[tuple[int, str]]:
    """The lines that mypy complains about in strict mode, each with the code of its complaint."""
    config = tmp_path / "mypy.ini"
    config.write_text("[mypy]\nstrict = true\npython_version = 3.11\n")
    command = [sys.executable, "-m", "mypy", "--config-file", str(config), "--no-pretty", "--show-error-codes"]
    command += ["--cache-dir", str(ROOT / "build" / "mypy-typing"), str(path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return [(int(line), code) for line, code in _ERROR.findall(done.stdout)]


@pytest.mark.parametrize("path", sorted((HERE / "accepted").glob("*.py")), ids=lambda path: path.stem)
def test_what_applications_write_type_checks(path: Path, tmp_path: Path) -> None:
    assert complaints(path, tmp_path) == []


@pytest.mark.parametrize("path", sorted((HERE / "refused").glob("*.py")), ids=lambda path: path.stem)
def test_what_would_fail_does_not_type_check(path: Path, tmp_path: Path) -> None:
    lines = path.read_text().splitlines()
    marked = [(number, mark) for number, line in enumerate(lines, 1) for mark in _MARK.findall(line)]
    assert complaints(path, tmp_path) == marked
