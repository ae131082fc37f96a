"""The bounds of a hub: how long, how many, how large. Every default carries its reason."""

import msgspec

from .rates import Rate


class Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Bounds of one hub. Client libraries expect the defaults, which are those of the native protocol."""

    ping_interval_s: float = 25.0
    """A client that hears nothing for this long and ten seconds more reconnects. 0 sends no pings."""
    pong_timeout_s: float = 8.0
    """Shorter than the interval, so that at most one ping is outstanding."""
    stale_s: float = 10.0
    """A connection that has not said who it is by then is closed."""
    expiry_grace_s: float = 25.0
    """How long an expired token may be renewed: a laptop that wakes up needs a moment."""
    channels: int = 128
    """Subscriptions of one client."""
    channel_length: int = 255
    """Characters in the name of a channel."""
    queue_bytes: int = 1_048_576
    """What is held for a client that does not read; beyond it the channel's rule decides."""
    message_bytes: int = 65_536
    """One message from a client. Larger ones close the connection before they are buffered."""
    history: int = 300
    """Publications in one answer to a history command, and those that one recovery may replay."""
    waiting_commands: int = 64
    """Commands that wait behind one whose answer takes time; beyond it the client is not read from."""
    answer_s: float = 30.0
    """How long an application's function may take to answer before the client is told that it failed."""
    commands: Rate | None = None
    """How often one client may send commands; the answer beyond it is "too many requests"."""
    commands_per_user: Rate | None = None
    """The same for all connections of one user together."""
    connections: int = 0
    """Clients on this node; 0 is no bound."""
    connections_per_user: int = 0
    """Clients of one user on this node; 0 is no bound."""
    connections_per_address: int = 0
    """Clients from one address on this node; 0 is no bound."""
    connecting: Rate | None = None
    """How many connections this node takes on a second."""
    connecting_per_address: Rate | None = None
    """The same for one address."""
    max_delay_s: float = 0.02
    """The longest that publications wait to be sent together while the hub is busy. An idle hub sends at once."""

    def __post_init__(self) -> None:
        if self.ping_interval_s and not 0 < self.pong_timeout_s < self.ping_interval_s:
            raise ValueError("pong_timeout_s: must be above 0 and below ping_interval_s")
        if not 0 <= self.max_delay_s <= 1:
            raise ValueError("max_delay_s: must lie between 0 and 1")
        if self.message_bytes < 125:
            raise ValueError("message_bytes: must be at least 125, the size of a control frame")
        for name in ("stale_s", "channels", "channel_length", "queue_bytes", "message_bytes", "history"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name}: must be above 0")
