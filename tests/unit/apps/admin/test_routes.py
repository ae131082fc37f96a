"""The HTTP routes: each does what its example says, for whom it is open, and refuses what is wrong with the reason."""

import re
from collections.abc import AsyncIterator, MutableMapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import httpx
import pytest

from tests.integration.native.tokens import EXPIRED, FORGED, token
from vagus.api.app import api_app
from vagus.api.openapi import document
from vagus.api.pages import docs_page
from vagus.api.rest import litestar_app, schema_of
from vagus.apps.admin import Admin, install
from vagus.auth.keys import KeyRing
from vagus.broker.memory import MemoryBroker
from vagus.hub import Hub
from vagus.kernel.channels import Last
from vagus.kernel.errors import BrokerError
from vagus.kernel.publications import Draft, Receipt
from vagus.kernel.rates import Buckets, Rate
from vagus.testing import World, in_memory

RATE = Rate(per_s=0.5, burst=40)
BASE = "/api/admin/realtime"
ADMIN = {"authorization": f"Bearer {token('ada', roles=frozenset({'admin'}))}"}
ALERT = {"severity": "error", "title": "Disk full"}

BROADCASTS: list[tuple[str, dict[str, Any], str, str]] = [
    ("broadcast/platform-update", {"status": "outage"}, "admins", "PlatformUpdate"),
    ("broadcast/user-count", {"total": 3}, "admins", "UserCountUpdate"),
    ("broadcast/analytics", {"metric": "m", "value": 1}, "analytics", "AnalyticsUpdate"),
    ("broadcast/generation-metrics", {"total": 3, "averageMs": 1.5}, "analytics", "GenerationMetrics"),
    ("broadcast/revenue", {"amount": 3, "currency": "EUR"}, "analytics", "RevenueUpdate"),
    ("alert", ALERT, "alerts", "Alert"),
    ("alert/warning", {"title": "x"}, "alerts", "Alert"),
    ("alert/error", {"title": "x"}, "alerts", "Alert"),
    ("alert/performance", {"metric": "p99", "value": 9, "threshold": 5}, "alerts", "PerformanceAlert"),
    ("notify/user-action", {"userId": "1", "action": "x"}, "user-activity", "UserActivity"),
    ("notify/role-assignment", {"userId": "1", "role": "x"}, "admins", "RoleAssignment"),
    ("notify/system-event", {"event": "x"}, "admins", "SystemEvent"),
]
READS = ["status", "platform-snapshot"]


@pytest.fixture
async def http(world: World, admin: Admin, keys: KeyRing) -> AsyncIterator[httpx.AsyncClient]:
    app: Any = api_app(world.hub, keys=keys, routes=partial(admin.routes, keys, Buckets(RATE)))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://hub.example") as client:
        yield client


def bearer(*roles: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token('somebody', roles=frozenset(roles))}"}


async def test_whoever_asks_is_told_that_it_lives(http: httpx.AsyncClient) -> None:
    answer = await http.get(f"{BASE}/health")
    assert answer.json() == {"status": "ok", "service": "real-time", "websocketEndpoint": "/hubs/admin"}


@pytest.mark.parametrize(("path", "body", "channel", "event"), BROADCASTS)
async def test_a_broadcast_is_accepted_and_heard(
    http: httpx.AsyncClient, world: World, path: str, body: dict[str, Any], channel: str, event: str
) -> None:
    ada = await world.connect(user="ada", roles=["admin"])
    await ada.subscribe(channel)
    answer = await http.post(f"{BASE}/{path}", json=body, headers=ADMIN)
    assert answer.status_code == 202
    heard = await ada.next_publication()
    assert (heard.data["type"], heard.data["payload"] | body) == (event, heard.data["payload"])
    assert answer.json() == {
        "id": heard.data["id"],
        "channel": channel,
        "offset": heard.offset,
        "epoch": answer.json()["epoch"],
        "repeated": False,
    }


