"""What fails in a stage runs once more, and only what fails again counts as failed."""

import sys
from pathlib import Path

import pytest

from tools import run_stages
from tools.run_stages import Tally, main, tally_of_stage

pytestmark = pytest.mark.timeout(60)  # each runs pytest once or twice

MAKEFILE = f"""
integration web:
	@{sys.executable} -m pytest -q --junit-xml=build/reports/$@.xml $(or $(ONLY),tests.py)
"""
TESTS = """
from pathlib import Path
import pytest

@pytest.mark.parametrize("number", range(FAILING))
def test_that_fails_until_it_has_run(number):
    mark = Path(f"ran-{number}")
    had_run = mark.exists()
    mark.touch()
    assert had_run

def test_that_passes(): pass
"""

ODDLY_NAMED = """
from pathlib import Path
import pytest

class TestOfAClass:
    @pytest.mark.parametrize("name", ["$HOME", "it's here", "a::b.c"])
    def test_that_fails_once(self, name):
        mark = Path(name)
        had_run = mark.exists()
        mark.touch()
        assert had_run
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "Makefile").write_text(MAKEFILE)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "build" / "reports").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    for name in ("MAKEFLAGS", "TESTS"):  # what an outer make was told is not for this one
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setattr(run_stages, "ROUNDS", (run_stages.Round(("integration",)),))
    return tmp_path


def stage_with(folder: Path, failing: int, tests: str = TESTS) -> int:
    (folder / "tests.py").write_text(tests.replace("FAILING", str(failing)))
    return main("make")


def test_what_passes_the_second_time_is_named_and_counts_as_passed(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert stage_with(folder, 2) == 0
    said = capfd.readouterr().out.splitlines()
    assert said[-1] == "3 passed, 0 failed, 0 skipped"
    assert [line.split("::")[-1] for line in said if "only when it was run again" in line] == [
        "test_that_fails_until_it_has_run[0]",
        "test_that_fails_until_it_has_run[1]",
    ]


def test_names_of_any_kind_are_found_again(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert stage_with(folder, 0, ODDLY_NAMED) == 0
    assert capfd.readouterr().out.splitlines()[-1] == "3 passed, 0 failed, 0 skipped"


def test_a_stage_that_ran_beside_others_is_run_again_after_them(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(run_stages, "ROUNDS", (run_stages.Round((), beside="web"),))
    assert stage_with(folder, 1) == 0
    assert capfd.readouterr().out.splitlines()[-1] == "2 passed, 0 failed, 0 skipped"


def test_what_fails_again_has_failed(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert stage_with(folder, 2, TESTS.replace("mark.touch()", "number or mark.touch()")) == 1
    assert capfd.readouterr().out.splitlines()[-1] == "2 passed, 1 failed, 0 skipped"


def test_many_failures_are_not_the_machines(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert stage_with(folder, run_stages.MOST_AGAIN + 1) == 1
    said = capfd.readouterr().out
    assert said.splitlines()[-1] == f"1 passed, {run_stages.MOST_AGAIN + 1} failed, 0 skipped"
    assert "once more" not in said


def test_a_stage_that_ends_without_a_test_has_failed(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert stage_with(folder, 0, "raise SystemExit(3)") == 1
    assert capfd.readouterr().out.splitlines()[-1].split(", ")[1] != "0 failed"


def test_a_report_without_failures_does_not_outweigh_the_exit_code(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    report.write_text('<testsuites><testsuite tests="2" failures="0" errors="0" skipped="0"/></testsuites>')
    assert tally_of_stage(1, report) == Tally(2, 1, 0)
