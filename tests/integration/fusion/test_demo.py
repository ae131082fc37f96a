"""What ``vagus serve --demo`` shows: sources that move by themselves, marked as made up, until there are real ones."""

from itertools import pairwise

from sqlalchemy import delete, func, select

from tests.integration.streams.incoming import Incoming
from vagus.apps.fusion import CHANNEL
from vagus.apps.fusion.history.tables import hours, minutes, points
from vagus.apps.fusion.kinds import moment

from .conftest import StartStation, Watch
from .station import FLAGS, VALUES, Station, kept_in

MINUTE_MS = 60_000
DAY_MS = 1_440 * MINUTE_MS
METRICS = {"memos", "revenue", "recommendations"}


async def test_a_demo_makes_up_every_source_and_says_so(start_station: StartStation) -> None:
    station = start_station("--demo")
    pulse = await station.refresh()
    assert pulse["data"].keys() == {"timestamp", *VALUES, "health"}
    assert pulse["data"]["health"] == dict.fromkeys(FLAGS, True)
    assert all(source["demo"] for source in pulse["pulse"]["sources"].values())
    assert all(row["demo"] for row in (await station.get("/health"))["sources"].values())
    assert all(each["title"].startswith("Demo: ") for each in pulse["data"]["recommendations"])
    assert len({(await station.refresh())["data"]["revenue"] for _ in range(5)}) > 1


async def test_a_demo_makes_a_pulse_every_five_seconds(start_station: StartStation) -> None:
    assert (await start_station("--demo").refresh())["pulse"]["intervalSeconds"] == 5


async def test_a_demo_whose_pace_is_configured_keeps_to_it(start_station: StartStation) -> None:
    station = start_station("--demo", VAGUS_FUSION__INTERVAL_S="300")
    assert (await station.refresh())["pulse"]["intervalSeconds"] == 300


async def test_a_real_file_counts_as_soon_as_it_is_there_whatever_is_in_it(start_station: StartStation) -> None:
    station = start_station("--demo")
    (station.data / "memo_index.json").write_text("[1, 2, 3]")
    pulse = await station.refresh()
    assert pulse["data"]["memos"] == 3
    assert {name: source["demo"] for name, source in pulse["pulse"]["sources"].items()} == {
        "memoIndex": False,
        "revenue": True,
        "driveSyncLog": True,
        "recommendations": True,
    }
    (station.data / "memo_index.json").write_text("[1, 2, ")
    assert (await station.refresh())["data"]["health"]["memoIndexAvailable"] is False


async def first_of_metrics(station: Station) -> dict[str, int]:
    """When each metric begins, once the past is invented."""
    station.wait_for("fusion_past_invented")
    return {row["metric"]: row["firstMs"] for row in (await station.get("/history/metrics"))["metrics"]}


async def test_a_demo_has_a_day_behind_it_that_joins_what_it_says_now(start_station: StartStation) -> None:
    station = start_station("--demo")
    station.wait_for("fusion_past_invented")
    pulse = await station.refresh()
    day = await station.get("/history", metric=sorted(METRICS))
    assert {line["metric"] for line in day["series"]} == METRICS
    for line in day["series"]:
        assert line["at"][0] - day["fromMs"] < 5 * MINUTE_MS
        assert day["toMs"] - line["at"][-1] < 5 * MINUTE_MS
        assert len(line["at"]) >= 480 and None not in line["mean"]
    (near,) = (await station.get("/history", metric="revenue", **{"from": str(day["toMs"] - 15 * MINUTE_MS)}))["series"]
    assert len(near["at"]) >= 170 and None not in near["mean"]
    changes = [abs(later / earlier - 1) for earlier, later in pairwise([*near["mean"], pulse["data"]["revenue"]])]
    assert 0 < max(changes) < 0.01


async def test_a_demo_that_was_stopped_goes_on_where_it_was(start_station: StartStation) -> None:
    station = start_station("--demo")
    begun = await first_of_metrics(station)
    station.signal()
    assert await station.ended() == 0
    async with kept_in(station.data / "vagus.db") as transaction:  # as if it had been stopped three hours ago
        newest = await transaction.scalar(select(func.max(points.c.at_ms)))
        for table in (points, minutes, hours):
            await transaction.execute(delete(table).where(table.c.at_ms > newest - 3 * 60 * MINUTE_MS))
    again = start_station("--demo")
    assert await first_of_metrics(again) == begun
    added = again.events("fusion_past_invented")[0]["points"]
    assert 0 < added < station.events("fusion_past_invented")[0]["points"]
    for line in (await again.get("/history", metric=sorted(METRICS)))["series"]:
        assert len(line["at"]) >= 480 and None not in line["mean"]


async def test_a_demo_invents_no_past_beside_real_values(start_station: StartStation) -> None:
    real = start_station()
    (real.data / "revenue_snapshot.json").write_text('{"mrr": 5}')
    pulse = await real.refresh()
    real.signal()
    assert await real.ended() == 0
    (real.data / "revenue_snapshot.json").unlink()
    (real.data / "memo_index.json").write_text("[1, 2, 3]")
    begun = await first_of_metrics(start_station("--demo"))
    at = moment(pulse["data"]["timestamp"])
    assert (begun["revenue"], begun["memos"] > at) == (at, True)
    assert at - begun["recommendations"] > DAY_MS - 5 * MINUTE_MS


async def test_without_a_demo_no_past_is_invented(start_station: StartStation) -> None:
    station = start_station(VAGUS_FUSION__INTERVAL_S="3600")
    (station.data / "memo_index.json").write_text("[1, 2, 3]")
    pulse = await station.refresh()
    station.signal()
    assert await station.ended() == 0
    again = start_station(VAGUS_FUSION__INTERVAL_S="3600")
    (row,) = (await again.get("/history/metrics"))["metrics"]
    assert (row["metric"], row["firstMs"]) == ("memos", moment(pulse["data"]["timestamp"]))


async def test_anybody_may_watch_a_demo_and_nobody_may_steer_it(start_station: StartStation, watch: Watch) -> None:
    station = start_station("--demo")
    for kind in ("socket.io", "eventsource"):
        assert (await (await watch(station, kind, token="")).pulse())["ok"] is True
    watcher = await watch(station, token="")
    assert (await watcher.ask())["error"]["code"] == 103
    async with station.http(accept="*/*") as http:
        for path in ("/refresh", "/emitter/interval", "/emitter/pause", "/sources"):
            assert (await http.post(path, json={"minutes": 3})).status_code == 401


async def test_without_a_demo_nobody_watches_unasked(start_station: StartStation) -> None:
    station = start_station(VAGUS_ACCESS__ALLOW_ANONYMOUS="true")
    listening = await Incoming.get(station.port, f"/events?channel={CHANNEL}")
    assert listening.status == 403
    listening.drop()
