"""What is around every page of the console: signing in, going about by keyboard, commands, notifications, and looks.

The tests leave their pictures in build/screenshots/console.
"""

import asyncio
import re
import sys
import time
from pathlib import Path
from typing import Final

import pytest
from playwright.async_api import Page, expect

from .conftest import Faults, OpenPage, resize
from .serving import ConsoleServer, Kind

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(90)]

ROOT: Final = Path(__file__).parents[3]
PICTURES: Final = ROOT / "build" / "screenshots" / "console"
SIZES: Final = {"wide": (1440, 900), "middle": (900, 1200), "phone": (375, 812)}
SIGNED_IN: Final = pytest.mark.parametrize("console", [Kind(flags=())], indirect=True)
OWN: Final = pytest.mark.parametrize("console", [Kind(is_own=True)], indirect=True)
PASSWORD: Final = "correct horse battery staple"
THEMES: Final = ["dark", "light", "high-contrast"]
OPENED: Final = "[popover]:popover-open:not(.tip), dialog[open]"


async def picture(page: Page, name: str) -> None:
    await page.screenshot(path=PICTURES / f"{name}.png", animations="disabled")


async def is_connected(page: Page) -> None:
    await expect(page.locator(".vagus-summary")).to_have_attribute("data-state", "connected")


async def type_command(page: Page, words: str) -> None:
    await page.keyboard.press("Control+k")
    await page.get_by_role("combobox", name="Find a command").fill(words)
    await page.keyboard.press("Enter")


