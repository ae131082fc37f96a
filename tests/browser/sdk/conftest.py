"""Pages that stand on the packages of web/, and the hub that they talk to: a process that can end and start again.

The pages are built once and come from a server of their own. A page reaches the hub through a proxy, which is the
network that breaks.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext

from tools.pages import build_pages, served

from .hub import HubProcess
from .labs import DEADLINE_S, Lab, OpenLab


@pytest.fixture(scope="session")
def site() -> Iterator[str]:
    with served(build_pages()) as address:
        yield address


class Spare:
    """A hub that starts while the test before is running, which halves the time that all of them take."""

    def __init__(self, folders: pytest.TempPathFactory) -> None:
        self._folders = folders
        self._starting: asyncio.Task[HubProcess] | None = None

    async def take(self) -> HubProcess:
        starting, self._starting = self._starting, None  # one that did not start fails one test and not all that follow
        hub = await (starting or self.start({}))
        self._starting = asyncio.ensure_future(self.start({}))
        return hub

    async def start(self, settings: Mapping[str, str]) -> HubProcess:
        hub = HubProcess(self._folders.mktemp("hub"), random.Random(0), settings)
        await hub.open()
        return hub

    async def close(self) -> None:
        if self._starting is not None:
            await (await self._starting).close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def spare(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Spare]:
    spare = Spare(tmp_path_factory)
    yield spare
    await spare.close()


@pytest_asyncio.fixture(loop_scope="session")
async def hub(spare: Spare, request: pytest.FixtureRequest) -> AsyncIterator[HubProcess]:
    """A hub that runs; ``@pytest.mark.parametrize("hub", [{...}], indirect=True)`` gives it settings."""
    settings = getattr(request, "param", None)
    hub = await (spare.take() if settings is None else spare.start(settings))
    yield hub
    await hub.close()


@pytest_asyncio.fixture(loop_scope="session")
async def context(browser: Browser) -> AsyncIterator[BrowserContext]:
    context = await browser.new_context(viewport={"width": 1000, "height": 700}, color_scheme="dark")
    context.set_default_timeout(DEADLINE_S * 1000)
    yield context
    await context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def open_lab(context: BrowserContext, site: str, hub: HubProcess) -> AsyncIterator[OpenLab]:
    """Open pages: ``await open_lab("plain", channel="kept:news", retry={"tries": 3})``."""
    async with AsyncExitStack() as stack:

        async def opened(name: str = "plain", *, channel: str = "", query: str = "", **options: object) -> Lab:
            lab = Lab(await context.new_page())
            stack.push_async_callback(lab.close)
            await lab.open(f"{site}/{name}.html", hub.url, channel, query, options)
            return lab

        yield opened
