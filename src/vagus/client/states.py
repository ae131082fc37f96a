"""A client's life as a table, and what is told of it. Nothing here knows sockets or time.

::

    disconnected ──start──▶ connecting ──welcomed──▶ connected
          ▲                  │  ▲  └─────lost──────────┘ │
          │                lost └┘                       │
          └──close── error ◀──────────failed─────────────┘
"""

from typing import Final, Literal, get_args

import msgspec

State = Literal["disconnected", "connecting", "connected", "error"]
Event = Literal["start", "welcomed", "lost", "failed", "close"]

TRANSITIONS: Final[dict[tuple[State, Event], State]] = {
    ("disconnected", "start"): "connecting",
    ("connecting", "welcomed"): "connected",
    ("connecting", "lost"): "connecting",
    ("connecting", "failed"): "error",
    ("connected", "lost"): "connecting",
    ("connected", "failed"): "error",
    **{(state, "close"): "disconnected" for state in get_args(State)},
}


def after(state: State, event: Event) -> State:
    """The state that follows. Raises ``ValueError`` for a step that the table does not have: a bug of the caller."""
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        raise ValueError(f"a client that is {state} cannot have {event}") from None


class Status(msgspec.Struct, frozen=True):
    """How a client does.

    * ``connecting``: the first connection, or a lost one, is being made; ``retry_at`` says when it is tried next;
    * ``connected``: all is well;
    * ``disconnected``: not started, or closed;
    * ``error``: given up, or refused for good; ``reason`` and ``code`` say why.

    Times are seconds since 1970.
    """

    state: State = "disconnected"
    reason: str = ""
    """What happened, in words for a person; empty while all is well."""
    code: int = 0
    """The number of the closure or fault behind it; 0 if there is none."""
    since: float = 0.0
    attempt: int = 0
    """Attempts since the last connection; 0 while connected."""
    retry_at: float | None = None
    client: str = ""
    """This connection's id, as presence shows it; empty while there is none."""
