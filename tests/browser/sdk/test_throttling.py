"""Ten thousand publications a second for somebody who looks now and then."""

from playwright.async_api import expect

from .hub import HubProcess
from .labs import IN_A_PAGE, OpenLab

pytestmark = IN_A_PAGE

COUNT = 15_000


async def test_a_throttled_view_is_told_seldom_and_misses_nothing(open_lab: OpenLab, hub: HubProcess) -> None:
    lab = await open_lab()
    await lab.follow("kept:fast", throttle=500, keep=COUNT)
    await hub.burst("kept:fast", COUNT, per_s=10_000)
    assert await lab.until_told("kept:fast", COUNT - 1) == list(range(COUNT))
    assert len(await lab.run("lab.batches('kept:fast')")) < COUNT / 1000


async def test_a_view_of_the_latest_is_sent_no_more_than_it_shows(open_lab: OpenLab, hub: HubProcess) -> None:
    lab = await open_lab()
    await lab.follow("plain:fast", throttle=500, deliver="latest")
    await hub.burst("plain:fast", COUNT, per_s=10_000)
    numbers = await lab.until_told("plain:fast", COUNT - 1)
    assert numbers == sorted(numbers)
    assert len(numbers) < 20
    assert await lab.run("lab.client.figures.get().received") < 20


async def test_components_render_seldom_under_a_flood_and_end_with_the_last_value(
    open_lab: OpenLab, hub: HubProcess
) -> None:
    lab = await open_lab("react", channel="kept:fast", query="throttle=250")
    await lab.follow("kept:fast", throttle=250)
    await hub.burst("kept:fast", COUNT, per_s=10_000)
    assert await lab.until_told("kept:fast", COUNT - 1) == list(range(COUNT))
    await expect(lab.page.get_by_role("region", name="Newest").locator("output")).to_have_text(str(COUNT - 1))
    rows = lab.page.get_by_role("region", name="Rows").get_by_role("listitem")
    await expect(rows).to_have_text([str(COUNT - 1 - number) for number in range(20)])
    assert await lab.run("Math.max(...Object.values(renders))") < COUNT / 500
