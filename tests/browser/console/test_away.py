"""What the command centre says while the connection is away: each thing once, to the eye and to the ear."""

from typing import Final

import pytest
from playwright.async_api import Page, expect

from .conftest import OpenPage
from .serving import ConsoleServer, Kind

DEMO: Final = Kind(flags=("--insecure", "--demo"), is_own=True)
FAILURES: Final = 4
"""A question is asked three times; the fourth follows when the panel knows that all went wrong."""

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(90),
    pytest.mark.parametrize("console", [DEMO], indirect=True),
]

LISTEN: Final = """() => {
    globalThis.heard = [];
    new MutationObserver(changes => {
        const regions = changes.map(({ target }) =>
            (target.nodeType === 1 ? target : target.parentElement)?.closest("[role=status], [role=alert], output"));
        for (const region of new Set(regions)) {
            const said = region?.textContent.trim();
            if (said) globalThis.heard.push(said);
        }
    }).observe(document.body, { subtree: true, childList: true, characterData: true });
}"""


async def has_failed(page: Page, path: str, times: int) -> None:
    """Wait until the page has asked for something in vain so often."""
    for _ in range(times):
        await page.wait_for_event("requestfailed", lambda request: request.url.endswith(path))


async def test_a_lost_connection_is_told_once(console: ConsoleServer, open_page: OpenPage) -> None:
    page = await open_page()
    condition = page.locator("[data-condition]")
    await expect(condition).to_contain_text("Live")
    await expect(page.get_by_role("region", name="Emitter")).to_contain_text("Processor")
    await page.evaluate(LISTEN)

    console.network.refuse()
    await has_failed(page, "/emitter/performance", FAILURES)
    await expect(page.get_by_role("region", name="Connection")).to_contain_text("Connecting to the server")
    await expect(page.get_by_role("banner").first).to_contain_text("Connecting")
    await expect(condition).to_contain_text("No pulses for now")
    await expect(condition).not_to_contain_text("onnect")
    await expect(page.get_by_role("button", name="Retry now")).to_have_count(1)
    await expect(page.locator("[role=alert]:not(:empty)")).to_have_count(0)
    [lost] = await page.evaluate("heard")
    assert "Connection lost" in lost

    console.network.heal()
    await page.get_by_role("button", name="Retry now").click()
    await expect(condition).to_contain_text("Live")
    await page.wait_for_function("() => heard.length > 1")
    [_, back] = await page.evaluate("heard")
    assert "Connected again" in back


async def test_what_was_known_last_is_not_called_well(console: ConsoleServer, open_page: OpenPage) -> None:
    page = await open_page()
    memos = page.locator('[data-source="memoIndex"]')
    await expect(memos).to_contain_text("OK")
    console.network.refuse()
    await expect(memos).to_contain_text("Last known")
    await expect(memos).not_to_contain_text("OK")


async def test_a_toast_is_seen_and_dismissed_over_a_dialog(console: ConsoleServer, open_page: OpenPage) -> None:
    page = await open_page()
    await expect(page.locator("[data-condition=connected]")).to_be_visible()
    await page.get_by_role("button", name="Add source").click()
    dialog = page.get_by_role("dialog", name="Add a source")
    await expect(dialog).to_be_visible()
    console.network.refuse()
    dismiss = page.get_by_role("button", name="Dismiss: Connection lost")
    await dismiss.click(trial=True)
    await dismiss.press("Escape")
    await expect(dismiss).to_have_count(0)
    await expect(dialog).to_be_visible()


async def test_the_bar_at_the_top_keeps_its_width_on_phones(console: ConsoleServer, open_page: OpenPage) -> None:
    page = await open_page(size=(390, 844))
    await expect(page.locator("[data-condition=connected]")).to_be_visible()
    console.network.refuse()
    await expect(page.get_by_role("region", name="Connection")).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth") == 390
