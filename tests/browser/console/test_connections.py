"""The Connections page as people use it: a real server, real clients beside the page, and Chromium."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from typing import Any, Final

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, expect
from websockets.asyncio.client import connect

from tests.integration.console.conftest import SESSION, House
from tests.integration.serving.processes import Guests
from tests.patience import DEADLINE_S
from vagus.server.pages import is_built

from .conftest import Faults, cut_off

KEEP_THEME: Final = "theme => localStorage.setItem('vagus.console', JSON.stringify({ theme }))"
FOLLOWED: Final = "demo:numbers"

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(60)]

OpenAs = Callable[..., Awaitable[Page]]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """With the demo's channels, which publish by themselves."""
    if not is_built():
        pytest.fail("the console is not built: run `make dev`")
    house = House(tmp_path_factory.mktemp("house"), "--demo")
    yield house
    house.end()


@pytest_asyncio.fixture(loop_scope="session")
async def guests() -> AsyncIterator[Guests]:
    guests = Guests()
    yield guests
    await guests.leave()


@pytest_asyncio.fixture(loop_scope="session")
async def open_as(browser: Browser, house: House) -> AsyncIterator[OpenAs]:
    """Open the page for somebody with a role: ``await open_as("admin", "view=clients")``."""
    context = await browser.new_context(base_url=house.site, viewport={"width": 1440, "height": 900})
    context.set_default_timeout(DEADLINE_S * 1000)
    troubles: list[str] = []
    expect.set_options(timeout=DEADLINE_S * 1000)

    async def opened(role: str, query: str = "") -> Page:
        signed = await context.request.post(
            SESSION, data={"token": house.token(f"the-{role}", role)}, headers={"origin": house.site}
        )
        assert signed.ok, await signed.text()
        page = await context.new_page()
        page.on("pageerror", lambda error: troubles.append(str(error)))
        await page.goto(f"/connections?{query}")
        return page

    yield opened
    await context.close()
    assert troubles == []


async def come(guests: Guests, house: House, user: str) -> Any:
    guest = await guests.come(house.site, house.token(user))
    await guest.ask("subscribe", {"channel": FOLLOWED})
    return guest


@pytest_asyncio.fixture(loop_scope="session")
async def strangers(house: House) -> AsyncIterator[dict[str, str]]:
    """Clients of other dialects, which stay for the test: their users, by how the page calls the dialect."""
    sockets = house.site.replace("http", "ws", 1)
    users = {"Socket.IO": "sam", "SignalR JSON": "sig", "EventSource": "eve"}
    async with AsyncExitStack() as stack:
        socket = await stack.enter_async_context(connect(f"{sockets}/socket.io/?EIO=4&transport=websocket"))
        await socket.recv()
        await socket.send(f'40{{"token":"{house.token("sam")}"}}')
        await socket.recv()
        hub = f"{sockets}/hubs/admin?access_token={house.token('sig', 'admin')}"
        signal = await stack.enter_async_context(connect(hub))
        await signal.send('{"protocol":"json","version":1}\x1e')
        await signal.recv()
        browser = await stack.enter_async_context(httpx.AsyncClient(base_url=house.site, timeout=DEADLINE_S))
        events = f"/events?channel={FOLLOWED}&token={house.token('eve')}"
        await stack.enter_async_context(browser.stream("GET", events))
        yield users


def row_of(page: Page, user: str) -> Locator:
    return page.get_by_role("row").filter(has_text=user)


def total(page: Page, name: str) -> Locator:
    """A figure of all nodes together."""
    figures = page.get_by_label("All nodes together")
    return figures.locator("div").filter(has=page.get_by_text(name, exact=True)).locator("dd")


async def test_an_admin_finds_a_client_with_the_keyboard_and_disconnects_it_with_a_reason(
    open_as: OpenAs, house: House, guests: Guests
) -> None:
    guest = await come(guests, house, "ada")
    page = await open_as("admin", "view=clients&user=ada")
    await expect(row_of(page, "ada")).to_have_count(1)
    await page.keyboard.press("j")
    await page.keyboard.press("Enter")
    drawer = page.get_by_role("dialog", name="ada", exact=True)
    await expect(drawer.get_by_role("row").filter(has_text=FOLLOWED)).to_be_visible()
    await drawer.get_by_role("button", name="Disconnect", exact=True).click()
    asked = page.get_by_role("dialog", name="Disconnect ada?")
    await expect(asked).to_contain_text("cannot be undone")
    await asked.get_by_label("Reason").fill("Out for maintenance")
    await asked.get_by_role("button", name="Disconnect").press("Enter")
    await asked.get_by_label("Type ada").fill("ada")
    await page.keyboard.press("Enter")
    assert await guest.closed() == 3503
    assert guest.socket.close_reason == "Out for maintenance"
    await expect(drawer).to_contain_text("not connected any more")


