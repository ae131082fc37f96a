"""Sessions as people see and end them: several browsers, signed in at one server.

The tests leave their pictures in build/screenshots/console.
"""

from pathlib import Path
from typing import Final

import pytest
from playwright.async_api import Locator, Page, expect

from .conftest import Faults, OpenPage
from .serving import ConsoleServer, Kind

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(90),
    pytest.mark.parametrize("console", [Kind(flags=(), is_own=True)], indirect=True),
]

PICTURES: Final = Path(__file__).parents[3] / "build" / "screenshots" / "console"
SIZES: Final = {"wide": (1440, 900), "middle": (900, 1200), "phone": (390, 844)}
FIREFOX: Final = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:130.0) Gecko/20100101 Firefox/130.0"
IPHONE: Final = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.0 Mobile/15E148 Safari/604.1"
)


async def link(console: ConsoleServer, user: str, role: str = "operator") -> str:
    said = await console.run("link", "--role", role, "--user", user)
    return f"/?code={said.partition('code=')[2].split()[0]}"


async def sessions(page: Page) -> Locator:
    """The dialog, opened from the menu of the account."""
    await page.get_by_role("button", name="You: ").click()
    await page.get_by_role("menuitem", name="Sessions").click()
    dialog = page.get_by_role("dialog", name="Sessions")
    await expect(dialog.get_by_role("listitem").first).to_be_visible()
    return dialog


def ended(page: Page) -> Locator:
    return page.get_by_role("dialog", name="Your session has ended")


async def test_somebody_sees_where_they_are_signed_in_and_ends_another_browser_s_session(
    console: ConsoleServer, open_page: OpenPage
) -> None:
    here = await open_page(await link(console, "ada"))
    there = await open_page(await link(console, "ada"), user_agent=FIREFOX)
    await open_page(await link(console, "bob"))
    dialog = await sessions(here)
    rows = dialog.get_by_role("listitem")
    await expect(rows).to_have_count(2)
    await expect(rows.filter(has_text="This page")).to_have_count(1)
    await expect(rows.filter(has_text="This page")).to_contain_text("Chrome")
    await expect(rows.filter(has_text="Firefox 130 on Windows")).to_contain_text("From 127.0.0.1. Signed in by a link")

    await dialog.get_by_role("button", name="End the session of ada, Firefox 130 on Windows").click()
    await expect(ended(there)).to_be_visible()
    await expect(rows).to_have_count(1)
    await expect(dialog.get_by_text("Firefox 130 on Windows, ended.")).to_be_visible()
    await expect(dialog.get_by_role("heading", name="Yours")).to_be_focused()
    await expect(ended(here)).to_have_count(0)


async def test_all_others_are_ended_at_once_and_this_one_stays(console: ConsoleServer, open_page: OpenPage) -> None:
    here = await open_page(await link(console, "ada"))
    others = [await open_page(await link(console, "ada"), user_agent=agent) for agent in (FIREFOX, IPHONE)]
    stranger = await open_page(await link(console, "bob"))
    dialog = await sessions(here)
    await dialog.get_by_role("button", name="End all others").click()
    for other in others:
        await expect(ended(other)).to_be_visible()
    await expect(dialog.get_by_role("listitem")).to_have_count(1)
    await expect(dialog.get_by_role("button", name="End all others")).to_have_count(0)
    await stranger.reload()
    await expect(stranger.get_by_role("button", name="You: bob")).to_be_visible()

    await dialog.get_by_role("button", name="Sign out").click()
    await expect(here.get_by_role("tab", name="Password")).to_be_visible()


async def test_an_admin_ends_somebody_else_s_session_and_nobody_s_by_ending_all_others(
    console: ConsoleServer, open_page: OpenPage
) -> None:
    admin = await open_page(await link(console, "root", "admin"))
    bob = await open_page(await link(console, "bob"))
    dialog = await sessions(admin)
    await expect(dialog.get_by_role("heading", name="Other people")).to_be_visible()
    await expect(dialog.get_by_role("button", name="End all others")).to_have_count(0)
    await dialog.get_by_role("button", name="End the session of bob").click()
    await expect(ended(bob)).to_be_visible()
    await expect(dialog.get_by_role("heading", name="Other people")).to_have_count(0)


async def test_the_list_says_why_it_is_not_there(console: ConsoleServer, open_page: OpenPage) -> None:
    page = await open_page(await link(console, "ada"))
    await page.get_by_role("button", name="You: ").click()
    await page.route("**/api/console/sessions", lambda route: route.abort())
    await page.get_by_role("menuitem", name="Sessions").click()
    dialog = page.get_by_role("dialog", name="Sessions")
    await expect(dialog).to_contain_text("The sessions could not be read.")
    await page.unroute("**/api/console/sessions")
    await dialog.get_by_role("button", name="Try again").click()
    await expect(dialog.get_by_role("listitem")).to_have_count(1)


async def test_axe_finds_nothing_in_any_theme(console: ConsoleServer, open_page: OpenPage, faults: Faults) -> None:
    await open_page(await link(console, "root", "admin"), user_agent=FIREFOX)
    await open_page(await link(console, "bob"), user_agent=IPHONE)
    for theme, (name, size) in zip(("dark", "light", "high-contrast"), SIZES.items(), strict=True):
        page = await open_page(await link(console, "root", "admin"), theme=theme, size=size, reduced_motion="reduce")
        dialog = await sessions(page)
        assert await faults(page) == []
        assert await dialog.evaluate("dialog => dialog.scrollWidth <= dialog.clientWidth")
        await page.screenshot(path=PICTURES / f"sessions-{name}-{theme}.png", animations="disabled")
