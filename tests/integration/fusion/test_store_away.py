"""While the store that nodes share does not answer: what is known is told, what is not is refused soon."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.integration.redis.servers import RedisServer
from tests.integration.store.postgres import Postgres, postgres
from tests.patience import DEADLINE_S

from .conftest import StartStation
from .station import VALUES, Station

__all__ = ["postgres"]

pytestmark = pytest.mark.timeout(60)  # several servers, and the time until the one that emits gives up


@pytest.fixture
async def nodes(
    start_station: StartStation, installed_program: Callable[[str], Path], postgres: Postgres, tmp_path: Path
) -> AsyncIterator[tuple[Station, Station]]:
    """Two nodes, the first of which emits, with all four files there and a source that was added."""
    url = postgres.url(await postgres.new_database())
    with RedisServer(installed_program("redis-server"), tmp_path) as redis:
        shared = {"VAGUS_BROKER__URL": redis.url, "VAGUS_STORE__URL": url, "VAGUS_SERVER__SHUTDOWN_S": "1"}
        first = start_station(**shared)
        first.wait_for("fusion_emits")
        second = start_station(**shared)
        first.write_files()
        await first.post("/sources", {"kind": "json_file", "name": "more", "path": "memo_index.json"})
        await second.refresh()
        yield first, second


async def emitter_of(node: Station, *, is_active: bool) -> Any:
    """Wait until a node emits, or none does; what is told of the emitter then."""
    async with asyncio.timeout(DEADLINE_S):
        while True:
            told = await node.get("/emitter/health")
            if told["metrics"]["isActive"] is is_active:
                return told
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("trouble", ["stands still", "is gone"])
async def test_what_is_known_is_told_while_the_store_is_away(
    nodes: tuple[Station, Station], postgres: Postgres, trouble: str
) -> None:
    postgres.pause() if trouble == "stands still" else postgres.kill()
    try:
        for node in nodes:
            assert (await emitter_of(node, is_active=False))["status"] == "waiting"
            known = (await node.get("/stream"))["data"]
            assert {name: known[name] for name in VALUES} == VALUES
            assert (await node.get("/stream"))["data"] == known  # that of then, and not one of now
            assert (await node.get("/health"))["sources"]["more"]["available"]
            async with node.http("admin") as http:
                for path in ("/history?metric=memos", "/history/metrics", "/history/export?metric=memos"):
                    answer = await http.get(path)
                    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
                answer = await http.post("/refresh")
                assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
        async with nodes[0].http("admin") as http:
            listed = (await http.get("/sources")).json()
        assert ([one["name"] for one in listed["sources"]][-1], listed["current"]) == ("more", False)
    finally:
        postgres.resume() if trouble == "stands still" else postgres.start()
    await emitter_of(nodes[1], is_active=True)
    assert (await nodes[1].refresh())["data"]["memos"] == VALUES["memos"]