@pytest.mark.parametrize("severity", ["warning", "error"])
async def test_the_path_of_an_alert_says_its_severity(http: httpx.AsyncClient, admin: Admin, severity: str) -> None:
    await http.post(f"{BASE}/alert/{severity}", json={"title": "x"}, headers=ADMIN)
    assert getattr(admin.broadcasts.latest["Alert"], "severity") == severity  # noqa: B009 - events have it, AdminEvent not


async def test_every_broadcast_has_an_example_that_works(http: httpx.AsyncClient) -> None:
    document = (await http.get("/docs/openapi.json")).json()
    posts = {path: item["post"] for path, item in document["paths"].items() if path.startswith(BASE) and "post" in item}
    assert set(posts) == {f"{BASE}/{path}" for path, *_ in BROADCASTS}
    for path, operation in posts.items():
        example = operation["requestBody"]["content"]["application/json"]["example"]
        assert (await http.post(path, json=example, headers=ADMIN)).status_code == 202


async def test_the_documentation_names_the_refusals_as_problems(http: httpx.AsyncClient) -> None:
    document = (await http.get("/docs/openapi.json")).json()
    responses = document["paths"][f"{BASE}/alert"]["post"]["responses"]
    assert set(responses) == {"202", "400", "401", "403", "413", "429", "503"}
    assert set(responses["403"]["content"]) == {"application/problem+json"}
    assert f"{BASE}/alert" in (await http.get("/docs")).text


@pytest.mark.parametrize("path", READS)
@pytest.mark.parametrize(
    ("roles", "status"), [("admin", 200), ("operator", 200), ("auditor", 200), ("viewer", 403), ("service", 403)]
)
async def test_reading_is_for_whoever_oversees(http: httpx.AsyncClient, path: str, roles: str, status: int) -> None:
    assert (await http.get(f"{BASE}/{path}", headers=bearer(roles))).status_code == status


@pytest.mark.parametrize("path", [path for path, *_ in BROADCASTS])
@pytest.mark.parametrize("roles", ["viewer", "operator", "auditor", "service", "neuron"])
async def test_broadcasting_is_for_admins(http: httpx.AsyncClient, admin: Admin, path: str, roles: str) -> None:
    answer = await http.post(f"{BASE}/{path}", json={}, headers=bearer(roles))
    assert (answer.status_code, answer.json()["status"]) == (403, 403)
    assert "@admin" in answer.json()["detail"]
    assert not admin.broadcasts.sent


@pytest.mark.parametrize(
    ("key", "status"), [("admin-key", 202), ("publish-key", 403), ("old-key", 401), ("unknown", 401), ("", 401)]
)
async def test_a_key_needs_the_scope(http: httpx.AsyncClient, key: str, status: int) -> None:
    answer = await http.post(f"{BASE}/alert", json=ALERT, headers={"x-api-key": key})
    assert answer.status_code == status


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": ""},
        {"authorization": "Bearer"},
        {"authorization": "Bearer x.y.z"},
        {"authorization": f"Bearer {FORGED}"},
        {"authorization": f"Bearer {EXPIRED}"},
        {"authorization": "Basic YWRhOmFkYQ=="},
        {"authorization": f"Bearer {FORGED}", "x-api-key": "admin-key"},
        {"authorization": ADMIN["authorization"], "x-api-key": "unknown"},
    ],
)
@pytest.mark.parametrize("path", ["alert", "status"])
async def test_without_anything_valid_to_show_nobody_gets_in(
    http: httpx.AsyncClient, headers: dict[str, str], path: str
) -> None:
    method = "GET" if path == "status" else "POST"
    answer = await http.request(method, f"{BASE}/{path}", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"", "A body is needed."),
        (b"{", "truncated"),
        (b"null", "Expected `object`"),
        (b"[]", "Expected `object`"),
        (b"{}", "missing required field `severity`"),
        (b'{"severity":"error"}', "missing required field `title`"),
        (b'{"severity":"fatal","title":"x"}', "$.severity"),
        (b'{"severity":"error","title":7}', "$.title"),
        (b'{"severity":"error","title":""}', "$.title"),
        (b'{"severity":"error","title":"x","at":"7"}', "$.at"),
        (b'{"severity":"error","title":"x","colour":"x"}', "unknown field `colour`"),
        (b'{"severity":"error","title":"\xff"}', "UTF-8"),
        (b'{"severity":"error","title":"\\ud800"}', ""),
        (b"[" * 50_000, ""),
    ],
)
async def test_a_body_that_is_wrong_is_refused_with_the_place(
    http: httpx.AsyncClient, admin: Admin, body: bytes, detail: str
) -> None:
    answer = await http.post(f"{BASE}/alert", content=body, headers=ADMIN)
    assert answer.status_code == 400
    assert detail in answer.json()["detail"]
    assert not admin.broadcasts.sent


