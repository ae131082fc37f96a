"""What ``vagus serve --demo`` shows: sources that move by themselves, marked as made up, until there are real ones."""

from tests.integration.streams.incoming import Incoming
from vagus.apps.fusion import CHANNEL

from .conftest import StartStation, Watch
from .station import FLAGS, VALUES


async def test_a_demo_makes_up_every_source_and_says_so(start_station: StartStation) -> None:
    station = start_station("--demo")
    pulse = await station.refresh()
    assert pulse["data"].keys() == {"timestamp", *VALUES, "health"}
    assert pulse["data"]["health"] == dict.fromkeys(FLAGS, True)
    assert all(source["demo"] for source in pulse["pulse"]["sources"].values())
    assert all(row["demo"] for row in (await station.get("/health"))["sources"].values())
    assert all(each["title"].startswith("Demo: ") for each in pulse["data"]["recommendations"])
    assert (await station.refresh())["data"]["revenue"] != pulse["data"]["revenue"]


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
