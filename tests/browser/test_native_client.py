"""The npm package ``centrifuge`` in Chromium: what a browser adds to what the integration tests prove in Node.js.

=====================  =============================================================================================
origins                the server's own, a foreign one, one that is allowed
frames                 permessage-deflate, pings answered, subprotocols
losing the network     a cut socket, a restarted server, an offline browser, a closed page
all else once          tokens, publications, presence, history, calls, messages, deltas, filters, server's channels
=====================  =============================================================================================
"""

import asyncio
from typing import Any

import pytest
from playwright.async_api import BrowserContext, Page, WebSocket

from tests.integration.native.peers import refusal
from tests.integration.native.tokens import EXPIRED, FORGED, token, verifier
from tests.patience import DEADLINE_S, LEISURE
from vagus import Caller, ChannelRule, Hub, Last, Limits
from vagus.auth.origins import OriginRules

from .conftest import OpenPeer, Serve

pytestmark = pytest.mark.asyncio(loop_scope="session")

ONLY_JSON = pytest.mark.parametrize("encoding", ["json"], indirect=True)


def document(number: int) -> dict[str, object]:
    return {
        "number": number,
        "rows": [{"row": row, "value": row * number % 7} for row in range(30)],
        "note": "Zähler €",
    }


async def test_a_page_of_the_server_itself_connects(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(Hub(open_to_all=True))
    peer = await open_peer(server, connect=False)
    client = (await peer.connect())["client"]
    assert server.hub.clients[client].origin.headers["origin"] + "/" == server.site


@ONLY_JSON
async def test_a_page_from_elsewhere_is_refused(serve: Serve, open_peer: OpenPeer, page: Page) -> None:
    server, elsewhere = await serve(Hub(open_to_all=True)), await serve(Hub(open_to_all=True))
    async with page.expect_console_message(lambda message: "403" in message.text):
        peer = await open_peer(server, connect=False, site=elsewhere)
        await peer.start()
    await peer.expect("error", message="transport closed")
    assert not server.hub.clients


@ONLY_JSON
async def test_a_page_from_a_place_that_is_allowed_connects(serve: Serve, open_peer: OpenPeer) -> None:
    elsewhere = await serve(Hub(open_to_all=True))
    server = await serve(Hub(open_to_all=True), origins=OriginRules([elsewhere.site.rstrip("/")]))
    await open_peer(server, site=elsewhere)
    assert len(server.hub.clients) == 1


async def test_an_expired_token_is_replaced(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(Hub(verifier=verifier()))
    await open_peer(server, token=EXPIRED, tokens=[token("42")])
    assert [client.identity.user for client in server.hub.clients.values()] == ["42"]


async def test_a_forged_token_ends_it(serve: Serve, open_peer: OpenPeer) -> None:
    peer = await open_peer(await serve(Hub(verifier=verifier())), connect=False, token=FORGED)
    await peer.start()
    await peer.expect("disconnected", code=3500, reason="invalid token")


async def test_publications_go_from_page_to_page(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(Hub(open_to_all=True))
    sender, reader = await open_peer(server), await open_peer(server)
    await reader.subscribe("news")
    for number in range(20):
        await sender.publish("news", document(number))
    assert await reader.data("news", 20) == [document(number) for number in range(20)]


async def test_history_is_read(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(Hub(open_to_all=True))
    await server.publish_each("news", range(5))
    page = await (await open_peer(server)).history("news", limit=2, reverse=True)
    assert ([each["data"] for each in page["publications"]], page["offset"]) == ([4, 3], 5)


async def test_presence_and_coming_and_going(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(Hub(open_to_all=True, verifier=verifier()))
    watcher, visitor = await open_peer(server, token=token("1")), await open_peer(server, token=token("2"))
    await watcher.subscribe("room", join_leave=True)
    await visitor.subscribe("room")
    assert sorted(info["user"] for info in (await watcher.presence("room")).values()) == ["1", "2"]
    assert await watcher.presence_stats("room") == (2, 2)
    await visitor.unsubscribe("room")
    assert (await watcher.expect("leave", "room"))["info"]["user"] == "2"


async def test_calls_are_answered_or_refused(serve: Serve, open_peer: OpenPeer) -> None:
    hub = Hub(open_to_all=True)

    @hub.call("double")
    async def double(caller: Caller, request: int) -> int:
        return 2 * request

    peer = await open_peer(await serve(hub))
    assert await peer.rpc("double", 21) == 42
    assert await refusal(peer.rpc("double", "many")) == 107
    assert await refusal(peer.rpc("halve", 42)) == 104


async def test_messages_come_outside_of_channels(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(Hub(verifier=verifier()))
    peer = await open_peer(server, token=token("42"))
    await server.on(server.hub.send({"hello": 1}, user="42"))
    assert (await peer.expect("message"))["data"] == {"hello": 1}


async def test_everybody_has_a_channel_of_their_own(serve: Serve, open_peer: OpenPeer) -> None:
    rule = ChannelRule(pattern="#{user}", history=Last(10, hours=1))
    server = await serve(Hub(verifier=verifier(), rules=[rule], personal_channels="#"))
    peer = await open_peer(server, token=token("42"))
    await peer.expect("subscribed", "#42")
    await server.publish("#42", 1)
    await server.cut(("#42", 2), ("#42", 3))
    assert await peer.data("#42", 3) == [1, 2, 3]


async def test_all_that_was_missed_comes_once_and_in_order(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(Hub(open_to_all=True))
    peer = await open_peer(server)
    await peer.subscribe("news", recoverable=True)
    await server.publish_each("news", range(10))
    await server.cut(*(("news", number) for number in range(10, 20)))
    assert (await peer.expect("subscribed", "news"))["recovered"]
    await server.publish_each("news", range(20, 30))
    assert await peer.data("news", 30) == list(range(30))


async def test_another_server_is_another_epoch(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(Hub(open_to_all=True))
    peer = await open_peer(server)
    await peer.subscribe("news", recoverable=True)
    await server.publish("news", 1)
    await peer.data("news", 1)
    await server.stop()
    await peer.expect("connecting", code=3001)
    await server.start(Hub(open_to_all=True))
    subscribed = await peer.expect("subscribed", "news")
    assert (subscribed["was_recovering"], subscribed["recovered"]) == (True, False)


@ONLY_JSON
async def test_a_browser_that_was_offline_catches_up(
    serve: Serve, open_peer: OpenPeer, context: BrowserContext
) -> None:
    server = await serve(Hub(open_to_all=True))
    peer = await open_peer(server)
    await peer.subscribe("news", recoverable=True)
    await context.set_offline(True)
    await peer.expect("connecting", code=1)
    await server.publish_each("news", range(5))
    await context.set_offline(False)
    assert (await peer.expect("subscribed", "news"))["recovered"]
    assert await peer.data("news", 5) == list(range(5))


@ONLY_JSON
async def test_a_page_that_is_closed_leaves(serve: Serve, open_peer: OpenPeer, page: Page) -> None:
    hub, gone = Hub(open_to_all=True), asyncio.Event()
    loop = asyncio.get_running_loop()
    hub.on_disconnect(lambda caller, closure: loop.call_soon_threadsafe(gone.set))
    server = await serve(hub)
    await (await open_peer(server)).subscribe("room")
    await page.close()
    await asyncio.wait_for(gone.wait(), DEADLINE_S)
    assert await server.on(hub.presence("room")) == {}


async def test_patches_give_what_was_published(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(Hub(open_to_all=True))
    peer = await open_peer(server)
    await peer.subscribe("news", delta="fossil", recoverable=True)
    documents = [document(number) for number in range(40)]
    await server.publish_each("news", documents[:20])
    await server.cut(*(("news", each) for each in documents[20:30]))
    assert (await peer.expect("subscribed", "news"))["recovered"]
    await server.publish_each("news", documents[30:])
    assert await peer.data("news", 40) == documents
    assert await peer.run("patches", channel="news") > 30


async def test_only_what_passes_the_filter_arrives(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(Hub(open_to_all=True))
    peer = await open_peer(server)
    await peer.subscribe("news", tags_filter={"key": "n", "cmp": "gt", "val": "2"})
    for number in range(5):
        await server.publish("news", number, tags={"n": str(number)})
    assert await peer.data("news", 2) == [3, 4]


async def handshake(context: BrowserContext, page: Page) -> "asyncio.Future[dict[str, str]]":
    """The headers with which the server answers the page's next WebSocket."""
    answered: asyncio.Future[dict[str, str]] = asyncio.get_running_loop().create_future()

    def take(event: dict[str, Any]) -> None:
        headers = {name.lower(): value for name, value in event["response"]["headers"].items()}
        if not answered.done():
            answered.set_result(headers)

    session = await context.new_cdp_session(page)
    await session.send("Network.enable")
    session.on("Network.webSocketHandshakeResponseReceived", take)
    return answered


async def test_messages_are_compressed_both_ways(
    serve: Serve, open_peer: OpenPeer, context: BrowserContext, page: Page
) -> None:
    answered = await handshake(context, page)
    server = await serve(Hub(open_to_all=True), compression=True)
    peer = await open_peer(server)
    headers = await asyncio.wait_for(answered, DEADLINE_S)
    assert headers["sec-websocket-extensions"].startswith("permessage-deflate")
    await peer.subscribe("news", recoverable=True)
    documents = [document(number) for number in range(30)]
    for each in documents:
        await peer.publish("news", each)
    await server.cut(("news", "missed"))
    assert await peer.data("news", 31) == [*documents, "missed"]


@pytest.mark.parametrize("encoding", ["protobuf"], indirect=True)
async def test_the_subprotocol_is_confirmed(
    serve: Serve, open_peer: OpenPeer, context: BrowserContext, page: Page
) -> None:
    answered = await handshake(context, page)
    await open_peer(await serve(Hub(open_to_all=True)))
    headers = await asyncio.wait_for(answered, DEADLINE_S)
    assert headers["sec-websocket-protocol"] == "centrifuge-protobuf"
    assert "sec-websocket-extensions" not in headers


@ONLY_JSON
async def test_pings_are_answered(serve: Serve, open_peer: OpenPeer, page: Page) -> None:
    pongs: asyncio.Queue[str | bytes] = asyncio.Queue()

    def watch(socket: WebSocket) -> None:
        socket.on("framesent", lambda payload: pongs.put_nowait(payload) if payload == "{}" else None)

    page.on("websocket", watch)
    limits = Limits(ping_interval_s=0.5 * LEISURE, pong_timeout_s=0.4 * LEISURE)
    peer = await open_peer(await serve(Hub(open_to_all=True, limits=limits)))
    for _ in range(3):
        await asyncio.wait_for(pongs.get(), DEADLINE_S)
    await peer.presence("news")
    assert peer.has_seen("connecting")[1:] == []
