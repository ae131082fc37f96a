"""FUS-8: what pulses said is kept in the store, drawn as charts and handed out as files."""

import csv
import io

import pytest

from .conftest import StartStation
from .station import Station

DAY = {"from": "2020-01-01T00:00:00Z", "to": "2020-01-02T00:00:00Z"}


async def test_fus_8_the_numbers_of_pulses_are_kept_over_a_restart(start_station: StartStation) -> None:
    station = start_station()
    station.write_files()
    pulse = await station.refresh()
    station.signal()
    assert await station.ended() == 0
    again = start_station()
    names = {metric["metric"] for metric in (await again.get("/history/metrics"))["metrics"]}
    assert names == {"memos", "revenue", "recommendations"}
    chart = await again.get("/history", metric=["memos", "revenue"], points="1000")
    drawn = {series["metric"]: series for series in chart["series"]}
    assert {"memos", "revenue"} == drawn.keys()
    assert 3 in drawn["memos"]["max"]
    assert pulse["data"]["revenue"] in drawn["revenue"]["max"]


async def test_fus_8_an_export_has_every_point_as_csv_and_json(start_station: StartStation) -> None:
    station = start_station()
    station.write_files()
    await station.refresh()
    station.signal()
    await station.ended()
    again = start_station(VAGUS_FUSION__INTERVAL_S="3600")
    async with again.http() as http:
        table = await http.get("/history/export", params={"metric": "memos", "tier": "raw"})
        listed = await http.get("/history/export", params={"metric": "memos", "tier": "raw", "format": "json"})
    assert table.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(table.text)))
    assert {row["metric"] for row in rows} == {"memos"}
    assert listed.headers["content-type"].startswith("application/json")
    assert listed.json()


async def test_fus_8_an_export_is_called_by_what_is_in_it(station: Station) -> None:
    async with station.http() as http:
        answer = await http.get("/history/export", params={"metric": ["memos", "revenue"], **DAY, "format": "json"})
    name = "memos-revenue_2020-01-01T000000Z_2020-01-02T000000Z.json"
    assert answer.headers["content-disposition"] == f'attachment; filename="{name}"'


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"metric": "memos", "from": "2026-01-02T00:00:00Z", "to": "2026-01-01T00:00:00Z"},
        {"metric": "memos", "from": "yesterday"},
        {"metric": "memos", "points": "0"},
        {"metric": "memos", "points": "1000000000"},
        {"metric": "memos", "from": "9999-01-01T00:00:00Z"},
        {"metric": "x" * 1000},
        {"metric": "memos", "from": "99999999999999999999999999"},
    ],
    ids=str,
)
async def test_fus_8_a_question_that_makes_no_sense_is_refused_with_the_reason(
    station: Station, query: dict[str, str]
) -> None:
    async with station.http() as http:
        answer = await http.get("/history", params=query)
    assert answer.status_code == 400, answer.text
    assert answer.json()["detail"]


async def test_fus_8_a_time_of_which_nothing_is_kept_is_an_empty_line(station: Station) -> None:
    (series,) = (await station.get("/history", metric="memos", **DAY))["series"]
    assert (series["metric"], series["at"]) == ("memos", [])
