"""What nodes say to one another: orders, to be done to the clients that they hold, and questions."""

import msgspec

from .codes import Closure, Ending
from .identity import Grant
from .publications import NOTHING, Json, Position


class Target(msgspec.Struct, frozen=True):
    """Which clients an order means: those of a user, one client, or the one of a session; of several that are given,

    all must fit. A session is the secret that clients of some transports are told when they connect.
    ``except_clients`` are spared.
    """

    user: str | None = None
    client: str = ""
    except_clients: tuple[str, ...] = ()
    session: str = ""

    def __post_init__(self) -> None:
        if self.user is None and not self.client and not self.session:
            raise ValueError("an order needs a user, a client or a session")


class Disconnect(msgspec.Struct, frozen=True, tag=True):
    target: Target
    closure: Closure


class Attach(msgspec.Struct, frozen=True, tag=True):
    """Subscribe clients to a channel on the server's side."""

    target: Target
    channel: str
    grant: Grant
    since: Position | None = None


class Detach(msgspec.Struct, frozen=True, tag=True):
    target: Target
    channel: str
    ending: Ending


class Renew(msgspec.Struct, frozen=True, tag=True, omit_defaults=True):
    """Move the expiry of connections; ``None`` takes it away. ``expired`` closes them now."""

    target: Target
    expires_at: float | None = None
    expired: bool = False
    info: Json = NOTHING


class Deliver(msgspec.Struct, frozen=True, tag=True):
    """Send data to clients outside of any channel."""

    target: Target
    data: Json


Order = Disconnect | Attach | Detach | Renew | Deliver


class Question(msgspec.Struct, frozen=True):
    """Something a node wants to know from others. Who answers a subject knows what the content is."""

    subject: str
    content: bytes = b""


class Answer(msgspec.Struct, frozen=True):
    """What the node with an id says to a question."""

    node: str
    content: bytes
