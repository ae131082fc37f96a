"""Health: what is asked, what is said, and what is never said."""

import asyncio
from collections.abc import Callable

import httpx
import pytest
from structlog.testing import capture_logs

from vagus.api import health
from vagus.api.app import Api, api_app
from vagus.api.health import Check, examine
from vagus.broker.memory import MemoryBroker
from vagus.hub import Hub
from vagus.kernel.errors import BrokerError
from vagus.testing import World, in_memory

HttpTo = Callable[..., httpx.AsyncClient]


class SickBroker(MemoryBroker):
    async def check(self) -> None:
        raise BrokerError("no route to redis://:secret@10.0.0.7")


async def hang() -> None:
    await asyncio.Event().wait()


async def well() -> None:
    return None


async def test_a_node_that_is_well_says_so_to_everybody(world: World, http: httpx.AsyncClient) -> None:
    response = await http.get("/health")
    body = response.json()
    assert response.status_code == 200
    assert (body["status"], body["version"]) == ("ok", world.hub.version)
    assert body["checks"] == {"broker": "ok", "loop": "ok"}
    assert set(body["loop_lag_ms"]) == {"median", "max"}


async def test_a_sick_broker_turns_it_red_and_keeps_its_secret(http_to: HttpTo) -> None:
    hub = Hub(broker=SickBroker())
    async with in_memory(hub), http_to(api_app(hub, keys=None)) as http:
        with capture_logs() as logs:
            response = await http.get("/health")
    assert response.status_code == 503
    assert (response.json()["status"], response.json()["checks"]["broker"]) == ("unavailable", "failed")
    assert "secret" not in response.text
    assert "secret" in logs[0]["error"]


async def test_whatever_else_the_node_stands_on_is_asked_too(world: World, http_to: HttpTo) -> None:
    async def broken() -> None:
        raise OSError("disk")

    checks: dict[str, Check] = {"store": broken, "cache": well}
    async with http_to(api_app(world.hub, keys=None, checks=checks)) as http:
        response = await http.get("/health")
    assert response.status_code == 503
    assert response.json()["checks"] == {"broker": "ok", "store": "failed", "cache": "ok", "loop": "ok"}


async def test_a_check_that_does_not_answer_is_not_waited_for(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "CHECK_S", 0.0)
    found = await examine(world.hub, {"store": hang})
    assert (found.status, found.checks["store"]) == ("unavailable", "timed out")


async def test_a_loop_that_runs_late_turns_it_red(world: World) -> None:
    for late in (0.9, 0.8, 0.0):
        world.hub.vitals.note(late, at=0.0, used=0.0)
    found = await examine(world.hub, {})
    assert (found.status, found.checks) == ("unavailable", {"broker": "ok", "loop": "late"})
    assert (found.loop_lag_ms.median, found.loop_lag_ms.max) == (800.0, 900.0)


@pytest.mark.parametrize("query", ["live", "live=", "live=1", "x=1&live"])
async def test_liveness_asks_nobody(http_to: HttpTo, query: str) -> None:
    hub = Hub(broker=SickBroker())
    async with in_memory(hub), http_to(api_app(hub, keys=None)) as http:
        response = await http.get(f"/health?{query}")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


async def test_it_is_never_kept_by_a_cache(api: Api, http: httpx.AsyncClient) -> None:
    assert (await http.get("/health")).headers["cache-control"] == "no-store"
