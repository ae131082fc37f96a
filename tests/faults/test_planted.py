"""The proof of the proof: a server with a bug put in on purpose is found out, and the same server without it is not."""

import sys
from pathlib import Path

import pytest

from tests.faults.planted import BUGS
from tests.faults.runs import Plan, Run, run_once

RULES = {
    "leaves_one_out": {"gap", "missed"},
    "repeats_one": {"repeated", "seen twice"},
    "swaps_two": {"gap", "repeated"},
    "recovers_all_but_one": {"gap", "missed"},
    "recovers_all_but_the_last": {"gap", "missed"},
    "says_recovered_falsely": {"gap", "missed"},
    "says_lost_falsely": {"told without reason"},
    "acknowledges_what_it_drops": {"missed"},
    "forgets_keys": {"doubled", "seen twice"},
}

pytestmark = pytest.mark.timeout(60)


async def lose_everybody(run: Run) -> None:
    """Nobody can connect while more is published than the short channel keeps."""
    front = run.town.nodes[0].front
    front.cut()
    await run.pause(0.3, 0.3)
    for subscriber in run.swarm.subscribers:
        subscriber.client.fall_silent()
        subscriber.client.lose("sleeps")
    short = run.plan.channels[-1]
    before = len(run.ledger.sent[short])
    while len(run.ledger.sent[short]) < before + 60:
        await run.pause(0.05, 0.05)


def plan_with(serve: tuple[str, ...]) -> Plan:
    return Plan(
        name="planted",
        what="",
        act=lose_everybody,
        nodes=1,
        durability=None,
        channels=("deep:1", "short:1"),
        subscribers=6,
        writers=4,
        speakers=1,
        rate=60.0,
        serve=serve,
    )


@pytest.mark.parametrize("bug", BUGS)
def test_a_planted_bug_is_found(bug: str, tmp_path: Path) -> None:
    outcome = run_once(plan_with((sys.executable, "-m", "tests.faults.planted", bug)), 1, tmp_path)
    assert RULES[bug] <= {violation.rule for violation in outcome.violations}


def test_the_same_run_without_a_bug_breaks_no_rule(tmp_path: Path) -> None:
    outcome = run_once(plan_with(()), 1, tmp_path)
    assert outcome.violations == []
    assert outcome.tally.recovered > 0
    assert outcome.tally.told > 0
