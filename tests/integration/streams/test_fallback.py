"""The npm package ``centrifuge`` in Node.js, with its own fallbacks, behind proxies that let less and less through."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from tests.integration.native.tokens import EXPIRED, token, verifier
from tests.patience import LEISURE
from vagus import Caller, Hub, Limits

from .conftest import OpenPeer, Serve
from .proxy import Proxy

Proxied = Callable[..., Awaitable[Proxy]]

WEBSOCKET, HTTP_STREAM, SSE = "/connection/websocket", "/connection/http_stream", "/connection/sse"
BLOCKED = {"http_stream": (WEBSOCKET,), "sse": (WEBSOCKET, HTTP_STREAM)}

WITH_PROTOBUF = pytest.mark.parametrize(
    ("kind", "encoding"),
    [("http_stream", "json"), ("sse", "json"), ("http_stream", "protobuf")],
    ids=["http_stream", "sse", "http_stream-protobuf"],
)


def transports(hub: Hub) -> list[str]:
    return [client.origin.transport for client in hub.clients.values()]


@pytest.mark.parametrize("kind", ["http_stream", "sse"])
@pytest.mark.parametrize("version", ["1.0", "1.1"])
async def test_it_falls_back_until_something_gets_through(
    serve: Serve, proxied: Proxied, open_peer: OpenPeer, kind: str, version: str
) -> None:
    server = await serve(Hub(open_to_all=True))
    proxy = await proxied(server, blocked=BLOCKED[kind], version=version)
    await open_peer(proxy.port)
    assert transports(server.hub) == [kind]
    assert proxy.asked[: len(BLOCKED[kind])] == list(BLOCKED[kind])


@WITH_PROTOBUF
async def test_everything_works_there(
    serve: Serve, proxied: Proxied, open_peer: OpenPeer, kind: str, encoding: str
) -> None:
    hub = Hub(open_to_all=True, verifier=verifier())

    @hub.call("double")
    async def double(caller: Caller, number: int) -> int:
        return 2 * number

    server = await serve(hub)
    proxy = await proxied(server, blocked=BLOCKED[kind])
    peer = await open_peer(proxy.port, encoding=encoding, token=token("42"))
    await peer.subscribe("news", recoverable=True, join_leave=True)
    for number in range(10):
        await peer.publish("news", {"number": number, "text": "Zähler €\n"})
    assert await peer.data("news", 10) == [{"number": number, "text": "Zähler €\n"} for number in range(10)]
    assert await peer.rpc("double", 21) == 42
    assert [info["user"] for info in (await peer.presence("news")).values()] == ["42"]
    assert (await peer.history("news", limit=2))["offset"] == 10
    await peer.unsubscribe("news")


@WITH_PROTOBUF
async def test_what_a_cut_stream_missed_comes_once_and_in_order(
    serve: Serve, proxied: Proxied, open_peer: OpenPeer, kind: str, encoding: str
) -> None:
    server = await serve(Hub(open_to_all=True))
    proxy = await proxied(server, blocked=BLOCKED[kind])
    peer = await open_peer(proxy.port, encoding=encoding)
    await peer.subscribe("news", recoverable=True)
    await server.publish_each("news", range(10))
    assert await peer.data("news", 10) == list(range(10))
    proxy.cut()
    await server.publish_each("news", range(10, 20))
    assert (await peer.expect("subscribed", "news"))["recovered"]
    await server.publish_each("news", range(20, 30))
    assert await peer.data("news", 20) == list(range(10, 30))


@pytest.mark.parametrize("kind", ["http_stream", "sse"])
async def test_pings_are_answered_there(serve: Serve, proxied: Proxied, open_peer: OpenPeer, kind: str) -> None:
    hub = Hub(open_to_all=True, limits=Limits(ping_interval_s=0.5 * LEISURE, pong_timeout_s=0.4 * LEISURE))
    server = await serve(hub)
    proxy = await proxied(server, blocked=BLOCKED[kind])
    peer = await open_peer(proxy.port)
    await peer.subscribe("clock")
    await server.on(three_pongs(hub))
    assert peer.has_seen("connecting")[1:] == []


async def three_pongs(hub: Hub) -> None:
    """Wait until the client has answered three pings."""
    answered = 0
    (client,) = hub.clients.values()
    is_asked = False
    while answered < 3:
        was_asked, is_asked = is_asked, client.pong_by != float("inf")
        answered += was_asked and not is_asked
        await asyncio.sleep(0.005)


@pytest.mark.parametrize("kind", ["http_stream", "sse"])
async def test_a_server_that_stops_and_starts_again_is_found(
    serve: Serve, proxied: Proxied, open_peer: OpenPeer, kind: str
) -> None:
    server = await serve(Hub(open_to_all=True))
    proxy = await proxied(server, blocked=BLOCKED[kind])
    peer = await open_peer(proxy.port)
    await peer.subscribe("news", recoverable=True)
    await server.stop()
    await peer.expect("connecting", code=3001)
    await server.start(Hub(open_to_all=True))
    subscribed = await peer.expect("subscribed", "news")
    assert (subscribed["was_recovering"], subscribed["recovered"]) == (True, False)


@pytest.mark.parametrize("kind", ["http_stream", "sse"])
async def test_an_expired_token_is_replaced(serve: Serve, proxied: Proxied, open_peer: OpenPeer, kind: str) -> None:
    server = await serve(Hub(verifier=verifier()))
    proxy = await proxied(server, blocked=BLOCKED[kind])
    await open_peer(proxy.port, token=EXPIRED, tokens=[token("42")])
    assert [client.identity.user for client in server.hub.clients.values()] == ["42"]


@pytest.mark.parametrize("front", ["direct"], indirect=True)
@pytest.mark.parametrize("kind", ["http_stream", "sse"])
async def test_a_proxy_of_http_1_0_is_sent_no_chunks(
    serve: Serve, proxied: Proxied, open_peer: OpenPeer, kind: str
) -> None:
    server = await serve(Hub(open_to_all=True))
    proxy = await proxied(server, blocked=BLOCKED[kind], version="1.0")
    peer = await open_peer(proxy.port)
    await peer.subscribe("news")
    await server.publish_each("news", range(5))
    assert await peer.data("news", 5) == list(range(5))
    assert all(b"chunked" not in answer.lower() for answer in proxy.answers)
