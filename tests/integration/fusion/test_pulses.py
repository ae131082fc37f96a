"""FUS-4 and FUS-13: pulses reach every client library, at once and as often as was said, and who goes harms nobody."""

import asyncio

import httpx
import pytest

from tests.integration.streams.incoming import Incoming
from vagus.apps.fusion import CHANNEL

from .conftest import StartStation, Watch
from .station import VALUES, Pulse, Station
from .watching import ASKING, KINDS, OfSocketIO, Watcher


async def pulse_number(watcher: Watcher, number: int) -> Pulse:
    """A pulse of this number, or the first one after it."""
    while (pulse := await watcher.pulse())["pulse"]["number"] < number:
        pass
    return pulse


@pytest.mark.parametrize("kind", KINDS)
async def test_fus_4_who_comes_is_given_the_newest_pulse_at_once(station: Station, watch: Watch, kind: str) -> None:
    newest = await station.refresh()
    assert await (await watch(station, kind)).pulse() == newest


async def test_fus_4_every_library_sees_the_same_pulse(station: Station, watch: Watch) -> None:
    watchers = [await watch(station, kind) for kind in KINDS]
    pulse = await station.refresh()
    assert {name: pulse["data"][name] for name in VALUES} == VALUES
    for watcher in watchers:
        assert await pulse_number(watcher, pulse["pulse"]["number"]) == pulse


@pytest.mark.parametrize("kind", ASKING)
async def test_fus_4_a_client_that_asks_is_given_a_pulse_and_told_that_it_was(
    station: Station, watch: Watch, kind: str
) -> None:
    watcher = await watch(station, kind)
    before = (await watcher.pulse())["pulse"]["number"]
    assert await watcher.ask() == {"ok": True}
    assert (await watcher.pulse())["pulse"]["number"] == before + 1


async def test_fus_11_a_client_that_asks_again_within_a_second_is_refused_and_others_are_not(
    station: Station, watch: Watch
) -> None:
    eager, other = await watch(station), await watch(station, "centrifuge")
    assert await eager.ask() == {"ok": True}
    answers = [await eager.ask() for _ in range(3)]
    assert {"error": {"code": 111, "message": "too many requests", "temporary": True}} in answers
    assert await other.ask() == {"ok": True}


async def test_fus_11_who_has_no_role_hears_nothing_and_cannot_ask(station: Station, watch: Watch) -> None:
    nobody = await watch(station, token=station.token("eve"))
    viewer = await watch(station)
    assert (await nobody.ask())["error"]["code"] == 103
    await station.refresh()
    await viewer.pulse()
    assert isinstance(nobody, OfSocketIO)
    assert nobody.socket.has_seen("event") == []
    listening = await Incoming.get(
        station.port, f"/events?channel={CHANNEL}", authorization=f"Bearer {station.token('eve')}"
    )
    assert listening.status == 403
    listening.drop()


async def test_fus_4_pulses_come_by_themselves_at_the_pace_of_the_configuration(
    start_station: StartStation, watch: Watch
) -> None:
    station = start_station(VAGUS_FUSION__INTERVAL_S="1")
    watchers = [await watch(station, kind) for kind in ("socket.io", "eventsource")]
    for watcher in watchers:
        first = await watcher.pulse()
        assert first["pulse"]["intervalSeconds"] == 1
        numbers = [(await watcher.pulse())["pulse"]["number"] for _ in range(2)]
        assert numbers == [first["pulse"]["number"] + 1, first["pulse"]["number"] + 2]


async def test_fus_4_a_pulse_is_made_every_five_minutes_unless_something_else_was_said(station: Station) -> None:
    assert (await station.refresh())["pulse"]["intervalSeconds"] == 300


async def test_fus_13_polling_is_the_fallback_where_there_is_no_websocket(station: Station, watch: Watch) -> None:
    polling, upgraded = await watch(station, "socket.io polling"), await watch(station, "socket.io")
    assert isinstance(polling, OfSocketIO) and isinstance(upgraded, OfSocketIO)
    assert await polling.socket.run("transport") == "polling"
    assert await upgraded.socket.run("transport") == "websocket"


async def test_fus_13_many_watch_at_a_time_and_one_that_is_cut_off_harms_nobody(station: Station, watch: Watch) -> None:
    watchers = [await watch(station, kind) for kind in KINDS for _ in range(4)]
    for leaving in watchers[::4]:
        await leaving.close()
    pulse = await station.refresh()
    staying = [watcher for index, watcher in enumerate(watchers) if index % 4]
    heard = await asyncio.gather(*(pulse_number(watcher, pulse["pulse"]["number"]) for watcher in staying))
    assert heard == [pulse] * len(staying)


async def test_fus_13_one_whose_connection_breaks_hears_pulses_again(station: Station, watch: Watch) -> None:
    watcher = await watch(station)
    assert isinstance(watcher, OfSocketIO)
    await watcher.pulse()
    await watcher.socket.run("cut")
    await watcher.socket.expect("disconnect")
    await watcher.socket.expect("connect")
    pulse = await station.refresh()
    assert await pulse_number(watcher, pulse["pulse"]["number"]) == pulse


async def test_fus_13_only_pages_of_named_origins_may_connect(start_station: StartStation) -> None:
    station = start_station(VAGUS_ACCESS__ORIGINS='["https://ops.example"]')
    poll = f"{station.url}/socket.io/?EIO=4&transport=polling"
    async with httpx.AsyncClient() as http:
        ours = await http.get(poll, headers={"origin": "https://ops.example"})
        other = await http.get(poll, headers={"origin": "https://elsewhere.example"})
    assert (ours.status_code, ours.headers["access-control-allow-origin"]) == (200, "https://ops.example")
    assert other.status_code == 403
    assert "access-control-allow-origin" not in other.headers
