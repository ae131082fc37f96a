"""Sessions of transports that take several requests: each is found again by a secret that only its client was told.

The secret alone lets a request in, so it is long, random, and never logged. Where a request for it may come to another
node of the same machine, it begins with the name of the node that holds the session (see ``siblings``).
"""

import secrets
from typing import Final, Generic, TypeVar

T = TypeVar("T")

BOUND: Final = 10_000
"""Sessions on one node, unless it is told otherwise: each holds an open request or waits for the next one."""

SECRET_BYTES: Final = 24

NAME_LETTERS: Final = 12
"""Of a node's id, by which its siblings on the same machine know it."""


def name_of_node(node_id: str) -> str:
    return node_id[:NAME_LETTERS]


class TooManySessionsError(Exception):
    """There is no room for one session more; somebody has to leave first."""


class Sessions(Generic[T]):
    """Values by their secrets, of which there are at most ``bound``. Secrets begin with ``home``, the node's name."""

    __slots__ = ("_bound", "_home", "_values")

    def __init__(self, bound: int = BOUND, *, home: str = "") -> None:
        self._bound = bound
        self._home = home
        self._values: dict[str, T] = {}

    def __len__(self) -> int:
        return len(self._values)

    @property
    def is_full(self) -> bool:
        """Whether ``add`` would raise: worth asking before anything is promised to a client."""
        return len(self._values) >= self._bound

    def add(self, value: T) -> str:
        """The secret of a new session, of letters that URLs take as they are. Raises ``TooManySessionsError``."""
        if self.is_full:
            raise TooManySessionsError
        secret = self._home + secrets.token_urlsafe(SECRET_BYTES)
        self._values[secret] = value
        return secret

    def get(self, secret: str) -> T | None:
        return self._values.get(secret)

    def remove(self, secret: str) -> T | None:
        """What the session held, if it was there."""
        return self._values.pop(secret, None)
