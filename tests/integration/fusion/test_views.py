"""FUS-2, 3, 5 and 12: what is answered over HTTP has exactly the shapes that its readers were written for."""

import asyncio
import shutil
import subprocess
from datetime import datetime

import msgspec
import pytest

from tests.patience import DEADLINE_S
from vagus.apps.fusion.channel import UPDATE

from .conftest import Watch
from .station import BASE, FLAGS, VALUES, Station

FIELDS = {"timestamp", *VALUES, "health"}


def is_moment(text: object) -> bool:
    return isinstance(text, str) and text.endswith("Z") and datetime.fromisoformat(text).tzinfo is not None


async def test_fus_2_the_snapshot_has_the_values_by_name_and_which_sources_answered(station: Station) -> None:
    told = await station.get("/stream")
    assert told.keys() == {"ok", "data"}
    assert told["ok"] is True
    assert told["data"].keys() == FIELDS
    assert {name: told["data"][name] for name in VALUES} == VALUES
    assert told["data"]["health"].keys() == set(FLAGS)
    assert is_moment(told["data"]["timestamp"])


async def test_fus_2_other_sources_have_the_same_shape(station: Station) -> None:
    (station.data / "orders.json").write_text('{"open": 4, "late": [7, 9]}')
    fields = [{"name": "openOrders", "select": "$.open"}, {"name": "lateOrders", "select": "$.late"}]
    await station.post("/sources", {"kind": "json_file", "name": "orders", "path": "orders.json", "fields": fields})
    await station.refresh()
    data = (await station.get("/stream"))["data"]
    async with station.http("admin") as http:
        await http.delete("/sources/orders")
    assert (data["openOrders"], data["lateOrders"], data["health"]["ordersAvailable"]) == (4, 2, True)
    assert (await station.get("/stream"))["data"].keys() == FIELDS


async def test_fus_2_a_snapshot_is_never_taken_from_a_cache(station: Station) -> None:
    async with station.http() as http:
        assert (await http.get("/stream")).headers["cache-control"] == "no-store"


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not on this machine")
def test_fus_2_curl_is_answered_with_a_key(station: Station) -> None:
    command = ["curl", "-sS", "--fail", f"{station.url}{BASE}/stream", "-H", f"X-API-Key: {station.key}"]
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=DEADLINE_S).stdout
    assert msgspec.json.decode(said)["data"]["memos"] == 3


async def test_fus_3_health_says_of_each_source_whether_it_answers(station: Station) -> None:
    await station.refresh()
    told = await station.get("/health")
    assert told.keys() == {"ok", "status", "sources", "timestamp"}
    assert (told["ok"], told["status"], is_moment(told["timestamp"])) == (True, "ok", True)
    assert [f"{name}Available" for name in told["sources"]] == list(FLAGS)
    for row in told["sources"].values():
        assert (row["available"], row["status"], row["error"], row["demo"]) == (True, "ok", None, False)


async def test_fus_5_the_emitter_tells_how_it_does(station: Station) -> None:
    before = (await station.get("/emitter/health"))["metrics"]
    await station.refresh()
    told = await station.get("/emitter/health")
    assert told.keys() == {"ok", "status", "metrics"}
    assert (told["ok"], told["status"]) == (True, "active")
    names = {"isActive", "uptime", "totalEmissions", "failedEmissions", "connectedClients", "startTime"}
    metrics = told["metrics"]
    assert metrics.keys() == names
    assert (metrics["isActive"], metrics["failedEmissions"]) == (True, 0)
    assert metrics["totalEmissions"] == before["totalEmissions"] + 1
    assert is_moment(metrics["startTime"])


async def test_fus_5_the_emitter_counts_who_listens(station: Station, watch: Watch) -> None:
    before = (await station.get("/emitter/health"))["metrics"]["connectedClients"]
    for kind in ("socket.io", "centrifuge", "signalr"):
        await watch(station, kind)
    assert (await station.get("/emitter/health"))["metrics"]["connectedClients"] == before + 3


async def test_fus_12_the_emitter_tells_what_it_takes(station: Station) -> None:
    pulse = await station.refresh()
    told = await station.get("/emitter/performance")
    for name in ("cpuPercent", "memoryBytes", "loopLagMs", "collectMs", "emitMs"):
        assert isinstance(told[name], int | float) and told[name] >= 0
    assert told["memoryBytes"] > 1_000_000
    assert (told["collectMs"], told["totalEmissions"]) == (pulse["pulse"]["collectMs"], pulse["pulse"]["number"])


async def test_fus_12_a_pulse_says_how_long_it_took_to_collect(station: Station, watch: Watch) -> None:
    watcher = await watch(station)
    asked = asyncio.create_task(station.refresh())
    pulse = await asked
    while (heard := await watcher.pulse())["pulse"]["number"] < pulse["pulse"]["number"]:
        pass
    assert heard == pulse, UPDATE
