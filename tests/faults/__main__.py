"""``python -m tests.faults``: every scenario with one seed after the other, a line for each run, a verdict at the end.

``--seed`` and ``--scenario`` replay one run. The logs of a run that broke a promise stay in build/faults.
"""

import argparse
import os
import resource
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Final

from .ledger import shortened
from .passes import FOLDER, run_named
from .runs import Outcome
from .scenarios import SCENARIOS

OPEN_FILES: Final = 40_000


def main() -> int:
    arguments = _arguments()
    _allow_open_files()
    seeds = [arguments.seed] if arguments.seed is not None else range(1, arguments.seeds + 1)
    names = [arguments.scenario] if arguments.scenario else list(SCENARIOS)
    started = time.monotonic()
    outcomes = []
    with ProcessPoolExecutor(arguments.jobs, get_context("spawn")) as processes:
        for outcome in processes.map(run_named, *zip(*[(name, seed) for seed in seeds for name in names], strict=True)):
            outcomes.append(outcome)
            _tell(outcome)
    _conclude(outcomes, time.monotonic() - started)
    return 1 if any(outcome.violations for outcome in outcomes) else 0


def _arguments() -> argparse.Namespace:
    """Flags, or the variables of the same names that make hands on."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=int(os.environ.get("SEEDS") or 20), help="how many: 1 to this")
    parser.add_argument("--seed", type=int, default=int(os.environ["SEED"]) if os.environ.get("SEED") else None)
    parser.add_argument("--jobs", type=int, default=int(os.environ.get("JOBS") or 2), help="runs at the same time")
    parser.add_argument("--scenario", choices=SCENARIOS, default=os.environ.get("SCENARIO") or None)
    return parser.parse_args()


def _allow_open_files() -> None:
    """As many as the system lets this process and those that it starts have: each client is one on either side."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < OPEN_FILES:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(OPEN_FILES, hard), hard))


def _tell(outcome: Outcome) -> None:
    _say(outcome.line())
    for line in (*outcome.remarks, *shortened(outcome.violations)):
        _say(f"    {line}")


def _conclude(outcomes: list[Outcome], seconds: float) -> None:
    _say(f"\n{'scenario':<18} {'runs':>5} {'failed':>7} {'seen':>9} {'recovered':>10} {'told':>7} {'longest':>8}")
    for name in dict.fromkeys(outcome.scenario for outcome in outcomes):
        runs = [outcome for outcome in outcomes if outcome.scenario == name]
        _say(
            f"{name:<18} {len(runs):>5} {sum(bool(run.violations) for run in runs):>7}"
            f" {sum(run.tally.deliveries for run in runs):>9} {sum(run.tally.recovered for run in runs):>10}"
            f" {sum(run.tally.told for run in runs):>7} {max(run.seconds for run in runs):>6.1f} s"
        )
    failed = [outcome for outcome in outcomes if outcome.violations]
    for outcome in failed:
        logs = FOLDER / f"{outcome.scenario}-{outcome.seed}"
        _say(f"again: make faults SEED={outcome.seed} SCENARIO={outcome.scenario}    logs: {logs}")
    _say(f"\n{len(outcomes)} runs in {seconds:.0f} s, {len(failed)} broke a promise")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
