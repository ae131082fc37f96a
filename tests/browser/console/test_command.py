"""The command centre as a person has it: a real server, its own pages, and Chromium.

A test that writes files has a server of its own, those that only look share one; the pace is a second unless a test
says otherwise, so that what was written is on the page with the next pulse.
"""

import asyncio
import json
import os
import re
from pathlib import Path
from typing import Final

import pytest
from playwright.async_api import Locator, Page, expect

from tests.patience import DEADLINE_S

from .conftest import Faults, OpenPage, cut_off, resize
from .serving import ConsoleServer, Kind

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(90)]

expect.set_options(timeout=DEADLINE_S * 1000)

SIZES: Final = ((1440, 900), (900, 1200), (375, 812))


def put(path: Path, text: str) -> None:
    """At once, as a careful program writes: nobody reads half of it."""
    beside = path.with_suffix(".new")
    beside.write_text(text)
    os.replace(beside, path)


def write_memos(folder: Path, count: int) -> None:
    put(folder / "memo_index.json", json.dumps([{"title": f"Memo {number}"} for number in range(count)]))


def fill(folder: Path, interval_s: int = 1) -> None:
    """A pulse every so often, and the four files that the server knows."""
    (folder / "vagus.toml").write_text(f"[fusion]\ninterval_s = {interval_s}\n")
    data = folder / "data"
    data.mkdir()
    write_memos(data, 2)
    put(data / "revenue_snapshot.json", json.dumps({"mrr": 48_200}))
    put(data / "drive_sync.log", "2026-11-21T18:00:00Z sync OK\n")
    put(data / "ERIC_recommendations.json", json.dumps([{"title": "Call the bank"}]))


def fill_slowly(folder: Path) -> None:
    fill(folder, 300)


def served_by(kind: Kind) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("console", [kind], indirect=True)


READ: Final = served_by(Kind(fill=fill))
"""Nobody writes: all of these tests look at one server."""

READ_BY_A_VIEWER: Final = served_by(Kind(flags=(), fill=fill))
WRITTEN: Final = served_by(Kind(fill=fill, is_own=True))
DEMO: Final = served_by(Kind(flags=("--insecure", "--demo")))
NEW: Final = served_by(Kind(is_own=True))
SLOW: Final = served_by(Kind(fill=fill_slowly, is_own=True))
"""A pulse every five minutes: what is on the page stays until somebody asks for more."""


@pytest.fixture
def data(console: ConsoleServer) -> Path:
    """The data folder, whose files a test writes."""
    return console.data


def card(page: Page, source: str) -> Locator:
    return page.locator(f'[data-source="{source}"]')


def condition(page: Page, kind: str) -> Locator:
    return page.locator(f'[data-condition="{kind}"]')


async def live(page: Page) -> Page:
    """Wait until pulses come."""
    await expect(condition(page, "connected")).to_be_visible()
    return page


# pulses


@READ
async def test_the_four_cards_show_what_the_files_say(open_page: OpenPage) -> None:
    page = await live(await open_page())
    await expect(card(page, "memoIndex")).to_contain_text("2 memos")
    await expect(card(page, "revenue")).to_contain_text("48,200")
    await expect(card(page, "driveSyncLog")).to_contain_text("OK")
    await expect(card(page, "recommendations")).to_contain_text("Call the bank")


@WRITTEN
async def test_a_number_that_changed_pulses_in_gold(data: Path, open_page: OpenPage) -> None:
    page = await live(await open_page())
    await expect(card(page, "memoIndex")).to_contain_text("2 memos")
    began = page.evaluate(
        "new Promise(done => document.addEventListener('animationstart', ({animationName}) => done(animationName)))"
    )
    write_memos(data, 5)
    assert await began == "pulse-gold"
    await expect(card(page, "memoIndex")).to_contain_text("5 memos")


@SLOW
async def test_with_less_motion_a_ring_stays_instead(data: Path, open_page: OpenPage) -> None:
    page = await live(await open_page(reduced_motion="reduce"))
    await expect(card(page, "memoIndex")).to_contain_text("2 memos")
    write_memos(data, 5)
    await page.get_by_role("button", name="Refresh").click()
    changed = card(page, "memoIndex").locator("[data-changed]")
    await expect(changed).to_have_css("animation-name", "none")
    await expect(changed).not_to_have_css("box-shadow", "none")
    await expect(card(page, "memoIndex")).to_contain_text("+3 since the last pulse")


