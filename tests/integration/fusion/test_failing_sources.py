"""FUS-1: the sources that come ready are one snapshot, and whatever happens to one of them harms no other."""

import asyncio
import os
from typing import Any

import pytest

from vagus.settings.fusion import MAX_BYTES

from .conftest import StartStation, Watch
from .serving import Site
from .station import FILES, FLAGS, VALUES, Station

SOURCES = {
    "memo_index.json": ("memoIndex", ("memos",)),
    "revenue_snapshot.json": ("revenue", ("revenue",)),
    "drive_sync.log": ("driveSyncLog", ("driveSync", "driveSyncLastSync")),
    "ERIC_recommendations.json": ("recommendations", ("recommendations",)),
}
DAMAGES = {
    "is a pipe": "not a file",
    "has wrong types": "",
    "is cut": "cut in mid-write",
    "is 1 GB": "1,073,741,824 bytes",
    "vanished": "is not there",
}
CASES = [
    (name, how)
    for name in FILES
    for how in DAMAGES
    if name != "drive_sync.log" or how in ("is a pipe", "vanished")  # of a log, the last line that makes sense counts
]


def values_of(told: dict[str, Any]) -> dict[str, object]:
    return {name: told["data"][name] for name in VALUES}


async def test_fus_1_the_four_files_are_one_snapshot(station: Station) -> None:
    pulse = await station.refresh()
    assert values_of(pulse) == VALUES
    assert pulse["data"]["health"] == dict.fromkeys(FLAGS, True)


@pytest.mark.parametrize(("name", "how"), CASES, ids=lambda text: text)
async def test_fus_1_a_file_that_is_useless_harms_no_other_and_keeps_its_last_value(
    station: Station, name: str, how: str
) -> None:
    source, _ = SOURCES[name]
    await station.refresh()
    station.damage(name, how)
    pulse = await station.refresh()
    assert values_of(pulse) == VALUES
    assert pulse["data"]["health"] == {flag: flag != f"{source}Available" for flag in FLAGS}
    health = await station.get("/health")
    assert DAMAGES[how] in health["sources"][source]["error"]
    assert (health["ok"], health["status"]) == (False, "degraded")
    assert [each for each, row in health["sources"].items() if row["status"] != "ok"] == [source]
    station.write_files()
    assert (await station.refresh())["data"]["health"][f"{source}Available"]


async def test_fus_1_of_a_log_of_1_gb_the_last_line_counts_without_the_rest_being_read(station: Station) -> None:
    log = station.data / "drive_sync.log"
    os.truncate(log, 1_073_741_824)
    with log.open("a") as opened:
        opened.write("\n2026-11-21T19:30:00Z status=ERROR disk full\n")
    data = (await station.refresh())["data"]
    assert (data["driveSync"], data["driveSyncLastSync"]) == ("ERROR", "2026-11-21T19:30:00.000Z")
    assert (await station.get("/health"))["sources"]["driveSyncLog"]["bytes"] <= MAX_BYTES


async def test_fus_1_a_source_that_never_answers_keeps_no_pulse_waiting_beyond_its_time(
    start_station: StartStation, watch: Watch
) -> None:
    station = start_station(VAGUS_FUSION__INTERVAL_S="1")
    station.write_files()
    site = Site()
    silence = asyncio.Event()

    async def never(_: object) -> None:
        await silence.wait()

    site.pages["/"] = never
    async with site.served():
        await station.post("/sources", {"kind": "http_json", "name": "mute", "url": site.url(), "timeout_s": 0.5})
        watcher = await watch(station)
        hung = [pulse for pulse in [await watcher.pulse() for _ in range(4)] if "mute" in pulse["pulse"]["sources"]]
        silence.set()
    assert hung[-1]["pulse"]["sources"]["mute"]["error"] == "did not answer within 0.5 s"
    assert values_of(hung[-1]) == VALUES


def test_fus_1_files_that_were_never_there_are_waited_for_in_one_line_of_the_log(start_station: StartStation) -> None:
    station = start_station(VAGUS_FUSION__INTERVAL_S="1")
    (line,) = station.wait_for("fusion_waits_for_files")
    assert [path.rpartition("/")[2] for path in line["files"]] == list(FILES)
    station.write_files()
    station.wait_for("fusion_source_recovered", 4)
    assert station.events("fusion_source_failed") == []
    station.remove("memo_index.json")
    (warning,) = station.wait_for("fusion_source_failed")
    assert warning["source"] == "memoIndex"
