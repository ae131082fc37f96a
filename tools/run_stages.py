"""Runs every stage of `make test` in rounds, and closes with one line that counts them all.

The stages of a round run one after the other, and one more beside them that leaves the processors idle for much of its
time; what that one prints comes when it ends. A stage is a make target. One that fails does not keep the later ones
from running. A stage of tests leaves a JUnit report, whose cases are counted; any other stage counts as one. The
closing line has the form `N passed, N failed, N skipped`, and the exit code is 1 when anything failed.

A machine that stalls for seconds fails one of thousands of tests now and then. A few that fail run once more, without
the others; whatever passes only then is named before the closing line, since somebody has to find out why.
"""

import shlex
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

REPORTS = Path("build", "reports")

AGAIN = frozenset({"unit", "conformance", "faults-once", "integration", "browser", "examples", "web"})
"""The stages whose tests run real clocks, sockets or processes."""

MOST_AGAIN = 3
"""So many failures of a stage may be the machine's; more are ours."""


@dataclass(frozen=True, slots=True)
class Round:
    """Stages in their order, and one beside all of them."""

    stages: tuple[str, ...]
    beside: str = ""


ROUNDS = (
    Round(("check-types", "check-format", "check-lint", "check-layers", "check-spelling"), beside="check-web"),
    Round(("kernel", "unit", "conformance"), beside="faults-once"),
    Round(("integration",)),
    Round(("browser",)),
    Round(("examples",), beside="web"),
)


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
    wavering: list[str] = []
    for each in ROUNDS:
        beside = Beside(make, each.beside) if each.beside else None
        for stage in each.stages:
            tallies[stage] = _run(make, stage)
        if beside is not None:
            tallies[beside.stage] = beside.end()
        for stage in (*each.stages, each.beside):
            if stage in AGAIN and 0 < tallies[stage].failed <= MOST_AGAIN:
                tallies[stage], passed = run_again(make, stage, tallies[stage])
                wavering += passed
    total = sum(tallies.values(), Tally())
    print(f"\n== all stages, {time.monotonic() - started:.0f} s")
    for stage, tally in tallies.items():
        print(f"   {'FAILED' if tally.failed else 'ok':<7}{stage:<16}{tally}")
    for name in wavering:
        print(f"   passed only when it was run again: {name}")
    print(f"\n{total}", flush=True)
    return 1 if total.failed else 0


def _run(make: str, stage: str) -> Tally:
    print(f"\n== {stage}", flush=True)
    report = _fresh_report(stage)
    started = time.monotonic()
    code = subprocess.run([make, "--no-print-directory", stage], check=False).returncode
    return _ended(stage, code, report, time.monotonic() - started)


def run_again(make: str, stage: str, first: Tally) -> tuple[Tally, list[str]]:
    """Run what failed of a stage once more. Returns how the stage stands then, and what passed only now."""
    failed = cases_in(REPORTS / f"{stage}.xml", failed=True)
    names = sorted(map(str, failed))
    print(f"\n== {stage}, once more: {', '.join(names) or 'nothing that could be named'}", flush=True)
    if len(failed) != first.failed:
        return first, []
    report = _fresh_report(stage)
    only = " ".join(sorted({shlex.quote(case.argument) for case in failed})).replace("$", "$$")
    code = subprocess.run([make, "--no-print-directory", stage, f"ONLY={only}"], check=False).returncode
    still = cases_in(report, failed=True)
    if not (failed <= cases_in(report) and still <= failed and bool(code) == bool(still)):
        return first, []
    passed = sorted(map(str, failed - still))
    return Tally(first.passed + len(passed), len(still), first.skipped), passed


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


@dataclass(frozen=True, slots=True)
class Case:
    """A test as a JUnit report names it: by its module, of Python, or by its file, of the web."""

    classname: str
    name: str

    @property
    def argument(self) -> str:
        """What its runner is told to run this one, or, on the web, its file."""
        parts = self.classname.split(".")
        for end in range(len(parts), 0, -1):
            file = Path(*parts[:end]).with_suffix(".py")
            if file.is_file():
                return "::".join((str(file), *parts[end:], self.name))
        return self.classname

    def __str__(self) -> str:
        return f"{self.classname}::{self.name}"


def cases_in(report: Path, *, failed: bool = False) -> set[Case]:
    """The cases of a report, or those that failed, also while they were set up or taken down."""
    if not report.is_file():
        return set()
    return {
        Case(case.get("classname", ""), case.get("name", ""))
        for case in ET.parse(report).getroot().iter("testcase")
        if not failed or {"failure", "error"} & {child.tag for child in case}
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
