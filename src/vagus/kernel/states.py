"""A client's life as a table: which event leads from one state to the next, and which commands each state takes.

Everything that changes a client's state goes through ``after``; nothing here knows sockets or time.

::

    NEW ──connect──▶ GREETING ──accepted──▶ CONNECTED ──close──▶ CLOSED
                         └─────refused────▶ REFUSED ────close──▶ CLOSED
"""

from enum import Enum, auto
from typing import Final

from . import commands


class State(Enum):
    NEW = auto()
    GREETING = auto()
    """Its connect command is being answered; what it sends meanwhile waits."""
    CONNECTED = auto()
    REFUSED = auto()
    """It was told to come back with another token; what it sends is ignored until it is closed."""
    CLOSED = auto()


class Event(Enum):
    CONNECT = auto()
    ACCEPTED = auto()
    REFUSED = auto()
    CLOSE = auto()


TRANSITIONS: Final[dict[tuple[State, Event], State]] = {
    (State.NEW, Event.CONNECT): State.GREETING,
    (State.GREETING, Event.ACCEPTED): State.CONNECTED,
    (State.GREETING, Event.REFUSED): State.REFUSED,
    (State.NEW, Event.CLOSE): State.CLOSED,
    (State.GREETING, Event.CLOSE): State.CLOSED,
    (State.CONNECTED, Event.CLOSE): State.CLOSED,
    (State.REFUSED, Event.CLOSE): State.CLOSED,
}

_LIVE: Final = (
    commands.Subscribe,
    commands.Unsubscribe,
    commands.Publish,
    commands.Presence,
    commands.PresenceStats,
    commands.History,
    commands.Call,
    commands.Send,
    commands.Refresh,
    commands.SubRefresh,
    commands.Pong,
    commands.Invoke,
    commands.Cancel,
    commands.StreamItem,
    commands.StreamEnd,
    commands.Answer,
)

ACCEPTS: Final[dict[State, frozenset[type]]] = {
    State.NEW: frozenset({commands.Connect}),
    State.GREETING: frozenset(),
    State.CONNECTED: frozenset(_LIVE),
    State.REFUSED: frozenset(),
    State.CLOSED: frozenset(),
}


def after(state: State, event: Event) -> State:
    """The state that follows. Raises ``ValueError`` for a step that the table does not have: a bug of the caller."""
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        raise ValueError(f"a client that is {state.name} cannot have {event.name}") from None
