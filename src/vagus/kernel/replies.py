"""What the server says: one closed union of replies to commands, and one of pushes that nobody asked for.

The field names are those of the native protocol. A field at its default is left out on the wire.
"""

import msgspec

from .codes import Closure, Ending, Fault
from .publications import NOTHING, ClientInfo, Json, Publication


class Subscribed(msgspec.Struct, frozen=True, omit_defaults=True):
    """The subscription stands. ``offset`` and ``epoch`` say from where its live flow starts."""

    expires: bool = False
    ttl: int = 0
    recoverable: bool = False
    epoch: str = ""
    publications: tuple[Publication, ...] = ()
    recovered: bool = False
    offset: int = 0
    positioned: bool = False
    data: Json = NOTHING
    was_recovering: bool = False
    delta: bool = False


class Connected(msgspec.Struct, frozen=True, omit_defaults=True):
    """The connection stands. ``ping`` is the interval in seconds; ``pong`` asks the client to answer."""

    client: str
    version: str
    expires: bool = False
    ttl: int = 0
    data: Json = NOTHING
    subs: dict[str, Subscribed] | None = None
    ping: int = 0
    pong: bool = False
    session: str = ""
    node: str = ""
    time: int = 0


class Unsubscribed(msgspec.Struct, frozen=True):
    pass


class Published(msgspec.Struct, frozen=True):
    pass


class PresenceResult(msgspec.Struct, frozen=True):
    presence: dict[str, ClientInfo]


class PresenceStatsResult(msgspec.Struct, frozen=True):
    num_clients: int = 0
    num_users: int = 0


class HistoryResult(msgspec.Struct, frozen=True):
    publications: tuple[Publication, ...] = ()
    epoch: str = ""
    offset: int = 0


class CallResult(msgspec.Struct, frozen=True, omit_defaults=True):
    """``attachments`` are for the places that ``data`` marks (see ``events``)."""

    data: Json = NOTHING
    attachments: tuple[bytes, ...] = ()


class Refreshed(msgspec.Struct, frozen=True, omit_defaults=True):
    expires: bool = False
    ttl: int = 0


class SubRefreshed(msgspec.Struct, frozen=True, omit_defaults=True):
    expires: bool = False
    ttl: int = 0


Reply = (
    Fault
    | Connected
    | Subscribed
    | Unsubscribed
    | Published
    | PresenceResult
    | PresenceStatsResult
    | HistoryResult
    | CallResult
    | Refreshed
    | SubRefreshed
)


class Joined(msgspec.Struct, frozen=True):
    """Somebody came to a channel."""

    channel: str
    info: ClientInfo


class Left(msgspec.Struct, frozen=True):
    """Somebody left a channel."""

    channel: str
    info: ClientInfo


class Ended(msgspec.Struct, frozen=True):
    """The server ended a subscription; ``is_attached`` says that it had made it too."""

    channel: str
    ending: Ending
    is_attached: bool = False


class Attached(msgspec.Struct, frozen=True):
    """The server made a subscription for the client."""

    channel: str
    subscribed: Subscribed


class Message(msgspec.Struct, frozen=True):
    """Data for this connection alone, in no channel."""

    data: Json


class Renewed(msgspec.Struct, frozen=True):
    """The server moved the connection's expiry."""

    expires: bool
    ttl: int


class Farewell(msgspec.Struct, frozen=True):
    """The last message on transports that have no close frame."""

    closure: Closure


Push = Joined | Left | Ended | Attached | Message | Renewed | Farewell