async def make_link(folder: Path) -> tuple[int, str]:
    """Run ``make link`` in the repository. Returns its exit code, and what it printed."""
    make = await asyncio.create_subprocess_exec(
        *("make", "--no-print-directory", "link", f"DATA={folder}", f"BIN={Path(sys.executable).parent}"),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await make.communicate()
    return await make.wait(), said.decode()


# --- Signing in ---


async def test_an_insecure_server_asks_nobody_to_sign_in(open_page: OpenPage) -> None:
    page = await open_page()
    await expect(page.get_by_role("heading", name="Command centre")).to_be_visible()
    await is_connected(page)
    await page.get_by_role("button", name="You: local").click()
    await expect(page.get_by_role("menuitem", name="Sign out")).to_have_count(0)


@SIGNED_IN
async def test_a_link_signs_in_and_its_code_leaves_the_address(console: ConsoleServer, open_page: OpenPage) -> None:
    page = await open_page(await console.link() + "&kiosk=true")
    await expect(page.get_by_role("heading", name="Command centre")).to_be_visible()
    assert "code" not in page.url
    assert "kiosk" in page.url
    await is_connected(page)


@SIGNED_IN
async def test_a_link_that_is_used_up_says_how_to_get_another(console: ConsoleServer, open_page: OpenPage) -> None:
    link = await console.link()
    await open_page(link)
    page = await open_page(link)
    await expect(page.get_by_role("alert")).to_contain_text("vagus link")
    await expect(page.get_by_role("tab", name="Link")).to_have_attribute("aria-selected", "true")
    await expect(page.locator("code")).to_have_text(["vagus link", "make link"])


@SIGNED_IN
async def test_make_link_signs_in_to_the_server_that_runs(console: ConsoleServer, open_page: OpenPage) -> None:
    code, said = await make_link(console.data)
    assert code == 0, said
    page = await open_page(f"/?{said.strip().partition('?')[2]}")
    await expect(page.get_by_role("heading", name="Command centre")).to_be_visible()


@pytest.mark.parametrize("console", [Kind(flags=(), is_own=True)], indirect=True)
@pytest.mark.parametrize("is_killed", [False, True], ids=["elsewhere", "killed"])
async def test_make_link_says_what_is_missing_where_no_server_runs(console: ConsoleServer, is_killed: bool) -> None:
    folder = console.data if is_killed else console.data / "other"
    if is_killed:
        await console.program.kill()
        assert (folder / "address").is_file()
    code, said = await make_link(folder)
    assert code != 0
    assert f"no server runs on the data in {folder}" in said
    assert "make run" in said
    assert "make link DATA=" in said


@SIGNED_IN
async def test_a_password_signs_in_to_the_page_that_was_asked_for(console: ConsoleServer, open_page: OpenPage) -> None:
    await console.run("user", "add", "ada", "--role", "operator", typed=f"{PASSWORD}\n")
    page = await open_page("/connections")
    await page.get_by_role("textbox", name="User").fill("ada")
    await page.get_by_role("textbox", name="Password").fill("a wrong one")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("wrong")
    await page.get_by_role("textbox", name="Password").fill(PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Connections", level=1)).to_be_visible()
    await expect(page.get_by_role("button", name="You: ada")).to_be_visible()


@SIGNED_IN
async def test_a_token_signs_in(console: ConsoleServer, open_page: OpenPage) -> None:
    token = (await console.run("token", "--user", "alan", "--role", "viewer")).strip()
    page = await open_page()
    await page.get_by_role("tab", name="Token").click()
    await page.get_by_role("textbox", name="Token").fill(token)
    await page.get_by_role("button", name="Sign in").click()
    await page.get_by_role("button", name="You: alan").click()
    await expect(page.get_by_role("menu")).to_contain_text("viewer")


@SIGNED_IN
async def test_signing_out_shows_the_sign_in_page_and_ends_the_connection(
    console: ConsoleServer, open_page: OpenPage
) -> None:
    page = await open_page(await console.link())
    await is_connected(page)
    await page.get_by_role("button", name=re.compile("^You: ")).click()
    await page.get_by_role("menuitem", name="Sign out").click()
    await expect(page.get_by_role("tab", name="Password")).to_be_visible()
    await page.reload()
    await expect(page.get_by_role("tab", name="Password")).to_be_visible()


@SIGNED_IN
async def test_a_session_that_ends_leaves_the_page_as_it_is_under_a_dialog(
    console: ConsoleServer, open_page: OpenPage, faults: Faults
) -> None:
    await console.run("user", "add", "grace", "--role", "admin", typed=f"{PASSWORD}\n")
    page = await open_page("/connections?kiosk=true")
    await page.get_by_role("textbox", name="User").fill("grace")
    await page.get_by_role("textbox", name="Password").fill(PASSWORD)
    await page.keyboard.press("Enter")
    await is_connected(page)
    address = page.url
    await console.run("user", "password", "grace", typed=f"{PASSWORD} again\n")

    dialog = page.get_by_role("dialog", name="Your session has ended")
    await expect(dialog).to_be_visible()
    assert await faults(page) == []
    for _ in range(4):  # after two or three of them a browser closes a dialog, if it is let
        await page.keyboard.press("Escape")
        await expect(dialog).to_be_visible()
    await page.get_by_role("textbox", name="Password").fill(f"{PASSWORD} again")
    await page.keyboard.press("Enter")
    await expect(dialog).to_have_count(0)
    assert page.url == address
    await is_connected(page)


@SIGNED_IN
async def test_who_signs_in_again_in_another_tab_goes_on_in_the_first(
    console: ConsoleServer, open_page: OpenPage
) -> None:
    page = await open_page(await console.link())
    await is_connected(page)
    await page.get_by_role("button", name="Add source").click()
    name = page.get_by_role("dialog", name="Add a source").get_by_label("Name", exact=True)
    await name.fill("openOrders")
    other = await page.context.new_page()
    await other.goto(console.url)
    await other.get_by_role("button", name=re.compile("^You: ")).click()
    await other.get_by_role("menuitem", name="Sign out").click()
    ended = page.get_by_role("dialog", name="Your session has ended")
    await expect(ended).to_be_visible()
    await other.goto(console.url + await console.link())
    await expect(ended).to_have_count(0)
    await expect(name).to_have_value("openOrders")
    await is_connected(page)


# --- By keyboard ---


async def test_a_key_that_nobody_pressed_is_no_shortcut(open_page: OpenPage) -> None:
    """Chromium tells of such keys when it fills in a form; ``open_page`` takes no error for an answer."""
    page = await open_page()
    await page.evaluate("document.body.dispatchEvent(new Event('keydown', { bubbles: true }))")
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog", name="Shortcuts")).to_be_visible()


async def test_the_first_tab_leads_to_the_page_past_the_bar(open_page: OpenPage) -> None:
    page = await open_page()
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="Skip to the page")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("main")).to_be_focused()


