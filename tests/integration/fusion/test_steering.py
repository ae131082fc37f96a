"""FUS-6, 10 and 11: the pace and the sources are changed while it runs, for good, and by those alone who may."""

import json
import os
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.examples.pages import ROOT, Page
from vagus.store import settings

from .conftest import StartStation, Watch
from .serving import Site, answer
from .station import Station, kept_in

ADDED = {"kind": "json_file", "name": "openOrders", "path": "orders.json"}

STEERING: list[tuple[str, str, Any]] = [
    ("POST", "/emitter/interval", {"minutes": 5}),
    ("POST", "/emitter/pause", None),
    ("POST", "/emitter/resume", None),
    ("POST", "/refresh", None),
]
MANAGING: list[tuple[str, str, Any]] = [
    ("GET", "/sources", None),
    ("POST", "/sources/test", ADDED),
    ("POST", "/sources", ADDED),
    ("PUT", "/sources/openOrders", ADDED),
    ("DELETE", "/sources/openOrders", None),
]
READING = ["/stream", "/health", "/emitter/health", "/emitter/performance", "/history?metric=memos", "/history/metrics"]


@pytest.fixture
def own(start_station: StartStation) -> Station:
    return start_station()


async def test_fus_6_a_new_pace_holds_at_once_and_over_restarts(start_station: StartStation, watch: Watch) -> None:
    station = start_station()
    paced = {"ok": True, "minutes": 3.0, "intervalSeconds": 180.0, "paused": False}
    assert await station.post("/emitter/interval", {"minutes": 3}) == paced
    await station.post("/emitter/interval", {"seconds": 1})
    watcher = await watch(station)
    first = (await watcher.pulse())["pulse"]["number"]
    assert (await watcher.pulse())["pulse"]["number"] == first + 1
    station.signal()
    assert await station.ended() == 0
    again = start_station()
    assert (await again.refresh())["pulse"]["intervalSeconds"] == 1


async def test_fus_6_a_paused_emitter_makes_a_pulse_for_who_asks_and_no_other(own: Station, watch: Watch) -> None:
    await own.post("/emitter/interval", {"seconds": 1})
    assert (await own.post("/emitter/pause"))["paused"] is True
    told = await own.get("/emitter/health")
    assert (told["status"], told["metrics"]["isActive"]) == ("paused", False)
    number = (await own.refresh())["pulse"]["number"]
    assert (await own.refresh())["pulse"]["number"] == number + 1
    assert (await own.post("/emitter/resume"))["paused"] is False


@pytest.mark.parametrize(
    "body",
    [
        {"minutes": 0},
        {"minutes": -1},
        {"minutes": 1441},
        {"minutes": "3"},
        {"minutes": None},
        {"seconds": 0.5},
        {"minutes": 3, "seconds": 180},
        {"hours": 1},
        {},
        [],
    ],
    ids=str,
)
async def test_fus_6_a_pace_that_makes_no_sense_is_refused(station: Station, body: object) -> None:
    async with station.http("operator") as http:
        answer = await http.post("/emitter/interval", json=body)
    assert answer.status_code == 400, answer.text
    assert answer.headers["content-type"].startswith("application/problem+json")


@pytest.mark.parametrize(("method", "path", "body"), [*STEERING, *MANAGING], ids=lambda value: str(value)[:24])
async def test_fus_11_a_viewer_changes_nothing(station: Station, method: str, path: str, body: Any) -> None:
    async with station.http("viewer") as http:
        assert (await http.request(method, path, json=body)).status_code == 403


@pytest.mark.parametrize(("method", "path", "body"), STEERING, ids=lambda value: str(value)[:24])
async def test_fus_11_operators_set_the_pace(own: Station, method: str, path: str, body: Any) -> None:
    async with own.http("operator") as http:
        assert (await http.request(method, path, json=body)).status_code == 200


@pytest.mark.parametrize(("method", "path", "body"), MANAGING, ids=lambda value: str(value)[:24])
async def test_fus_11_operators_do_not_manage_sources(station: Station, method: str, path: str, body: Any) -> None:
    async with station.http("operator") as http:
        assert (await http.request(method, path, json=body)).status_code == 403