async def test_only_a_client_that_will_be_told_the_reason_is_said_to_be(
    open_as: OpenAs, house: House, guests: Guests, strangers: dict[str, str]
) -> None:
    await come(guests, house, "ada")
    page = await open_as("admin")
    told = {"ada": "The client is told", strangers["Socket.IO"]: "the client is not told why"}
    for user, words in told.items():
        await page.goto(f"/connections?view=clients&user={user}")
        await row_of(page, user).click()
        await page.get_by_role("button", name="Disconnect", exact=True).click()
        await expect(page.get_by_label("Reason")).to_have_accessible_description(re.compile(words))
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name=f"Disconnect all of {user}").click()
    await expect(page.get_by_label("Reason")).to_have_accessible_description(re.compile("^They are told.*Socket.IO"))


async def test_a_reason_that_was_typed_is_not_dropped_without_a_question(
    open_as: OpenAs, house: House, guests: Guests
) -> None:
    await come(guests, house, "ada")
    page = await open_as("admin", "view=clients&user=ada")
    await row_of(page, "ada").click()
    await page.get_by_role("button", name="Disconnect", exact=True).click()
    asked = page.get_by_role("dialog", name="Disconnect ada?")
    await asked.get_by_label("Reason").fill("Out for maintenance")
    await page.keyboard.press("Escape")
    question = page.get_by_role("dialog", name="Discard what you typed?")
    await question.get_by_role("button", name="Go on typing").press("Enter")
    await expect(asked.get_by_label("Reason")).to_have_value("Out for maintenance")
    await page.keyboard.press("Escape")
    await question.get_by_role("button", name="Discard").click()
    await expect(asked).to_have_count(0)
    await expect(page.get_by_role("dialog", name="ada", exact=True)).to_be_visible()


async def test_what_has_one_name_twice_is_called_by_it_once(
    open_as: OpenAs, house: House, guests: Guests, strangers: dict[str, str]
) -> None:
    await guests.come(house.site, house.token("admin", "admin"))
    page = await open_as("operator", "view=clients&user=admin")
    who = row_of(page, "admin").get_by_role("gridcell").first
    await expect(who).to_have_text(re.compile(r"^admin[0-9a-f]{8}$"))
    await page.goto(f"/connections?view=clients&user={strangers['EventSource']}")
    row = row_of(page, strangers["EventSource"])
    await expect(row.get_by_role("gridcell").nth(1)).to_have_text("EventSource")
    await row.click()
    badges = page.get_by_role("dialog").get_by_text(re.compile("^eventsource$", re.IGNORECASE))
    await expect(badges).to_have_text(["EventSource"])


async def test_clients_are_found_by_the_dialect_that_they_speak(open_as: OpenAs, strangers: dict[str, str]) -> None:
    page = await open_as("operator", "view=clients")
    for dialect, user in strangers.items():
        await page.get_by_label("Dialect").select_option(label=dialect)
        await expect(page.get_by_role("row")).to_contain_text(["Who", user])
        await expect(row_of(page, user)).to_contain_text(dialect)


async def test_details_that_could_not_be_renewed_say_so_and_are_asked_for_again(
    open_as: OpenAs, house: House, guests: Guests
) -> None:
    await come(guests, house, "ada")
    page = await open_as("admin", "view=clients&user=ada")
    await row_of(page, "ada").click()
    drawer = page.get_by_role("dialog", name="ada", exact=True)
    await expect(drawer.get_by_role("row").filter(has_text=FOLLOWED)).to_be_visible()
    await page.route("**/api/connections/clients/*", lambda route: route.fulfill(status=503, json={}))
    note = drawer.get_by_text("This is what was known last.")
    await expect(note).to_be_visible()
    await page.unroute("**/api/connections/clients/*")
    await expect(note).to_have_count(0)
    await expect(drawer.get_by_role("row").filter(has_text=FOLLOWED)).to_be_visible()


async def test_rows_keep_their_order_while_somebody_is_in_the_list(
    open_as: OpenAs, house: House, guests: Guests
) -> None:
    await come(guests, house, "bob")
    page = await open_as("admin", "view=clients&sort=user")
    rows = page.get_by_role("grid").get_by_role("row")
    await expect(rows).to_contain_text(["Who", "bob", "the-admin"])
    await page.keyboard.press("j")
    await expect(page.get_by_role("grid")).to_be_focused()
    await come(guests, house, "abe")
    await expect(page.get_by_text("The order is held")).to_be_visible()
    await expect(rows).to_contain_text(["Who", "bob", "the-admin", "abe"])
    await page.get_by_role("button", name="Sort now").click()
    await expect(rows).to_contain_text(["Who", "abe", "bob", "the-admin"])
    await expect(page.get_by_role("grid")).to_be_focused()
    await expect(page.get_by_text("The order is held")).to_have_count(0)


