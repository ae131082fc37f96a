"""ADM-5 to ADM-9 over HTTP: what can be read, who may broadcast, and the log of each."""

import json

import pytest

from tests.integration.admin.conftest import OpenDashboard
from tests.integration.admin.house import BASE, House
from tests.integration.admin.test_hub import BROADCASTS


async def test_adm_5_anybody_may_ask_for_its_health(house: House) -> None:
    async with house.http(accept="application/json") as http:
        answer = await http.get(f"{BASE}/health")
    assert answer.json() == {"status": "ok", "service": "real-time", "websocketEndpoint": "/hubs/admin"}


async def test_adm_5_the_status_counts_who_is_connected_and_follows(house: House, dashboard: OpenDashboard) -> None:
    async with house.http() as http:
        before = (await http.get(f"{BASE}/status")).json()
        ada = await dashboard()
        await ada.run("join", group="Alerts")
        await dashboard("native")
        await house.say("alert/error", {"title": "x"})
        now = (await http.get(f"{BASE}/status")).json()
    assert now["connections"]["bySection"].get("admin", 0) - before["connections"]["bySection"].get("admin", 0) == 1
    assert now["connections"]["total"] - before["connections"]["total"] == 2
    for group in ("admins", "alerts"):
        assert now["groups"][group]["clients"] - before["groups"][group]["clients"] == 1
    assert now["events"]["Alert"] - before["events"].get("Alert", 0) == 1


async def test_adm_5_the_snapshot_shows_the_last_of_each_figure(house: House) -> None:
    await house.say("broadcast/user-count", {"total": 1})
    said = await house.say("broadcast/user-count", {"total": 2})
    async with house.http() as http:
        shown = (await http.get(f"{BASE}/platform-snapshot")).json()
    assert (shown["userCount"]["id"], shown["userCount"]["total"]) == (said["id"], 2)


@pytest.mark.parametrize(("path", "body", "channel", "event"), BROADCASTS)
async def test_adm_6_to_8_admins_and_keys_broadcast_and_viewers_do_not(
    house: House, path: str, body: dict[str, object], channel: str, event: str
) -> None:
    bearer = f"Bearer {house.token('eve', 'viewer')}"
    shown = [(202, {"x-api-key": house.key}), (403, {"authorization": bearer}), (401, {"accept": "*/*"})]
    for status, headers in shown:
        async with house.http(**headers) as http:
            assert (await http.post(f"{BASE}/{path}", json=body)).status_code == status
    assert (await house.say(path, body))["channel"] == channel


async def test_adm_9_each_broadcast_is_in_the_log_with_who_did_it(house: House) -> None:
    said = await house.say("alert/error", {"title": "nobody's business"})
    lines = [json.loads(line) for line in house.log().splitlines()]
    (line,) = [line for line in lines if line.get("id") == said["id"]]
    assert (line["event"], line["by"], line["type"]) == ("broadcast_sent", "user:ada", "Alert")
    assert (line["channel"], line["offset"]) == ("alerts", said["offset"])
    assert "nobody's business" not in house.log()
