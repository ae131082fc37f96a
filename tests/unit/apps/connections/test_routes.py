"""The HTTP routes: for whom they are open, what they refuse, and that what is done is logged."""

from collections.abc import AsyncIterator, MutableMapping
from functools import partial
from typing import Any

import httpx
import pytest

from tests.integration.native.tokens import token
from vagus.api.app import api_app
from vagus.apps.connections import Connections
from vagus.auth.keys import KeyRing, KeyRow
from vagus.kernel.codes import Closure
from vagus.kernel.rates import Buckets, Rate
from vagus.testing import World

BASE = "/api/connections"
LISTS = ["clients", "clients/some-id", "channels", "slow"]
OPERATOR = {"authorization": f"Bearer {token('olga', roles=frozenset({'operator'}))}"}
ADMIN = {"authorization": f"Bearer {token('ada', roles=frozenset({'admin'}))}"}


@pytest.fixture
async def http(world: World, connections: Connections) -> AsyncIterator[httpx.AsyncClient]:
    rows = [
        KeyRow(name="monitor", secret="connections-key", scopes=frozenset({"connections"})),
        KeyRow(name="publisher", secret="publish-key", scopes=frozenset({"publish"})),
    ]
    keys = KeyRing.from_rows(rows, now=world.hub.now)
    app: Any = api_app(world.hub, keys=keys, routes=partial(connections.routes, keys, Buckets(Rate(per_s=1, burst=50))))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://hub.example") as client:
        yield client


def bearer(role: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token('somebody', roles=frozenset({role}))}"}


@pytest.mark.parametrize(
    ("role", "nodes", "lists", "post"),
    [
        ("admin", 200, {200, 404}, 404),
        ("operator", 200, {200, 404}, 403),
        ("auditor", 200, {200, 404}, 403),
        ("viewer", 200, {403}, 403),
        ("service", 403, {403}, 403),
        ("neuron", 403, {403}, 403),
    ],
)
async def test_roles_decide_what_is_open(
    http: httpx.AsyncClient, role: str, nodes: int, lists: set[int], post: int
) -> None:
    assert (await http.get(f"{BASE}/nodes", headers=bearer(role))).status_code == nodes
    assert {(await http.get(f"{BASE}/{path}", headers=bearer(role))).status_code for path in LISTS} == lists
    answer = await http.post(f"{BASE}/disconnect", json={"client": "nobody"}, headers=bearer(role))
    assert answer.status_code == post


@pytest.mark.parametrize(("key", "status"), [("connections-key", 200), ("publish-key", 403), ("unknown", 401)])
async def test_a_key_needs_the_scope(http: httpx.AsyncClient, key: str, status: int) -> None:
    assert (await http.get(f"{BASE}/clients", headers={"x-api-key": key})).status_code == status


@pytest.mark.parametrize("path", ["nodes", *LISTS])
async def test_without_anything_to_show_nobody_gets_in(http: httpx.AsyncClient, path: str) -> None:
    assert (await http.get(f"{BASE}/{path}")).status_code == 401


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("clients?limit=0", "limit"),
        ("clients?limit=501", "limit"),
        ("clients?limit=many", "limit"),
        ("clients?limit=1e3", "limit"),
        ("clients?slow=perhaps", "slow"),
        ("clients?sort=password", "sort"),
        ("clients?cursor=zzzz", "cursor"),
        (f"clients?user={'a' * 256}", "user"),
        (f"clients?cursor={'a' * 2049}", "cursor"),
        ("channels?limit=1001", "limit"),
        ("channels?sort=user", "sort"),
        (f"channels?pattern={'*' * 256}", "pattern"),
        ("slow?limit=-1", "limit"),
    ],
)
async def test_a_bad_parameter_is_refused_by_its_name(http: httpx.AsyncClient, query: str, reason: str) -> None:
    answer = await http.get(f"{BASE}/{query}", headers=OPERATOR)
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith(reason)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", ""),
        (b"[]", "Expected `object`"),
        (b"{}", "give a client or a user"),
        (b'{"client":"a","user":"b"}', "give a client or a user"),
        (b'{"client":"","user":""}', "give a client or a user"),
        (b'{"client":7}', "$.client"),
        (b'{"user":"a","code":2999}', "$.code"),
        (b'{"user":"a","code":5000}', "$.code"),
        (b'{"user":"a","reason":"a\\nb"}', "control"),
        (b'{"user":"a","colour":"b"}', "colour"),
        (b'{"user":"a","reason":"' + b"\xc3\xa9" * 62 + b'"}', "123 bytes"),
    ],
)
async def test_a_body_that_is_wrong_is_refused_with_the_reason(
    http: httpx.AsyncClient, body: bytes, reason: str
) -> None:
    answer = await http.post(f"{BASE}/disconnect", content=body, headers=ADMIN)
    assert answer.status_code == 400
    assert reason in answer.json()["detail"]


async def test_disconnecting_is_logged_with_who_did_it_and_why(
    http: httpx.AsyncClient, world: World, logs: list[MutableMapping[str, Any]]
) -> None:
    bob = await world.connect(user="bob")
    answer = await http.post(f"{BASE}/disconnect", json={"user": "bob", "reason": "Maintenance"}, headers=ADMIN)
    assert answer.json()["disconnected"] == 1
    assert await bob.closure() == Closure(3503, "Maintenance")
    (line,) = (line for line in logs if line["event"] == "clients_disconnected")
    assert (line["by"], line["user"], line["reason"], line["count"]) == ("user:ada", "bob", "Maintenance", 1)


async def test_a_cursor_goes_on_where_the_page_ended(http: httpx.AsyncClient, world: World) -> None:
    for number in range(5):
        await world.connect(user=f"user-{number}")
    first = (await http.get(f"{BASE}/clients?sort=user&limit=3", headers=OPERATOR)).json()
    after = f"{BASE}/clients?sort=user&limit=3&cursor={first['cursor']}"
    second = (await http.get(after, headers=OPERATOR)).json()
    assert [row["user"] for row in first["clients"] + second["clients"]] == [f"user-{n}" for n in range(5)]
    assert (first["total"], second["cursor"]) == (5, None)
