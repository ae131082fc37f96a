"""Every scenario once, with its first seed and a smaller crowd; ``make faults`` runs them with many."""

import shutil
from pathlib import Path

import msgspec
import pytest

from tests.faults.ledger import shortened
from tests.faults.passes import FOLDER
from tests.faults.runs import run_once
from tests.faults.scenarios import SCENARIOS

CROWD = 1000
"""The most clients here; ten thousand take longer than a test may."""

SHORTER = 0.6
"""How long scenarios let things go on, beside what they do with many seeds."""

pytestmark = [pytest.mark.timeout(120), pytest.mark.usefixtures("redis_program")]


@pytest.mark.parametrize("name", SCENARIOS)
def test_no_promise_is_broken(name: str, tmp_path: Path) -> None:
    plan = SCENARIOS[name]
    plan = msgspec.structs.replace(plan, subscribers=min(plan.subscribers, CROWD))
    outcome = run_once(plan, 1, tmp_path, pace=SHORTER)
    if outcome.violations:
        shutil.copytree(tmp_path, FOLDER / "once" / name, dirs_exist_ok=True)
    assert shortened(outcome.violations) == [], outcome.line()
    assert outcome.tally.deliveries > 0
