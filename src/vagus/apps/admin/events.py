"""The events of the admin hub: what can be broadcast, each to which group, and in which form.

An event's name on the wire is that of its class, its fields are in camelCase, and it is valid or refused: texts and
numbers are bounded, unknown fields are mistakes. Every event has two fields more. ``id`` names this one event: given by
who sends it, so that a repetition is dropped, or else made by the server. ``at`` is when it happened, in milliseconds
since 1970; the server's time if it is not given. They are part of what handlers get, since a handler of SignalR or
Socket.IO sees nothing but the payload.
"""

from typing import Annotated, ClassVar, Final, Literal, TypeVar

import msgspec
from msgspec import Meta

from vagus.kernel.publications import Json

from .groups import ADMINS, ALERTS, ANALYTICS, GROUPS, USER_ACTIVITY

Severity = Literal["info", "success", "warning", "error"]
Period = Literal["hour", "day", "week", "month", "quarter", "year"]

_EXACT: Final = 2**53 - 1
"""The largest whole number that every JSON reader keeps."""

Name = Annotated[str, Meta(min_length=1, max_length=128)]
Title = Annotated[str, Meta(min_length=1, max_length=200)]
Text = Annotated[str, Meta(max_length=2000)]
Label = Annotated[str, Meta(max_length=128)]
Count = Annotated[int, Meta(ge=0, le=_EXACT)]
Amount = Annotated[float, Meta(ge=0)]
Currency = Annotated[str, Meta(pattern="^[A-Z]{3}$", max_length=3, description="As ISO 4217 names it, such as EUR.")]
"""With its length, since in Python a line's end may follow what ``$`` ends."""
EventId = Annotated[str, Meta(max_length=64, description="Names this event. A repetition within minutes is dropped.")]
Moment = Annotated[int, Meta(ge=0, le=_EXACT, description="Milliseconds since 1970; 0 for now.")]


class AdminEvent(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """What all events have; see the module. ``group`` is the channel that its kind goes to."""

    group: ClassVar[str]

    id: EventId = ""
    at: Moment = 0


E = TypeVar("E", bound=AdminEvent)


class UserActivity(AdminEvent, frozen=True, kw_only=True):
    """A user did something."""

    group: ClassVar[str] = USER_ACTIVITY

    user_id: Name
    action: Annotated[str, Meta(min_length=1, max_length=128, description="Such as signed_in.")]
    resource: Annotated[str, Meta(max_length=256, description="What it was done to.")] = ""
    detail: Text = ""


class AnalyticsUpdate(AdminEvent, frozen=True, kw_only=True):
    """A figure of an analysis is new."""

    group: ClassVar[str] = ANALYTICS

    metric: Name
    value: float
    unit: Label = ""
    period: Period | None = None
    change_percent: Annotated[float, Meta(description="Against the period before.")] | None = None


class PlatformUpdate(AdminEvent, frozen=True, kw_only=True):
    """How the platform as a whole is doing."""

    group: ClassVar[str] = ADMINS

    status: Literal["operational", "degraded", "outage", "maintenance"]
    active_users: Count = 0
    active_sessions: Count = 0
    requests_per_minute: Amount = 0.0
    error_rate: Annotated[float, Meta(ge=0, le=1, description="Failed requests of all requests.")] = 0.0
    message: Text = ""


class UserCountUpdate(AdminEvent, frozen=True, kw_only=True):
    """How many users there are."""

    group: ClassVar[str] = ADMINS

    total: Count
    online: Count = 0
    new_today: Count = 0


class GenerationMetrics(AdminEvent, frozen=True, kw_only=True):
    """What was generated (texts, images, reports, whatever the platform makes), and how well that went."""

    group: ClassVar[str] = ANALYTICS

    total: Count
    succeeded: Count = 0
    failed: Count = 0
    pending: Count = 0
    average_ms: Amount = 0.0
    kind: Annotated[str, Meta(max_length=128, description="What is generated, if it is one kind alone.")] = ""


class RevenueUpdate(AdminEvent, frozen=True, kw_only=True):
    """What was earned."""

    group: ClassVar[str] = ANALYTICS

    amount: Amount
    currency: Currency
    period: Period = "day"
    transactions: Count = 0
    change_percent: Annotated[float, Meta(description="Against the period before.")] | None = None


class Alert(AdminEvent, frozen=True, kw_only=True):
    """Somebody should look."""

    group: ClassVar[str] = ALERTS

    severity: Severity
    title: Title
    message: Text = ""
    source: Annotated[str, Meta(max_length=128, description="What raised it.")] = ""


class PerformanceAlert(AdminEvent, frozen=True, kw_only=True):
    """A measured value crossed its threshold."""

    group: ClassVar[str] = ALERTS

    metric: Name
    value: float
    threshold: float
    unit: Label = ""
    severity: Literal["warning", "error"] = "warning"
    source: Annotated[str, Meta(max_length=128, description="What was measured.")] = ""


class RoleAssignment(AdminEvent, frozen=True, kw_only=True):
    """A user was given a role, or lost it."""

    group: ClassVar[str] = ADMINS

    user_id: Name
    role: Name
    change: Literal["assigned", "removed"] = "assigned"
    changed_by: Annotated[str, Meta(max_length=128, description="Who did it.")] = ""


class SystemEvent(AdminEvent, frozen=True, kw_only=True):
    """Something happened to the system: a deployment, a backup, a restart."""

    group: ClassVar[str] = ADMINS

    event: Annotated[str, Meta(min_length=1, max_length=128, description="Such as deployment.")]
    severity: Severity = "info"
    message: Text = ""
    source: Annotated[str, Meta(max_length=128, description="What it happened to.")] = ""


EVENTS: Final[tuple[type[AdminEvent], ...]] = (
    UserActivity,
    AnalyticsUpdate,
    PlatformUpdate,
    UserCountUpdate,
    GenerationMetrics,
    RevenueUpdate,
    Alert,
    PerformanceAlert,
    RoleAssignment,
    SystemEvent,
)

PUBLISHED: Final = {group: {kind.__name__: kind for kind in EVENTS if kind.group == group} for group in GROUPS}


def checked(event: E) -> E:
    """The same event, certainly valid: structs made in Python are not looked at. Raises ``ValueError`` if it is not."""
    try:
        return msgspec.json.decode(msgspec.json.encode(event), type=type(event))
    except msgspec.ValidationError as error:
        raise ValueError(f"{type(event).__name__}: {error}") from None


def envelope_of(event: AdminEvent) -> dict[str, object]:
    """What is published."""
    return {"type": type(event).__name__, "id": event.id, "at": event.at, "payload": event}


class _Envelope(msgspec.Struct, frozen=True):
    type: str
    payload: Json


_KINDS: Final = {kind.__name__: kind for kind in EVENTS}


def event_in(data: Json) -> AdminEvent | None:
    """The event that was published; ``None`` for what is none, since a program with a key may publish anything."""
    try:
        envelope = msgspec.json.decode(data, type=_Envelope)
        kind = _KINDS.get(envelope.type)
        return None if kind is None else msgspec.json.decode(envelope.payload, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
