"""The application as a whole: which path goes where, problems, apps' routes, and its lifespan."""

import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any

import httpx
import pytest
from litestar import get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, JSONBody
from structlog.testing import capture_logs

from vagus.api.app import Api, api_app
from vagus.testing import World

HttpTo = Callable[..., httpx.AsyncClient]


@get("/api/things/{number:int}", tags=["Things"])
async def thing(number: FromPath[int]) -> dict[str, int]:
    """One thing."""
    return {"number": number}


@post("/api/things")
async def make_thing(data: JSONBody[dict[str, int]]) -> dict[str, int]:
    return data


@get("/api/missing")
async def missing() -> None:
    raise NotFoundException("No such thing.")


@get("/api/broken")
async def broken() -> None:
    raise RuntimeError("a secret")


def routes() -> Sequence[Any]:
    return [thing, make_thing, missing, broken]


@pytest.fixture
def whole(world: World) -> Api:
    return api_app(world.hub, keys=None, routes=routes)


@pytest.mark.parametrize("path", ["/nope", "/docs/nope", "/docs/style.css/..%2f", "/health/", "/API/publish"])
async def test_what_is_not_there_is_a_problem(http: httpx.AsyncClient, path: str) -> None:
    response = await http.get(path)
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json() == {"title": "Not Found", "status": 404, "detail": "There is nothing here."}


@pytest.mark.parametrize("path", ["/", "/health", "/metrics", "/docs", "/docs/openapi.json", "/docs/style.css"])
async def test_pages_are_only_read(http: httpx.AsyncClient, path: str) -> None:
    response = await http.post(path)
    assert (response.status_code, response.headers["allow"]) == (405, "GET, HEAD")
    assert response.json()["title"] == "Method Not Allowed"


@pytest.mark.parametrize("path", ["/", "/health", "/docs", "/docs/icon.svg"])
async def test_a_head_is_a_get_without_its_body(http: httpx.AsyncClient, path: str) -> None:
    head = await http.head(path)
    assert (head.status_code, head.content) == (200, b"")
    assert int(head.headers["content-length"]) > 10


async def test_a_route_of_an_app_is_litestars(whole: Api, http_to: HttpTo) -> None:
    async with http_to(whole) as http:
        assert (await http.get("/api/things/7")).json() == {"number": 7}
        assert (await http.get("/health")).status_code == 200
        assert (await http.post("/api/publish", json={"channel": "orders:1", "data": 1})).json()["result"]


@pytest.mark.parametrize(
    ("verb", "path", "status"),
    [
        ("GET", "/api/nope", 404),
        ("GET", "/api/missing", 404),
        ("GET", "/api/things/seven", 404),
        ("DELETE", "/api/things/7", 405),
        ("POST", "/api/things", 400),
        ("GET", "/api/broken", 500),
    ],
)
async def test_what_goes_wrong_there_is_a_problem(
    whole: Api, http_to: HttpTo, verb: str, path: str, status: int
) -> None:
    with capture_logs():
        async with http_to(whole) as http:
            response = await http.request(verb, path, content=b"{")
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["status"] == status
    assert "secret" not in response.text


async def test_routes_that_do_not_load_are_tried_again(world: World, http_to: HttpTo) -> None:
    tries = []

    def broken_once() -> Sequence[Any]:
        tries.append(1)
        if len(tries) == 1:
            raise ImportError("a secret")
        return [thing]

    async with http_to(api_app(world.hub, keys=None, routes=broken_once)) as http:
        with capture_logs():
            failed = await http.get("/api/things/7")
        assert (failed.status_code, "secret" in failed.text) == (500, False)
        assert (await http.get("/api/things/7")).status_code == 200


async def test_documentation_of_routes_that_do_not_load_is_a_problem(world: World, http_to: HttpTo) -> None:
    def never() -> Sequence[Any]:
        raise ImportError("a secret")

    async with http_to(api_app(world.hub, keys=None, routes=never)) as http:
        with capture_logs() as logs:
            response = await http.get("/docs")
    assert (response.status_code, "secret" in response.text) == (500, False)
    assert logs[0]["event"] == "page_failed"


async def test_its_options_may_change_while_it_is_served(http: httpx.AsyncClient, api: Api) -> None:
    async def statuses() -> list[int]:
        unknown = await http.post("/api/history", json={"channel": "none"}, headers={"X-API-Key": "all"})
        long = await http.post("/api/info", content=b" " * 100 + b"{}", headers={"X-API-Key": "all"})
        return [unknown.status_code, long.status_code, (await http.get("/metrics")).status_code]

    async def documented() -> bool:
        described = (await http.get("/docs/openapi.json")).json()
        return "416" in described["paths"]["/api/history"]["post"]["responses"]

    assert (await statuses(), await documented()) == ([200, 200, 401], False)
    api.heed(error_mode="transport", max_body_bytes=64, metrics="public")
    assert (await statuses(), await documented()) == ([404, 413, 200], True)
    api.heed(error_mode="result", max_body_bytes=1_000, metrics="key")
    assert (await statuses(), await documented()) == ([200, 200, 401], False)


async def test_it_works_below_a_path(world: World) -> None:
    transport = httpx.ASGITransport(app=api_app(world.hub, keys=None), root_path="/live")
    async with httpx.AsyncClient(transport=transport, base_url="http://hub.example/live") as http:
        assert (await http.get("/health")).status_code == 200
        assert (await http.post("/api/publish", json={"channel": "orders:1", "data": 1})).json()["result"]


async def test_the_lifespan_starts_and_ends(api: Api) -> None:
    events = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
    sent: list[str] = []

    async def receive() -> Any:
        return events.pop(0)

    async def send(event: Any) -> None:
        sent.append(event["type"])

    await api({"type": "lifespan"}, receive, send)
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


async def test_it_is_no_place_for_sockets(api: Api) -> None:
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def send(event: Any) -> None:
        sent.append(event)

    await api({"type": "websocket", "path": "/"}, receive, send)
    assert sent == [{"type": "websocket.close", "code": 1000}]
    with pytest.raises(ValueError, match="no such scope"):
        await api({"type": "dance"}, receive, send)


def test_importing_it_loads_neither_litestar_nor_prometheus() -> None:
    program = (
        "import sys, vagus.api.app; print(sorted({'litestar', 'prometheus_client', 'uvicorn'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
