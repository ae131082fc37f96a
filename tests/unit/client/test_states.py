"""The table of a client's life."""

import itertools
from typing import get_args

import pytest

from vagus.client.states import TRANSITIONS, Event, State, after


def test_a_life_as_it_should_be() -> None:
    state: State = "disconnected"
    told = []
    for event in ("start", "lost", "welcomed", "lost", "welcomed", "close"):
        state = after(state, event)
        told.append(state)
    assert told == ["connecting", "connecting", "connected", "connecting", "connected", "disconnected"]


def test_every_step_that_the_table_lacks_is_a_bug() -> None:
    for step in itertools.product(get_args(State), get_args(Event)):
        if step not in TRANSITIONS:
            with pytest.raises(ValueError, match=f"a client that is {step[0]} cannot have {step[1]}"):
                after(*step)


def test_every_state_can_be_closed_and_an_error_is_left_no_other_way() -> None:
    assert {state for state, event in TRANSITIONS if event == "close"} == set(get_args(State))
    assert [event for state, event in TRANSITIONS if state == "error"] == ["close"]