@WRITTEN
async def test_the_last_three_pulses_say_what_they_changed(data: Path, open_page: OpenPage) -> None:
    page = await live(await open_page())
    pulses = page.get_by_role("region", name="Last pulses").get_by_role("listitem")
    await expect(pulses).to_have_count(3)
    write_memos(data, 7)
    await expect(pulses.filter(has_text="7 (+5)")).to_be_visible()


@NEW
async def test_the_first_source_comes_by_the_line_that_the_page_shows(open_page: OpenPage) -> None:
    page = await live(await open_page())
    beginning = page.get_by_role("region", name="Your first source")
    line = await beginning.locator("code").text_content()
    assert line is not None
    shell = await asyncio.create_subprocess_exec("sh", "-c", line)
    assert await shell.wait() == 0
    await expect(card(page, "memoIndex")).to_contain_text("2 memos")
    await expect(beginning).to_have_count(0)


async def test_what_nobody_has_made_yet_is_waited_for_and_has_not_failed(
    console: ConsoleServer, open_page: OpenPage
) -> None:
    page = await live(await open_page())
    sources = page.get_by_role("table", name="Sources and how they do")
    row = sources.get_by_role("row").filter(has_text="Memos")
    await expect(row).to_contain_text(f"Waits for memo_index.json in {console.data}")
    await expect(row.get_by_role("cell").nth(3)).to_have_text("\N{EN DASH}")
    await expect(sources.get_by_role("columnheader", name="What is wrong")).to_have_count(0)


@pytest.mark.parametrize("width", [1440, 390])
async def test_the_line_to_paste_is_seen_whole(open_page: OpenPage, width: int) -> None:
    page = await live(await open_page(size=(width, 900)))
    line = page.get_by_role("region", name="Your first source").locator("code")
    await expect(line).to_contain_text("memo_index.json")
    assert await line.evaluate("element => element.scrollWidth <= element.clientWidth")


# what goes wrong


@SLOW
async def test_silence_is_told_with_what_to_do(open_page: OpenPage) -> None:
    page = await live(await open_page())
    now = await page.evaluate("Date.now()")
    await page.clock.set_fixed_time(now + 11 * 60_000)
    await expect(condition(page, "stale")).to_contain_text("No data pulse - check backend")
    await expect(condition(page, "stale")).to_contain_text("server's log")


@WRITTEN
async def test_a_source_that_dies_keeps_its_value_and_says_why(data: Path, open_page: OpenPage) -> None:
    page = await live(await open_page())
    await expect(card(page, "revenue")).to_contain_text("48,200")
    (data / "revenue_snapshot.json").unlink()
    await expect(card(page, "revenue")).to_contain_text("Failed")
    await expect(card(page, "revenue")).to_contain_text("is not there")
    await expect(card(page, "revenue")).to_contain_text("48,200")
    put(data / "revenue_snapshot.json", json.dumps({"mrr": 50_000}))
    await expect(card(page, "revenue")).to_contain_text("50,000")


@WRITTEN
async def test_a_cut_keeps_what_came_last_and_the_page_comes_back(
    data: Path, console: ConsoleServer, open_page: OpenPage
) -> None:
    page = await live(await open_page())
    await expect(card(page, "memoIndex")).to_contain_text("2 memos")
    console.network.refuse()
    await expect(condition(page, "away")).to_contain_text("The last came at")
    await expect(card(page, "memoIndex")).to_contain_text("2 memos")
    write_memos(data, 9)
    console.network.heal()
    await expect(card(page, "memoIndex")).to_contain_text("9 memos")
    await expect(condition(page, "connected")).to_be_visible()


@WRITTEN
async def test_a_restarted_server_is_found_again(data: Path, console: ConsoleServer, open_page: OpenPage) -> None:
    page = await live(await open_page())
    await expect(card(page, "memoIndex")).to_contain_text("2 memos")
    await console.program.kill()
    await expect(condition(page, "away")).to_be_visible()
    write_memos(data, 4)
    await console.start()
    await expect(card(page, "memoIndex")).to_contain_text("4 memos")


# pausing


