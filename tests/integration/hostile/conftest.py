"""A house for the tests of a module, with a bystander who must notice nothing and a log in which no error may stand."""

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import structlog

from tests.integration.hostile.house import ANYTHING_GOES, Bystander, House
from vagus import Hub


class Errors(logging.Handler):
    """Keeps what is logged as an error, by us or by anything below us."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.seen: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.seen.append(self.format(record))


@pytest.fixture(autouse=True)
def nothing_goes_wrong_in_the_log() -> Iterator[None]:
    errors = Errors()
    names = ("", "asyncio", "uvicorn", "uvicorn.error")  # uvicorn's loggers do not propagate
    for name in names:
        logging.getLogger(name).addHandler(errors)
    with structlog.testing.capture_logs() as events:
        yield
    for name in names:
        logging.getLogger(name).removeHandler(errors)
    assert not [event for event in events if event["log_level"] in ("error", "critical") or "failed" in event["event"]]
    assert not errors.seen


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    """The house of a module, whose hub lets anybody in."""
    with House(Hub(rules=[ANYTHING_GOES], allow_anonymous=True)) as house:
        yield house


@pytest.fixture
def unharmed(house: House) -> Iterator[House]:
    """The module's house; at the end it holds nothing more than before, and the bystander has seen everything."""
    bystander = Bystander(house)
    before = house.facts()
    yield house
    house.comes_back_to(before)
    bystander.saw_everything()


@pytest.fixture
def build() -> Iterator[Callable[..., House]]:
    """Build a house of one's own: ``build(hub, origins=…)``."""
    with ExitStack() as stack:

        def built(hub: Hub, **gate: Any) -> House:
            return stack.enter_context(House(hub, **gate))

        yield built
