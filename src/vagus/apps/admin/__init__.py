"""The admin broadcast hub: what administrators of a platform see the moment it happens.

A client of SignalR connects to ``/hubs/admin`` with a token of role ``admin``, joins groups by calling
``SubscribeToAlerts`` and its like, and gets events by name (``connection.on("Alert", …)``); clients of the other
dialects follow the same channels. Services broadcast through ``Admin.broadcasts`` or over HTTP::

    admin = install(hub)
    await admin.broadcasts.alert(Alert(severity="warning", title="Disk almost full"))

Reading order: ``groups``, ``events``, ``broadcasts``, ``calls``, ``views``, ``routes`` (the only one that imports
Litestar), ``app``.
"""

from .app import NAME, Admin, install
from .broadcasts import AdminBroadcasts, Broadcasted
from .events import (
    PUBLISHED,
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
)

__all__ = [
    "NAME",
    "PUBLISHED",
    "Admin",
    "AdminBroadcasts",
    "AdminEvent",
    "Alert",
    "AnalyticsUpdate",
    "Broadcasted",
    "GenerationMetrics",
    "PerformanceAlert",
    "PlatformUpdate",
    "RevenueUpdate",
    "RoleAssignment",
    "SystemEvent",
    "UserActivity",
    "UserCountUpdate",
    "install",
]