@WRITTEN
async def test_a_paused_view_stands_still_and_counts_what_waits(data: Path, open_page: OpenPage) -> None:
    page = await live(await open_page())
    await expect(card(page, "memoIndex")).to_contain_text("2 memos")
    await page.keyboard.press("Space")
    write_memos(data, 8)
    await expect(page.get_by_role("button", name="new pulses - resume")).to_be_visible()
    await expect(card(page, "memoIndex")).to_contain_text("2 memos")
    await page.keyboard.press("p")
    await expect(card(page, "memoIndex")).to_contain_text("8 memos")


@READ
async def test_pause_and_range_are_in_the_address(console: ConsoleServer, open_page: OpenPage) -> None:
    page = await live(await open_page("/?range=6h&paused=1"))
    await expect(page.get_by_role("radio", name="6 h")).to_be_checked()
    await expect(page.get_by_text("View paused")).to_be_visible()
    await page.get_by_role("radio", name="1 h", exact=True).check(force=True)
    await expect(page).to_have_url(f"{console.url}/?paused=1&range=1h")


# steering


@SLOW
async def test_an_operator_changes_the_pace(console: ConsoleServer, open_page: OpenPage) -> None:
    page = await live(await open_page())
    await page.get_by_role("button", name="Every 5 minutes").click()
    await page.get_by_label("Another pace").fill("30 s")
    await page.get_by_role("button", name="Set", exact=True).click()
    await expect(page.get_by_role("button", name="Every 30 seconds", exact=True)).to_be_visible()
    told = await page.request.get(f"{console.url}/api/fusion/emitter/performance")
    assert (await told.json())["intervalSeconds"] == 30


@READ_BY_A_VIEWER
async def test_a_viewer_sees_why_nothing_may_be_changed(console: ConsoleServer, open_page: OpenPage) -> None:
    page = await live(await open_page(await console.link("viewer")))
    await expect(page.get_by_role("button", name="Add source")).to_contain_text("Only admins may add sources.")
    await page.get_by_role("button", name="Every 1 second").click()
    await expect(page.get_by_role("button", name="5 min")).to_have_attribute("aria-disabled", "true")
    for path in ("emitter/interval", "emitter/pause", "sources", "sources/test"):
        status = await page.evaluate(
            "path => fetch(`/api/fusion/${path}`, { method: 'POST', body: '{}' }).then(({ status }) => status)", path
        )
        assert status == 403, path


@WRITTEN
async def test_an_admin_adds_a_source_tries_it_and_takes_it_back(data: Path, open_page: OpenPage) -> None:
    put(data / "orders.json", json.dumps({"open": 42}))
    page = await live(await open_page())
    await page.get_by_role("button", name="Add source").click()
    form = page.get_by_role("dialog", name="Add a source")
    await form.get_by_label("Name", exact=True).fill("openOrders")
    await form.get_by_label("File").fill("orders.json")
    await form.get_by_role("button", name="Add a value").click()
    await form.get_by_label("Name of value 1").fill("openOrders")
    await form.get_by_label("Where of value 1").fill("$.open")
    await expect(form.get_by_role("region", name="What it says")).to_contain_text("42")
    await form.get_by_role("button", name="Add source").click()
    await expect(card(page, "openOrders")).to_contain_text("42")

    await page.get_by_role("button", name="Actions for openOrders").click()
    await page.get_by_role("menuitem", name="Remove").click()
    await expect(card(page, "openOrders")).to_have_count(0)
    await page.get_by_role("button", name="Undo").click()
    await expect(card(page, "openOrders")).to_contain_text("42")


@WRITTEN
async def test_a_source_that_was_added_elsewhere_shows_at_once_what_may_be_done_with_it(
    data: Path, console: ConsoleServer, open_page: OpenPage
) -> None:
    put(data / "orders.json", json.dumps({"open": 42}))
    page = await live(await open_page())
    await expect(page.get_by_role("button", name="Actions for revenue")).to_be_visible()
    sources, own = f"{console.url}/api/fusion/sources", {"origin": console.url}
    value = {"name": "openOrders", "select": "$.open"}
    table = {"kind": "json_file", "name": "openOrders", "path": "orders.json", "fields": [value]}
    assert (await page.request.post(sources, data=table, headers=own)).ok
    actions = page.get_by_role("button", name="Actions for openOrders")
    await actions.click()
    await expect(page.get_by_role("menuitem", name="Remove")).to_be_enabled()
    assert (await page.request.delete(f"{sources}/openOrders", headers=own)).ok
    await expect(actions).to_have_count(0)


