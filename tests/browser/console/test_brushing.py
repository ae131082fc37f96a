"""Marking a part of a chart that moves: it stands still meanwhile, what was marked stays, and there is a way back."""

import json
import re
from pathlib import Path
from typing import Final

import pytest
from playwright.async_api import FloatRect, Page, expect

from .conftest import OpenPage
from .serving import Kind


def fill(folder: Path) -> None:
    """A pulse every second, and a source to draw."""
    (folder / "vagus.toml").write_text("[fusion]\ninterval_s = 1\n")
    folder.joinpath("data").mkdir()
    folder.joinpath("data", "memo_index.json").write_text(json.dumps([{"title": "One"}]))


pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(90),
    pytest.mark.parametrize("console", [Kind(fill=fill)], indirect=True),
]

MINUTE_MS: Final = 60_000
LENGTH_MS: Final = 15 * MINUTE_MS
FRAMES: Final = "new Promise(drawn => requestAnimationFrame(() => requestAnimationFrame(drawn)))"


async def chart(page: Page) -> FloatRect:
    """Where the lines of the chart are."""
    figure = page.get_by_role("figure", name="Memos")
    await expect(figure.locator("dd")).to_contain_text("1 memos")
    box = await figure.locator(".u-over").bounding_box()
    assert box is not None
    return box


async def go_on(page: Page) -> None:
    """Five minutes later, by the page's clock, and drawn anew since."""
    newest = int(await page.locator("[data-pulse]").first.get_attribute("data-pulse") or 0)
    await page.clock.set_fixed_time((await page.evaluate("Date.now()") + 5 * MINUTE_MS) / 1000)
    await page.wait_for_function(
        "least => document.querySelector('[data-pulse]').dataset.pulse >= least", arg=newest + 2
    )
    await page.evaluate(FRAMES)


async def mark(page: Page, box: FloatRect, *, slowly: bool = False) -> None:
    """From a quarter to a half of the chart."""
    middle = box["y"] + box["height"] / 2
    await page.mouse.move(box["x"] + box["width"] / 4, middle)
    await page.mouse.down()
    await page.mouse.move(box["x"] + box["width"] / 2, middle, steps=4)
    if slowly:
        await go_on(page)
    await page.mouse.up()


async def begins_at(page: Page, at: float) -> None:
    """The chart shows a range that begins there, give or take a minute."""
    await expect(page).to_have_url(re.compile(r"range=\d+-\d+"))
    found = re.search(r"range=(\d+)-", page.url)
    assert found is not None
    assert int(found[1]) == pytest.approx(at, abs=MINUTE_MS)


async def test_what_is_marked_does_not_run_away(open_page: OpenPage) -> None:
    page = await open_page("/?range=15m")
    box = await chart(page)
    began = await page.evaluate("Date.now()")
    await mark(page, box, slowly=True)
    await begins_at(page, began - LENGTH_MS * 3 / 4)


async def test_marking_leaves_the_page_around_the_charts(open_page: OpenPage) -> None:
    page = await open_page("/?range=15m")
    await mark(page, await chart(page))
    await expect(page.get_by_role("button", name="Back to live")).to_be_visible()
    await expect(page.get_by_role("banner").first).to_be_visible()
    await expect(page.get_by_role("navigation", name="Pages").first).to_be_visible()
    assert "kiosk" not in page.url


async def test_the_way_back_leads_to_the_range_before(open_page: OpenPage) -> None:
    page = await open_page("/?range=15m")
    await mark(page, await chart(page))
    await page.get_by_role("button", name="Back to live").click()
    await expect(page.get_by_role("radio", name="15 min")).to_be_checked()
    await expect(page.get_by_role("button", name="Back to live")).to_have_count(0)


async def test_a_chart_that_was_only_pressed_moves_on(open_page: OpenPage) -> None:
    page = await open_page("/?range=15m")
    box = await chart(page)
    await page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    await go_on(page)
    await mark(page, box)
    await begins_at(page, await page.evaluate("Date.now()") - LENGTH_MS * 3 / 4)
