"""The schema's number: what is due, what is refused, and that the history fits it."""

import pytest

from vagus.kernel.errors import StoreError
from vagus.store.migrating import FOLDER, Migrations
from vagus.store.schema import HEAD, known


def test_an_empty_database_and_an_old_one_are_due() -> None:
    assert known("").is_due
    assert known("0000").is_due
    assert not known(HEAD).is_due


@pytest.mark.parametrize("present", ["9999", "00001", "ae1027a6acf", "1"])
def test_what_is_newer_or_not_ours_is_refused(present: str) -> None:
    with pytest.raises(StoreError) as caught:
        known(present)
    assert present in str(caught.value)
    assert not caught.value.retryable


def test_the_history_leads_to_the_schema_that_is_needed() -> None:
    steps = Migrations().due("")
    numbers = [step.revision for step in steps]
    assert numbers == [f"{number:04}" for number in range(1, len(steps) + 1)]
    assert numbers[-1] == HEAD
    assert all(step.text and len(step.text) < 100 for step in steps)
    assert len(list((FOLDER / "versions").glob("r*.py"))) == len(steps)


def test_nothing_is_due_at_the_head() -> None:
    assert Migrations().due(HEAD) == ()
