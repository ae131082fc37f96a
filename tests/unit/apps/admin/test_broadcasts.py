"""The service interface: every method publishes its event to its group, once, and leaves a line without the payload."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import msgspec
import pytest

from tests.unit.apps.admin.test_events import ONE_OF_EACH
from vagus.apps.admin import Admin, AdminBroadcasts, AdminEvent, Alert, Broadcasted, UserCountUpdate
from vagus.apps.admin.groups import GROUPS
from vagus.hub import Hub
from vagus.kernel.publications import Position
from vagus.testing import World

METHODS: dict[str, Callable[..., Awaitable[Broadcasted]]] = {
    "UserActivity": AdminBroadcasts.user_activity,
    "AnalyticsUpdate": AdminBroadcasts.analytics,
    "PlatformUpdate": AdminBroadcasts.platform_update,
    "UserCountUpdate": AdminBroadcasts.user_count,
    "GenerationMetrics": AdminBroadcasts.generation_metrics,
    "RevenueUpdate": AdminBroadcasts.revenue,
    "Alert": AdminBroadcasts.alert,
    "PerformanceAlert": AdminBroadcasts.performance_alert,
    "RoleAssignment": AdminBroadcasts.role_assignment,
    "SystemEvent": AdminBroadcasts.system_event,
}
GROUP_OF = {
    "UserActivity": "user-activity",
    "AnalyticsUpdate": "analytics",
    "PlatformUpdate": "admins",
    "UserCountUpdate": "admins",
    "GenerationMetrics": "analytics",
    "RevenueUpdate": "analytics",
    "Alert": "alerts",
    "PerformanceAlert": "alerts",
    "RoleAssignment": "admins",
    "SystemEvent": "admins",
}


@pytest.mark.parametrize("event", ONE_OF_EACH, ids=lambda event: type(event).__name__)
async def test_a_broadcast_reaches_its_group_and_no_other(world: World, admin: Admin, event: AdminEvent) -> None:
    name = type(event).__name__
    followers = {group: await world.connect(user=group, roles=["admin"]) for group in GROUPS}
    for group, follower in followers.items():
        await follower.subscribe(group)
    done = await METHODS[name](admin.broadcasts, event)
    heard = await followers[GROUP_OF[name]].next_publication()
    assert heard.data["type"] == name
    assert heard.data["payload"] == msgspec.to_builtins(event) | {"id": done.id, "at": heard.data["at"]}
    assert (done.channel, done.offset, done.repeated) == (GROUP_OF[name], 1, False)
    for follower in followers.values():
        await follower.assert_nothing_more()


async def test_what_is_broadcast_gets_an_id_and_the_time(world: World, admin: Admin, hub: Hub) -> None:
    done = await admin.broadcasts.user_count(UserCountUpdate(total=1))
    event = admin.broadcasts.latest["UserCountUpdate"]
    assert done.id == event.id != ""
    assert 0 < event.at <= hub.now_ms()


async def test_an_id_and_a_time_that_are_given_stay(world: World, admin: Admin) -> None:
    await admin.broadcasts.user_count(UserCountUpdate(total=1, id="mine", at=12))
    event = admin.broadcasts.latest["UserCountUpdate"]
    assert (event.id, event.at) == ("mine", 12)


async def test_a_repetition_is_dropped_and_says_where_the_first_one_stands(world: World, admin: Admin) -> None:
    first = await admin.broadcasts.alert(Alert(severity="error", title="a", id="42"))
    again = await admin.broadcasts.alert(Alert(severity="error", title="b", id="42"))
    assert again == msgspec.structs.replace(first, repeated=True)
    assert admin.broadcasts.sent == {"Alert": 1}


async def test_an_event_that_is_not_valid_goes_nowhere(world: World, admin: Admin, hub: Hub) -> None:
    with pytest.raises(ValueError, match="title"):
        await admin.broadcasts.alert(Alert(severity="error", title=""))
    assert (await hub.history("alerts")).top.offset == 0


async def test_each_broadcast_leaves_one_line_that_does_not_say_what_was_said(
    world: World, admin: Admin, logs: list[MutableMapping[str, Any]]
) -> None:
    done = await admin.broadcasts.alert(Alert(severity="error", title="secret"), by="user:ada")
    (line,) = [line for line in logs if line["event"] == "broadcast_sent"]
    assert (line["by"], line["channel"], line["type"], line["id"]) == ("user:ada", "alerts", "Alert", done.id)
    assert "secret" not in str(line)


async def test_who_comes_back_recovers_what_was_broadcast_meanwhile(world: World, admin: Admin) -> None:
    ada = await world.connect(user="ada", roles=["admin"])
    at = await ada.subscribe("alerts")
    ada.drop()
    for title in "abc":
        await admin.broadcasts.alert(Alert(severity="info", title=title))
    ada = await world.connect(user="ada", roles=["admin"])
    back = await ada.subscribe("alerts", since=Position(at.offset, at.epoch))
    assert back.recovered
    titles = [msgspec.json.decode(publication.data)["payload"]["title"] for publication in back.publications]
    assert titles == ["a", "b", "c"]
