"""The console where the system forces its own colours, as the contrast themes of Windows do.

What is chosen, what has the focus and what charts draw is told apart without any colour of ours. The tests leave their
pictures in build/screenshots/console.
"""

from pathlib import Path
from typing import Final

import pytest
from playwright.async_api import Locator, Page, expect

from .conftest import Faults, OpenPage
from .serving import Kind

DEMO: Final = Kind(flags=("--insecure", "--demo"))

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(90),
    pytest.mark.parametrize("console", [DEMO], indirect=True),
]

PICTURES: Final = Path(__file__).parents[3] / "build" / "screenshots" / "console"
SCHEMES: Final = pytest.mark.parametrize("scheme", ["light", "dark"])

COLOUR: Final = """name => {
    const probe = document.body.appendChild(document.createElement("i"));
    probe.style.forcedColorAdjust = "none";
    probe.style.color = name;
    const { color } = getComputedStyle(probe);
    probe.remove();
    return color;
}"""

HUES: Final = """() => [...document.querySelectorAll(".chart-canvas canvas")].map(canvas => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    let [drawn, coloured] = [0, 0];
    for (let at = 0; at < data.length; at += 4) {
        if (data[at + 3] < 64) continue;
        const seen = data.subarray(at, at + 3);
        drawn += 1;
        if (Math.max(...seen) - Math.min(...seen) > 24) coloured += 1;
    }
    return [drawn > 0, coloured];
})"""


async def forced(open_page: OpenPage, path: str = "/", scheme: str = "light") -> Page:
    return await open_page(path, forced_colors="active", color_scheme=scheme, reduced_motion="reduce")


async def picture(page: Page, name: str) -> None:
    await page.screenshot(path=PICTURES / f"forced-{name}.png", animations="disabled")


async def is_chosen(page: Page, one: Locator, other: Locator) -> None:
    """The one stands out from the other, by the system's colours for what is chosen."""
    chosen = await page.evaluate(COLOUR, "SelectedItem")
    await expect(one).to_have_css("background-color", chosen)
    await expect(one).to_have_css("color", await page.evaluate(COLOUR, "SelectedItemText"))
    await expect(other).not_to_have_css("background-color", chosen)


@SCHEMES
async def test_the_current_page_and_tab_stand_out(open_page: OpenPage, scheme: str) -> None:
    page = await forced(open_page, "/connections", scheme)
    pages = page.get_by_role("navigation", name="Pages")
    await is_chosen(page, pages.get_by_role("link", name="Connections"), pages.get_by_role("link", name="Command"))
    await is_chosen(page, page.get_by_role("tab", name="Nodes"), page.get_by_role("tab", name="Channels"))
    await picture(page, f"connections-{scheme}")


async def test_the_chosen_client_stands_out_from_its_table(open_page: OpenPage) -> None:
    page = await forced(open_page, "/connections?view=clients")
    row = page.get_by_role("grid").get_by_role("row").nth(1)
    await row.click()
    await page.get_by_role("dialog").wait_for()
    await expect(row).to_have_css("background-color", await page.evaluate(COLOUR, "SelectedItem"))
    await picture(page, "drawer")


@SCHEMES
async def test_what_is_pressed_or_picked_stands_out(open_page: OpenPage, scheme: str) -> None:
    page = await forced(open_page, "/?range=15m", scheme)
    await page.get_by_role("button", name="Pause").click()
    buttons = page.get_by_role("main").get_by_role("button")
    await is_chosen(page, buttons.filter(has_text="Resume").first, buttons.filter(has_text="Refresh"))
    await page.get_by_role("button", name="Table of Memos").click()
    await is_chosen(
        page, buttons.filter(has_text="Table of Memos"), page.get_by_role("button", name="Table of Revenue")
    )
    ranges = page.get_by_role("group", name="Range of the charts").locator("label")
    await is_chosen(page, ranges.filter(has_text="15 min"), ranges.filter(has_text="24 h"))
    await picture(page, f"command-{scheme}")


async def test_the_chosen_command_stands_out_in_the_palette(open_page: OpenPage) -> None:
    page = await forced(open_page)
    await page.keyboard.press("Control+k")
    await page.keyboard.press("ArrowDown")
    await is_chosen(page, page.get_by_role("option", selected=True), page.get_by_role("option", selected=False).first)
    await picture(page, "palette")


async def test_a_switch_shows_that_it_is_on(open_page: OpenPage) -> None:
    page = await forced(open_page)
    await page.keyboard.press("?")
    switch = page.get_by_role("switch")
    chosen = await page.evaluate(COLOUR, "SelectedItem")
    await expect(switch).to_have_css("background-color", chosen)
    await picture(page, "shortcuts")
    await switch.click()
    await expect(switch).not_to_have_css("background-color", chosen)


async def test_the_focus_is_ringed_and_within_what_is_chosen(open_page: OpenPage) -> None:
    page = await forced(open_page, "/connections")
    pause = page.get_by_role("button", name="Pause")
    await page.keyboard.press("Tab")
    await pause.focus()
    await expect(pause).to_have_css("outline-color", await page.evaluate(COLOUR, "LinkText"))
    await page.keyboard.press("Tab")
    tab = page.get_by_role("tab", name="Nodes")
    await expect(tab).to_be_focused()
    await expect(tab).to_have_css("outline-color", await page.evaluate(COLOUR, "SelectedItemText"))
    await expect(tab).to_have_css("outline-offset", "-4px")


@SCHEMES
async def test_charts_sparklines_and_marks_have_the_systems_colours(open_page: OpenPage, scheme: str) -> None:
    page = await forced(open_page, "/?range=15m", scheme)
    await page.wait_for_function(f"() => ({HUES})().some(([isDrawn]) => isDrawn)")
    assert [coloured for _, coloured in await page.evaluate(HUES) if coloured] == []
    text = await page.evaluate(COLOUR, "CanvasText")
    memos = page.locator('[data-source="memoIndex"]')
    await expect(memos.locator(".spark-end")).to_have_css("stroke", text)
    await expect(memos.locator("header svg").first).to_have_css("color", text)
    await expect(page.locator(".chart-key path").first).to_have_css("stroke", text)


async def test_charts_follow_when_colours_are_forced_while_one_looks(open_page: OpenPage) -> None:
    page = await open_page("/?range=15m", reduced_motion="reduce")
    await page.wait_for_function(f"() => ({HUES})().some(([, coloured]) => coloured > 0)")
    await page.emulate_media(forced_colors="active")
    await page.wait_for_function(f"() => ({HUES})().every(([isDrawn, coloured]) => isDrawn && coloured === 0)")


@SCHEMES
@pytest.mark.parametrize("path", ["/?range=15m", "/connections"])
async def test_axe_finds_nothing(open_page: OpenPage, faults: Faults, path: str, scheme: str) -> None:
    page = await forced(open_page, path, scheme)
    await expect(page.locator(".vagus-summary")).to_have_attribute("data-state", "connected")
    assert await faults(page) == []
