"""The recipes of examples/web, built as docs/recipes.md says and opened in Chromium: what a person sees there."""

import asyncio
import json
import re
import shutil
import sys
import urllib.request
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, WebSocket, expect

from tests.examples.conftest import WEB, RunNode
from tests.examples.pages import ROOT
from tests.patience import DEADLINE_S
from tests.ports import free_port

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120)]

RECIPES: Final = ROOT / "examples" / "web"


class Recipe:
    """A recipe's server, in a process of its own; started again it has the port that it had."""

    def __init__(self, folder: Path, app: str) -> None:
        self._command = [sys.executable, "-m", "uvicorn", f"{app}:app", "--port"]
        self._folder = folder
        self._port = free_port()
        self._process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            *self._command, str(self._port), cwd=self._folder, stderr=asyncio.subprocess.PIPE
        )
        assert self._process.stderr is not None
        async with asyncio.timeout(DEADLINE_S):
            async for line in self._process.stderr:
                if b" running on " in line:
                    return
        raise AssertionError("the recipe's server did not start")

    async def stop(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()
            await asyncio.wait_for(self._process.communicate(), DEADLINE_S)

    async def get(self, path: str) -> Any:
        def fetch() -> Any:
            with urllib.request.urlopen(f"{self.url}{path}", timeout=DEADLINE_S) as response:
                return json.load(response)

        return await asyncio.to_thread(fetch)


@pytest.fixture(scope="session")
def recipes(packages: Path, run_node: RunNode, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of all recipes, checked and built."""
    folder = tmp_path_factory.mktemp("recipes") / "web"
    shutil.copytree(RECIPES, folder, ignore=shutil.ignore_patterns("node_modules", "dist", "__pycache__"))
    (folder / "node_modules").symlink_to(packages)
    run_node("tsc", "-p", ".", cwd=folder)
    for page in folder.glob("*/index.html"):
        run_node("vite", "build", "--logLevel", "warn", cwd=page.parent)
    return folder


@pytest_asyncio.fixture(loop_scope="session")
async def recipe(recipes: Path, request: pytest.FixtureRequest) -> AsyncIterator[Recipe]:
    """The server of the recipe that the test names."""
    folder, app = request.param
    recipe = Recipe(recipes / folder, app)
    await recipe.start()
    yield recipe
    await recipe.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser) -> AsyncIterator[Page]:
    context = await browser.new_context()
    context.set_default_timeout(DEADLINE_S * 1000)
    yield await context.new_page()
    await context.close()


async def test_recipes_are_formatted_and_free_of_mistakes_like_the_packages(run_node: RunNode) -> None:
    sources = [str(file) for ending in ("ts", "tsx") for file in RECIPES.glob(f"*-*/*.{ending}")]
    run_node("biome", "check", "--config-path=.", *sources, cwd=WEB)


def recipe_of(folder: str, app: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("recipe", [(folder, app)], ids=[folder], indirect=True)


@recipe_of("react-table", "readings")
async def test_a_table_shows_the_newest_of_a_thousand_messages_a_second_about_once_a_second(
    recipe: Recipe, page: Page
) -> None:
    frames = 0

    def count(_: object) -> None:
        nonlocal frames
        frames += 1

    def watch(socket: WebSocket) -> None:
        socket.on("framereceived", count)

    page.on("websocket", watch)
    await page.goto(recipe.url)
    await expect(page.locator("tbody tr")).to_have_count(20)
    began = await watch_updates(page)
    frames = 0
    await page.wait_for_function(f"Number(document.querySelector('#number').textContent) > {began + 3000}")
    updates = await page.evaluate("updates")
    assert 2 <= updates <= 60
    assert frames <= 60


async def watch_updates(page: Page) -> int:
    """Count from now on how often the table is drawn. Returns the number of the reading that it shows."""
    return int(
        await page.evaluate(
            """() => {
                globalThis.updates = 0;
                const number = document.querySelector("#number");
                const observer = new MutationObserver(() => { globalThis.updates += 1; });
                observer.observe(number, { characterData: true, childList: true, subtree: true });
                return number.textContent;
            }"""
        )
    )


@recipe_of("offline-form", "reports")
async def test_a_form_delivers_what_was_filed_offline_in_order_and_says_what_was_refused(
    recipe: Recipe, page: Page
) -> None:
    await page.goto(recipe.url)
    await expect(page.get_by_role("status")).to_have_text("Connected")
    await recipe.stop()
    await expect(page.get_by_role("status")).to_contain_text("Not connected")
    for place, text in (("hall", "one"), ("hall", "two"), ("cellar", "dark"), ("hall", "three")):
        await file(page, place, text)
    states = page.locator("#reports tr td:nth-child(3)")
    await expect(states).to_have_text(["queued"] * 4)
    await recipe.start()
    await expect(states).to_have_text(
        ["sent as number 1", "sent as number 2", re.compile("^refused: .*permission"), "sent as number 3"]
    )
    assert await recipe.get("/filed/hall") == [{"text": text} for text in ("one", "two", "three")]


async def file(page: Page, place: str, text: str) -> None:
    await page.get_by_label("Place").select_option(place)
    await page.get_by_label("What happened").fill(text)
    await page.get_by_role("button", name="File").click()


@recipe_of("vue-page", "waiting_room")
async def test_pages_in_vue_see_what_each_of_them_does(recipe: Recipe, page: Page) -> None:
    other = await page.context.new_page()
    for each in (page, other):
        await each.goto(recipe.url)
        await expect(each.get_by_role("status")).to_have_text("connected")
    await page.get_by_role("button", name="Take a number").click()
    await expect(page.locator("#number")).to_have_text("1")
    await expect(other.locator("#waiting")).to_have_text("1")
    await other.get_by_role("button", name="Call the next").click()
    await expect(page.locator("#called")).to_have_text("1")
    await other.get_by_role("button", name="Call the next").click()
    await expect(other.get_by_role("alert")).to_contain_text("nobody is waiting")


@recipe_of("vue-page", "waiting_room")
async def test_a_page_in_vue_that_comes_later_sees_how_things_stand(recipe: Recipe, page: Page) -> None:
    await page.goto(recipe.url)
    await page.get_by_role("button", name="Take a number").click()
    await expect(page.locator("#number")).to_have_text("1")
    await page.reload()
    await expect(page.locator("#waiting")).to_have_text("1")
