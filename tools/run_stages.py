"""Runs every stage of `make test`, one after the other, and closes with one line that counts them all.

Stages that leave the processors idle for much of their time run beside others; what they print comes when they end.
A stage is a make target. One that fails does not keep the later ones from running. A stage of tests leaves a JUnit
report, whose cases are counted; any other stage counts as one. The closing line has the form
`N passed, N failed, N skipped`, and the exit code is 1 when anything failed.
"""

import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

CHECKS = ("check-format", "check-lint", "check-types", "check-layers", "check-spelling", "check-web")
TESTS = ("unit", "conformance", "integration", "web", "browser", "examples", "faults-once")
BESIDE = {"web": "examples"}
"""Each of these waits for timers and pages most of the time, and begins when the other one does."""
REPORTS = Path("build", "reports")


@dataclass(frozen=True, slots=True)
class Tally:
    """How many passed, failed and were skipped."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped)

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def main(make: str) -> int:
    """Run the stages with the make program given; returns the exit code."""
    started = time.monotonic()
    tallies: dict[str, Tally] = {}
    for stage in (*CHECKS, *(stage for stage in TESTS if stage not in BESIDE)):
        beside = [Beside(make, other) for other, main_stage in BESIDE.items() if main_stage == stage]
        tallies[stage] = _run(make, stage)
        tallies |= {other.stage: other.end() for other in beside}
    total = sum(tallies.values(), Tally())
    print(f"\n== all stages, {time.monotonic() - started:.0f} s")
    for stage, tally in tallies.items():
        print(f"   {'FAILED' if tally.failed else 'ok':<7}{stage:<16}{tally}")
    print(f"\n{total}", flush=True)
    return 1 if total.failed else 0


def _run(make: str, stage: str) -> Tally:
    print(f"\n== {stage}", flush=True)
    report = _fresh_report(stage)
    started = time.monotonic()
    code = subprocess.run([make, "--no-print-directory", stage], check=False).returncode
    return _ended(stage, code, report, time.monotonic() - started)


class Beside:
    """A stage that runs while another one does."""

    def __init__(self, make: str, stage: str) -> None:
        self.stage = stage
        self._report = _fresh_report(stage)
        self._printed = REPORTS.joinpath(f"{stage}.log").open("w+")
        self._started = time.monotonic()
        self._process = subprocess.Popen(
            [make, "--no-print-directory", stage], stdout=self._printed, stderr=subprocess.STDOUT
        )

    def end(self) -> Tally:
        """Wait for it, and print what it printed."""
        code = self._process.wait()
        took = time.monotonic() - self._started
        with self._printed:
            self._printed.seek(0)
            print(f"\n== {self.stage}\n{self._printed.read()}", flush=True)
        return _ended(self.stage, code, self._report, took)


def _fresh_report(stage: str) -> Path:
    report = REPORTS / f"{stage}.xml"
    report.unlink(missing_ok=True)
    return report


def _ended(stage: str, code: int, report: Path, took_s: float) -> Tally:
    print(f"== {stage}: {'ok' if code == 0 else 'FAILED'}, {took_s:.0f} s", flush=True)
    return tally_of_stage(code, report)


def tally_of_stage(code: int, report: Path) -> Tally:
    """Count a stage by its report and its exit code; a stage that failed never counts as free of failures."""
    tally = tally_from_junit(report) if report.is_file() else Tally(passed=int(code == 0))
    if code != 0 and tally.failed == 0:
        tally += Tally(failed=1)  # such as coverage under its limit, or a run that ended before its first test
    return tally


def tally_from_junit(report: Path) -> Tally:
    """Count the cases of one JUnit report; an error counts as a failure."""
    total = Tally()
    for suite in ET.parse(report).getroot().iter("testsuite"):
        tests, failures, errors, skipped = (
            int(suite.get(key, "0")) for key in ("tests", "failures", "errors", "skipped")
        )
        total += Tally(max(0, tests - failures - errors - skipped), failures + errors, skipped)
    return total


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
