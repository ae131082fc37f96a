"""A network that is cut and comes back, while the hub stays: nothing is lost, and the page says what is going on."""

import pytest
from playwright.async_api import BrowserContext, expect

from .hub import HubProcess, token
from .labs import IN_A_PAGE, OpenLab

pytestmark = IN_A_PAGE


async def test_what_was_published_while_the_network_was_cut_comes_once_and_in_order(
    open_lab: OpenLab, hub: HubProcess
) -> None:
    lab = await open_lab()
    await lab.follow("kept:news", throttle=0)
    await hub.publish("kept:news", range(10))
    await lab.until_told("kept:news", 9)
    hub.network.refuse()
    await lab.until_state("connecting")
    await hub.publish("kept:news", range(10, 30))
    hub.network.heal()
    assert await lab.until_told("kept:news", 29) == list(range(30))
    assert await lab.run("lab.recoveries('kept:news').at(-1)") is True


async def test_a_browser_that_was_offline_catches_up(
    open_lab: OpenLab, hub: HubProcess, context: BrowserContext
) -> None:
    lab = await open_lab()
    await lab.follow("kept:news", throttle=0)
    await hub.publish("kept:news", [0])
    await lab.until_told("kept:news", 0)
    await context.set_offline(True)
    await lab.until_state("connecting")
    await hub.publish("kept:news", range(1, 50))
    await context.set_offline(False)
    assert await lab.until_told("kept:news", 49) == list(range(50))


@pytest.mark.parametrize("transport", ["http_stream", "sse"])
async def test_pages_without_a_websocket_recover_as_well(open_lab: OpenLab, hub: HubProcess, transport: str) -> None:
    lab = await open_lab(transports=[transport])
    await lab.follow("kept:news", throttle=0)
    await hub.publish("kept:news", range(10))
    await lab.until_told("kept:news", 9)
    hub.network.refuse()
    await lab.until_state("connecting")
    await hub.publish("kept:news", range(10, 30))
    hub.network.heal()
    assert await lab.until_told("kept:news", 29) == list(range(30))
    assert await lab.run("lab.client.status.get().transport") == transport
    assert await lab.run("lab.publish('kept:news', 30, 100)") == []
    assert await lab.until_told("kept:news", 129) == list(range(130))


async def test_a_page_shows_its_last_data_and_how_old_they_are_until_new_ones_come(
    open_lab: OpenLab, hub: HubProcess
) -> None:
    lab = await open_lab(channel="kept:news")
    await lab.until("lab.isFollowing('kept:news')")
    await hub.publish("kept:news", [7])
    state, newest, age = (lab.page.locator(f"#{name}") for name in ("state", "newest", "age"))
    await expect(newest).to_have_text("7")
    hub.network.refuse()
    await expect(state).to_have_text("connecting")
    await expect(lab.page.locator("#reason")).not_to_be_empty()
    await expect(age).not_to_have_text("0 s old")
    await expect(newest).to_have_text("7")
    await hub.publish("kept:news", [8])
    hub.network.heal()
    await expect(newest).to_have_text("8")
    await expect(state).to_have_text("connected")
    await expect(lab.page.locator("#reason")).to_be_empty()


async def test_a_thousand_publications_made_offline_arrive_in_order_and_once_each(
    open_lab: OpenLab, hub: HubProcess, context: BrowserContext
) -> None:
    lab = await open_lab(timeout=60_000)
    await lab.until_state("connected")
    await context.set_offline(True)
    await lab.until_state("connecting")
    await lab.run("void (globalThis.published = lab.publish('kept:queue', 0, 1000))")
    await lab.until("lab.client.figures.get().queued === 1000")
    await context.set_offline(False)
    assert await lab.run("published") == []
    assert await hub.history("kept:queue") == list(range(1000))


async def test_one_more_than_the_queue_holds_is_refused(open_lab: OpenLab, hub: HubProcess) -> None:
    hub.network.refuse()
    lab = await open_lab()
    await lab.run("void (globalThis.published = lab.publish('kept:queue', 0, 1000))")
    refused = "lab.client.publish('kept:queue', {n: 1000}).then(() => '', (error) => error.name)"
    assert await lab.run(refused) == "QueueFullError"
    hub.network.heal()
    assert await lab.run("published") == []
    assert await hub.history("kept:queue") == list(range(1000))


async def test_publications_whose_answers_are_lost_are_not_made_twice(open_lab: OpenLab, hub: HubProcess) -> None:
    lab = await open_lab()
    await lab.until_state("connected")
    for answers_until_cut in (300, 1500, 4000):
        hub.network.truncate("down", answers_until_cut)
        assert await lab.run("from => lab.publish('kept:queue', from, 300)", answers_until_cut) == []
    wanted = [start + number for start in (300, 1500, 4000) for number in range(300)]
    assert await hub.history("kept:queue") == wanted


async def test_many_private_channels_are_all_followed_again(
    open_lab: OpenLab, hub: HubProcess, context: BrowserContext
) -> None:
    """Together their names and tokens are more than the hub takes in one message."""
    await context.expose_function("fetchToken", lambda: token("ada", ttl_s=3600))
    lab = await open_lab(query="tokens")
    await lab.until_state("connected")
    names = [f"$private:{number}-{'n' * 200}" for number in range(120)]
    await lab.run(
        "names => names.forEach(name => lab.follow(name, {"
        " getToken: channel => lab.client.call('token', { user: 'ada', channel }) }))",
        names,
    )
    await lab.until("names => names.every(name => lab.isFollowing(name))", names)
    hub.network.cut()
    await lab.until("names => names.every(name => lab.recoveries(name).at(-1) === true)", names)
    assert await lab.run("lab.client.status.get().state") == "connected"
