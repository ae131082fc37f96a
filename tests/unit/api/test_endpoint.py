"""The server API's door: keys, verbs, sizes, the two forms of requests, and bodies that mean harm."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

from vagus.api.app import Api, api_app
from vagus.api.methods import METHODS, UNAVAILABLE
from vagus.auth.keys import KeyRing, KeyRow
from vagus.testing import World

Ask = Callable[..., Any]

KEY = {"X-API-Key": "all"}
GOOD = b'{"channel":"orders:1","data":1}'


def assert_problem(response: httpx.Response, status: int) -> None:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["status"] == status
    assert "Traceback" not in response.text


@pytest.mark.parametrize(
    "headers", [{"x-api-key": "all"}, {"authorization": "apikey all"}, {"authorization": "ApiKey  all"}]
)
async def test_a_key_is_taken_from_either_header(http: httpx.AsyncClient, headers: dict[str, str]) -> None:
    assert (await http.post("/api/publish", content=GOOD, headers=headers)).json()["result"]


class PartOfTheKeys(KeyRing):
    """Others may exist, in a store that is away."""

    is_complete = False


async def test_where_keys_cannot_be_looked_up_one_that_is_unknown_may_be_good_later(
    api: Api, http: httpx.AsyncClient
) -> None:
    api.keys = PartOfTheKeys.from_rows([KeyRow(name="all", secret="all", scopes=frozenset("*"))], now=lambda: 0.0)
    assert (await http.post("/api/publish", content=GOOD, headers=KEY)).json()["result"]
    unknown = await http.post("/api/publish", content=GOOD, headers={"X-API-Key": "other"})
    assert_problem(unknown, 503)
    assert unknown.headers["retry-after"] == "2"
    assert_problem(await http.post("/api/publish", content=GOOD), 401)


async def test_a_key_is_taken_from_the_query(http: httpx.AsyncClient) -> None:
    assert (await http.post("/api/publish?x=1&api_key=all", content=GOOD)).json()["result"]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-api-key": ""},
        {"x-api-key": "wrong"},
        {"x-api-key": "old"},
        {"x-api-key": "k" * 5000},
        {"authorization": "Bearer all"},
        {"authorization": "apikey"},
    ],
)
async def test_without_a_valid_key_nothing_is_done(http: httpx.AsyncClient, headers: dict[str, str]) -> None:
    response = await http.post("/api/publish", content=GOOD, headers=headers)
    assert_problem(response, 401)
    assert response.headers["www-authenticate"] == "apikey"


async def test_a_key_without_the_scope_is_denied(ask: Ask) -> None:
    denied = {"error": {"code": 103, "message": "permission denied"}}
    assert "result" in await ask("broadcast", {"channels": [], "data": 1}, key="publisher")
    for name in METHODS:
        if name not in ("publish", "broadcast", "batch"):
            assert await ask(name, METHODS[name].example, key="publisher") == denied


async def test_keys_may_be_changed_while_it_runs(api: Api, http: httpx.AsyncClient) -> None:
    api.keys = KeyRing.from_rows([KeyRow(name="new", secret="new", scopes=frozenset("*"))], now=lambda: 0.0)
    assert (await http.post("/api/publish", content=GOOD, headers=KEY)).status_code == 401
    assert (await http.post("/api/publish", content=GOOD, headers={"X-API-Key": "new"})).status_code == 200


class TestWithoutKeys:
    """What ``--insecure`` means."""

    @pytest.fixture
    async def open_http(
        self, world: World, http_to: Callable[..., httpx.AsyncClient]
    ) -> AsyncIterator[httpx.AsyncClient]:
        async with http_to(api_app(world.hub, keys=None)) as client:
            yield client

    async def test_everybody_may(self, open_http: httpx.AsyncClient) -> None:
        assert (await open_http.post("/api/publish", content=GOOD)).json()["result"]["offset"] == 1

    async def test_but_not_pages_of_other_sites(self, open_http: httpx.AsyncClient) -> None:
        for origin in ("https://evil.example", "null"):
            assert_problem(await open_http.post("/api/publish", content=GOOD, headers={"Origin": origin}), 403)
        own = {"Origin": "http://hub.example"}
        assert (await open_http.post("/api/publish", content=GOOD, headers=own)).status_code == 200


@pytest.mark.parametrize("verb", ["GET", "PUT", "DELETE", "OPTIONS", "PATCH"])
@pytest.mark.parametrize("path", ["/api", "/api/publish", "/api/map_publish"])
async def test_only_post_is_answered(http: httpx.AsyncClient, verb: str, path: str) -> None:
    response = await http.request(verb, path, headers=KEY)
    assert_problem(response, 405)
    assert response.headers["allow"] == "POST"


async def test_the_content_type_is_not_looked_at(http: httpx.AsyncClient) -> None:
    headers = {**KEY, "content-type": "text/plain"}
    assert (await http.post("/api/publish", content=GOOD, headers=headers)).json()["result"]


async def test_fields_that_are_not_known_are_ignored(ask: Ask) -> None:
    assert "result" in await ask("publish", {"channel": "orders:1", "data": 1, "from_the_future": {"a": [1]}})


async def test_of_a_field_given_twice_the_last_one_counts(world: World, http: httpx.AsyncClient) -> None:
    body = b'{"channel":"nope","data":1,"channel":"orders:1","data":2}'
    await http.post("/api/publish", content=body, headers=KEY)
    page = await world.hub.history("orders:1")
    assert [bytes(publication.data) for publication in page.publications] == [b"2"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"   ",
        b"null",
        b"[]",
        b"1",
        b'"publish"',
        b"{}",
        b'{"channel":"orders:1","data":1',
        b'{"channel":"orders:1","data":1}}',
        b'{"channel":"orders:1","data":1} {}',
        b'{"channel":"orders:1","data":}',
        b'{"channel":"orders:1","data":NaN}',
        b'{"channel":"orders:1","data":01}',
        b'{"channel":"orders:1","data":[1,]}',
        b'{"channel":"orders:1","data":"\xff"}',
        b'{"channel":"orders:1","data":"\xed\xa0\x80"}',
        b'{"channel":"orders:1","data":"\\ud800"}',
        b'{"channel":"orders:1","data":"\x00"}',
        b'{"channel":"\xc3\x28","data":1}',
        b'{"channel":1,"data":1}',
        b'{"channel":null,"data":1}',
        b'{"channel":["orders:1"],"data":1}',
        b'{"channel":"orders:1","data":1,"tags":{"a":1}}',
        b'{"channel":"orders:1","data":1,"tags":["a"]}',
        b'{"channel":"orders:1","data":1,"skip_history":"yes"}',
        b'{"channel":"orders:1","data":1,"version":-1}',
        b'{"channel":"orders:1","data":1,"version":1.5}',
        b'{"channel":"orders:1","data":1,"version":99999999999999999999999}',
        b'{"channel":"orders:1","data":1,"version":1e400}',
        b'{"channel":"orders:1","data":' + b"[" * 100_000,
        b'{"channel":"orders:1","data":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"channel":"orders:1","data":' + b'{"a":' * 100_000 + b"1" + b"}" * 100_001,
        b"\xef\xbb\xbf" + GOOD,
        GOOD.decode().encode("utf-16"),
    ],
)
async def test_a_hostile_body_is_refused_whole(world: World, http: httpx.AsyncClient, body: bytes) -> None:
    assert_problem(await http.post("/api/publish", content=body, headers=KEY), 400)
    assert (await world.hub.history("orders:1")).top.offset == 0


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("history", b'{"channel":"orders:1","limit":-2}'),
        ("history", b'{"channel":"orders:1","limit":1e3000}'),
        ("history", b'{"channel":"orders:1","limit":1,"since":{"offset":18446744073709551616}}'),
        ("history", b'{"channel":"orders:1","limit":1,"since":[]}'),
        ("refresh", b'{"user":"ada","expire_at":999999999999999}'),
        ("refresh", b'{"user":"ada","expire_at":-1}'),
        ("broadcast", b'{"channels":"orders:1","data":1}'),
        ("broadcast", b'{"channels":[1],"data":1}'),
        ("disconnect", b'{"user":"ada","disconnect":{"code":5000}}'),
        ("subscribe", b'{"user":"ada","channel":"orders:1","override":{"presence":true}}'),
        ("batch", b'{"commands":{}}'),
        ("batch", b'{"commands":[{"publish":{"channel":1}}]}'),
    ],
)
async def test_a_number_or_type_out_of_bounds_is_refused(http: httpx.AsyncClient, name: str, body: bytes) -> None:
    assert_problem(await http.post(f"/api/{name}", content=body, headers=KEY), 400)


async def test_a_body_that_is_declared_too_large_is_not_read(http: httpx.AsyncClient) -> None:
    response = await http.post("/api/publish", content=b'"' + b"x" * 10_000_000 + b'"', headers=KEY)
    assert_problem(response, 413)
    assert response.headers["connection"] == "close"


async def test_a_body_that_grows_too_large_is_not_read_to_its_end(http: httpx.AsyncClient) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 100_000_000:
            sent += 100_000
            yield b"x" * 100_000

    assert_problem(await http.post("/api/publish", content=endless(), headers=KEY), 413)
    assert sent < 2_000_000


async def test_a_body_that_comes_in_parts_is_one_body(http: httpx.AsyncClient) -> None:
    async def parts() -> AsyncIterator[bytes]:
        for byte in GOOD:
            yield bytes([byte])

    assert (await http.post("/api/publish", content=parts(), headers=KEY)).json()["result"]["offset"] == 1


async def test_the_bound_is_a_setting(world: World, http_to: Callable[..., httpx.AsyncClient]) -> None:
    async with http_to(api_app(world.hub, keys=None, max_body_bytes=len(GOOD))) as http:
        assert (await http.post("/api/publish", content=GOOD)).status_code == 200
        assert_problem(await http.post("/api/publish", content=GOOD + b" "), 413)


@pytest.mark.parametrize("length", ["99999999999999999999999999", "9" * 5000])
async def test_a_length_beyond_all_numbers_is_too_large(http: httpx.AsyncClient, length: str) -> None:
    request = http.build_request("POST", "/api/publish", content=GOOD, headers={**KEY, "content-length": length})
    assert_problem(await http.send(request), 413)


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate, gzip"])
async def test_a_compressed_body_is_not_taken(http: httpx.AsyncClient, encoding: str) -> None:
    headers = {**KEY, "content-encoding": encoding}
    assert_problem(await http.post("/api/publish", content=GOOD, headers=headers), 415)


GONE: Any = {"type": "http.disconnect"}
PART: Any = {"type": "http.request", "body": b"{", "more_body": True}


@pytest.mark.parametrize("events", [[GONE], [PART, GONE]])
async def test_who_goes_before_the_body_came_gets_no_answer(api: Api, events: list[Any]) -> None:
    events = list(events)
    sent: list[Any] = []

    async def receive() -> Any:
        return events.pop(0)

    async def send(event: Any) -> None:
        sent.append(event)

    scope = {"type": "http", "method": "POST", "path": "/api/publish", "headers": [(b"x-api-key", b"all")]}
    await api({**scope, "query_string": b"", "root_path": ""}, receive, send)
    assert sent == []


@pytest.mark.parametrize("name", sorted(UNAVAILABLE))
async def test_what_we_do_not_have_is_not_available(ask: Ask, name: str) -> None:
    assert await ask(name) == {"error": {"code": 108, "message": "not available"}}


async def test_an_unknown_method_is_not_found(http: httpx.AsyncClient) -> None:
    for path in ("/api/nope", "/api/publish/", "/api/", "/api/publish/x", "/apis"):
        assert_problem(await http.post(path, headers=KEY), 404)


class TestOldForm:
    async def test_one_command_has_one_answer(self, http: httpx.AsyncClient) -> None:
        body = b'{"method":"publish","params":{"channel":"orders:1","data":1}}'
        response = await http.post("/api", content=body, headers=KEY)
        assert response.json()["result"]["offset"] == 1

    async def test_several_lines_have_as_many_answers(self, http: httpx.AsyncClient) -> None:
        lines = [
            b'{"method":"publish","params":{"channel":"orders:1","data":1}}',
            b'{"method":"nope","params":{}}',
            b'{"method":"map_clear"}',
            b'{"method":"publish","params":{"channel":7}}',
            b'{"method":"info"}',
            b"",
        ]
        response = await http.post("/api", content=b"\n".join(lines), headers=KEY)
        answers = [httpx.Response(200, content=line).json() for line in response.text.split("\n")]
        assert [answer.get("error", {}).get("code", 0) for answer in answers] == [0, 104, 108, 107, 0]

    async def test_scopes_hold_here_too(self, http: httpx.AsyncClient) -> None:
        headers = {"X-API-Key": "publisher"}
        response = await http.post("/api", content=b'{"method":"info"}', headers=headers)
        assert response.json()["error"]["code"] == 103

    @pytest.mark.parametrize(
        "body", [b"", b"\n", b"{}", b"[]", b'{"method":1}', b'{"method":"info"', b'{"method":"\xff"}']
    )
    async def test_a_broken_line_refuses_all(self, http: httpx.AsyncClient, body: bytes) -> None:
        assert_problem(await http.post("/api", content=body, headers=KEY), 400)


@pytest.mark.parametrize(
    ("name", "body", "key", "status"),
    [
        ("publish", {"channel": "orders:1", "data": 1}, "all", 200),
        ("publish", {"channel": "nope", "data": 1}, "all", 404),
        ("publish", {"channel": "orders:1"}, "all", 400),
        ("presence", {"channel": "plain:1"}, "all", 400),
        ("history", {"channel": "orders:1", "since": {"offset": 0, "epoch": "x"}}, "all", 416),
        ("info", {}, "publisher", 403),
    ],
)
async def test_errors_may_have_a_status_of_their_own(
    world: World,
    keys: KeyRing,
    http_to: Callable[..., httpx.AsyncClient],
    name: str,
    body: object,
    key: str,
    status: int,
) -> None:
    async with http_to(api_app(world.hub, keys=keys, error_mode="transport")) as http:
        response = await http.post(f"/api/{name}", json=body, headers={"X-API-Key": key})
    assert response.status_code == status
    assert ("error" in response.json()) is (status != 200)