@DEMO
async def test_a_test_of_what_demo_data_stands_in_for_says_so(open_page: OpenPage) -> None:
    page = await live(await open_page())
    await page.get_by_role("button", name="Actions for revenue").click()
    await page.get_by_role("menuitem", name="Test").click()
    asked = page.get_by_role("dialog", name="Test revenue")
    await expect(asked).to_contain_text("is not there")
    await expect(asked).to_contain_text("Until it answers, demo data stands in for it.")


@READ
async def test_commands_lead_to_sources_and_change_the_pace(open_page: OpenPage) -> None:
    page = await live(await open_page())
    await page.keyboard.press("Control+k")
    first = await page.get_by_role("option").all_text_contents()
    assert "A pulse every" not in "".join(first[:8])
    field = page.get_by_role("combobox", name="Find a command")
    for words in ("Add a source", "A pulse every 30 seconds", "Pause pulses for everybody"):
        await field.fill(words)
        await expect(page.get_by_role("option").first).to_contain_text(words)
    await field.fill("revenue")
    await page.keyboard.press("Enter")
    await expect(card(page, "revenue")).to_be_focused()


@READ_BY_A_VIEWER
async def test_a_viewer_finds_no_command_that_would_be_refused(console: ConsoleServer, open_page: OpenPage) -> None:
    page = await live(await open_page(await console.link("viewer")))
    await expect(card(page, "memoIndex")).to_contain_text("2 memos")
    await page.keyboard.press("Control+k")
    await expect(page.get_by_role("option", name="Revenue")).to_be_visible()
    await expect(page.get_by_role("option", name=re.compile("Add a source|A pulse every"))).to_have_count(0)


# the wall display


@READ
@pytest.mark.parametrize("size", [(1920, 1080), (2560, 1440)], ids=str)
async def test_a_wall_display_fits_and_has_nothing_to_press_but_its_end(
    open_page: OpenPage, size: tuple[int, int]
) -> None:
    page = await live(await open_page("/?kiosk&range=15m", size=size))
    await expect(card(page, "memoIndex")).to_contain_text("2 memos")
    assert await page.evaluate("document.documentElement.scrollHeight") <= size[1]
    for name in ("Add source", "Table of Memos", "Refresh"):
        await expect(page.get_by_role("button", name=name)).to_have_count(0)
    await expect(page.get_by_role("link", name="CSV of Memos")).to_have_count(0)


@READ
async def test_escape_and_a_button_leave_the_wall_display(console: ConsoleServer, open_page: OpenPage) -> None:
    page = await live(await open_page("/?kiosk&range=15m"))
    banner = page.get_by_role("banner").first
    leave = page.get_by_role("button", name="Leave the wall display")
    await expect(leave).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(banner).to_be_visible()
    await expect(page).to_have_url(f"{console.url}/?range=15m")
    await page.go_back()
    await leave.click()
    await expect(banner).to_be_visible()


# charts


@READ
async def test_arrow_keys_speak_the_values_of_a_chart(open_page: OpenPage) -> None:
    page = await live(await open_page("/?range=15m"))
    figure = page.get_by_role("figure", name="Memos")
    chart = figure.get_by_role("img")
    await expect(chart).to_have_attribute("aria-label", re.compile("Memos 2 memos"))
    await chart.focus()
    await page.keyboard.press("End")
    await page.keyboard.press("ArrowLeft")
    await expect(figure.locator("output")).to_contain_text("Memos 2 memos")


@READ
async def test_where_nothing_was_measured_the_cursor_finds_nothing(open_page: OpenPage) -> None:
    page = await live(await open_page("/?range=1h"))
    figure = page.get_by_role("figure", name="Memos")
    await expect(figure.locator("dd")).to_have_text("2 memos")
    await figure.locator(".u-over").hover(position={"x": 20, "y": 40})
    await expect(figure.locator("dd")).to_have_text("\N{EN DASH}")


