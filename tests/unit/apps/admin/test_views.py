"""What can be read: figures of connections, groups and events, and the last event of each kind."""

from vagus.apps.admin import (
    Admin,
    Alert,
    AnalyticsUpdate,
    GenerationMetrics,
    PlatformUpdate,
    RevenueUpdate,
    UserCountUpdate,
)
from vagus.apps.admin.events import envelope_of
from vagus.apps.admin.views import GroupFigures, Snapshot
from vagus.hub import Hub
from vagus.testing import World


async def test_nothing_was_said_yet(world: World, admin: Admin) -> None:
    assert await admin.views.snapshot() == Snapshot(None, None, None, None, None)
    status = await admin.views.status()
    assert (status.connections.total, status.events) == (0, {})
    assert set(status.groups.values()) == {GroupFigures(0, 0)}


async def test_the_status_counts_connections_followers_and_events(world: World, admin: Admin, hub: Hub) -> None:
    for user in ("ada", "ada", "bob"):
        client = await world.connect(user=user, roles=["admin"])
        await client.subscribe("alerts")
    await admin.broadcasts.alert(Alert(severity="info", title="x"))
    status = await admin.views.status()
    assert status.connections.by_section == {"vagus": 3}
    assert status.connections.by_transport == {"memory": 3}
    assert status.groups["alerts"] == GroupFigures(clients=3, users=2)
    assert (status.events, status.node) == ({"Alert": 1}, hub.node_id)


async def test_the_snapshot_has_the_last_of_each_kind(world: World, admin: Admin) -> None:
    said = admin.broadcasts
    for total in (1, 2):
        await said.user_count(UserCountUpdate(total=total))
    await said.platform_update(PlatformUpdate(status="degraded"))
    await said.analytics(AnalyticsUpdate(metric="m", value=3))
    await said.generation_metrics(GenerationMetrics(total=4))
    await said.revenue(RevenueUpdate(amount=5, currency="EUR"))
    shown = await admin.views.snapshot()
    assert shown.user_count is not None
    assert shown.platform is not None
    assert shown.analytics is not None
    assert shown.generation_metrics is not None
    assert shown.revenue is not None
    assert (shown.user_count.total, shown.platform.status, shown.analytics.value) == (2, "degraded", 3)
    assert (shown.generation_metrics.total, shown.revenue.amount) == (4, 5)


async def test_what_another_node_said_is_in_the_snapshot(world: World, admin: Admin, hub: Hub) -> None:
    event = UserCountUpdate(total=7, id="x", at=1)
    await hub.publish("admins", envelope_of(event))  # as it comes by way of the broker
    assert (await admin.views.snapshot()).user_count == event


async def test_what_the_history_has_lost_is_remembered(world: World, admin: Admin, hub: Hub) -> None:
    await admin.broadcasts.user_count(UserCountUpdate(total=1))
    await hub.remove_history("admins")
    shown = await admin.views.snapshot()
    assert shown.user_count is not None
    assert shown.user_count.total == 1


async def test_what_a_program_published_by_itself_does_no_harm(world: World, admin: Admin, hub: Hub) -> None:
    for data in (1, {"type": "UserCountUpdate"}, {"type": "UserCountUpdate", "payload": {"total": "many"}}):
        await hub.publish("admins", data)
    assert (await admin.views.snapshot()).user_count is None
