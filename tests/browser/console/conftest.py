"""A server with the console, pages of it, and what axe finds fault with in them."""

from collections.abc import AsyncIterator, Awaitable, Callable
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, Protocol

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, expect

from tests.patience import DEADLINE_S

from .serving import ConsoleServer, Kind

WIDE: Final = (1440, 900)
AXE: Final = Path(__file__).parents[3] / "web" / "node_modules" / "axe-core" / "axe.min.js"
_CHOOSE: Final = """([key, text]) => localStorage.getItem(key) ?? localStorage.setItem(key, text)"""

_CUT_OFF: Final = """async () => {
  const found = () => [...document.querySelectorAll("html, section[tabindex], [role=grid]")]
    .filter(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth)
    .map((element) => element.ariaLabel ?? element.localName);
  for (let frame = 0; frame < 60 && found().length > 0; frame++) await new Promise(requestAnimationFrame);
  return found();
}"""

expect.set_options(timeout=DEADLINE_S * 1000)

Faults = Callable[[Page], Awaitable[list[str]]]
TakeConsole = Callable[[Kind], Awaitable[ConsoleServer]]


class OpenPage(Protocol):
    """Opens a page of the console: ``await open_page("/connections", theme="light", size=(390, 844))``."""

    def __call__(
        self, path: str = "/", *, theme: str = "dark", size: tuple[int, int] = WIDE, **context: Any
    ) -> Awaitable[Page]: ...


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shared_consoles(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TakeConsole]:
    """Servers that stay until the last test of a file, one of a kind."""
    servers: dict[Kind, ConsoleServer] = {}

    async def taken(kind: Kind) -> ConsoleServer:
        if kind not in servers:
            server = ConsoleServer(tmp_path_factory.mktemp("console"), kind)
            await server.open()
            servers[kind] = server
        return servers[kind]

    yield taken
    for server in servers.values():
        await server.close()


@pytest_asyncio.fixture(loop_scope="session")
async def console(
    tmp_path: Path, shared_consoles: TakeConsole, request: pytest.FixtureRequest
) -> AsyncIterator[ConsoleServer]:
    """A server, of the kind that ``@pytest.mark.parametrize("console", [Kind(…)], indirect=True)`` says."""
    if not files("vagus").joinpath("console", "index.html").is_file():
        pytest.fail("the console was not built: run `make dev`")
    kind: Kind = getattr(request, "param", Kind())
    if not kind.is_own:
        yield await shared_consoles(kind)
        return
    server = ConsoleServer(tmp_path, kind)
    await server.open()
    yield server
    await server.close()


@pytest_asyncio.fixture(loop_scope="session")
async def open_page(browser: Browser, console: ConsoleServer) -> AsyncIterator[OpenPage]:
    """Pages that must not throw anything, nor try what their Content-Security-Policy forbids."""
    contexts: list[BrowserContext] = []
    troubles: list[str] = []

    async def opened(path: str = "/", *, theme: str = "dark", size: tuple[int, int] = WIDE, **options: Any) -> Page:
        context = await browser.new_context(viewport={"width": size[0], "height": size[1]}, **options)
        contexts.append(context)
        context.set_default_timeout(DEADLINE_S * 1000)
        chosen = ["vagus.console", f'{{"theme":"{theme}"}}']
        await context.add_init_script(f"({_CHOOSE})({chosen})")
        page = await context.new_page()
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("console", lambda said: troubles.append(said.text) if "Security Policy" in said.text else None)
        await page.goto(console.url + path)
        await page.wait_for_selector("h1")
        return page

    yield opened
    for context in contexts:
        await context.close()
    assert troubles == []


async def resize(page: Page, size: tuple[int, int]) -> None:
    """Load a page anew in a window of another size, which takes a third of what a new window takes."""
    await page.set_viewport_size({"width": size[0], "height": size[1]})
    await page.reload()
    await page.wait_for_selector("h1")


async def cut_off(page: Page) -> list[str]:
    """What stays wider than its room, by its name: the page, and tables that scroll by themselves."""
    return list(await page.evaluate(_CUT_OFF))


@pytest.fixture
def faults() -> Faults:
    """What axe finds fault with in a page, and where."""

    async def found_in(page: Page) -> list[str]:
        if not await page.evaluate("'axe' in globalThis"):
            await page.evaluate(AXE.read_text())
        found = await page.evaluate("axe.run()")
        return [f"{fault['id']}: {[node['html'] for node in fault['nodes']]}" for fault in found["violations"]]

    return found_in
