"""A laptop that slept: its connection is dead and nobody told it. It must not take 35 s, when pings are missed."""

import asyncio
import os
import signal
import time

from playwright.async_api import Browser, BrowserContext

from .hub import HubProcess
from .labs import DEADLINE_S, IN_A_PAGE, OpenLab

pytestmark = IN_A_PAGE

ASLEEP_S = 6.0
"""Longer than a timer is late on a busy machine."""


async def test_a_clock_that_jumped_makes_a_page_look_after_its_connection(
    open_lab: OpenLab, hub: HubProcess, context: BrowserContext
) -> None:
    await context.clock.install()
    lab = await open_lab()
    await lab.follow("kept:news", throttle=0)
    await hub.publish("kept:news", [0])
    await lab.until_told("kept:news", 0)
    hub.network.strand()
    await hub.publish("kept:news", [1, 2])
    await context.clock.set_system_time(time.time() + 3600)
    assert await lab.until_told("kept:news", 2) == [0, 1, 2]
    assert "connecting" in await lab.run("lab.states.slice(lab.states.indexOf('connected'))")


async def test_a_page_that_was_stopped_makes_up_for_it(open_lab: OpenLab, hub: HubProcess, browser: Browser) -> None:
    lab = await open_lab()
    await lab.follow("kept:news", throttle=0)
    await hub.publish("kept:news", [0])
    await lab.until_told("kept:news", 0)
    hub.network.strand()
    session = await browser.new_browser_cdp_session()
    processes = (await session.send("SystemInfo.getProcessInfo"))["processInfo"]
    renderers = [process["id"] for process in processes if process["type"] == "renderer"]
    for renderer in renderers:
        os.kill(renderer, signal.SIGSTOP)
    try:
        await hub.publish("kept:news", [1, 2])
        await asyncio.sleep(ASLEEP_S)
    finally:
        for renderer in renderers:
            os.kill(renderer, signal.SIGCONT)
    assert await lab.until_told("kept:news", 2) == [0, 1, 2]


async def test_a_clock_that_jumped_leaves_a_good_connection_alone(
    open_lab: OpenLab, hub: HubProcess, context: BrowserContext
) -> None:
    await context.clock.install()
    lab = await open_lab()
    await lab.follow("kept:news", throttle=0)
    await context.clock.set_system_time(time.time() + 3600)
    await lab.until("lab.client.figures.get().latency !== null")  # it has asked, and was answered
    await hub.publish("kept:news", [0])
    await lab.until_told("kept:news", 0)
    assert await lab.run("lab.states.at(-1)") == "connected"
    assert hub.network.connections == 1


async def test_what_was_being_published_when_the_line_died_is_published_once(
    open_lab: OpenLab, hub: HubProcess
) -> None:
    lab = await open_lab(timeout=3000)
    await lab.until_state("connected")
    hub.network.strand()
    assert await asyncio.wait_for(lab.run("lab.publish('kept:queue', 0, 10)"), DEADLINE_S) == []
    assert await hub.history("kept:queue") == list(range(10))


async def test_a_call_that_was_under_way_does_not_hide_that_the_line_died(
    open_lab: OpenLab, hub: HubProcess, context: BrowserContext
) -> None:
    await context.clock.install()
    lab = await open_lab(timeout=3000)
    await lab.follow("kept:news", throttle=0)
    await lab.run("void lab.client.call('wait', 60).catch(() => {})")
    hub.network.strand()
    await hub.publish("kept:news", [0])
    await context.clock.set_system_time(time.time() + 3600)
    await lab.until_told("kept:news", 0)
