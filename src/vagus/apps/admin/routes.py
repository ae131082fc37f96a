"""The HTTP routes of the admin hub, below ``/api/admin/realtime``: three to read, and one for each broadcast.

Handlers only hand on what was decoded and who asks; what they do is the service interface's. Anybody may ask whether it
lives; reading is for whoever oversees (``READERS``), broadcasting for admins, and either for keys with the scope.
"""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec
from litestar import Request, Router, get, post
from litestar.exceptions.http_exceptions import RequestEntityTooLarge
from litestar.openapi.spec import Example
from litestar.params import Body
from litestar.status_codes import HTTP_202_ACCEPTED
from litestar.types import ControllerRouterHandler

from vagus.apps.bodies import JsonBody
from vagus.apps.callers import REFUSALS, SECURITY, Door, HttpCaller
from vagus.kernel.permissions import Access

from .broadcasts import Broadcasted
from .events import (
    Alert,
    AnalyticsUpdate,
    EventId,
    GenerationMetrics,
    Moment,
    PerformanceAlert,
    PlatformUpdate,
    RevenueUpdate,
    RoleAssignment,
    Severity,
    SystemEvent,
    Text,
    Title,
    UserActivity,
    UserCountUpdate,
)
from .views import Liveness, Snapshot, Status

if TYPE_CHECKING:
    from .app import Admin

PATH: Final = "/api/admin/realtime"
SCOPE: Final = "admin"
BROADCASTERS: Final[Access] = ("@admin",)
READERS: Final[Access] = ("@admin", "@operator", "@auditor")
MAX_BODY_BYTES: Final = 65_536
"""More than the longest event takes, however it is escaped."""

Caller = Request[HttpCaller, Any, Any]


