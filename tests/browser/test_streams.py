"""Responses that go on, in Chromium: the fallbacks of the npm package ``centrifuge``, and EventSource itself.

The page and what it asks for come through a proxy that blocks WebSockets, and then more, and that cuts connections.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import count
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page

from tests.integration.native.peers import Peer
from tests.integration.native.serving import Server
from tests.integration.streams.proxy import Proxy
from tests.patience import DEADLINE_S
from vagus import ChannelRule, Hub
from vagus.auth.origins import OriginRules

from .conftest import ChromiumEngine, Serve

pytestmark = pytest.mark.asyncio(loop_scope="session")

WEBSOCKET, HTTP_STREAM, SSE = "/connection/websocket", "/connection/http_stream", "/connection/sse"

BLOCKED = pytest.mark.parametrize(
    ("kind", "blocked"), [("http_stream", [WEBSOCKET]), ("sse", [WEBSOCKET, HTTP_STREAM])], ids=["http_stream", "sse"]
)

Proxied = Callable[..., Awaitable[Proxy]]

_numbers = count(1_000)

LISTEN = """(path) => {
  globalThis.seen = [];
  globalThis.source = new EventSource(path);
  const note = (event) => seen.push([event.type, event.data === undefined ? null : JSON.parse(event.data)]);
  for (const name of ["message", "paid", "unrecovered", "disconnect"]) source.addEventListener(name, note);
  return new Promise((resolve) => {
    source.onopen = () => resolve("open");
    source.onerror = () => source.readyState === EventSource.CLOSED && resolve("closed");
  });
}"""


@pytest_asyncio.fixture(loop_scope="session")
async def proxied() -> AsyncIterator[Proxied]:
    proxies: list[Proxy] = []

    async def started(server: Server, **options: Any) -> Proxy:
        proxies.append(Proxy(server.port, **options))
        await proxies[-1].start()
        return proxies[-1]

    yield started
    for proxy in proxies:
        await proxy.stop()


async def open_page(page: Page, port: int) -> ChromiumEngine:
    engine = ChromiumEngine(page)
    await engine.open(f"http://127.0.0.1:{port}/")
    return engine


async def open_peer(page: Page, port: int, encoding: str = "json", **options: Any) -> Peer:
    """A client in the page with all its fallbacks."""
    engine, number = await open_page(page, port), next(_numbers)
    peer = engine.peers[number] = Peer(engine, number)
    endpoints = [
        {"transport": "websocket", "endpoint": f"ws://127.0.0.1:{port}{WEBSOCKET}"},
        {"transport": "http_stream", "endpoint": f"http://127.0.0.1:{port}{HTTP_STREAM}"},
        {"transport": "sse", "endpoint": f"http://127.0.0.1:{port}{SSE}"},
    ]
    await peer.run("open", url=endpoints, encoding=encoding, options=options)
    await peer.connect()
    return peer


async def seen(page: Page, number: int) -> list[Any]:
    """What the page's EventSource has seen, once it is so much."""
    await page.wait_for_function("number => globalThis.seen.length >= number", arg=number)
    return list(await page.evaluate("seen"))


@BLOCKED
async def test_the_client_falls_back_and_everything_works(
    serve: Serve, proxied: Proxied, page: Page, kind: str, blocked: list[str]
) -> None:
    server = await serve(Hub(open_to_all=True))
    proxy = await proxied(server, blocked=blocked)
    peer = await open_peer(page, proxy.port)
    assert [client.origin.transport for client in server.hub.clients.values()] == [kind]
    await peer.subscribe("news", recoverable=True)
    for number in range(5):
        await peer.publish("news", {"n": number})
    assert await peer.data("news", 5) == [{"n": number} for number in range(5)]
    assert await peer.presence_stats("news") == (1, 1)


@BLOCKED
async def test_what_a_cut_stream_missed_comes_once_and_in_order(
    serve: Serve, proxied: Proxied, page: Page, kind: str, blocked: list[str]
) -> None:
    server = await serve(Hub(open_to_all=True))
    proxy = await proxied(server, blocked=blocked)
    peer = await open_peer(page, proxy.port)
    await peer.subscribe("news", recoverable=True)
    await server.publish_each("news", range(10))
    await peer.data("news", 10)
    proxy.cut()
    await server.publish_each("news", range(10, 20))
    assert (await peer.expect("subscribed", "news"))["recovered"]
    assert await peer.data("news", 10) == list(range(10, 20))


async def test_protobuf_goes_over_http_too(serve: Serve, proxied: Proxied, page: Page) -> None:
    server = await serve(Hub(open_to_all=True))
    proxy = await proxied(server, blocked=[WEBSOCKET])
    peer = await open_peer(page, proxy.port, "protobuf")
    await peer.subscribe("news")
    await server.publish("news", {"text": "Zähler €"})
    assert await peer.data("news", 1) == [{"text": "Zähler €"}]


