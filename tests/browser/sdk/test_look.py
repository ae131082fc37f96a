"""What a person sees of the components: in each theme and size and state, and nothing that axe finds fault with.

The tests leave their pictures in build/screenshots/sdk.
"""

from pathlib import Path
from typing import Final

import pytest
from playwright.async_api import BrowserContext, expect

from .hub import HubProcess, token
from .labs import IN_A_PAGE, Lab, OpenLab

pytestmark = IN_A_PAGE

_ROOT: Final = Path(__file__).parents[3]
AXE: Final = _ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"
PICTURES: Final = _ROOT / "build" / "screenshots" / "sdk"
SIZES: Final = {"wide": (1440, 900), "middle": (900, 700), "phone": (390, 844)}
ALERTS: Final = [
    {"severity": "info", "title": "A release begins", "message": "Site 12 gets version 4.1 tonight."},
    {"severity": "success", "title": "Backup done", "message": ""},
    {
        "severity": "warning",
        "title": "Disk of site 7 fills up",
        "message": "91 %, threshold 90 %. Full in about 9 hours.",
    },
    {"severity": "error", "title": "Site 3 is away", "message": "No heartbeat since 12:04."},
]
PANEL_IS_ON_TOP: Final = """() => {
    const panel = document.querySelector(".vagus-panel"), { left, right, bottom } = panel.getBoundingClientRect();
    return panel.contains(document.elementFromPoint((left + right) / 2, bottom - 5));
}"""
REASONS: Final = {
    "connecting": "The server cannot be reached.",
    "disconnected": "Disconnected",
    "error": "Gave up for now; try again.",
}


async def picture(lab: Lab, name: str) -> None:
    await lab.page.screenshot(path=PICTURES / f"{name}.png", animations="disabled")


async def faults(lab: Lab) -> list[str]:
    """What axe finds fault with, and where."""
    if not await lab.run("'axe' in globalThis"):
        await lab.page.add_script_tag(path=AXE)
    found = await lab.run("axe.run()")
    return [f"{fault['id']}: {[node['html'] for node in fault['nodes']]}" for fault in found["violations"]]


async def open_status(lab: Lab, *sections: str) -> None:
    """With the keyboard, so that the pointer stays where it is."""
    await lab.page.locator(".vagus-status-button").press("Enter")
    for section in sections:
        await lab.page.get_by_role("dialog").locator("summary", has_text=section).press("Enter")


async def show_alerts(lab: Lab, hub: HubProcess) -> None:
    await lab.until("lab.client.subscriptions.get().get('plain:alerts')?.state === 'subscribed'")
    await hub.publish_each("plain:alerts", ({"type": "Alert", "payload": alert} for alert in ALERTS))
    await expect(lab.page.locator(".vagus-toast")).to_have_count(len(ALERTS))


@pytest.mark.parametrize("theme", ["dark", "light", "high-contrast"])
async def test_every_theme_is_readable_at_every_size(open_lab: OpenLab, hub: HubProcess, theme: str) -> None:
    lab = await open_lab("react", channel="kept:news", query=f"theme={theme}")
    await hub.publish("kept:news", range(100))
    await show_alerts(lab, hub)
    for size, (width, height) in SIZES.items():
        await lab.page.set_viewport_size({"width": width, "height": height})
        await lab.page.locator(".vagus-toast").last.hover()  # which keeps them all
        await picture(lab, f"{theme}-{size}-closed")
        assert await faults(lab) == []
        await open_status(lab, "Figures", "Settings")
        await picture(lab, f"{theme}-{size}-open")
        assert await faults(lab) == []
        assert await lab.run(PANEL_IS_ON_TOP)
        assert await lab.run("document.documentElement.scrollWidth <= innerWidth")
        await lab.page.keyboard.press("Escape")


async def test_colours_that_the_system_forces_leave_everything_visible(
    open_lab: OpenLab, hub: HubProcess, context: BrowserContext
) -> None:
    lab = await open_lab("react", channel="kept:news")
    await lab.page.emulate_media(forced_colors="active", contrast="more", reduced_motion="reduce")
    await show_alerts(lab, hub)
    await lab.page.locator(".vagus-toast").last.hover()
    await open_status(lab, "Figures", "Settings")
    await picture(lab, "forced-colours")
    assert await faults(lab) == []


@pytest.mark.parametrize("state", ["connecting", "disconnected", "error"])
async def test_a_lost_connection_is_shown_and_told(open_lab: OpenLab, hub: HubProcess, state: str) -> None:
    delay = 10_000 if state == "connecting" else 20
    lab = await open_lab("react", channel="kept:news", retry={"tries": 2, "minDelay": delay, "maxDelay": 2 * delay})
    await hub.publish("kept:news", [7])
    newest = lab.page.get_by_role("region", name="Newest").locator("output")
    await expect(newest).to_have_text("7")
    if state == "disconnected":
        await lab.run("lab.client.disconnect()")
    else:
        hub.network.refuse()
    await lab.until_state(state)
    await expect(lab.page.locator(".vagus-toast")).to_contain_text(REASONS[state])
    await expect(newest).to_have_text("7")
    await expect(newest).to_have_attribute("data-live", "false")
    await picture(lab, f"{state}-closed")
    await open_status(lab)
    await picture(lab, f"{state}-open")
    assert await faults(lab) == []
    hub.network.heal()
    name = "Connect" if state == "disconnected" else "Retry now"
    await lab.page.get_by_role("dialog").get_by_role("button", name=name).click()
    await lab.until_state("connected")
    await expect(newest).to_have_attribute("data-live", "true")


async def test_a_connection_on_which_nothing_comes_is_stale_until_something_does(
    open_lab: OpenLab, hub: HubProcess
) -> None:
    lab = await open_lab("react", channel="kept:news", staleAfter=2000)
    await lab.until_state("stale")
    await expect(lab.page.locator(".vagus-summary")).to_contain_text("No new data")
    await open_status(lab)
    await picture(lab, "stale-open")
    assert await faults(lab) == []
    await hub.publish("kept:news", [1])
    await expect(lab.page.locator(".vagus-summary")).to_contain_text("Connected")


async def test_a_refused_sign_in_says_what_to_do(open_lab: OpenLab, hub: HubProcess, context: BrowserContext) -> None:
    tokens = [token("ada", ttl_s=2)]
    await context.expose_function("fetchToken", lambda: tokens.pop() if tokens else "")
    lab = await open_lab("react", query="tokens")
    await lab.until_state("error")
    await open_status(lab)
    await picture(lab, "refused-open")
    await expect(lab.page.get_by_role("dialog")).to_contain_text("The sign-in was refused: 403 Forbidden")
    assert await faults(lab) == []
