"""What the README prints for a page runs in a page: each snippet as it stands, with the packages that it imports."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio
from playwright.async_api import ConsoleMessage, Page

from tests.examples.pages import ROOT, Block
from tests.examples.pages import Page as Document
from tests.integration.native.peers import NODE_FOLDER
from tests.integration.native.serving import LoopThread, Server
from tests.patience import DEADLINE_S
from vagus import Hub
from vagus.server.demo import admit_demo, publish_demo

pytestmark = pytest.mark.asyncio(loop_scope="session")

MODULES: Final = NODE_FOLDER / "node_modules"
ADDRESS: Final = "127.0.0.1:8000"
"""What the README calls the server."""

SNIPPETS: Final = [block for block in Document(ROOT / "README.md").blocks("js") if block.is_for_browsers]

SCRIPTS: Final[dict[str, Path]] = {
    "/centrifuge.js": MODULES / "centrifuge/dist/centrifuge.js",
    "/signalr.js": MODULES / "@microsoft/signalr/dist/browser/signalr.js",
    "/socket.io.mjs": MODULES / "socket.io-client/dist/socket.io.esm.min.js",
}
IMPORTS: Final = """<script src="/centrifuge.js"></script><script src="/signalr.js"></script><script type="importmap">
{"imports": {
  "socket.io-client": "/socket.io.mjs",
  "centrifuge": "data:text/javascript,export const Centrifuge = globalThis.Centrifuge",
  "@microsoft/signalr": "data:text/javascript,export const HubConnectionBuilder = signalR.HubConnectionBuilder"
}}</script>"""
"""What a bundler does: a package's name becomes its build for browsers."""


def in_a_browser(block: Block) -> str:
    """The snippet; of the one for both, without what its comment says to leave out in a browser."""
    kept = [line for line in block.text.splitlines() if not line.startswith("import WebSocket")]
    return "\n".join(kept).replace(", { websocket: WebSocket }", "")


class Site:
    """The page of one snippet, from the server that it talks to."""

    def __init__(self) -> None:
        self.snippet = ""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        script = SCRIPTS.get(scope["path"])
        page = f'<!doctype html>{IMPORTS}<script type="module">{self.snippet}</script>'
        body = script.read_bytes() if script is not None else page.encode()
        kind = b"text/javascript" if script is not None else b"text/html"
        headers = [(b"content-type", kind), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


@pytest_asyncio.fixture(loop_scope="session")
async def demo(server_thread: LoopThread) -> AsyncIterator[tuple[Server, Site]]:
    """A server with the demo's channels, and the site on it."""
    site, hub = Site(), Hub()
    admit_demo(hub)
    server = Server(server_thread, site)
    await server.start(hub)
    publishing = asyncio.run_coroutine_threadsafe(publish_demo(hub), server_thread.loop)
    yield server, site
    publishing.cancel()
    await server.stop()


@pytest.mark.parametrize("block", SNIPPETS, ids=lambda block: block.text.splitlines()[0])
async def test_a_snippet_shows_what_is_published(demo: tuple[Server, Site], page: Page, block: Block) -> None:
    server, site = demo
    site.snippet = in_a_browser(block).replace(ADDRESS, f"127.0.0.1:{server.port}")
    said: asyncio.Queue[str] = asyncio.Queue()

    def hear(message: ConsoleMessage) -> None:
        if message.type == "log":
            said.put_nowait(message.text)

    page.on("console", hear)
    await page.goto(server.site)
    async with asyncio.timeout(DEADLINE_S):
        assert "T" in await said.get()  # the time of the demo's clock
        assert "T" in await said.get()


async def test_there_is_a_snippet_for_each_dialect() -> None:
    text = "\n".join(block.text for block in SNIPPETS)
    assert all(word in text for word in ("/connection/websocket", "socket.io-client", "/hubs/vagus", "/events?"))