async def test_everything_is_done_without_a_pointer(open_page: OpenPage) -> None:
    page = await open_page()
    await type_command(page, "connections")
    await expect(page.get_by_role("heading", name="Connections", level=1)).to_be_visible()
    await expect(page.get_by_role("main")).to_be_focused()
    await page.keyboard.press("g")
    await page.keyboard.press("c")
    await expect(page.get_by_role("heading", name="Command centre")).to_be_visible()
    await page.keyboard.press("n")
    await expect(page.get_by_role("dialog", name="Notifications")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.locator(OPENED)).to_have_count(0)
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog", name="Shortcuts")).to_be_visible()
    await page.keyboard.press("Escape")
    await page.go_back()
    await expect(page.get_by_role("heading", name="Connections", level=1)).to_be_visible()


async def test_the_focus_goes_back_to_what_opened_a_menu(open_page: OpenPage) -> None:
    page = await open_page()
    you = page.get_by_role("button", name="You: local")
    await you.press("Enter")
    await expect(page.get_by_role("menuitem", name="Shortcuts")).to_be_focused()
    await page.keyboard.press("ArrowDown")
    await expect(page.get_by_role("menuitem", name="HTTP API")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(you).to_be_focused()


async def test_shortcuts_of_a_single_key_can_be_switched_off(open_page: OpenPage) -> None:
    page = await open_page()
    await page.keyboard.press("?")
    await page.get_by_role("switch", name="Shortcuts of a single key").click()
    await page.keyboard.press("Escape")
    await page.keyboard.press("n")
    await page.keyboard.press("Control+k")
    await expect(page.get_by_role("dialog", name="Commands")).to_be_visible()
    await expect(page.get_by_role("dialog", name="Notifications")).to_have_count(0)


async def test_the_palette_respects_what_is_typed_into_it(open_page: OpenPage) -> None:
    page = await open_page()
    await page.keyboard.press("Control+k")
    await page.keyboard.type("?nt zzz")
    await expect(page.get_by_role("combobox")).to_have_value("?nt zzz")
    told = page.get_by_role("dialog").get_by_role("status").filter(has_text="Nothing is called")
    await expect(told).to_be_visible()


# --- Looks ---


async def test_a_theme_is_kept_and_is_there_before_the_page_is(open_page: OpenPage) -> None:
    page = await open_page()
    await type_command(page, "theme light")
    root = page.locator("html")
    await expect(root).to_have_attribute("data-theme", "light")
    await page.route("**/assets/*.js", lambda route: route.abort())
    await page.reload()
    await expect(root).to_have_attribute("data-theme", "light")


async def test_the_system_decides_where_it_was_left_to_it(open_page: OpenPage) -> None:
    page = await open_page(theme="system", color_scheme="light")
    await expect(page.locator("html")).to_have_attribute("data-theme", "light")
    await page.emulate_media(color_scheme="dark")
    await expect(page.locator("html")).to_have_attribute("data-theme", "dark")


async def test_a_wall_display_shows_the_page_alone(open_page: OpenPage) -> None:
    page = await open_page("/?kiosk", size=(2560, 1440))
    await expect(page.get_by_role("banner")).to_have_count(0)
    await expect(page.get_by_role("navigation", name="Pages")).to_have_count(0)
    await picture(page, "shell-kiosk")


@pytest.mark.parametrize("theme", THEMES)
async def test_axe_finds_nothing_in_the_shell(open_page: OpenPage, faults: Faults, theme: str) -> None:
    found = {}  # without motion, since axe would take what is half faded in for text that is too pale
    page = await open_page("/nowhere", theme=theme, reduced_motion="reduce")
    for size, pixels in SIZES.items():
        await resize(page, pixels)
        await is_connected(page)
        found[size] = await faults(page)
        await picture(page, f"shell-{theme}-{size}")
        for name, key in {"palette": "Control+k", "notifications": "n", "help": "?"}.items():
            await page.keyboard.press(key)
            await expect(page.locator(OPENED)).to_be_visible()
            found[f"{size} {name}"] = await faults(page)
            await picture(page, f"shell-{name}-{theme}-{size}")
            await page.keyboard.press("Escape")
            await expect(page.locator(OPENED)).to_have_count(0)
    assert {where: wrong for where, wrong in found.items() if wrong} == {}


@SIGNED_IN
@pytest.mark.parametrize("theme", THEMES)
async def test_axe_finds_nothing_in_the_sign_in_page(open_page: OpenPage, faults: Faults, theme: str) -> None:
    found = {}
    page = await open_page(theme=theme)
    for size, pixels in SIZES.items():
        await resize(page, pixels)
        for way in ("Link", "Token", "Password"):
            await page.get_by_role("tab", name=way).click()
            found[f"{size} {way}"] = await faults(page)
        await picture(page, f"sign-in-{theme}-{size}")
    assert {where: wrong for where, wrong in found.items() if wrong} == {}


async def test_no_page_is_wider_than_its_window(open_page: OpenPage) -> None:
    page = await open_page("/nowhere")
    for width in (320, 375, 900, 1440, 2560):
        await page.set_viewport_size({"width": width, "height": 800})
        assert await page.evaluate("document.documentElement.scrollWidth") <= width


# --- The connection ---


@OWN
async def test_while_the_server_is_away_the_page_stays_and_says_so(
    console: ConsoleServer, open_page: OpenPage, faults: Faults
) -> None:
    page = await open_page("/nowhere", reduced_motion="reduce")
    await is_connected(page)
    await console.program.kill()
    await expect(page.get_by_text("Connecting to the server")).to_be_visible()
    await expect(page.get_by_role("heading", name="Not found")).to_be_visible()
    assert await faults(page) == []
    await page.get_by_role("button", name="Retry now").first.click()
    await console.start()
    await is_connected(page)
    await expect(page.get_by_text("Connecting to the server")).to_have_count(0)
    await page.get_by_role("button", name=re.compile("^Notifications")).click()
    await expect(page.get_by_role("dialog", name="Notifications")).to_contain_text("Connected again")


@OWN
async def test_a_page_that_cannot_be_loaded_leaves_the_others_and_comes_when_it_can(
    console: ConsoleServer, open_page: OpenPage
) -> None:
    page = await open_page()
    await is_connected(page)
    await page.evaluate("globalThis.isSamePage = true")
    console.network.refuse()
    await page.get_by_role("link", name="Connections").first.click()
    await expect(page.get_by_role("heading", name="Something went wrong")).to_be_visible()
    await page.get_by_role("link", name="Command", exact=True).click()
    await expect(page.get_by_role("heading", name="Command centre")).to_be_visible()
    await page.get_by_role("link", name="Connections").first.click()
    await expect(page.get_by_role("heading", name="Something went wrong")).to_be_visible()
    console.network.heal()
    await page.get_by_role("button", name="Try again").first.click()
    await expect(page.get_by_role("heading", name="Connections")).to_be_visible()
    assert await page.evaluate("globalThis.isSamePage")


@OWN
async def test_a_dialog_that_cannot_be_loaded_leaves_its_panel_and_comes_when_it_can(
    console: ConsoleServer, open_page: OpenPage
) -> None:
    page = await open_page()
    await is_connected(page)
    sources = page.get_by_role("table", name="Sources and how they do")
    await expect(sources).to_contain_text("Memos")
    console.network.refuse()
    await page.get_by_role("button", name="Add source").click()
    fault = page.get_by_role("dialog", name="This could not be opened")
    await expect(fault).to_be_visible()
    await expect(sources).to_contain_text("Memos")
    console.network.heal()
    await fault.get_by_role("button", name="Try again").click()
    await expect(page.get_by_role("dialog", name="Add a source")).to_be_visible()


async def test_a_clock_that_is_wrong_is_told_and_calls_no_pulse_silent(open_page: OpenPage) -> None:
    page = await open_page()
    await page.clock.set_system_time(time.time() + 3600)
    await page.reload()
    told = page.get_by_role("status").filter(has_text="The clock of this device is")
    await expect(told).to_contain_text("1 hour ahead")
    await expect(page.locator("[data-condition=connected]")).to_be_visible()
    await page.clock.set_system_time(time.time())
    await expect(told).to_have_count(0)
