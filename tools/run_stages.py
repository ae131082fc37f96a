"""Runs every stage of `make test`, one after the other, and closes with one line that counts them all.

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
    tallies = {stage: _run(make, stage) for stage in CHECKS + TESTS}
    total = sum(tallies.values(), Tally())
    print(f"\n== all stages, {time.monotonic() - started:.0f} s")
    for stage, tally in tallies.items():
        print(f"   {'FAILED' if tally.failed else 'ok':<7}{stage:<16}{tally}")
    print(f"\n{total}", flush=True)
    return 1 if total.failed else 0


def _run(make: str, stage: str) -> Tally:
    print(f"\n== {stage}", flush=True)
    report = REPORTS / f"{stage}.xml"
    report.unlink(missing_ok=True)
    started = time.monotonic()
    code = subprocess.run([make, "--no-print-directory", stage], check=False).returncode
    print(f"== {stage}: {'ok' if code == 0 else 'FAILED'}, {time.monotonic() - started:.0f} s", flush=True)
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
