"""FUS-4 with several nodes on one Redis and one store: one emits, all of them answer, and another takes over."""

import asyncio
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.integration.redis.servers import RedisServer
from tests.patience import DEADLINE_S
from vagus.store.leases import RENEWAL_S, TERM_S

from .conftest import StartStation, Watch
from .station import Station
from .watching import Watcher

pytestmark = pytest.mark.timeout(60)  # several servers, and the time until another takes over


@pytest.fixture
def start_node(
    start_station: StartStation, installed_program: Callable[[str], Path], tmp_path: Path
) -> Iterator[StartStation]:
    with RedisServer(installed_program("redis-server"), tmp_path) as redis:
        yield lambda *arguments: start_station(*arguments, VAGUS_BROKER__URL=redis.url)


@pytest.fixture
def nodes(start_node: StartStation) -> tuple[Station, Station, Station]:
    """Three nodes with the same data folder, the first of which emits."""
    first = start_node()
    first.wait_for("fusion_emits")
    return first, start_node(), start_node()


def test_fus_4_another_takes_over_within_ten_seconds() -> None:
    assert TERM_S + RENEWAL_S < 10  # a lease is taken at the first look after it has run out


async def numbers_of(watcher: Watcher, count: int) -> list[int]:
    return [(await watcher.pulse())["pulse"]["number"] for _ in range(count)]


async def test_fus_4_one_node_emits_and_those_who_watch_at_others_see_the_same(
    nodes: tuple[Station, Station, Station], watch: Watch
) -> None:
    others = nodes[1:]
    await others[0].post("/emitter/interval", {"seconds": 1})
    watchers = [await watch(node, kind) for node in others for kind in ("socket.io", "centrifuge")]
    heard = await asyncio.gather(*(numbers_of(watcher, 4) for watcher in watchers))
    for numbers in heard:
        assert numbers == list(range(numbers[0], numbers[0] + 4))
    assert [node.events("fusion_emits") != [] for node in nodes] == [True, False, False]


async def test_fus_4_every_node_answers_for_all_of_them(nodes: tuple[Station, Station, Station], watch: Watch) -> None:
    first, second, third = nodes
    first.write_files()
    (first.data / "orders.json").write_text("[1, 2]")
    watcher = await watch(third)
    await second.post("/sources", {"kind": "json_file", "name": "orders", "path": "orders.json"})
    while "orders" not in (told := await watcher.pulse())["data"]:  # unasked, as whoever watches hears it
        pass
    assert told["data"]["orders"] == 2
    pulse = await third.refresh()
    for node in nodes:
        assert (await node.get("/stream"))["data"]["orders"] == 2
        assert (await node.get("/health"))["sources"]["orders"]["available"]
        assert (await node.get("/emitter/health"))["metrics"]["totalEmissions"] == pulse["pulse"]["number"]
        async with node.http("admin") as http:
            assert "orders" in [entry["name"] for entry in (await http.get("/sources")).json()["sources"]]
    async with third.http("admin") as http:
        assert (await http.delete("/sources/orders")).status_code == 204
    assert "orders" not in (await first.refresh())["data"]


async def test_fus_4_another_takes_over_from_one_that_is_killed_and_keeps_pace_and_sources(
    nodes: tuple[Station, Station, Station], watch: Watch
) -> None:
    first, second, third = nodes
    (first.data / "orders.json").write_text("[1, 2]")
    await third.post("/sources", {"kind": "json_file", "name": "orders", "path": "orders.json"})
    await second.post("/emitter/interval", {"seconds": 1})
    watcher = await watch(second)
    await numbers_of(watcher, 2)
    first.signal(signal.SIGKILL)
    answers = asyncio.gather(second.get("/stream"), third.refresh())
    async with asyncio.timeout(DEADLINE_S):
        while (pulse := await watcher.pulse())["pulse"]["number"] != 1:
            pass
    assert (pulse["pulse"]["intervalSeconds"], pulse["data"]["orders"]) == (1, 2)
    assert await numbers_of(watcher, 2) == [2, 3]
    snapshot, refreshed = await answers
    assert snapshot["data"]["orders"] == refreshed["data"]["orders"] == 2


async def test_fus_4_one_that_stops_hands_over_at_once(nodes: tuple[Station, Station, Station]) -> None:
    first, second, third = nodes
    first.signal()
    assert await first.ended() == 0
    assert (await second.refresh())["ok"] is True
    assert sorted(len(node.events("fusion_emits")) for node in (second, third)) == [0, 1]


async def test_fus_4_workers_share_one_emitter(start_node: StartStation, watch: Watch) -> None:
    station = start_node("--workers", "2")
    await station.post("/emitter/interval", {"seconds": 1})
    watcher = await watch(station, "centrifuge")
    first, *others = await numbers_of(watcher, 3)
    assert others == [first + 1, first + 2]
    assert len(station.events("fusion_emits")) == 1
