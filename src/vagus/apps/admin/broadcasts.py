"""The service interface: one method for each broadcast, for other services, the HTTP routes and the demo alike.

::

    await admin.broadcasts.alert(Alert(severity="error", title="Disk full", source="db-3"), by="watchdog")

When a method returns, the event is numbered, kept and on its way to everybody in its group, on every node. Each leaves
one line in the log: who did it and where it went, never what it says.
"""

import uuid
from collections import Counter

import msgspec
import structlog

from vagus.hub import Hub

from .events import (
    AdminEvent,
    Alert,
    AnalyticsUpdate,
    GenerationMetrics,
    PerformanceAlert,
    PlatformUpdate,
    RevenueUpdate,
    RoleAssignment,
    SystemEvent,
    UserActivity,
    UserCountUpdate,
    checked,
    envelope_of,
)

log = structlog.get_logger()

SERVER = "server"


class Broadcasted(msgspec.Struct, frozen=True):
    """Where an event stands: its id, its channel, and its position there. ``repeated``: one of that id was there."""

    id: str
    channel: str
    offset: int
    epoch: str
    repeated: bool = False


class AdminBroadcasts:
    """Every method raises ``ValueError`` for an event that is not valid, and ``BrokerError`` if it may be tried again.

    Trying again with an ``id`` of one's own cannot broadcast twice. ``by`` is who does it, for the log.
    """

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self.sent: Counter[str] = Counter()
        """Events of this node since its start, by their names."""
        self.latest: dict[str, AdminEvent] = {}
        """The last one of each."""

    async def user_activity(self, activity: UserActivity, *, by: str = SERVER) -> Broadcasted:
        return await self._broadcast(activity, by)

    async def analytics(self, update: AnalyticsUpdate, *, by: str = SERVER) -> Broadcasted:
        return await self._broadcast(update, by)

    async def platform_update(self, update: PlatformUpdate, *, by: str = SERVER) -> Broadcasted:
        return await self._broadcast(update, by)

    async def user_count(self, update: UserCountUpdate, *, by: str = SERVER) -> Broadcasted:
        return await self._broadcast(update, by)

    async def generation_metrics(self, metrics: GenerationMetrics, *, by: str = SERVER) -> Broadcasted:
        return await self._broadcast(metrics, by)

    async def revenue(self, update: RevenueUpdate, *, by: str = SERVER) -> Broadcasted:
        return await self._broadcast(update, by)

    async def alert(self, alert: Alert, *, by: str = SERVER) -> Broadcasted:
        return await self._broadcast(alert, by)

    async def performance_alert(self, alert: PerformanceAlert, *, by: str = SERVER) -> Broadcasted:
        return await self._broadcast(alert, by)

    async def role_assignment(self, assignment: RoleAssignment, *, by: str = SERVER) -> Broadcasted:
        return await self._broadcast(assignment, by)

    async def system_event(self, event: SystemEvent, *, by: str = SERVER) -> Broadcasted:
        return await self._broadcast(event, by)

    async def _broadcast(self, given: AdminEvent, by: str) -> Broadcasted:
        name, group = type(given).__name__, given.group
        event = self._named(checked(given))
        receipt = await self._hub.publish(group, envelope_of(event), idempotency_key=given.id)
        position, repeated = receipt.position, receipt.dropped
        if not repeated:
            self.sent[name] += 1
            self.latest[name] = event
        log.info(
            "broadcast_sent", by=by, channel=group, type=name, id=event.id, offset=position.offset, repeated=repeated
        )
        return Broadcasted(event.id, group, position.offset, position.epoch, repeated)

    def _named(self, event: AdminEvent) -> AdminEvent:
        return msgspec.structs.replace(event, id=event.id or str(uuid.uuid4()), at=event.at or self._hub.now_ms())
