"""What the server API takes and gives, in the form of Centrifugo's, so that its client libraries fit.

Fields that are not named here are ignored, since client libraries evolve. The descriptions are the documentation's.
Bounds on numbers keep what is passed on inside what Python, JSON readers and brokers all count exactly.
"""

from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from vagus.kernel.publications import NOTHING, Json

_EXACT: Final = 2**53 - 1
"""The largest whole number that every JSON reader keeps."""

_LATEST: Final = 253_402_300_799
"""The last second of the year 9999."""

ChannelName = Annotated[str, Meta(description="Name of the channel.")]
UserName = Annotated[str, Meta(description="Every connection of this user, on every node.")]
ClientId = Annotated[str, Meta(description="One connection alone; together with `user` only if it is that user's.")]
Session = Annotated[
    str,
    Meta(
        description="The connection that was told this session: one of HTTP streaming or SSE. Together with `user` or "
        "`client` only if it is theirs."
    ),
]
Data = Annotated[Json, Meta(description="Any JSON. It is passed on as it came.")]
Base64 = Annotated[str, Meta(description="Instead of the field without `b64`: its JSON in base64.")]
Second = Annotated[int, Meta(ge=0, le=_LATEST, description="Seconds since 1970; 0 for never.")]
Tags = Annotated[dict[str, str], Meta(description="Labels that subscribers may filter by.")]
SkipHistory = Annotated[bool, Meta(description="Deliver it, but do not keep it.")]
Key = Annotated[str, Meta(description="A repetition with the same key within five minutes is dropped.")]
Delta = Annotated[bool, Meta(description="Accepted for compatibility: the channel's rule decides about deltas.")]
Version = Annotated[
    int,
    Meta(ge=0, le=2**63 - 1, description="Dropped unless it is above the version of the last publication; 0 for none."),
]
VersionEpoch = Annotated[str, Meta(description="Versions are compared within one epoch.")]
Exclude = Annotated[str, Meta(description="The client that shall not get it, such as the one that caused it.")]


class Place(msgspec.Struct, frozen=True):
    """A position in a channel's stream."""

    offset: Annotated[int, Meta(ge=0, le=_EXACT, description="The number of a publication.")] = 0
    epoch: Annotated[str, Meta(description="The stream that the number belongs to.")] = ""


class Publish(msgspec.Struct, frozen=True):
    channel: ChannelName
    data: Data = NOTHING
    b64data: Base64 = ""
    skip_history: SkipHistory = False
    tags: Tags | None = None
    idempotency_key: Key = ""
    delta: Delta = False
    version: Version = 0
    version_epoch: VersionEpoch = ""
    exclude: Exclude = ""


class Broadcast(msgspec.Struct, frozen=True):
    channels: Annotated[list[str], Meta(description="Names of the channels.")]
    data: Data = NOTHING
    b64data: Base64 = ""
    skip_history: SkipHistory = False
    tags: Tags | None = None
    idempotency_key: Key = ""
    delta: Delta = False
    version: Version = 0
    version_epoch: VersionEpoch = ""
    exclude: Exclude = ""


class Broadcasted(msgspec.Struct, frozen=True):
    responses: Annotated[
        list[Any], Meta(description="For each channel, in order: `result` with `offset` and `epoch`, or `error`.")
    ]


class BoolValue(msgspec.Struct, frozen=True):
    value: bool = False


class Override(msgspec.Struct, frozen=True):
    """Options of the channel's rule that are different for this subscription."""

    presence: BoolValue | None = None
    join_leave: BoolValue | None = None
    force_push_join_leave: BoolValue | None = None
    force_positioning: BoolValue | None = None
    force_recovery: BoolValue | None = None


class Subscribe(msgspec.Struct, frozen=True):
    channel: ChannelName
    user: UserName = ""
    client: ClientId = ""
    session: Session = ""
    info: Annotated[Json, Meta(description="Shown to others in the channel.")] = NOTHING
    b64info: Base64 = ""
    data: Annotated[Json, Meta(description="Handed to the client with its subscription.")] = NOTHING
    b64data: Base64 = ""
    recover_since: Annotated[Place, Meta(description="Replay what was published after it.")] | None = None
    expire_at: Second = 0
    override: Override | None = None


class Unsubscribe(msgspec.Struct, frozen=True):
    channel: ChannelName
    user: UserName = ""
    client: ClientId = ""
    session: Session = ""


class CloseReason(msgspec.Struct, frozen=True):
    """What clients are told. They come back for 3000-3499 and 4000-4499, and stay away for the others."""

    code: Annotated[int, Meta(ge=0, le=4999, description="3000 to 4999; 0 for the usual one, 3503.")] = 0
    reason: Annotated[str, Meta(description="At most 123 bytes.")] = ""


class Disconnect(msgspec.Struct, frozen=True):
    user: UserName = ""
    client: ClientId = ""
    session: Session = ""
    whitelist: Annotated[list[str], Meta(description="Clients of the user that stay.")] = []
    disconnect: CloseReason | None = None


class Refresh(msgspec.Struct, frozen=True):
    user: UserName = ""
    client: ClientId = ""
    session: Session = ""
    expired: Annotated[bool, Meta(description="Close the connections as expired, now.")] = False
    expire_at: Second = 0


class OfChannel(msgspec.Struct, frozen=True):
    channel: ChannelName


class History(msgspec.Struct, frozen=True):
    channel: ChannelName
    limit: Annotated[
        int, Meta(ge=-1, le=2**31 - 1, description="How many at most; 0 for the position alone, -1 for everything.")
    ] = 0
    since: Annotated[Place, Meta(description="Only what came after it (before it, if reversed).")] | None = None
    reverse: Annotated[bool, Meta(description="The newest first.")] = False


class Channels(msgspec.Struct, frozen=True):
    pattern: Annotated[str, Meta(description="A glob, such as `orders:*`; all channels without it.")] = ""


class ChannelFigures(msgspec.Struct, frozen=True):
    num_clients: Annotated[int, Meta(description="Subscribers.")]


class ChannelsFound(msgspec.Struct, frozen=True):
    channels: Annotated[dict[str, ChannelFigures], Meta(description="By name.")]


class Metrics(msgspec.Struct, frozen=True):
    """Totals since the start."""

    interval: Annotated[float, Meta(description="The seconds that the totals cover.")]
    items: Annotated[dict[str, float], Meta(description="By name.")]


class Process(msgspec.Struct, frozen=True):
    cpu: Annotated[float, Meta(description="Percent of one core, over the last seconds.")]
    rss: Annotated[int, Meta(description="Bytes of memory in use.")]


class NodeFigures(msgspec.Struct, frozen=True):
    uid: Annotated[str, Meta(description="New at every start.")]
    name: str
    version: str
    num_clients: int
    num_users: int
    num_subs: int
    num_channels: int
    uptime: Annotated[int, Meta(description="In seconds.")]
    metrics: Metrics
    process: Process


class Info(msgspec.Struct, frozen=True):
    """Nothing is asked."""


class InfoFound(msgspec.Struct, frozen=True):
    nodes: list[NodeFigures]


class Done(msgspec.Struct, frozen=True):
    """Nothing more to say."""
