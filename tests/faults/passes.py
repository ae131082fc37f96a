"""A run by the names of its scenario and its seed, as any process can be asked for it."""

import shutil
from pathlib import Path
from typing import Final

from .runs import Outcome, run_once
from .scenarios import SCENARIOS

FOLDER: Final = Path("build", "faults")
"""Where the logs of a run that broke a promise stay."""


def run_named(name: str, seed: int) -> Outcome:
    folder = FOLDER / f"{name}-{seed}"
    shutil.rmtree(folder, ignore_errors=True)
    outcome = run_once(SCENARIOS[name], seed, folder.absolute())
    if not outcome.violations:
        shutil.rmtree(folder, ignore_errors=True)
    return outcome
