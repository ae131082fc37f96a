"""What a client can ask for: one closed union, whatever the dialect it speaks.

The field names are those of the native protocol, so that its JSON decodes straight into these values.
"""

from typing import Annotated

import msgspec

from .filters import FilterNode
from .publications import NOTHING, Json, Position

Offset = Annotated[int, msgspec.Meta(ge=0)]
Small = Annotated[int, msgspec.Meta(ge=-(2**31), le=2**31 - 1)]
Flags = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]


class Subscribe(msgspec.Struct, frozen=True):
    """Follow a channel; with ``recover``, from ``offset`` of ``epoch`` on."""

    channel: str = ""
    token: str = ""
    recover: bool = False
    epoch: str = ""
    offset: Offset = 0
    data: Json = NOTHING
    positioned: bool = False
    recoverable: bool = False
    join_leave: bool = False
    delta: str = ""
    tf: FilterNode | None = None
    flag: Flags = 0
    type: Small = 0

    @property
    def position(self) -> Position:
        return Position(self.offset, self.epoch)


class Connect(msgspec.Struct, frozen=True):
    """The first command: who is there. ``subs`` holds the positions of subscriptions that the server makes."""

    token: str = ""
    data: Json = NOTHING
    subs: dict[str, Subscribe] | None = None
    name: str = ""
    version: str = ""
    headers: dict[str, str] | None = None
    flag: Flags = 0


class Unsubscribe(msgspec.Struct, frozen=True):
    channel: str = ""


class Publish(msgspec.Struct, frozen=True):
    channel: str = ""
    data: Json = NOTHING


class Presence(msgspec.Struct, frozen=True):
    channel: str = ""


class PresenceStats(msgspec.Struct, frozen=True):
    channel: str = ""


class History(msgspec.Struct, frozen=True):
    """Publications of a channel. ``limit`` 0 asks for the position only, a negative one for as many as allowed."""

    channel: str = ""
    limit: Small = 0
    since: Position | None = None
    reverse: bool = False


class Call(msgspec.Struct, frozen=True):
    """A request with a reply."""

    method: str = ""
    data: Json = NOTHING


class Send(msgspec.Struct, frozen=True):
    """A message without a reply."""

    data: Json = NOTHING


class Refresh(msgspec.Struct, frozen=True):
    """A new token for the connection."""

    token: str = ""


class SubRefresh(msgspec.Struct, frozen=True):
    """A new token for a subscription."""

    channel: str = ""
    token: str = ""


class Pong(msgspec.Struct, frozen=True):
    """The answer to the server's ping."""


Command = (
    Connect
    | Subscribe
    | Unsubscribe
    | Publish
    | Presence
    | PresenceStats
    | History
    | Call
    | Send
    | Refresh
    | SubRefresh
    | Pong
)