async def test_a_pause_freezes_the_view_counts_what_waits_and_catches_up(
    open_as: OpenAs, house: House, guests: Guests
) -> None:
    page = await open_as("operator")
    await expect(total(page, "Clients")).to_have_text("1")
    await page.keyboard.press("p")
    for user in ("ada", "bob"):
        await come(guests, house, user)
    await expect(page.get_by_role("button", name="2 updates waiting, go on")).to_be_visible()
    await expect(total(page, "Clients")).to_have_text("1")
    assert "paused=1" in page.url
    await page.keyboard.press("p")
    await expect(total(page, "Clients")).to_have_text("3")


async def test_filters_order_and_the_opened_channel_are_in_the_address(
    open_as: OpenAs, house: House, guests: Guests
) -> None:
    await come(guests, house, "ada")
    await come(guests, house, "bob")
    page = await open_as("operator", "view=clients")
    await page.get_by_role("button", name="Who").click()
    await page.get_by_label("In the channel").fill(FOLLOWED)
    await expect(page.get_by_role("row")).to_have_count(3)  # with the headings
    await expect(page.get_by_role("row").nth(1)).to_contain_text("ada")
    await page.reload()
    await expect(page.get_by_role("row").nth(2)).to_contain_text("bob")
    await page.get_by_role("row").nth(1).click()
    await page.get_by_role("dialog").get_by_role("button", name=FOLLOWED).click()
    await expect(page.get_by_role("dialog", name=FOLLOWED)).to_be_visible()
    await page.go_back()
    await expect(page.get_by_role("dialog", name="ada", exact=True)).to_be_visible()


async def test_the_tail_of_a_channel_shows_what_is_published_now(open_as: OpenAs, house: House, guests: Guests) -> None:
    await come(guests, house, "ada")
    page = await open_as("admin", f"view=channels&open={FOLLOWED}")
    drawer = page.get_by_role("dialog", name=FOLLOWED)
    await drawer.get_by_role("button", name="Follow it").click()
    await expect(drawer.get_by_role("listitem").first).to_contain_text('"demo":true')


async def test_somebody_who_may_not_follow_a_channel_reads_why(open_as: OpenAs) -> None:
    page = await open_as("operator", "view=channels&open=$private")
    drawer = page.get_by_role("dialog", name="$private")
    await drawer.get_by_role("button", name="Follow it").click()
    await expect(drawer.get_by_text("You may not follow this channel")).to_be_visible()


async def test_a_viewer_sees_the_nodes_and_is_told_who_sees_more(open_as: OpenAs) -> None:
    page = await open_as("viewer")
    await expect(page.get_by_role("listitem").filter(has_text="Loop lag")).to_contain_text("Broker ok")
    await page.get_by_role("tab", name=re.compile("^Clients")).click()
    await expect(page.get_by_role("tabpanel")).to_contain_text("Operators, admins and auditors")
    await expect(page.get_by_role("grid")).to_have_count(0)


async def test_an_operator_is_told_why_disconnecting_is_not_for_them(
    open_as: OpenAs, house: House, guests: Guests
) -> None:
    await come(guests, house, "ada")
    page = await open_as("operator", "view=clients&user=ada")
    await row_of(page, "ada").click()
    button = page.get_by_role("dialog").get_by_role("button", name="Disconnect (Only admins")
    await expect(button).to_have_attribute("aria-disabled", "true")


@pytest.mark.parametrize("theme", ["dark", "light", "high-contrast"])
async def test_every_view_is_readable_in_every_theme_and_fits_every_size(
    open_as: OpenAs, house: House, guests: Guests, faults: Faults, theme: str
) -> None:
    await asyncio.gather(*(come(guests, house, f"demo-{number}") for number in range(3)))
    page = await open_as("admin")
    await page.evaluate(KEEP_THEME, theme)
    for query, seen in (
        ("", "Broker ok"),
        ("view=clients", "demo-2"),
        ("view=channels", FOLLOWED),
        ("view=slow", "Everybody keeps up."),
    ):
        await page.set_viewport_size({"width": 1440, "height": 900})
        await page.goto(f"/connections?{query}")
        await expect(page.get_by_role("tabpanel")).to_contain_text(seen)
        assert await faults(page) == []
        for width in (900, 375):
            await page.set_viewport_size({"width": width, "height": 812})
            await expect(page.get_by_role("tabpanel")).to_contain_text(seen)
            assert await cut_off(page) == []
