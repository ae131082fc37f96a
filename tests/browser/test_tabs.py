"""Tabs that share one connection through a ``SharedWorker``, and what becomes of them when it or one of them ends.

The pages and the worker are bundled from the sources of ``@vagus/client`` and come from the hub that they talk to.
"""

import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio
from playwright.async_api import BrowserContext, Page

from tests.integration.native.serving import LoopThread, Server
from tests.integration.native.tokens import token, verifier
from tests.integration.redis.ears import eventually
from tests.patience import PATIENCE
from tools.pages import WEB
from vagus import ChannelRule, Hub, Last

from .conftest import Serve, servers_of
from .site import site_of

pytestmark = pytest.mark.asyncio(loop_scope="session")

PAGE: Final = '<!doctype html><title>Loading</title><script type="module" src="/page.js"></script>'
CHANNEL: Final = "news:today"
ANYONE: Final = ("anyone",)


@pytest.fixture(scope="session")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The scripts by their paths, with one chunk that the page loads only for tabs that share."""
    folder = tmp_path_factory.mktemp("tabs")
    sources = [WEB / "integration" / "tabs" / name for name in ("page.ts", "worker.ts")]
    aliases = {"@vagus/client": "index.ts", "@vagus/client/worker": "worker.ts"}
    command: list[str] = [
        f"{WEB}/node_modules/.bin/esbuild",
        *map(str, sources),
        *("--bundle", "--splitting", "--format=esm", "--log-level=warning", f"--outdir={folder}"),
        *(f"--alias:{name}={WEB}/packages/client/src/{file}" for name, file in aliases.items()),
    ]
    subprocess.run(command, check=True, timeout=60 * PATIENCE)
    return {f"/{path.name}": path for path in folder.iterdir()}


@pytest_asyncio.fixture(loop_scope="session")
async def serve(server_thread: LoopThread, bundles: dict[str, Path]) -> AsyncIterator[Serve]:
    async with servers_of(server_thread, site_of(PAGE, bundles)) as start:
        yield start


def open_hub() -> Hub:
    rule = ChannelRule(pattern="news:{name}", history=Last(5_000, hours=1), subscribe=ANYONE, publish=ANYONE)
    return Hub(rules=[rule], allow_anonymous=True)


async def open_tab(context: BrowserContext, server: Server, *, follows: str = "", **wanted: Any) -> Page:
    page = await context.new_page()
    await page.goto(server.site)
    await page.wait_for_function("document.title === 'Ready'")
    await page.evaluate("wanted => tab.open(wanted)", wanted)
    if follows:
        await page.evaluate("channel => tab.follow(channel)", follows)
    return page


async def heard(page: Page, count: int) -> list[Any]:
    """What the page heard of the channel, once it is that much."""
    await page.wait_for_function("([channel, count]) => tab.heard(channel).length >= count", arg=[CHANNEL, count])
    told: list[Any] = await page.evaluate("channel => tab.heard(channel)", CHANNEL)
    return told


async def transport(page: Page) -> str:
    return str(await page.evaluate("tab.status().transport"))


async def connected_by(page: Page, name: str) -> None:
    condition = "name => tab.status().state === 'connected' && tab.status().transport === name"
    await page.wait_for_function(condition, arg=name)


async def test_two_tabs_are_one_connection(context: BrowserContext, serve: Serve) -> None:
    server = await serve(open_hub())
    one, other = await open_tab(context, server), await open_tab(context, server)
    assert [await transport(one), await transport(other)] == ["shared", "shared"]
    assert len(server.hub.clients) == 1


async def test_each_tab_hears_each_message_once_and_in_order(context: BrowserContext, serve: Serve) -> None:
    server = await serve(open_hub())
    tabs = [await open_tab(context, server, follows=CHANNEL) for _ in range(2)]
    await server.publish_each(CHANNEL, range(2_000))
    for tab in tabs:
        assert await heard(tab, 2_000) == list(range(2_000))


async def test_tabs_come_back_together_and_miss_nothing(context: BrowserContext, serve: Serve) -> None:
    server = await serve(open_hub())
    tabs = [await open_tab(context, server, follows=CHANNEL) for _ in range(2)]
    await server.publish(CHANNEL, 0)
    await server.cut()
    await server.publish(CHANNEL, 1)
    for tab in tabs:
        assert await heard(tab, 2) == [0, 1]
    assert len(server.hub.clients) == 1


async def test_a_tab_that_is_gone_without_a_word_leaves_its_channels(context: BrowserContext, serve: Serve) -> None:
    server = await serve(open_hub())
    stays = await open_tab(context, server)
    goes = await open_tab(context, server, follows=CHANNEL)
    assert server.hub.channels()
    await goes.close()
    await eventually(lambda: not server.hub.channels())
    assert await transport(stays) == "shared"


async def test_the_tabs_go_on_by_themselves_when_the_worker_dies(context: BrowserContext, serve: Serve) -> None:
    server = await serve(open_hub())
    tabs = [await open_tab(context, server, follows=CHANNEL) for _ in range(2)]
    await server.publish(CHANNEL, 0)
    for tab in tabs:
        await heard(tab, 1)
    await end_worker(context)
    await server.publish(CHANNEL, 1)
    for tab in tabs:
        await connected_by(tab, "websocket")
        assert await heard(tab, 2) == [0, 1]


async def test_a_page_without_shared_workers_has_its_own_connection(context: BrowserContext, serve: Serve) -> None:
    server = await serve(open_hub())
    await context.add_init_script("delete globalThis.SharedWorker")
    tab = await open_tab(context, server)
    assert await transport(tab) == "websocket"


async def test_a_worker_that_is_not_there_is_done_without(context: BrowserContext, serve: Serve) -> None:
    server = await serve(open_hub())
    tab = await open_tab(context, server, worker="/lost.js")
    assert await transport(tab) == "websocket"


async def test_tokens_come_from_the_tab_that_is_left(context: BrowserContext, serve: Serve) -> None:
    server = await serve(Hub(verifier=verifier()))
    fetched: list[Page] = []

    async def fetch(source: dict[str, Any]) -> str:
        fetched.append(source["page"])
        return token("ada", lasts_s=2)

    await context.expose_binding("fetchToken", fetch)
    first = await open_tab(context, server, withTokens=True)
    second = await open_tab(context, server, withTokens=True)
    await first.close()
    already = len(fetched)
    await eventually(lambda: len(fetched) > already)
    assert fetched[-1] == second
    assert await transport(second) == "shared"


async def end_worker(context: BrowserContext) -> None:
    """End the shared worker as the browser does when it runs out of memory: without a word."""
    assert context.browser is not None
    session = await context.browser.new_browser_cdp_session()
    targets = (await session.send("Target.getTargets"))["targetInfos"]
    for target in targets:
        if target["type"] == "shared_worker":
            await session.send("Target.closeTarget", {"targetId": target["targetId"]})
    await session.detach()
