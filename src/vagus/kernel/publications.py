"""What travels in channels: publications, who sent them, and where in a channel's stream they stand.

A publication's data is JSON as bytes, validated once when it enters and never decoded on the way through.
"""

from typing import Annotated, Final

import msgspec

Json = msgspec.Raw

NOTHING: Final = msgspec.Raw(b"")
"""The absent JSON value: left out of messages, unlike ``null``."""


class Position(msgspec.Struct, frozen=True):
    """A place in a channel's stream.

    The offset grows by one with each publication. The epoch names the stream itself: it changes when the stream was
    lost or expired, since equal offsets of two different streams say nothing about what a client has missed.
    """

    offset: Annotated[int, msgspec.Meta(ge=0)] = 0
    epoch: str = ""


class ClientInfo(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who is behind a client, as others in a channel see it."""

    user: str
    client: str
    conn_info: Json = NOTHING
    chan_info: Json = NOTHING


class Publication(msgspec.Struct, frozen=True, omit_defaults=True):
    """One message of a channel.

    ``offset`` is 0 in channels without history. ``epoch`` is set on the first publication of a stream alone, for
    clients that followed the channel before it had one. ``time`` is in milliseconds.
    """

    data: Json
    info: ClientInfo | None = None
    offset: int = 0
    tags: dict[str, str] | None = None
    time: int = 0
    epoch: str = ""


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A publication on its way to the broker, which gives it a number and a place.

    ``idempotency_key``: the second draft with the same key in a channel is dropped and answered with the first one's
    position. ``version``: a draft whose version is not above the last one's (within ``version_epoch``) is dropped.
    ``exclude``: the client that shall not get it. ``skip_history``: it is delivered but not kept.
    """

    data: Json
    info: ClientInfo | None = None
    tags: dict[str, str] | None = None
    time: int = 0
    idempotency_key: str = ""
    version: int = 0
    version_epoch: str = ""
    exclude: str = ""
    skip_history: bool = False


class Receipt(msgspec.Struct, frozen=True):
    """What became of a draft: its position, and whether it was dropped as a repetition or as outdated."""

    position: Position = Position()
    dropped: bool = False
