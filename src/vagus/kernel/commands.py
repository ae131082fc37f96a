"""What a client can ask for: one closed union, whatever the dialect it speaks.

The field names are those of the native protocol, so that its JSON decodes straight into these values.
"""

from typing import Annotated

import msgspec

from .events import NO_ARGUMENTS
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


class Invoke(msgspec.Struct, frozen=True):
    """Call a function by name with arguments in their order, as dialects with named events do.

    ``arguments`` is a JSON array with placeholders for ``attachments`` (see ``events``). ``streams`` are the numbers of
    streams that the client feeds; they come after the arguments. ``wants_stream`` asks for many results.
    """

    target: str
    arguments: Json = NO_ARGUMENTS
    attachments: tuple[bytes, ...] = ()
    streams: tuple[int, ...] = ()
    wants_stream: bool = False


class Cancel(msgspec.Struct, frozen=True):
    """Want no more results of the ``Invoke`` with this number."""

    number: int


class StreamItem(msgspec.Struct, frozen=True):
    """The next item of a stream that the client feeds."""

    stream: int
    item: Json
    attachments: tuple[bytes, ...] = ()


class StreamEnd(msgspec.Struct, frozen=True):
    """The end of a stream that the client feeds; with an error, if it broke off."""

    stream: int
    error: str = ""


class Answer(msgspec.Struct, frozen=True):
    """What the client answers to a question of the server, or the error it met. ``arguments`` is a JSON array."""

    question: int
    arguments: Json = NO_ARGUMENTS
    attachments: tuple[bytes, ...] = ()
    error: str | None = None


Native = (
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
"""What the native dialect has words for."""

Command = Native | Invoke | Cancel | StreamItem | StreamEnd | Answer
