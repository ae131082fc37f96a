"""The HTTP routes: what is wrong is refused with the reason, and what cannot be done now says when to ask again.

Who may, and the shapes of answers, are in tests/integration/fusion.
"""

import asyncio
from collections.abc import AsyncIterator
from functools import partial, partialmethod
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.integration.native.tokens import token
from vagus.api.app import api_app
from vagus.api.openapi import document
from vagus.api.rest import litestar_app, schema_of
from vagus.apps.fusion import Fusion, install
from vagus.apps.fusion.views import Views
from vagus.auth.keys import KeyRing
from vagus.broker.memory import MemoryBroker
from vagus.hub import Hub
from vagus.kernel.channels import Last
from vagus.kernel.errors import BrokerError, StoreError
from vagus.kernel.publications import Draft, Receipt
from vagus.kernel.rates import Buckets, Rate
from vagus.store import Store
from vagus.store.leases import Lease

RATE = Rate(per_s=0.5, burst=20)
ADMIN = {"authorization": f"Bearer {token('ada', roles=frozenset({'admin'}))}"}
BASE = "http://hub.example/api/fusion"


@pytest.fixture
async def fusion(hub: Hub, store: Store, tmp_path: Path) -> AsyncIterator[Fusion]:
    fusion = install(hub, store=store, folder=tmp_path)
    async with hub, fusion:
        yield fusion


def client_of(hub: Hub, fusion: Fusion, keys: KeyRing | None, **headers: str) -> httpx.AsyncClient:
    app: Any = api_app(hub, keys=keys, routes=partial(fusion.routes, keys, Buckets(RATE)))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=BASE, headers=headers)


@pytest.fixture
async def http(hub: Hub, fusion: Fusion, keys: KeyRing) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(hub, fusion, keys, **ADMIN) as http:
        yield http


async def test_a_caller_who_asks_too_often_is_told_when_to_come_back(http: httpx.AsyncClient) -> None:
    answers = [await http.get("/stream") for _ in range(RATE.burst + 1)]
    assert {answer.status_code for answer in answers[:-1]} == {200}
    assert (answers[-1].status_code, answers[-1].headers["retry-after"]) == (429, "2")


async def test_a_body_that_is_too_large_is_refused(http: httpx.AsyncClient) -> None:
    answer = await http.post("/sources", content=b'{"kind": "%b"}' % (b"x" * 70_000))
    assert answer.status_code == 413


@pytest.mark.parametrize("body", [b"", b"{", b"3", b'{"minutes": 3} x', b'{"minutes": NaN}', b'{"minutes": 1e999}'])
async def test_a_body_that_is_no_pace_changes_nothing(http: httpx.AsyncClient, fusion: Fusion, body: bytes) -> None:
    before = fusion.emitter.pace
    assert (await http.post("/emitter/interval", content=body)).status_code == 400
    assert fusion.emitter.pace == before


@pytest.mark.parametrize(("minutes", "seconds"), [(1 / 60, 1.0), (3, 180.0), (1440, 86_400.0)])
async def test_minutes_from_a_second_to_a_day_are_a_pace(
    http: httpx.AsyncClient, fusion: Fusion, minutes: float, seconds: float
) -> None:
    assert (await http.post("/emitter/interval", json={"minutes": minutes})).json()["intervalSeconds"] == seconds
    assert fusion.emitter.pace.interval_s == seconds


async def test_while_no_node_emits_who_asks_is_told_when_to_come_back(
    hub: Hub, store: Store, keys: KeyRing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Views, "ask", partialmethod(Views.ask, within_s=0.3))
    assert await Lease(store, "fusion", "a-node-that-is-gone", asyncio.get_running_loop().time).hold()
    fusion = install(hub, store=store, folder=tmp_path, shared=True)
    async with hub, fusion, client_of(hub, fusion, keys, **ADMIN) as http:
        answer = await http.get("/health")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "another takes over" in answer.json()["detail"]


class Away(MemoryBroker):
    async def publish(self, channel: str, draft: Draft, keep: Last | None) -> Receipt:
        raise BrokerError("out of reach")


async def test_a_pulse_that_cannot_be_published_is_told_so(tmp_path: Path) -> None:
    hub = Hub(broker=Away())
    fusion = install(hub, folder=tmp_path)
    async with hub, fusion, client_of(hub, fusion, None) as http:
        answer = await http.post("/refresh")
    assert (answer.status_code, answer.json()["detail"]) == (503, "The broker cannot do it now: try again.")


async def test_a_store_that_cannot_be_reached_is_told_so(
    http: httpx.AsyncClient, store: Store, fusion: Fusion, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> object:
        raise StoreError("the disk is full", retryable=False)

    monkeypatch.setattr(store, "begin", broken)
    answer = await http.post("/emitter/interval", json={"minutes": 3})
    assert (answer.status_code, answer.json()["detail"]) == (503, "The store cannot do it now: try again.")
    assert fusion.emitter.pace.interval_s == 300


@pytest.mark.parametrize("path", ["/history?metric=memos", "/history/metrics", "/history/export?metric=memos"])
async def test_a_history_that_cannot_be_read_is_told_so(http: httpx.AsyncClient, store: Store, path: str) -> None:
    await store.close()
    answer = await http.get(path)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")


async def test_an_insecure_server_asks_nobody_and_keeps_other_sites_out(hub: Hub, fusion: Fusion) -> None:
    async with client_of(hub, fusion, None) as http:
        assert (await http.post("/refresh")).status_code == 200
        assert (await http.post("/refresh", headers={"origin": "https://elsewhere.example"})).status_code == 403


async def test_without_a_store_there_is_no_history_and_nothing_is_added(hub: Hub, tmp_path: Path) -> None:
    fusion = install(hub, folder=tmp_path)
    async with hub, fusion, client_of(hub, fusion, None) as http:
        assert (await http.get("/history", params={"metric": "memos"})).status_code == 404
        assert (await http.get("/sources")).status_code == 200
        assert (await http.post("/sources", json={"kind": "json_file", "name": "x", "path": "x"})).status_code == 405


def test_every_route_is_described(hub: Hub, fusion: Fusion, keys: KeyRing) -> None:
    app = litestar_app(hub, list(fusion.routes(keys, Buckets(RATE))))
    paths = document(schema_of(app))["paths"]
    ours = [operation for path, item in paths.items() if path.startswith("/api/fusion") for operation in item.values()]
    assert len(ours) >= 15
    assert all(operation["summary"] and operation["security"] for operation in ours)
