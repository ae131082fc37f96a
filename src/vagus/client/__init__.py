"""The Python client: follow channels, publish and call, over a connection that comes back by itself.

``client`` has the smallest example; ``errors`` draws what can be raised. It speaks the native dialect over one
WebSocket, and knows the kernel's values and nothing of the hub, so that a program which only connects loads no server.
"""

from vagus.kernel.filters import FilterNode
from vagus.kernel.publications import Position

from .client import Client
from .errors import (
    ClientError,
    DataError,
    DisconnectError,
    EndedError,
    NotConnectedError,
    ProtocolError,
    QueueFullError,
    RefusedError,
    UnansweredError,
    VagusError,
)
from .messages import Gap, HistoryPage, Member, Message, PresenceStats, Receipt
from .retry import Retry
from .states import Status
from .subscription import Subscription

__all__ = [
    "Client",
    "ClientError",
    "DataError",
    "DisconnectError",
    "EndedError",
    "FilterNode",
    "Gap",
    "HistoryPage",
    "Member",
    "Message",
    "NotConnectedError",
    "Position",
    "PresenceStats",
    "ProtocolError",
    "QueueFullError",
    "Receipt",
    "RefusedError",
    "Retry",
    "Status",
    "Subscription",
    "UnansweredError",
    "VagusError",
]