@READ
async def test_a_chart_is_a_table_too(open_page: OpenPage) -> None:
    page = await live(await open_page("/?range=15m"))
    figure = page.get_by_role("figure", name="Memos")
    await expect(figure.locator("dd")).to_contain_text("2 memos")
    await figure.get_by_role("button", name="Table of Memos").click()
    await expect(figure.get_by_role("table")).to_contain_text("2 memos")


@READ
async def test_a_part_of_a_chart_is_brushed_and_the_back_button_returns(open_page: OpenPage) -> None:
    page = await live(await open_page("/?range=15m"))
    over = page.get_by_role("figure", name="Memos").locator(".u-over")
    box = await over.bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    await page.mouse.move(box["x"] + 40, middle)
    await page.mouse.down()
    await page.mouse.move(box["x"] + 140, middle, steps=5)
    await page.mouse.up()
    await expect(page.get_by_role("button", name="Back to live")).to_be_visible()
    await page.go_back()
    await expect(page.get_by_role("radio", name="15 min")).to_be_checked()


@READ
async def test_the_export_is_what_the_chart_shows(open_page: OpenPage) -> None:
    page = await live(await open_page())
    figure = page.get_by_role("figure", name="Memos")
    await expect(figure.locator("dd")).to_contain_text("2 memos")
    async with page.expect_download() as download:
        await figure.get_by_role("link", name="CSV of Memos").click()
    told = await download.value
    assert told.suggested_filename.startswith("memos_")
    file = await told.path()
    assert "memos" in file.read_text()


# everybody


@pytest.mark.parametrize("theme", ["dark", "light", "high-contrast"])
@READ
async def test_axe_finds_nothing(open_page: OpenPage, faults: Faults, theme: str) -> None:
    page = await open_page(theme=theme, reduced_motion="reduce")
    for size in SIZES:
        await resize(page, size)
        await live(page)
        await expect(card(page, "memoIndex")).to_contain_text("2 memos")
        assert await faults(page) == []


@pytest.mark.parametrize("theme", ["dark"])
async def test_axe_finds_nothing_where_nothing_was_collected(open_page: OpenPage, faults: Faults, theme: str) -> None:
    page = await open_page(theme=theme, reduced_motion="reduce")
    for size in SIZES:
        await resize(page, size)
        await live(page)
        await expect(card(page, "memoIndex")).to_contain_text("Waits for memo_index.json")
        await expect(page.get_by_role("button", name="Actions for revenue")).to_be_visible()
        assert await faults(page) == []
        assert await cut_off(page) == []


@READ
async def test_no_size_scrolls_sideways(open_page: OpenPage) -> None:
    page = await open_page()
    for size in SIZES:
        await resize(page, size)
        await live(page)
        await expect(card(page, "memoIndex")).to_contain_text("2 memos")
        assert await cut_off(page) == []


@WRITTEN
async def test_odd_values_are_readable_and_widen_nothing(data: Path, open_page: OpenPage) -> None:
    put(data / "revenue_snapshot.json", json.dumps({"mrr": -1.25e300}))
    put(data / "drive_sync.log", "2036-11-21T18:00:00Z sync OK\n")
    put(data / "odd.json", json.dumps({"words": "<b>" + "long" * 500, "build": "build 12"}))
    page = await live(await open_page(timezone_id="UTC"))
    fields = [{"name": name, "kind": "text", "select": f"$.{name}"} for name in ("words", "build")]
    source = {"kind": "json_file", "name": "o" * 64, "path": "odd.json", "fields": fields}
    own = {"origin": page.url.rstrip("/")}
    added = await page.request.post(f"{page.url}api/fusion/sources", data=source, headers=own)
    assert added.ok, await added.text()
    await expect(card(page, "revenue")).to_contain_text("-1.25E300")
    await expect(card(page, "driveSyncLog")).to_contain_text("Nov 21, 2036")
    await expect(card(page, "o" * 64)).to_contain_text("<b>long")
    put(data / "odd.json", json.dumps({"words": "x" * 1000, "build": "build 13"}))
    await expect(page.get_by_role("region", name="Last pulses")).to_contain_text("build 13")
    for size in SIZES:
        await resize(page, size)
        await live(page)
        await expect(card(page, "o" * 64)).to_contain_text("xxx")
        assert await cut_off(page) == []
        assert (await card(page, "o" * 64).bounding_box() or {"height": 1e9})["height"] < 500
