"""The channel of connections, the one event on it, and who may see what.

Nothing is kept: the next event says it all again. Who follows learns of addresses and users, so viewers may not.
"""

from typing import Final

import msgspec

from vagus.kernel.channels import ChannelRule
from vagus.kernel.permissions import Access

from .values import Coverage, HubTotals, NodeFigures

CHANNEL: Final = "connections"
UPDATE: Final = "ConnectionsUpdate"
INTERVAL_S: Final = 2.0

VIEWERS: Final[Access] = ("@viewer", "@operator", "@admin", "@auditor")
"""Who may see the nodes."""
READERS: Final[Access] = ("@operator", "@admin", "@auditor")
ADMINS: Final[Access] = ("@admin",)
"""Who may disconnect clients."""

RULE: Final = ChannelRule(pattern=CHANNEL, subscribe=READERS, when_slow="keep-latest")


class ConnectionsUpdate(msgspec.Struct, frozen=True, rename="camel"):
    """All nodes and how they do. One that is missing did not answer this time."""

    at: int
    interval_ms: int
    totals: HubTotals
    nodes: list[NodeFigures]
    coverage: Coverage
