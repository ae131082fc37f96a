"""What can be read of the admin hub: whether it lives, how it does, and the last word of each figure."""

from collections import Counter
from typing import Final, Literal

import msgspec

from vagus.hub import Hub
from vagus.hub.sections import RESERVED

from .broadcasts import AdminBroadcasts
from .calls import SECTION
from .events import (
    AdminEvent,
    AnalyticsUpdate,
    E,
    GenerationMetrics,
    PlatformUpdate,
    RevenueUpdate,
    UserCountUpdate,
    event_in,
)
from .groups import ADMINS, ANALYTICS, GROUPS

SERVICE: Final = "real-time"
(_ROOT,) = RESERVED


class Liveness(msgspec.Struct, frozen=True, rename="camel"):
    """That it lives and where to connect; no facts, since anybody may ask."""

    status: Literal["ok"] = "ok"
    service: str = SERVICE
    websocket_endpoint: str = f"/hubs/{SECTION}"


class Connections(msgspec.Struct, frozen=True, rename="camel"):
    """Clients of this node. The root section is named ``vagus``."""

    total: int
    by_section: dict[str, int]
    by_transport: dict[str, int]


class GroupFigures(msgspec.Struct, frozen=True):
    """Who follows a group, on all nodes."""

    clients: int
    users: int


class Status(msgspec.Struct, frozen=True, rename="camel"):
    """How the hub does. Connections and events are those of this node, since its start."""

    status: Literal["ok"]
    service: str
    node: str
    uptime_seconds: int
    connections: Connections
    groups: dict[str, GroupFigures]
    events: dict[str, int]


class Snapshot(msgspec.Struct, frozen=True, rename="camel"):
    """The last event of each kind that describes the platform; ``null`` where there was none."""

    platform: PlatformUpdate | None
    user_count: UserCountUpdate | None
    analytics: AnalyticsUpdate | None
    generation_metrics: GenerationMetrics | None
    revenue: RevenueUpdate | None


class Views:
    """Raises ``BrokerError`` where the broker must be asked and cannot be."""

    def __init__(self, hub: Hub, broadcasts: AdminBroadcasts) -> None:
        self._hub = hub
        self._broadcasts = broadcasts

    async def status(self) -> Status:
        hub = self._hub
        return Status(
            status="ok",
            service=SERVICE,
            node=hub.node_id,
            uptime_seconds=int(hub.now() - hub.started_at),
            connections=self._connections(),
            groups={group: await self._figures(group) for group in GROUPS},
            events=dict(self._broadcasts.sent),
        )

    def _connections(self) -> Connections:
        clients = self._hub.clients.values()
        return Connections(
            total=len(clients),
            by_section=dict(Counter(client.section or _ROOT for client in clients)),
            by_transport=dict(Counter(client.origin.transport for client in clients)),
        )

    async def _figures(self, group: str) -> GroupFigures:
        stats = await self._hub.presence_stats(group)
        return GroupFigures(stats.num_clients, stats.num_users)

    async def snapshot(self) -> Snapshot:
        """From what the channels keep, where other nodes' events are too, and what this node remembers beyond that."""
        latest = dict(self._broadcasts.latest)
        for group in (ADMINS, ANALYTICS):
            for publication in (await self._hub.history(group)).publications:
                event = event_in(publication.data)
                if event is not None:
                    latest[type(event).__name__] = event
        return Snapshot(
            platform=_last(latest, PlatformUpdate),
            user_count=_last(latest, UserCountUpdate),
            analytics=_last(latest, AnalyticsUpdate),
            generation_metrics=_last(latest, GenerationMetrics),
            revenue=_last(latest, RevenueUpdate),
        )


def _last(latest: dict[str, AdminEvent], kind: type[E]) -> E | None:
    event = latest.get(kind.__name__)
    return event if isinstance(event, kind) else None