@pytest.mark.parametrize("path", READING)
async def test_fus_11_everybody_with_a_role_reads_and_nobody_else(station: Station, path: str) -> None:
    statuses = []
    for shown in ("viewer", "auditor", "service", "neuron"):
        async with station.http(shown) as http:
            statuses.append((await http.get(path)).status_code)
    async with station.http(accept="*/*") as http:
        statuses.append((await http.get(path)).status_code)
    assert statuses == [200, 200, 200, 403, 401]


async def test_fus_11_a_key_needs_the_scope(start_station: StartStation) -> None:
    secrets = {"fusion": "a-key-for-fusion", "publish": "a-key-for-others"}
    rows = [{"name": scope, "secret": secret, "scopes": [scope]} for scope, secret in secrets.items()]
    station = start_station(VAGUS_KEYS=json.dumps(rows))
    for key, status in (("a-key-for-fusion", 200), ("a-key-for-others", 403), ("no-key", 401)):
        async with station.http(x_api_key=key) as http:
            assert (await http.get("/stream")).status_code == status
            assert (await http.post("/refresh")).status_code == status


async def test_fus_10_a_source_is_tested_added_changed_and_removed_while_it_runs(own: Station, watch: Watch) -> None:
    (own.data / "orders.json").write_text("[1, 2]")
    (own.data / "later.json").write_text("[1, 2, 3]")
    assert await own.post("/sources/test", ADDED) == {"ok": True, "values": {"openOrders": 2}}
    added = await own.post("/sources", ADDED)
    assert (added["name"], added["origin"], added["settings"]["path"]) == ("openOrders", "added", "orders.json")
    assert (await own.refresh())["data"]["openOrders"] == 2
    async with own.http("admin") as http:
        assert (await http.put("/sources/openOrders", json={**ADDED, "path": "later.json"})).status_code == 200
        assert (await own.refresh())["data"]["openOrders"] == 3
        assert (await http.delete("/sources/openOrders")).status_code == 204
        assert "openOrders" not in (await own.refresh())["data"]
        assert (await http.delete("/sources/openOrders")).status_code == 404


async def test_fus_10_who_watches_hears_of_a_source_at_once_even_when_pulses_are_paused(
    own: Station, watch: Watch
) -> None:
    (own.data / "orders.json").write_text("[1, 2]")
    await own.post("/emitter/pause")
    watcher = await watch(own)
    await watcher.pulse()
    await own.post("/sources", ADDED)
    assert (await watcher.pulse())["data"]["openOrders"] == 2
    async with own.http("admin") as http:
        await http.put("/sources/openOrders", json={**ADDED, "fields": [{"name": "orders"}]})
        assert (await watcher.pulse())["data"]["orders"] == 2
        await http.delete("/sources/openOrders")
    assert "orders" not in (await watcher.pulse())["data"]


async def test_fus_10_what_somebody_else_changed_meanwhile_is_not_overwritten(own: Station) -> None:
    seen = (await own.post("/sources", ADDED))["version"]
    async with own.http("admin") as http:
        as_seen = {"if-match": f'"{seen}"'}
        first = await http.put("/sources/openOrders", json={**ADDED, "path": "later.json"}, headers=as_seen)
        second = await http.put("/sources/openOrders", json={**ADDED, "path": "other.json"}, headers=as_seen)
        removal = await http.delete("/sources/openOrders", headers=as_seen)
        (kept,) = [one for one in (await http.get("/sources")).json()["sources"] if one["origin"] == "added"]
        anew = {"if-match": f'"{kept["version"]}"'}
        third = await http.put("/sources/openOrders", json={**ADDED, "path": "other.json"}, headers=anew)
        assert (await http.put("/sources/openOrders", json=ADDED, headers={"if-match": "*"})).status_code == 200
    assert [one.status_code for one in (first, second, removal, third)] == [200, 412, 412, 200]
    assert "openOrders was changed by user:ada meanwhile" in second.json()["detail"]
    assert (kept["settings"]["path"], kept["version"]) == ("later.json", first.json()["version"])


