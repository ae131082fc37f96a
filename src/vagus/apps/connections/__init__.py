"""Connections: who is connected to which node, what they follow, how much comes and goes, and who is too slow.

Every node tells of itself when it is asked; nothing is collected while nobody looks::

    connections = install(hub, store=store)
    page = await connections.views.clients(ClientsWanted(channel="orders:42"))

Reading order: ``values`` (what is told), ``channel`` (the live event, and who may see what), ``choosing`` (which, and
in which order), ``rates``, ``node``, ``clients`` and ``channels`` (this node), ``views`` (all nodes), ``announcing``,
``routes`` (the only one that imports Litestar), ``app``.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from .app import NAME, Connections, install
from .channel import CHANNEL, UPDATE, ConnectionsUpdate
from .choosing import ChannelsWanted, ClientsWanted
from .values import HubTotals, NodeFigures
from .views import NotFoundError, UnsureError

PUBLISHED: Final[Mapping[str, Mapping[str, type[msgspec.Struct]]]] = {CHANNEL: {UPDATE: ConnectionsUpdate}}
"""See ``vagus.apps``."""

__all__ = [
    "CHANNEL",
    "NAME",
    "PUBLISHED",
    "ChannelsWanted",
    "ClientsWanted",
    "Connections",
    "ConnectionsUpdate",
    "HubTotals",
    "NodeFigures",
    "NotFoundError",
    "UnsureError",
    "install",
]