@BLOCKED
async def test_a_page_that_is_closed_leaves(
    serve: Serve, proxied: Proxied, page: Page, kind: str, blocked: list[str]
) -> None:
    hub, gone = Hub(open_to_all=True), asyncio.Event()
    loop = asyncio.get_running_loop()
    hub.on_disconnect(lambda caller, closure: loop.call_soon_threadsafe(gone.set))
    server = await serve(hub)
    proxy = await proxied(server, blocked=blocked)
    await open_peer(page, proxy.port)
    await page.close()
    await asyncio.wait_for(gone.wait(), DEADLINE_S)


async def test_an_event_source_hears_messages_and_events(serve: Serve, page: Page) -> None:
    server = await serve(Hub(open_to_all=True))
    await open_page(page, server.port)
    assert await page.evaluate(LISTEN, "/events?channel=orders") == "open"
    await server.publish("orders", {"text": "Zähler €"})
    await server.publish("orders", {"type": "paid", "payload": {"order": 42}})
    assert await seen(page, 2) == [["message", {"text": "Zähler €"}], ["paid", {"order": 42}]]


@pytest.mark.parametrize("path", ["/events?channel=a", "/events?channel=a&channel=b"], ids=["one", "several"])
async def test_an_event_source_that_was_cut_misses_nothing(
    serve: Serve, proxied: Proxied, page: Page, path: str
) -> None:
    server = await serve(Hub(open_to_all=True))
    proxy = await proxied(server)
    await open_page(page, proxy.port)
    await page.evaluate(LISTEN, path)
    expected: list[Any] = []
    for cut in range(2):
        for number in range(cut * 10, cut * 10 + 5):
            await server.publish("a", number)
        expected += range(cut * 10, cut * 10 + 5)
        await seen(page, len(expected))
        proxy.cut()
        await server.publish("a", f"missed {cut}")
        expected.append(f"missed {cut}")
        await seen(page, len(expected))
    data = [data["data"] if "&" in path else data for _, data in await seen(page, len(expected))]
    assert data == expected


async def test_an_event_source_that_was_cut_before_its_first_event_misses_nothing(
    serve: Serve, proxied: Proxied, page: Page
) -> None:
    server = await serve(Hub(open_to_all=True))
    proxy = await proxied(server)
    await open_page(page, proxy.port)
    await page.evaluate(LISTEN, "/events?channel=a&channel=b")
    proxy.cut()
    await server.publish("b", "missed")
    assert await seen(page, 1) == [["message", {"channel": "b", "data": "missed"}]]


async def test_an_event_source_hears_that_it_may_have_missed_something(serve: Serve, page: Page) -> None:
    server = await serve(Hub(open_to_all=True))
    await open_page(page, server.port)
    await page.evaluate(LISTEN, "/events?channel=a")
    await server.publish("a", 1)
    await seen(page, 1)
    await server.stop()
    await server.start(Hub(open_to_all=True))
    events = await seen(page, 3)
    assert [name for name, _ in events] == ["message", "disconnect", "unrecovered"]


async def test_an_event_source_that_may_not_listen_any_more_stops(serve: Serve, page: Page) -> None:
    rule = ChannelRule(pattern="a", subscribe=("anyone",))
    server = await serve(Hub(rules=[rule], allow_anonymous=True))
    await open_page(page, server.port)
    assert await page.evaluate(LISTEN, "/events?channel=b") == "closed"
    assert await page.evaluate(LISTEN, "/events?channel=a") == "open"


async def test_an_event_source_that_comes_back_in_vain_stops(serve: Serve, page: Page) -> None:
    server = await serve(Hub(open_to_all=True))
    await open_page(page, server.port)
    await page.evaluate(LISTEN, "/events?channel=a")
    await server.publish("a", 1)
    await seen(page, 1)
    await server.stop()
    await server.start(Hub())
    await page.wait_for_function("globalThis.source.readyState === EventSource.CLOSED")


async def test_a_page_of_another_origin_listens_and_sends_where_it_may(serve: Serve, page: Page) -> None:
    elsewhere = await serve(Hub(open_to_all=True))
    server = await serve(Hub(open_to_all=True), origins=OriginRules([elsewhere.site.rstrip("/")]))
    await open_page(page, elsewhere.port)
    assert await page.evaluate(LISTEN, f"{server.site}events?channel=a") == "open"
    await server.publish("a", 1)
    assert await seen(page, 1) == [["message", 1]]
    post = """(url) => fetch(url, {method: "POST", headers: {"Content-Type": "application/json"},
      body: '{"session":"","node":"","data":""}'}).then((response) => response.status, () => 0)"""
    assert await page.evaluate(post, f"{server.site}emulation") == 404
    other = await serve(Hub(open_to_all=True))
    assert await page.evaluate(LISTEN, f"{other.site}events?channel=a") == "closed"
    assert await page.evaluate(post, f"{other.site}emulation") == 0
