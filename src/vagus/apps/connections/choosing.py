"""Which clients and channels are asked for, in which order, and where a page of them begins.

Questions are values that are valid or refused, and travel between nodes as they are. A cursor holds the place of the
last row that was given, so that a page goes on after it whatever came or went meanwhile.
"""

import fnmatch
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from typing import Annotated, Final, Literal, TypeVar, get_args

import msgspec

MAX_PATTERN: Final = 255
MAX_CURSOR: Final = 2048
KEY_LENGTH: Final = 128
"""Of a text that rows are ordered by; beyond it, ids decide."""

Order = TypeVar("Order", bound=str)
ClientOrder = Literal[
    "user",
    "dialect",
    "address",
    "node",
    "connectedAt",
    "channels",
    "messagesIn",
    "messagesOut",
    "bytesIn",
    "bytesOut",
    "queueBytes",
    "messagesInPerSecond",
    "messagesOutPerSecond",
    "bytesInPerSecond",
    "bytesOutPerSecond",
]
ChannelOrder = Literal["name", "subscribers", "publications", "publicationsPerSecond"]

CLIENT_ORDERS: Final[tuple[ClientOrder, ...]] = get_args(ClientOrder)
CHANNEL_ORDERS: Final[tuple[ChannelOrder, ...]] = get_args(ChannelOrder)

Pattern = Annotated[str, msgspec.Meta(max_length=MAX_PATTERN)]
Key = tuple[str | float, str]
"""Where a row stands: what it is ordered by, then its id."""


class ClientsWanted(msgspec.Struct, frozen=True, kw_only=True):
    """Some clients, in an order; ``after`` is where a page goes on. Empty filters let everything through."""

    user: Pattern = ""
    channel: Pattern = ""
    dialect: Pattern = ""
    slow: bool | None = None
    order: ClientOrder = "connectedAt"
    descending: bool = True
    limit: Annotated[int, msgspec.Meta(ge=1, le=500)] = 100
    after: Key | None = None


class ChannelsWanted(msgspec.Struct, frozen=True, kw_only=True):
    """Some channels, in an order."""

    pattern: Pattern = ""
    order: ChannelOrder = "subscribers"
    descending: bool = True
    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 100


def ordering(sort: str, orders: Sequence[Order]) -> tuple[Order, bool]:
    """What to order by, and whether descending. Raises ``ValueError`` for what rows cannot be ordered by."""
    name = sort.removeprefix("-")
    for order in orders:
        if order == name:
            return order, sort != name
    raise ValueError(f"sort is one of {', '.join(orders)}, with - before it to turn it round")


def matching(pattern: str) -> Callable[[str], object]:
    """Whether a text is that of a pattern with ``*`` and ``?``; of an empty one every text is."""
    if not pattern:
        return lambda _: True
    if not any(sign in pattern for sign in "*?["):
        return pattern.__eq__
    return re.compile(fnmatch.translate(pattern)).match


class _Place(msgspec.Struct, frozen=True, array_like=True):
    """A cursor's content: the order it belongs to, and the row after which to go on."""

    order: str
    descending: bool
    key: Key


def cursor_of(order: str, key: Key, *, descending: bool) -> str:
    return urlsafe_b64encode(msgspec.json.encode(_Place(order, descending, key))).rstrip(b"=").decode()


def key_in(cursor: str, order: str, *, descending: bool) -> Key:
    """Where a page goes on. Raises ``ValueError`` for what was not given out for this order."""
    if len(cursor) > MAX_CURSOR:
        raise ValueError("cursor is none that was given out")
    try:
        padded = cursor.encode() + b"=" * (-len(cursor) % 4)
        place = msgspec.json.decode(urlsafe_b64decode(padded), type=_Place)
    except (ValueError, msgspec.DecodeError, RecursionError):
        raise ValueError("cursor is none that was given out") from None
    if (place.order, place.descending) != (order, descending):
        raise ValueError("cursor belongs to another sort: begin without one")
    if isinstance(place.key[0], str) is not (order in _TEXTS):
        raise ValueError("cursor is none that was given out")
    return place.key


_TEXTS: Final = frozenset({"user", "dialect", "address", "node"})
