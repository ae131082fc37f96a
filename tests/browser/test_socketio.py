"""npm ``socket.io-client`` in Chromium, as it is published, over each transport."""

from collections.abc import AsyncIterator
from itertools import count
from typing import Any, Final

import pytest
import pytest_asyncio
from playwright.async_api import Page

from tests.browser.conftest import ChromiumEngine, Serve
from tests.browser.site import site_of
from tests.integration.native.peers import NODE_FOLDER
from tests.integration.native.serving import LoopThread, Server, servers_on
from tests.integration.socketio.sockets import TRANSPORTS, Socket
from vagus import Caller, Hub
from vagus.auth.origins import OriginRules
from vagus.gateway.furnishing import Dialects
from vagus.gateway.socketio.session import Session
from vagus.kernel import codes

pytestmark = pytest.mark.asyncio(loop_scope="session")

PAGE: Final = """<!doctype html>
<title>Sockets</title>
<script src="/socket.io.js"></script>
<script type="module">
  import { Sockets } from "/socketio.mjs";
  const sockets = new Sockets(globalThis.io, (event) => globalThis.report(event));
  globalThis.run = (command) => sockets.run(command).then(
    (result) => ({ result }),
    (error) => ({ error: { code: -1, message: error.message ?? String(error) } }),
  );
  document.title = "Ready";
</script>
"""
SCRIPTS: Final = {
    "/socketio.mjs": NODE_FOLDER / "socketio.mjs",
    "/socket.io.js": NODE_FOLDER / "node_modules" / "socket.io-client" / "dist" / "socket.io.js",
}

site: Final = site_of(PAGE, SCRIPTS)

_numbers = count(1)


@pytest_asyncio.fixture(loop_scope="session")
async def serve(server_thread: LoopThread) -> AsyncIterator[Serve]:
    """Start servers that also serve the page."""
    async with servers_on(server_thread, lambda thread: Server(thread, site)) as start:
        yield start


@pytest.fixture(params=TRANSPORTS)
def transport(request: pytest.FixtureRequest) -> str:
    return str(request.param)


class Browser:
    """Sockets in a page, which comes from the first one's server unless ``site`` names another."""

    def __init__(self, page: Page, transport: str) -> None:
        self._engine = ChromiumEngine(page)
        self._transports = TRANSPORTS[transport]

    async def socket(
        self, server: Server, *, namespace: str = "/", site: Server | None = None, connect: bool = True, **options: Any
    ) -> Socket:
        if not self._engine.peers:
            await self._engine.open((site or server).site)
        number = next(_numbers)
        socket = Socket(self._engine, number)
        self._engine.peers[number] = socket
        chosen = {"transports": self._transports, **options}
        await socket.run("open", url=server.site.rstrip("/"), namespace=namespace, options=chosen)
        if connect:
            await socket.connected()
        return socket


@pytest.fixture
def browser_with(page: Page, transport: str) -> Browser:
    return Browser(page, transport)


def house() -> Hub:
    hub = Hub(open_to_all=True)
    chat = hub.section("chat", allow=("anyone",))

    @chat.call("mirror")
    async def mirror(caller: Caller, value: Any, other: bytes = b"") -> Any:
        return {"value": value, "other": other}

    return hub


async def test_events_acks_and_binary_values_go_both_ways(serve: Serve, browser_with: Browser) -> None:
    server = await serve(house())
    socket = await browser_with.socket(server, namespace="/chat", connect=False)
    me = (await socket.connected())["id"]
    blob = bytes(range(256))
    assert await socket.ask("mirror", {"ä": [1, blob]}, blob) == {"value": {"ä": [1, blob]}, "other": blob}
    assert await server.on(server.hub.ask(me, "ready?", blob)) == [blob]
    assert await socket.ask("subscribe", "news") == {}
    await server.publish_each("news", [{"type": "n", "payload": number} for number in range(200)])
    assert [(await socket.event("n"))[0] for _ in range(200)] == list(range(200))


async def test_a_page_from_elsewhere_is_refused(serve: Serve, browser_with: Browser) -> None:
    server, elsewhere = await serve(house()), await serve(house())
    socket = await browser_with.socket(server, site=elsewhere, connect=False, reconnection=False)
    await socket.start()
    await socket.expect("connect_error")
    assert not server.hub.clients


async def test_a_page_from_a_place_that_is_allowed_connects(serve: Serve, browser_with: Browser) -> None:
    elsewhere = await serve(house())
    server = await serve(house(), origins=OriginRules([elsewhere.site.rstrip("/")]))
    socket = await browser_with.socket(server, site=elsewhere, withCredentials=True)
    assert await socket.ask("subscribe", "news") == {}
    assert [client.origin.headers["origin"] + "/" for client in server.hub.clients.values()] == [elsewhere.site]


async def test_a_page_is_recovered(serve: Serve, browser_with: Browser) -> None:
    server = await serve(house(), dialects=Dialects(socketio_recovery_s=30))
    socket = await browser_with.socket(server, connect=False)
    first = await socket.connected()
    await socket.ask("subscribe", "news")
    await server.publish_each("news", range(10))
    await server.on(cut_all(server))
    await server.publish_each("news", range(10, 20))
    again = await socket.expect("connect")
    assert (again["recovered"], again["id"]) == (True, first["id"])
    assert [(await socket.event("publication"))[0]["data"] for _ in range(20)] == list(range(20))


async def cut_all(server: Server) -> None:
    for socket in list(server.gate.sockets):
        if isinstance(socket, Session):
            socket.abort(codes.CONNECTION_CLOSED)
        else:
            socket._transport.abort()  # type: ignore[attr-defined]  # what a network does, no server would


async def test_a_page_comes_back_when_the_server_was_restarted(serve: Serve, browser_with: Browser) -> None:
    server = await serve(house())
    socket = await browser_with.socket(server, namespace="/chat")
    await server.stop()
    await socket.expect("disconnect")
    await server.start(house())
    await socket.expect("connect")
    assert (await socket.ask("mirror", 1))["value"] == 1
