"""The section: who may call, and what joining and leaving a group does. The native dialect calls it here."""

from typing import Any

import pytest

from vagus.apps.admin import Admin, Alert, SystemEvent, UserActivity
from vagus.apps.admin.calls import SECTION
from vagus.hub import Hub
from vagus.kernel import codes
from vagus.kernel.errors import RefusedError
from vagus.kernel.replies import Attached, Ended
from vagus.testing import MemoryClient, World
from vagus.testing.reading import Received

GROUPS = {"UserActivity": "user-activity", "Analytics": "analytics", "Alerts": "alerts"}


async def types_heard(client: MemoryClient) -> list[str]:
    return [heard.data["type"] for heard in await client.heard() if isinstance(heard, Received)]


def test_the_section_has_a_call_to_join_and_one_to_leave_each_group(hub: Hub, admin: Admin) -> None:
    names = {f"{verb}{name}" for verb in ("SubscribeTo", "UnsubscribeFrom") for name in GROUPS}
    assert hub.sections[SECTION].names == names


@pytest.mark.parametrize(("name", "group"), GROUPS.items())
async def test_a_group_is_joined_and_left_by_calls(world: World, name: str, group: str) -> None:
    ada = await world.connect(user="ada", roles=["admin"])
    await ada.call(f"admin.SubscribeTo{name}")
    assert isinstance(joined := await ada.next(), Attached)
    assert joined.channel == group
    await ada.call(f"admin.UnsubscribeFrom{name}")
    assert isinstance(left := await ada.next(), Ended)
    assert left.channel == group


async def test_joining_twice_and_leaving_twice_are_no_mistakes(world: World, admin: Admin) -> None:
    ada = await world.connect(user="ada", roles=["admin"])
    for _ in range(2):
        await ada.call("admin.SubscribeToAlerts")
    await admin.broadcasts.alert(Alert(severity="info", title="once"))
    assert await types_heard(ada) == ["Alert"]
    for _ in range(2):
        await ada.call("admin.UnsubscribeFromAlerts")


async def test_who_left_hears_no_more(world: World, admin: Admin) -> None:
    ada = await world.connect(user="ada", roles=["admin"])
    await ada.call("admin.SubscribeToAlerts")
    await ada.call("admin.SubscribeToUserActivity")
    await ada.call("admin.UnsubscribeFromAlerts")
    await admin.broadcasts.alert(Alert(severity="info", title="unheard"))
    await admin.broadcasts.user_activity(UserActivity(user_id="1", action="signed_in"))
    assert await types_heard(ada) == ["UserActivity"]


@pytest.mark.parametrize("roles", [[], ["viewer"], ["operator"], ["auditor"], ["service"], ["neuron"], ["viewer", "x"]])
async def test_whoever_is_no_admin_can_neither_call_nor_follow(world: World, roles: list[str]) -> None:
    eve = await world.connect(user="eve", roles=roles)
    asked: list[Any] = [eve.call("admin.SubscribeToAlerts"), eve.subscribe("alerts"), eve.history("alerts")]
    for asking in asked:
        with pytest.raises(RefusedError) as caught:
            await asking
        assert caught.value.fault == codes.PERMISSION_DENIED


async def test_not_even_an_admin_publishes(world: World) -> None:
    ada = await world.connect(user="ada", roles=["admin"])
    with pytest.raises(RefusedError, match="permission denied"):
        await ada.publish("alerts", {"type": "Alert", "payload": {}})


async def test_who_joins_late_reads_what_was_said_before(world: World, admin: Admin) -> None:
    await admin.broadcasts.system_event(SystemEvent(event="deployment"))
    ada = await world.connect(user="ada", roles=["admin"])
    history = await ada.history("admins", limit=10)
    assert history.offset == 1
    assert len(history.publications) == 1
