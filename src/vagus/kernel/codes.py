"""Every number a client can be told: errors of a reply, endings of a subscription, closures of a connection.

The numbers are public: client libraries in a dozen languages act on their ranges, so a number never changes its
meaning.

* errors 100-399 are ours, 400-1999 belong to the application;
* endings below 2500 are final, from 2500 on the client subscribes again;
* closures 3000-3499 and 4000-4499 mean "reconnect", 3500-3999 and 4500-4999 "do not"; those from 4000 on belong to the
  application.

Dialects map from these tables; the documentation is generated from them.
"""

from typing import Final

import msgspec

from .publications import NOTHING, Json


class Fault(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why a command was refused. ``temporary`` tells the client that the same command may succeed later; ``data`` is

    whatever an application adds, as JSON.
    """

    code: int
    message: str
    temporary: bool = False
    data: Json = NOTHING


class Ending(msgspec.Struct, frozen=True):
    """Why a subscription ended on the server's side."""

    code: int
    reason: str

    @property
    def resubscribes(self) -> bool:
        return self.code >= 2500


class Closure(msgspec.Struct, frozen=True):
    """Why a connection was closed on the server's side."""

    code: int
    reason: str

    @property
    def reconnects(self) -> bool:
        return not (3500 <= self.code <= 3999 or 4500 <= self.code <= 4999)


INTERNAL: Final = Fault(100, "internal server error", temporary=True)
UNAUTHORIZED: Final = Fault(101, "unauthorized")
UNKNOWN_CHANNEL: Final = Fault(102, "unknown channel")
PERMISSION_DENIED: Final = Fault(103, "permission denied")
METHOD_NOT_FOUND: Final = Fault(104, "method not found")
ALREADY_SUBSCRIBED: Final = Fault(105, "already subscribed")
LIMIT_EXCEEDED: Final = Fault(106, "limit exceeded")
BAD_REQUEST: Final = Fault(107, "bad request")
NOT_AVAILABLE: Final = Fault(108, "not available")
TOKEN_EXPIRED: Final = Fault(109, "token expired")
EXPIRED: Final = Fault(110, "expired")
TOO_MANY_REQUESTS: Final = Fault(111, "too many requests", temporary=True)
UNRECOVERABLE_POSITION: Final = Fault(112, "unrecoverable position")
CONCURRENT_PAGINATION: Final = Fault(113, "concurrent pagination", temporary=True)
UNAVAILABLE: Final = Fault(120, "temporarily unavailable", temporary=True)

FAULTS: Final = (
    INTERNAL,
    UNAUTHORIZED,
    UNKNOWN_CHANNEL,
    PERMISSION_DENIED,
    METHOD_NOT_FOUND,
    ALREADY_SUBSCRIBED,
    LIMIT_EXCEEDED,
    BAD_REQUEST,
    NOT_AVAILABLE,
    TOKEN_EXPIRED,
    EXPIRED,
    TOO_MANY_REQUESTS,
    UNRECOVERABLE_POSITION,
    CONCURRENT_PAGINATION,
    UNAVAILABLE,
)
APPLICATION_FAULTS: Final = range(400, 2000)

GIVES_STREAM: Final = Fault(BAD_REQUEST.code, "this call gives a stream: ask for one")
GIVES_NO_STREAM: Final = Fault(BAD_REQUEST.code, "this call gives one result, not a stream")
"""Two bad requests with names of their own, since some dialects have words for them."""

UNSUBSCRIBED: Final = Ending(2000, "server unsubscribe")
INSUFFICIENT: Final = Ending(2500, "insufficient state")
SUBSCRIPTION_EXPIRED: Final = Ending(2501, "subscription expired")
INVALIDATED: Final = Ending(2502, "state invalidated")

ENDINGS: Final = (UNSUBSCRIBED, INSUFFICIENT, SUBSCRIPTION_EXPIRED, INVALIDATED)

CONNECTION_CLOSED: Final = Closure(3000, "connection closed")
SHUTDOWN: Final = Closure(3001, "shutdown")
SERVER_ERROR: Final = Closure(3004, "internal server error")
CONNECTION_EXPIRED: Final = Closure(3005, "connection expired")
CLOSED_BY_SUBSCRIPTION: Final = Closure(3006, "subscription expired")
SLOW: Final = Closure(3008, "slow")
WRITE_ERROR: Final = Closure(3009, "write error")
INSUFFICIENT_STATE: Final = Closure(3010, "insufficient state")
FORCE_RECONNECT: Final = Closure(3011, "force reconnect")
NO_PONG: Final = Closure(3012, "no pong")
TOO_MANY: Final = Closure(3013, "too many requests")
STATE_INVALIDATED: Final = Closure(3014, "state invalidated")
INVALID_TOKEN: Final = Closure(3500, "invalid token")
MALFORMED: Final = Closure(3501, "bad request")
STALE: Final = Closure(3502, "stale")
FORCE_DISCONNECT: Final = Closure(3503, "force disconnect")
CONNECTION_LIMIT: Final = Closure(3504, "connection limit")
CHANNEL_LIMIT: Final = Closure(3505, "channel limit")
INAPPROPRIATE_PROTOCOL: Final = Closure(3506, "inappropriate protocol")
CONNECTION_DENIED: Final = Closure(3507, "permission denied")
CONNECTION_NOT_AVAILABLE: Final = Closure(3508, "not available")
TOO_MANY_ERRORS: Final = Closure(3509, "too many errors")

CLOSURES: Final = (
    CONNECTION_CLOSED,
    SHUTDOWN,
    SERVER_ERROR,
    CONNECTION_EXPIRED,
    CLOSED_BY_SUBSCRIPTION,
    SLOW,
    WRITE_ERROR,
    INSUFFICIENT_STATE,
    FORCE_RECONNECT,
    NO_PONG,
    TOO_MANY,
    STATE_INVALIDATED,
    INVALID_TOKEN,
    MALFORMED,
    STALE,
    FORCE_DISCONNECT,
    CONNECTION_LIMIT,
    CHANNEL_LIMIT,
    INAPPROPRIATE_PROTOCOL,
    CONNECTION_DENIED,
    CONNECTION_NOT_AVAILABLE,
    TOO_MANY_ERRORS,
)
APPLICATION_CLOSURES: Final = range(4000, 5000)
