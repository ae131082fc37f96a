"""ADM-1 to ADM-3 and ADM-9: dashboards at `/hubs/admin` with the unmodified npm package, and beside other dialects."""

from typing import Any

import pytest

from tests.integration.admin.conftest import OpenDashboard
from tests.integration.admin.house import House
from tests.integration.native.peers import Peer, Refused

GROUP_CALLS = {"user-activity": "UserActivity", "analytics": "Analytics", "alerts": "Alerts"}

BROADCASTS: list[tuple[str, dict[str, Any], str, str]] = [
    ("notify/user-action", {"userId": "42", "action": "signed_in"}, "user-activity", "UserActivity"),
    ("broadcast/analytics", {"metric": "conversion", "value": 3.4}, "analytics", "AnalyticsUpdate"),
    ("broadcast/platform-update", {"status": "degraded", "errorRate": 0.5}, "admins", "PlatformUpdate"),
    ("broadcast/user-count", {"total": 18250, "online": 412}, "admins", "UserCountUpdate"),
    ("broadcast/generation-metrics", {"total": 12, "failed": 1}, "analytics", "GenerationMetrics"),
    ("broadcast/revenue", {"amount": 1890.5, "currency": "EUR"}, "analytics", "RevenueUpdate"),
    ("alert", {"severity": "success", "title": "Back"}, "alerts", "Alert"),
    ("alert", {"severity": "info", "title": "Hm"}, "alerts", "Alert"),
    ("alert/warning", {"title": "Oh"}, "alerts", "Alert"),
    ("alert/error", {"title": "No"}, "alerts", "Alert"),
    ("alert/performance", {"metric": "p99", "value": 9, "threshold": 5}, "alerts", "PerformanceAlert"),
    ("notify/role-assignment", {"userId": "42", "role": "operator"}, "admins", "RoleAssignment"),
    ("notify/system-event", {"event": "deployment"}, "admins", "SystemEvent"),
]


async def titles(peer: Peer, count: int) -> list[str]:
    return [(await peer.expect("event", "Alert"))["args"][0]["title"] for _ in range(count)]


async def last_heard(house: House, peer: Peer) -> None:
    """Wait for something that goes to everybody, so that whatever came before it has arrived."""
    said = await house.say("notify/system-event", {"event": "mark"})
    while (await peer.expect("event", "SystemEvent"))["args"][0]["id"] != said["id"]:
        pass


@pytest.mark.parametrize("transport", ["WebSockets", "ServerSentEvents", "LongPolling"])
async def test_adm_1_a_dashboard_connects_and_hears_over_every_transport(
    house: House, dashboard: OpenDashboard, transport: str
) -> None:
    ada = await dashboard(transport=transport)
    await ada.run("join", group="Alerts")
    await house.say("alert/error", {"title": "Disk full"})
    assert await titles(ada, 1) == ["Disk full"]


async def test_adm_1_a_dashboard_comes_back_by_itself_when_the_server_does(
    house: House, dashboard: OpenDashboard
) -> None:
    ada = await dashboard(transport="WebSockets")
    await ada.run("join", group="Alerts")
    house.stop()
    house.start()
    await ada.expect("back")
    await house.say("alert/error", {"title": "Still here"})
    assert await titles(ada, 1) == ["Still here"]


async def test_adm_2_whoever_connects_is_among_the_admins(house: House, dashboard: OpenDashboard) -> None:
    ada, bob = await dashboard(), await dashboard()
    await house.say("notify/system-event", {"event": "deployment"})
    for peer in (ada, bob):
        assert (await peer.expect("event", "SystemEvent"))["args"][0]["event"] == "deployment"


@pytest.mark.parametrize("group", GROUP_CALLS)
async def test_adm_2_a_group_is_heard_from_joining_to_leaving(
    house: House, dashboard: OpenDashboard, group: str
) -> None:
    path, body, _, event = next(row for row in BROADCASTS if row[2] == group)
    ada = await dashboard()
    await house.say(path, body)
    await ada.run("join", group=GROUP_CALLS[group])
    inside = await house.say(path, body)
    await last_heard(house, ada)
    await ada.run("leave", group=GROUP_CALLS[group])
    await house.say(path, body)
    await last_heard(house, ada)
    assert [seen["args"][0]["id"] for seen in ada.seen if seen["channel"] == event] == [inside["id"]]


