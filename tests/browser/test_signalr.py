"""npm ``@microsoft/signalr`` in Chromium: each notation over each transport that carries it there, tokens in queries,

pages from elsewhere, and a session that goes on over another socket.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import count
from typing import Any, Final

import pytest
import pytest_asyncio
from playwright.async_api import Page

from tests.integration.native.peers import NODE_FOLDER, Refused
from tests.integration.native.serving import LoopThread, Server, servers_on
from tests.integration.native.tokens import FORGED, token, verifier
from tests.integration.signalr.furnished import furnished_hub
from tests.integration.signalr.hubpeer import HubPeer
from vagus.auth.origins import OriginRules

from .conftest import ChromiumEngine
from .site import site_of

pytestmark = pytest.mark.asyncio(loop_scope="session")

WAYS: Final = ("json-websockets", "json-sse", "json-polling", "messagepack-websockets", "messagepack-polling")
ONE_WAY: Final = pytest.mark.parametrize("way", ["json-websockets"], indirect=True)
WEBSOCKETS: Final = pytest.mark.parametrize("way", ["json-websockets", "messagepack-websockets"], indirect=True)

_LIBRARIES: Final = NODE_FOLDER / "node_modules" / "@microsoft"

PAGE: Final = """<!doctype html>
<title>Peers</title>
<script src="/signalr.js"></script>
<script src="/signalr-protocol-msgpack.js"></script>
<script type="module">
  import { Peers } from "/signalr_peers.mjs";
  const library = { ...signalR, ...signalR.protocols.msgpack };
  const peers = new Peers(library, (event) => globalThis.report(event));
  globalThis.run = (command) => peers.run(command).then(
    (result) => ({ result }),
    (error) => ({ error: { code: error.statusCode ?? -1, message: error.message ?? String(error) } }),
  );
  document.title = "Ready";
</script>
"""
SCRIPTS: Final = {
    "/signalr_peers.mjs": NODE_FOLDER / "signalr_peers.mjs",
    "/signalr.js": _LIBRARIES / "signalr" / "dist" / "browser" / "signalr.js",
    "/signalr-protocol-msgpack.js": (
        _LIBRARIES / "signalr-protocol-msgpack" / "dist" / "browser" / "signalr-protocol-msgpack.js"
    ),
}

Serve = Callable[..., Awaitable[Server]]
OpenPeer = Callable[..., Awaitable[HubPeer]]

site: Final = site_of(PAGE, SCRIPTS)

_numbers = count(1)


@pytest_asyncio.fixture(loop_scope="session")
async def serve(server_thread: LoopThread) -> AsyncIterator[Serve]:
    """Start servers that also serve the page: ``await serve(hub)``, with options of the gate if need be."""
    async with servers_on(server_thread, lambda thread: Server(thread, site)) as start:
        yield start


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest_asyncio.fixture(loop_scope="session")
async def open_peer(page: Page, way: str) -> OpenPeer:
    """Make clients in the page, which comes from the first one's server unless ``site`` names another."""
    engine = ChromiumEngine(page)
    protocol, transport = way.split("-")

    async def opened(server: Server, *, start: bool = True, site: Server | None = None, **options: Any) -> HubPeer:
        if not engine.peers:
            await engine.open((site or server).site)
        number = next(_numbers)
        peer = engine.peers[number] = HubPeer(engine, number)
        url = f"{server.site}hubs/chat"
        await peer.run("open", url=url, protocol=protocol, transport=transport, options=options)
        if start:
            await peer.started()
        return peer

    return opened


async def test_everything_works_in_a_page(serve: Serve, open_peer: OpenPeer, way: str) -> None:
    server = await serve(furnished_hub())
    peer = await open_peer(server)
    await peer.on("news", "publication")
    await peer.run("answer", target="where")
    assert await peer.invoke("Echo", {"a": [1, None, "Zähler €"]}) == [{"a": [1, None, "Zähler €"]}]
    await peer.invoke("Subscribe", "room")
    await server.publish("room", {"type": "news", "payload": {"n": 1}})
    await peer.invoke("Publish", "room", [2])
    assert await peer.called("news") == [{"n": 1}]
    assert (await peer.called("publication"))[0]["data"] == [2]
    assert await peer.whole(await peer.stream("Count", 100)) == list(range(100))
    name, (numbers,) = await peer.upload("Sum", 1)
    await peer.feed(numbers, 2, 3, last=True)
    assert (await peer.expect("result", name=name))["result"] == 6
    assert await peer.invoke("Ask", "where", "here") == ["here"]
    if way.startswith("messagepack"):
        assert await peer.invoke("Echo", {"$bytes": "AAEC"}) == [{"$bytes": "AAEC"}]


async def test_a_page_brings_its_token_in_header_or_query(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(furnished_hub(allow_anonymous=False, verifier=verifier()))
    peer = await open_peer(server, tokens=[token("7")])
    assert await peer.invoke("WhoAmI") == "7"


@ONE_WAY
async def test_a_page_with_a_bad_token_is_told_so(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(furnished_hub(allow_anonymous=False, verifier=verifier()))
    peer = await open_peer(server, start=False, tokens=[FORGED])
    with pytest.raises(Refused, match="Unauthorized: Status code '401'"):
        await peer.started()


async def test_a_page_from_a_place_that_is_allowed_is_served(serve: Serve, open_peer: OpenPeer) -> None:
    elsewhere = await serve(furnished_hub())
    rules = OriginRules([elsewhere.site.rstrip("/")])
    server = await serve(furnished_hub(allow_anonymous=False, verifier=verifier()), origins=rules)
    peer = await open_peer(server, site=elsewhere, tokens=[token("7")])
    assert await peer.invoke("WhoAmI") == "7"


async def test_a_page_from_elsewhere_is_refused(serve: Serve, open_peer: OpenPeer) -> None:
    server, elsewhere = await serve(furnished_hub()), await serve(furnished_hub())
    peer = await open_peer(server, start=False, site=elsewhere)
    with pytest.raises(Refused, match="Failed to fetch"):
        await peer.started()
    assert not server.hub.clients


@ONE_WAY
async def test_a_page_whose_websocket_is_refused_falls_back(serve: Serve, open_peer: OpenPeer, page: Page) -> None:
    await page.add_init_script("delete globalThis.WebSocket")
    server = await serve(furnished_hub())
    peer = await open_peer(server, start=False)
    with pytest.raises(Refused, match="WebSockets"):
        await peer.started()
    await peer.run("open", url=f"{server.site}hubs/chat", protocol="json", transport="", options={})
    await peer.started()
    (client,) = server.hub.clients.values()
    assert client.origin.transport == "sse"


@WEBSOCKETS
async def test_a_cut_socket_loses_and_repeats_nothing(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(furnished_hub())
    peer = await open_peer(server, stateful=True)
    name = await peer.stream("Stream", "numbers")
    await peer.invoke("Echo")
    await server.publish_each("numbers", range(500))

    async def cut() -> None:
        for client in server.hub.clients.values():
            client.link.transport.abort()  # type: ignore[attr-defined]  # of the session

    await server.on(cut())
    await server.publish_each("numbers", range(500, 1_000))
    assert await peer.items(name, 1_000) == list(range(1_000))
    assert not peer.has_seen("reconnecting")


@WEBSOCKETS
async def test_a_page_that_is_closed_is_gone_at_once(serve: Serve, open_peer: OpenPeer, page: Page) -> None:
    server = await serve(furnished_hub())
    await open_peer(server, stateful=True)
    assert len(server.hub.clients) == 1
    await page.close()
    await server.alone()
    assert not server.hub.clients