async def test_fus_10_a_test_says_what_was_done_with_several_values(station: Station) -> None:
    (station.data / "parts.json").write_text('{"parts": [{"eur": 2}, {"eur": 3}]}')
    table = {**ADDED, "path": "parts.json", "fields": [{"name": "turnover", "select": "$.parts[*].eur"}]}
    told = await station.post("/sources/test", table)
    assert (told["ok"], told["values"]) == (True, {"turnover": 2})
    assert "2 values matched $.parts[*].eur; without combine they are counted" in told["hints"][0]


async def test_fus_10_what_comes_ready_says_what_it_reads_and_can_be_copied(own: Station) -> None:
    async with own.http("admin") as http:
        told = (await http.get("/sources")).json()
    ready = {entry["name"]: entry for entry in told["sources"]}
    assert told["folder"] == str(own.data)
    assert {name: entry["settings"]["path"] for name, entry in ready.items()} == {
        "memoIndex": "memo_index.json",
        "revenue": "revenue_snapshot.json",
        "driveSyncLog": "drive_sync.log",
        "recommendations": "ERIC_recommendations.json",
    }
    assert {entry["origin"] for entry in ready.values()} == {"ready"}
    (own.data / "other.json").write_text('{"summary": {"mrr": "48,200.50 EUR"}}')
    (field,) = ready["revenue"]["settings"]["fields"]
    changed = {"name": "other", "path": "other.json", "fields": [{**field, "name": "otherRevenue"}]}
    await own.post("/sources", {**ready["revenue"]["settings"], "kind": ready["revenue"]["kind"], **changed})
    assert (await own.refresh())["data"]["otherRevenue"] == 48200.5


async def test_fus_10_a_source_that_gives_nothing_is_tested_with_the_reason(station: Station) -> None:
    told = await station.post("/sources/test", {**ADDED, "path": "nothing.json"})
    assert told["ok"] is False
    assert "nothing.json is not there" in told["error"]


async def test_fus_10_an_added_source_is_there_after_a_restart(start_station: StartStation) -> None:
    station = start_station()
    await station.post("/sources", ADDED)
    (station.data / "orders.json").write_text("[1]")
    station.signal()
    await station.ended()
    assert (await start_station().refresh())["data"]["openOrders"] == 1


@pytest.mark.parametrize(
    ("table", "status", "words"),
    [
        ({"kind": "json_file", "name": "memoIndex", "path": "x.json"}, 409, "memoIndex"),
        ({"kind": "json_file", "name": "memos", "path": "x.json"}, 409, "memos is a value of the source memoIndex"),
        ({"kind": "json_file", "name": "x", "path": "../../etc/passwd"}, 400, "must be in"),
        ({"kind": "json_file", "name": "x", "path": "/etc/passwd"}, 400, "must be in"),
        ({"kind": "log_file", "name": "x", "path": "token_secret", "pattern": "(?P<x>.+)"}, 400, "the server's own"),
        ({"kind": "log_file", "name": "x", "path": "y/../API_KEY", "pattern": "(?P<x>.+)"}, 400, "the server's own"),
        ({"kind": "sql", "name": "x", "url": "sqlite:///vagus.db", "query": "select 1"}, 400, "the server's own"),
        ({"kind": "log_file", "name": "x", "path": "vagus.db-wal", "pattern": "(?P<x>.+)"}, 400, "the server's own"),
        ({"kind": "sql", "name": "x", "url": "sqlite:////etc/x.db", "query": "select 1"}, 400, "must be in"),
        ({"kind": "json_file", "name": "no name", "path": "x.json"}, 400, "name"),
        ({"kind": "json_file", "name": "timestamp", "path": "x.json"}, 400, "meaning of its own"),
        ({"kind": "log_file", "name": "x", "path": "x.log", "pattern": "(?P<a>("}, 400, "pattern"),
        ({"kind": "telepathy", "name": "x"}, 400, "telepathy"),
        ({"name": "x"}, 400, "kind"),
        ([], 400, ""),
    ],
    ids=str,
)
async def test_fus_10_a_source_that_cannot_be_is_refused_with_the_reason(
    station: Station, table: object, status: int, words: str
) -> None:
    async with station.http("admin") as http:
        answer = await http.post("/sources", json=table)
    assert answer.status_code == status, answer.text
    assert words in answer.json()["detail"]


