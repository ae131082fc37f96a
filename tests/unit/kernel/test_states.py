"""The table of a client's life: closed, whole, and every state has an end."""

from typing import get_args

import pytest

from vagus.kernel import commands
from vagus.kernel.states import ACCEPTS, TRANSITIONS, Event, State, after


def test_the_table_knows_states_and_events_alone() -> None:
    assert {state for state, _ in TRANSITIONS} | set(TRANSITIONS.values()) == set(State)
    assert {event for _, event in TRANSITIONS} == set(Event)


def test_every_transition_can_be_reached_from_the_beginning() -> None:
    reached = {State.NEW}
    for _ in State:
        reached |= {after for (state, _), after in TRANSITIONS.items() if state in reached}
    assert reached == set(State)


def test_every_state_can_close_and_closed_is_final() -> None:
    for state in State:
        assert ((state, Event.CLOSE) in TRANSITIONS) == (state is not State.CLOSED)
    assert not any(state is State.CLOSED for state, _ in TRANSITIONS)


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("event", Event)
def test_a_step_follows_the_table_or_is_a_bug(state: State, event: Event) -> None:
    if (state, event) in TRANSITIONS:
        assert after(state, event) is TRANSITIONS[state, event]
    else:
        with pytest.raises(ValueError, match=f"{state.name} cannot have {event.name}"):
            after(state, event)


def test_it_is_said_for_every_state_which_commands_it_takes() -> None:
    assert set(ACCEPTS) == set(State)


def test_every_command_is_taken_in_exactly_one_state() -> None:
    taken = [command for accepted in ACCEPTS.values() for command in accepted]
    assert sorted(taken, key=repr) == sorted(get_args(commands.Command), key=repr)
