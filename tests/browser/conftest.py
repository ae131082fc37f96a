"""Chromium as Debian ships it, a page in it, and clients of the npm package in that page.

One browser serves all tests, so they all run on one event loop; each test has a server and a fresh page.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from tests.integration.native.peers import NODE_FOLDER, Event, Peer, Refused
from tests.integration.native.serving import App, LoopThread, Server, servers_on
from tests.patience import DEADLINE_S
from vagus import Hub

from .chromium import ARGUMENTS
from .site import site

Serve = Callable[..., Awaitable[Server]]
OpenPeer = Callable[..., Awaitable[Peer]]

expect.set_options(timeout=DEADLINE_S * 1000)

_numbers = count(1)


class ChromiumEngine:
    """Peers in a page."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.peers: dict[int, Peer] = {}

    async def open(self, site_url: str) -> None:
        """Load the page and wait until its scripts are there."""
        await self.page.expose_function("report", self._take)
        await self.page.goto(site_url)
        await self.page.wait_for_function("document.title === 'Ready'")

    async def run(self, op: str, peer: int, **args: Any) -> Any:
        said = await self.page.evaluate("command => globalThis.run(command)", {"op": op, "peer": peer, **args})
        if "error" in said:
            raise Refused(said["error"]["code"], said["error"]["message"])
        return said["result"]

    def _take(self, event: Event) -> None:
        peer = self.peers.get(event.pop("peer"))
        if peer is not None:
            peer.take(event)


@pytest.fixture(scope="session")
def server_thread() -> Iterator[LoopThread]:
    thread = LoopThread()
    yield thread
    thread.end()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(installed_program: Callable[[str], Path]) -> AsyncIterator[Browser]:
    if not (NODE_FOLDER / "node_modules").is_dir():
        pytest.fail("tests/node/node_modules is missing: run `make dev`")
    program = installed_program("chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=ARGUMENTS, timeout=2_000 * DEADLINE_S)
        yield browser
        await browser.close()


@asynccontextmanager
async def servers_of(thread: LoopThread, site: App) -> AsyncIterator[Serve]:
    """Servers that also serve a site. They stop once its pages, closed by then, have let go of their sockets."""
    started: list[Server] = []
    async with servers_on(thread, lambda thread: Server(thread, site)) as start:

        async def started_by(hub: Hub, **gate: Any) -> Server:
            started.append(await start(hub, **gate))
            return started[-1]

        yield started_by
        for server in started:
            await server.alone()


@pytest_asyncio.fixture(loop_scope="session")
async def serve(server_thread: LoopThread) -> AsyncIterator[Serve]:
    """Start servers that also serve the page: ``await serve(hub)``, with options of the gate if need be."""
    async with servers_of(server_thread, site) as start:
        yield start


@pytest_asyncio.fixture(loop_scope="session")
async def context(browser: Browser, serve: Serve) -> AsyncIterator[BrowserContext]:
    context = await browser.new_context()
    context.set_default_timeout(DEADLINE_S * 1000)
    yield context
    await context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def page(context: BrowserContext) -> Page:
    return await context.new_page()


@pytest.fixture(params=["json", "protobuf"])
def encoding(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest_asyncio.fixture(loop_scope="session")
async def open_peer(page: Page, encoding: str) -> OpenPeer:
    """Make clients in the page, which comes from the first one's server unless ``site`` names another."""
    engine = ChromiumEngine(page)

    async def opened(server: Server, *, connect: bool = True, site: Server | None = None, **options: Any) -> Peer:
        if not engine.peers:
            await engine.open((site or server).site)
        number = next(_numbers)
        peer = engine.peers[number] = Peer(engine, number)
        await peer.run("open", url=server.url, encoding=encoding, options=options)
        if connect:
            await peer.connect()
        return peer

    return opened
