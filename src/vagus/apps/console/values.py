"""What the console's door takes and answers. Times are milliseconds since 1970."""

from typing import Annotated, Literal

import msgspec

from .sessions import Method as Way
from .sessions import Session

Shown = Annotated[str, msgspec.Meta(max_length=8192)]
Method = Way | Literal["none"]


class SignIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Exactly one of: the code of a link; a user with a password; a token."""

    code: Shown = ""
    user: Annotated[str, msgspec.Meta(max_length=64)] = ""
    password: Annotated[str, msgspec.Meta(max_length=256)] = ""
    token: Shown = ""

    def __post_init__(self) -> None:
        ways = [bool(self.code), bool(self.user or self.password), bool(self.token)]
        if ways.count(True) != 1 or bool(self.user) != bool(self.password):
            raise ValueError("either code, or user and password, or token is needed")

    @property
    def method(self) -> Way:
        if self.code:
            return "link"
        return "password" if self.password else "token"

    def __repr__(self) -> str:
        return "SignIn(...)"


class SignedIn(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Who has signed in. ``id`` is the session's; with ``insecure`` there is none, and nothing ends.

    The session ends at ``expires_at``, and before that when nothing used it for ``idle_ms``.
    """

    id: str
    user: str
    roles: list[str]
    method: Method
    expires_at: int | None
    idle_ms: int | None
    insecure: bool
    version: str
    node: str


class ListedSession(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One session. ``current`` is the one that asks; ``address`` and ``agent`` are where it was begun."""

    id: str
    user: str
    roles: list[str]
    method: Method
    created_at: int
    seen_at: int
    expires_at: int
    address: str
    agent: str
    current: bool


class SessionList(msgspec.Struct, frozen=True):
    """Newest first."""

    sessions: list[ListedSession]


def milliseconds(at: float) -> int:
    return int(at * 1000)


def listed(session: Session, *, current: str) -> ListedSession:
    """``current`` is the id of the session that asks."""
    return ListedSession(
        id=session.id,
        user=session.user,
        roles=sorted(session.roles),
        method=session.method,
        created_at=milliseconds(session.created_at),
        seen_at=milliseconds(session.seen_at),
        expires_at=milliseconds(session.expires_at),
        address=session.address,
        agent=session.agent,
        current=session.id == current,
    )