async def test_fus_10_what_an_earlier_version_let_in_is_refused_at_the_start_and_can_be_removed(
    start_station: StartStation,
) -> None:
    station = start_station()
    station.signal()
    assert await station.ended() == 0
    async with kept_in(station.data / "vagus.db") as transaction:
        value = json.dumps({"kind": "log_file", "name": "peek", "path": "token_secret", "pattern": "(?P<all>.+)"})
        await settings.put(transaction, "fusion.source.peek", value.encode(), by="user:eve", now=0)
    again = start_station()
    pulse = await again.refresh()
    assert (pulse["data"]["all"], pulse["data"]["health"]["peekAvailable"]) == (None, False)
    row = (await again.get("/health"))["sources"]["peek"]
    assert row["status"] == "failed"
    assert "the server's own" in row["error"] and "change it or remove it" in row["error"]
    async with again.http("admin") as http:
        assert [one["name"] for one in (await http.get("/sources")).json()["sources"]][-1] == "peek"
        assert (await http.delete("/sources/peek")).status_code == 204
    assert "all" not in (await again.refresh())["data"]


async def test_fus_10_the_configuration_is_the_servers_own_wherever_it_is(
    start_station: StartStation, tmp_path: Path
) -> None:
    (tmp_path / "own.toml").write_text('[tokens]\nhmac_secret = "a secret of thirty-two characters"\n')
    station = start_station("--config", "own.toml", VAGUS_FUSION__FOLDER=".")
    os.link(tmp_path / "own.toml", tmp_path / "innocent.log")
    peek = {"kind": "log_file", "name": "peek", "pattern": "(?P<all>.+)"}
    async with httpx.AsyncClient(base_url=station.url, headers={"x-api-key": station.key}) as http:
        named = await http.post("/api/fusion/sources/test", json={**peek, "path": "own.toml"})
        linked = await http.post("/api/fusion/sources/test", json={**peek, "path": "innocent.log"})
    assert (named.status_code, linked.json()["ok"]) == (400, False)
    assert "own.toml is the server's own" in named.json()["detail"]
    assert "leads to a file of the server's own" in linked.json()["error"]


async def test_fus_10_sources_of_the_configuration_are_changed_there(start_station: StartStation) -> None:
    station = start_station(VAGUS_FUSION__SOURCES='[{"kind": "json_file", "name": "parts", "path": "parts.json"}]')
    async with station.http("admin") as http:
        for name in ("parts", "memoIndex"):
            answer = await http.delete(f"/sources/{name}")
            assert answer.status_code == 409
            assert "change it where it comes from" in answer.json()["detail"]


async def test_fus_10_a_function_of_an_application_is_a_source_beside_the_others(
    start_station: StartStation, tmp_path: Path
) -> None:
    program = Page(ROOT / "docs" / "fusion.md").write_programs("python", tmp_path)
    assert program == ["stock.py"]
    station = start_station("--app", "stock:hub")
    station.write_files()
    data = (await station.refresh())["data"]
    assert (data["partsInStock"], data["memos"]) == (1200, 3)
    async with station.http("admin") as http:
        assert (await http.get("/history/metrics")).status_code == 200
        (stock,) = [one for one in (await http.get("/sources")).json()["sources"] if one["origin"] == "application"]
    assert (stock["name"], stock["settings"]) == ("stock", None)


async def test_fus_10_what_is_secret_in_a_source_is_kept_and_never_shown(own: Station) -> None:
    site = Site()
    site.pages["/?key=open-sesame"] = answer("[1, 2]")
    async with site.served(), own.http("admin") as http:
        table = {"kind": "http_json", "name": "x", "url": site.url("/?key=open-sesame"), "headers": {"X-Key": "sesame"}}
        added = await http.post("/sources", json=table)
        assert added.json()["hidden"] == ["headers", "url"]
        changed = await http.put("/sources/x", json={"kind": "http_json", "name": "x", "timeout_s": 1})
        assert (await own.refresh())["data"]["x"] == 2
        listed, health = await http.get("/sources"), await http.get("/health")
    assert site.asked[-1][1]["X-Key"] == "sesame"
    assert changed.json()["settings"]["timeout_s"] == 1
    for text in (added.text, changed.text, listed.text, health.text, "".join(own.lines)):
        assert "sesame" not in text