async def test_a_body_that_is_too_long_is_refused(http: httpx.AsyncClient) -> None:
    answer = await http.post(f"{BASE}/alert", content=b" " * 65_537, headers=ADMIN)
    assert answer.status_code == 413


async def test_a_repetition_is_accepted_and_not_broadcast_again(http: httpx.AsyncClient, admin: Admin) -> None:
    for repeated in (False, True):
        answer = await http.post(f"{BASE}/alert", json=ALERT | {"id": "disk-1"}, headers=ADMIN)
        assert (answer.status_code, answer.json()["repeated"]) == (202, repeated)
    assert admin.broadcasts.sent["Alert"] == 1


async def test_one_caller_asks_too_often_and_another_one_does_not(http: httpx.AsyncClient) -> None:
    for _ in range(40):
        assert (await http.get(f"{BASE}/status", headers=ADMIN)).status_code == 200
    answer = await http.get(f"{BASE}/status", headers=ADMIN)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "2")
    assert (await http.get(f"{BASE}/status", headers=bearer("admin"))).status_code == 200


async def test_the_log_says_who_did_it(http: httpx.AsyncClient, logs: list[MutableMapping[str, Any]]) -> None:
    await http.post(f"{BASE}/alert", json=ALERT, headers=ADMIN)
    await http.post(f"{BASE}/alert", json=ALERT, headers={"x-api-key": "admin-key"})
    assert [line["by"] for line in logs if line["event"] == "broadcast_sent"] == ["user:ada", "key:billing"]


class BrokenBroker(MemoryBroker):
    """One that has lost what it stands on."""

    async def publish(self, channel: str, draft: Draft, keep: Last | None) -> Receipt:
        raise BrokerError("gone")


@asynccontextmanager
async def insecure(broker: MemoryBroker | None = None) -> AsyncIterator[httpx.AsyncClient]:
    hub = Hub(open_to_all=True, broker=broker)
    app: Any = api_app(hub, keys=None, routes=partial(install(hub).routes, None, Buckets(RATE)))
    async with (
        in_memory(hub),
        httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://hub.example") as client,
    ):
        yield client


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 202),
        ({"origin": "http://hub.example"}, 202),
        ({"origin": "http://evil.example"}, 403),
        ({"authorization": f"Bearer {FORGED}"}, 401),
    ],
)
async def test_an_insecure_server_asks_nobody_but_turns_other_sites_away(headers: dict[str, str], status: int) -> None:
    async with insecure() as http:
        assert (await http.post(f"{BASE}/alert", json=ALERT, headers=headers)).status_code == status


async def test_a_broker_that_fails_is_a_problem_to_try_again() -> None:
    async with insecure(BrokenBroker()) as http:
        answer = await http.post(f"{BASE}/alert", json=ALERT)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


def test_the_page_says_what_a_route_does_and_shows_what_it_takes() -> None:
    hub = Hub()
    app = litestar_app(hub, list(install(hub).routes(None, Buckets(RATE))))
    page = docs_page(document(schema_of(app))).body.decode()
    section = page.partition('id="post-api-admin-realtime-alert-warning"')[2].partition("</section>")[0]
    text = " ".join(re.sub(r"<[^>]+>", " ", section).split())
    assert "Alert of severity warning , to alerts" in text
    assert "Request title string · required" in text