async def test_adm_2_who_joined_one_group_hears_nothing_of_another(house: House, dashboard: OpenDashboard) -> None:
    ada, bob = await dashboard(), await dashboard()
    await ada.run("join", group="Alerts")
    await bob.run("join", group="Analytics")
    await house.say("alert/error", {"title": "x"})
    await house.say("broadcast/revenue", {"amount": 1, "currency": "EUR"})
    for peer, heard in ((ada, "Alert"), (bob, "RevenueUpdate")):
        await last_heard(house, peer)
        assert [seen["channel"] for seen in peer.seen] == [heard]


async def test_adm_3_every_event_reaches_its_handlers_with_its_payload(house: House, dashboard: OpenDashboard) -> None:
    ada = await dashboard()
    for group in GROUP_CALLS.values():
        await ada.run("join", group=group)
    for path, body, group, event in BROADCASTS:
        said = await house.say(path, body)
        assert said["channel"] == group
        (payload,) = (await ada.expect("event", event))["args"]
        assert payload["id"] == said["id"]
        assert payload | body == payload
        if event == "Alert":
            assert payload["severity"] == body.get("severity", path.rpartition("/")[2])
    assert ada.seen == []


async def test_adm_3_clients_of_every_dialect_hear_the_same_in_one_order(
    house: House, dashboard: OpenDashboard
) -> None:
    signalr, socketio, native = await dashboard("signalr"), await dashboard("socketio"), await dashboard("native")
    await signalr.run("join", group="Alerts")
    await socketio.run("join", group="Alerts")
    await native.run("follow", channel="alerts")
    expected = [f"alert {number}" for number in range(30)]
    for title in expected:
        await house.say("alert/warning", {"title": title})
    for peer in (signalr, socketio, native):
        assert await titles(peer, 30) == expected


async def test_adm_3_who_joins_late_reads_the_history(house: House, dashboard: OpenDashboard) -> None:
    said = [await house.say("alert/error", {"title": title}) for title in "abc"]
    ada = await dashboard()
    history = await ada.run("invoke", target="History", args=["alerts", {"limit": 2, "reverse": True}])
    assert [publication["data"]["id"] for publication in history["publications"]] == [said[2]["id"], said[1]["id"]]


@pytest.mark.parametrize("roles", [(), ("viewer",), ("operator",), ("service",)])
@pytest.mark.parametrize("kind", ["signalr", "socketio"])
async def test_adm_9_nobody_but_an_admin_connects(
    house: House, dashboard: OpenDashboard, kind: str, roles: tuple[str, ...]
) -> None:
    eve = await dashboard(kind, token=house.token("eve", *roles), start=False)
    with pytest.raises(Refused):
        await eve.start()


@pytest.mark.parametrize("token", ["", "x.y.z"])
async def test_adm_9_without_a_token_that_is_believed_nobody_connects(
    house: House, dashboard: OpenDashboard, token: str
) -> None:
    eve = await dashboard(token=token, start=False)
    with pytest.raises(Refused) as caught:
        await eve.start()
    assert caught.value.code == 401 or "401" in str(caught.value)


async def test_adm_9_an_admin_follows_the_channels_in_the_native_dialect_and_a_viewer_does_not(
    house: House, dashboard: OpenDashboard
) -> None:
    ada, eve = await dashboard("native"), await dashboard("native", token=house.token("eve", "viewer"))
    await ada.run("follow", channel="alerts")
    await ada.run("call", method="admin.SubscribeToAnalytics")
    for refused in ({"op": "follow", "channel": "alerts"}, {"op": "call", "method": "admin.SubscribeToAnalytics"}):
        with pytest.raises(Refused):
            await eve.run(**refused)