class Notice(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """An alert whose severity its path says."""

    title: Title
    message: Text = ""
    source: Annotated[str, msgspec.Meta(max_length=128, description="What raised it.")] = ""
    id: EventId = ""
    at: Moment = 0

    def as_alert(self, severity: Severity) -> Alert:
        return Alert(severity=severity, **msgspec.structs.asdict(self))


def _example(**fields: object) -> Any:
    return Body(examples=[Example(value=fields)])


PLATFORM_UPDATE: Final = _example(
    status="operational", activeUsers=412, activeSessions=530, requestsPerMinute=9100.5, errorRate=0.002
)
USER_COUNT: Final = _example(total=18250, online=412, newToday=37)
ANALYTICS: Final = _example(metric="conversion", value=3.4, unit="%", period="day", changePercent=0.6)
GENERATION_METRICS: Final = _example(kind="image", total=1200, succeeded=1180, failed=12, pending=8, averageMs=2300.0)
REVENUE: Final = _example(amount=1890.5, currency="EUR", period="day", transactions=61, changePercent=4.2)
ALERT: Final = _example(severity="success", title="Backup complete", source="backup")
ALERT_WARNING: Final = _example(title="Disk almost full", message="88 % of /data are used.", source="db-3")
ALERT_ERROR: Final = _example(title="Payments fail", message="The provider answers 503.", source="billing")
ALERT_PERFORMANCE: Final = _example(
    metric="p99", value=840.0, threshold=500.0, unit="ms", severity="warning", source="checkout"
)
USER_ACTION: Final = _example(userId="42", action="signed_in", resource="console")
ROLE_ASSIGNMENT: Final = _example(userId="42", role="operator", change="assigned", changedBy="ada")
SYSTEM_EVENT: Final = _example(event="deployment", severity="success", message="Version 2.4.1 is live.", source="web")


def routes(admin: "Admin", door: Door) -> Sequence[ControllerRouterHandler]:
    """The handlers, for this app and behind this door."""
    return [
        Router(
            PATH,
            route_handlers=[_health, *_views(admin, door), *_broadcasts(admin, door)],
            tags=["Admin"],
            dto=JsonBody,
            return_dto=None,
            request_max_body_size=MAX_BODY_BYTES,
        )
    ]


@get("/health")
async def _health() -> Liveness:
    """Whether the service lives, and where clients of SignalR connect. Open to everybody, so it says nothing else."""
    return Liveness()


def _views(admin: "Admin", door: Door) -> Sequence[ControllerRouterHandler]:
    guard = door.guard(allow=READERS, scope=SCOPE)
    reading = partial(get, guards=[guard], security=SECURITY, raises=REFUSALS)

    @reading("/status")
    async def status() -> Status:
        """Connections of this node, groups of all nodes, and how many events this node has sent."""
        return await admin.views.status()

    @reading("/platform-snapshot")
    async def platform_snapshot() -> Snapshot:
        """The last event of each kind that describes the platform, for a page that has just been opened."""
        return await admin.views.snapshot()

    return [status, platform_snapshot]


def _broadcasts(admin: "Admin", door: Door) -> Sequence[ControllerRouterHandler]:
    guard, said = door.guard(allow=BROADCASTERS, scope=SCOPE), admin.broadcasts
    refusals = [*REFUSALS, RequestEntityTooLarge]
    broadcasting = partial(post, guards=[guard], security=SECURITY, raises=refusals, status_code=HTTP_202_ACCEPTED)

    @broadcasting("/broadcast/platform-update")
    async def platform_update(data: Annotated[PlatformUpdate, PLATFORM_UPDATE], request: Caller) -> Broadcasted:
        """Tell `admins` how the platform as a whole is doing. Event `PlatformUpdate`."""
        return await said.platform_update(data, by=request.user.name)

    @broadcasting("/broadcast/user-count")
    async def user_count(data: Annotated[UserCountUpdate, USER_COUNT], request: Caller) -> Broadcasted:
        """Tell `admins` how many users there are. Event `UserCountUpdate`."""
        return await said.user_count(data, by=request.user.name)

    @broadcasting("/broadcast/analytics")
    async def analytics(data: Annotated[AnalyticsUpdate, ANALYTICS], request: Caller) -> Broadcasted:
        """Tell `analytics` a figure of an analysis. Event `AnalyticsUpdate`."""
        return await said.analytics(data, by=request.user.name)

    @broadcasting("/broadcast/generation-metrics")
    async def generation_metrics(
        data: Annotated[GenerationMetrics, GENERATION_METRICS], request: Caller
    ) -> Broadcasted:
        """Tell `analytics` what was generated, and how well that went. Event `GenerationMetrics`."""
        return await said.generation_metrics(data, by=request.user.name)

    @broadcasting("/broadcast/revenue")
    async def revenue(data: Annotated[RevenueUpdate, REVENUE], request: Caller) -> Broadcasted:
        """Tell `analytics` what was earned. Event `RevenueUpdate`."""
        return await said.revenue(data, by=request.user.name)

    @broadcasting("/alert")
    async def alert(data: Annotated[Alert, ALERT], request: Caller) -> Broadcasted:
        """Alert of any severity, to `alerts`. Event `Alert`."""
        return await said.alert(data, by=request.user.name)

    @broadcasting("/alert/warning")
    async def alert_warning(data: Annotated[Notice, ALERT_WARNING], request: Caller) -> Broadcasted:
        """Alert of severity `warning`, to `alerts`. Event `Alert`."""
        return await said.alert(data.as_alert("warning"), by=request.user.name)

    @broadcasting("/alert/error")
    async def alert_error(data: Annotated[Notice, ALERT_ERROR], request: Caller) -> Broadcasted:
        """Alert of severity `error`, to `alerts`. Event `Alert`."""
        return await said.alert(data.as_alert("error"), by=request.user.name)

    @broadcasting("/alert/performance")
    async def alert_performance(data: Annotated[PerformanceAlert, ALERT_PERFORMANCE], request: Caller) -> Broadcasted:
        """Alert that a measured value crossed its threshold, to `alerts`. Event `PerformanceAlert`."""
        return await said.performance_alert(data, by=request.user.name)

    @broadcasting("/notify/user-action")
    async def user_action(data: Annotated[UserActivity, USER_ACTION], request: Caller) -> Broadcasted:
        """Tell `user-activity` what a user did. Event `UserActivity`."""
        return await said.user_activity(data, by=request.user.name)

    @broadcasting("/notify/role-assignment")
    async def role_assignment(data: Annotated[RoleAssignment, ROLE_ASSIGNMENT], request: Caller) -> Broadcasted:
        """Tell `admins` that a user was given a role, or lost it. Event `RoleAssignment`."""
        return await said.role_assignment(data, by=request.user.name)

    @broadcasting("/notify/system-event")
    async def system_event(data: Annotated[SystemEvent, SYSTEM_EVENT], request: Caller) -> Broadcasted:
        """Tell `admins` what happened to the system. Event `SystemEvent`."""
        return await said.system_event(data, by=request.user.name)

    return [
        platform_update,
        user_count,
        analytics,
        generation_metrics,
        revenue,
        alert,
        alert_warning,
        alert_error,
        alert_performance,
        user_action,
        role_assignment,
        system_event,
    ]
