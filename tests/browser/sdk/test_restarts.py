"""A hub that ends and comes back, with another epoch, as its history was in its memory."""

import pytest
from playwright.async_api import expect

from .hub import HubProcess
from .labs import IN_A_PAGE, OpenLab

pytestmark = IN_A_PAGE


@pytest.mark.parametrize("ending", ["stop", "kill"])
async def test_a_page_comes_back_and_says_that_it_could_not_recover(
    open_lab: OpenLab, hub: HubProcess, ending: str
) -> None:
    lab = await open_lab()
    await lab.follow("kept:news", throttle=0)
    await hub.publish("kept:news", range(3))
    await lab.until_told("kept:news", 2)
    await (hub.program.stop() if ending == "stop" else hub.program.kill())
    await lab.until_state("connecting")
    await hub.start()
    await lab.until_state("connected")
    await lab.until("lab.recoveries('kept:news').length === 2")
    assert await lab.run("lab.recoveries('kept:news').at(-1)") is False
    await hub.publish("kept:news", range(100, 103))
    assert await lab.until_told("kept:news", 102) == [0, 1, 2, 100, 101, 102]


async def test_a_page_gives_up_after_five_tries_and_its_button_tries_again(open_lab: OpenLab, hub: HubProcess) -> None:
    lab = await open_lab(retry={"minDelay": 20, "maxDelay": 100})
    await lab.until_state("connected")
    connections = hub.network.connections
    await hub.program.kill()
    await lab.until_state("error")
    status = await lab.run("lab.client.status.get()")
    assert (status["attempt"], status["retryAt"]) == (5, None)
    await expect(lab.page.locator("#reason")).not_to_be_empty()
    await hub.start()
    await lab.page.get_by_role("button", name="Retry").click()
    await expect(lab.page.locator("#state")).to_have_text("connected")
    assert hub.network.connections == connections + 1


async def test_a_page_that_was_opened_before_its_hub_finds_it(open_lab: OpenLab, hub: HubProcess) -> None:
    await hub.program.kill()
    lab = await open_lab(retry={"tries": 100, "minDelay": 20, "maxDelay": 100})
    await lab.until("lab.client.status.get().attempt > 2")
    await hub.start()
    await lab.until_state("connected")
    assert await lab.run("lab.client.call('echo', 'heard')") == "heard"


async def test_what_is_published_while_the_hub_is_away_arrives_in_order_and_once_each(
    open_lab: OpenLab, hub: HubProcess
) -> None:
    lab = await open_lab(retry={"tries": 100, "maxDelay": 2000})
    await lab.until_state("connected")
    await hub.program.kill()
    await lab.run("void (globalThis.published = lab.publish('kept:queue', 0, 1000))")
    await lab.until_state("connecting")
    await hub.start()
    assert await lab.run("published") == []
    assert await hub.history("kept:queue") == list(range(1000))
