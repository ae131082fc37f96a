"""The console's pages come from a dictionary of what was built, with headers that keep them to this server."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from vagus.asgi import Receive, Response, Scope, Send, respond
from vagus.server.pages import ConsolePages

INDEX = b"<!doctype html><title>Vagus</title>"
SCRIPT = b"console.log('vagus');" * 100
HTML = {"accept": "text/html,application/xhtml+xml"}


async def rest(scope: Scope, receive: Receive, send: Send) -> None:
    await respond(send, Response(404, b"the API"))


@pytest.fixture
def built(tmp_path: Path) -> Path:
    (tmp_path / "secret.txt").write_text("nobody's business")
    folder = tmp_path / "console"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_bytes(INDEX)
    (folder / ".hidden").write_text("no")
    (folder / "icon.svg").write_text("<svg/>")
    (folder / "assets" / "main-abc.js").write_bytes(SCRIPT)
    (folder / "assets" / "main-abc.js.br").write_bytes(b"as brotli")
    (folder / "assets" / "font.woff2").write_bytes(b"font")
    return folder


@pytest.fixture
def pages(built: Path) -> ConsolePages:
    return ConsolePages(rest, built)


@pytest.fixture
async def http(pages: ConsolePages) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=pages)
    async with httpx.AsyncClient(transport=transport, base_url="http://hub.example:8000") as client:
        yield client


async def asked(pages: ConsolePages, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of the answer to a path that is used as it is."""
    sent: list[Any] = []

    async def send(event: Any) -> None:
        sent.append(event)

    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    await pages({"type": "http", "method": "GET", "path": path, "headers": named}, receive, send)
    start, body = sent
    return start["status"], {name.decode(): value.decode() for name, value in start["headers"]}, body["body"]


async def receive() -> dict[str, Any]:
    return {"type": "http.disconnect"}


@pytest.mark.parametrize("path", ["/", "/index.html", "/connections", "/command/anything", "/?code=x", "//evil"])
async def test_every_path_of_the_console_is_its_page_and_kept_nowhere(http: httpx.AsyncClient, path: str) -> None:
    url = httpx.URL(f"http://hub.example:8000{path}")
    answer = await http.get(url, headers=HTML)
    assert (answer.status_code, answer.content) == (200, INDEX)
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize(
    "path",
    [
        "/api",
        "/api/x",
        "/connection/websocket",
        "/emulation",
        "/hubs/x",
        "/socket.io/",
        "/events",
        "/metrics",
        "/health",
        "/docs",
        "/docs/style.css",
        "//api/x",
        "/missing.js",
        "/assets/missing-1.js",
        "/.hidden",
    ],
)
async def test_what_is_not_the_consoles_goes_on_to_the_api(http: httpx.AsyncClient, path: str) -> None:
    answer = await http.get(httpx.URL(f"http://hub.example:8000{path}"), headers=HTML)
    assert answer.content == b"the API"


async def test_programs_that_want_no_page_get_none(http: httpx.AsyncClient) -> None:
    assert (await http.get("/connections", headers={"accept": "application/json"})).status_code == 404
    assert (await http.post("/", headers=HTML)).status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt",
        "/assets/../../secret.txt",
        "/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "/..%5csecret.txt",
        "/assets/%2e%2e/%2e%2e/secret.txt",
        "/assets//main-abc.js",
        "/assets/main-abc.js/",
        "/assets/main-abc.js%00",
    ],
)
async def test_nothing_outside_of_the_folder_is_served(pages: ConsolePages, path: str) -> None:
    for given in (path, httpx.URL(f"http://h{path}").path):  # as a server might leave it, and decoded
        assert (await asked(pages, given))[2] == b"the API"


async def test_assets_are_for_good_and_other_files_are_asked_about(http: httpx.AsyncClient) -> None:
    asset, icon = await http.get("/assets/main-abc.js"), await http.get("/icon.svg")
    assert asset.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert icon.headers["cache-control"] == "no-cache"
    kinds = [(await http.get(path)).headers["content-type"] for path in ("/assets/main-abc.js", "/assets/font.woff2")]
    assert kinds == ["text/javascript; charset=utf-8", "font/woff2"]


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [("gzip, deflate, br", "br"), ("gzip", "gzip"), ("br;q=0, gzip;q=0.5", "gzip"), ("identity", ""), ("", "")],
)
async def test_a_file_comes_in_the_best_form_that_the_browser_takes(
    pages: ConsolePages, accepted: str, encoding: str
) -> None:
    unpacked = {"br": lambda body: SCRIPT if body == b"as brotli" else body, "gzip": gzip.decompress, "": bytes}
    _, headers, body = await asked(pages, "/assets/main-abc.js", accept_encoding=accepted)
    assert headers.get("content-encoding", "") == encoding
    assert headers["vary"] == "accept-encoding"
    assert unpacked[encoding](body) == SCRIPT


async def test_the_policy_lets_nothing_in_from_elsewhere(http: httpx.AsyncClient) -> None:
    headers = (await http.get("/")).headers
    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == "'self'"
    assert policy["connect-src"] == "'self' ws://hub.example:8000 wss://hub.example:8000"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("host", ["a b", "evil; script-src *", "x" * 300, "", "[::1]x"])
async def test_a_hostile_host_does_not_get_into_the_policy(http: httpx.AsyncClient, host: str) -> None:
    policy = (await http.get("/", headers={"host": host})).headers["content-security-policy"]
    assert "connect-src 'self';" in policy


async def test_what_a_browser_has_already_is_not_sent_again(http: httpx.AsyncClient) -> None:
    tag = (await http.get("/assets/main-abc.js")).headers["etag"]
    again = await http.get("/assets/main-abc.js", headers={"if-none-match": f'"x", {tag}'})
    assert (again.status_code, again.content) == (304, b"")


async def test_head_is_answered_without_a_body(http: httpx.AsyncClient) -> None:
    answer = await http.head("/assets/main-abc.js", headers={"accept-encoding": "br"})
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-length"] == str(len(b"as brotli"))


def test_without_a_build_everything_goes_on_to_the_api(tmp_path: Path) -> None:
    pages = ConsolePages(rest, tmp_path / "nothing")
    assert asyncio.run(asked(pages, "/", accept="text/html"))[2] == b"the API"
