"""Panels, subscriptions and connections that come and go by the thousand leave nothing behind.

Ten minutes of it are measured by `python -m bench --only pages`; here it is as much as a test may take.
"""

import statistics
from collections.abc import Mapping

import pytest
from playwright.async_api import BrowserContext, CDPSession

from .labs import IN_A_PAGE, Lab, OpenLab

pytestmark = IN_A_PAGE

LOOKS = 6
ROUNDS = 10
PANELS = 50
GROWTH_KB = 256
"""Between the two thirds that are compared lie 1,000 panels, so that one that keeps 300 bytes of itself shows."""


async def look(lab: Lab, devtools: CDPSession) -> Mapping[str, float]:
    """What the page keeps, once nobody is there any more and the garbage is collected."""
    await lab.until("lab.client.subscriptions.get().size === 1")  # the page's own, of alerts
    await lab.until("lab.client.figures.get().subscriptions === 1")
    await devtools.send("HeapProfiler.collectGarbage")
    counters = await devtools.send("Memory.getDOMCounters")
    usage = await devtools.send("Runtime.getHeapUsage")
    return {"heap_kb": usage["usedSize"] / 1024, "listeners": counters["jsEventListeners"], "nodes": counters["nodes"]}


@pytest.mark.parametrize("hub", [{"LIMITS__CHANNELS": "5000"}], indirect=True)
async def test_memory_does_not_grow_while_panels_and_connections_come_and_go(
    open_lab: OpenLab, context: BrowserContext
) -> None:
    lab = await open_lab("react")
    await lab.until_state("connected")
    devtools = await context.new_cdp_session(lab.page)
    looks = []
    for _ in range(LOOKS):
        assert await lab.run("rounds => churn(rounds)", ROUNDS) == ROUNDS * PANELS
        looks.append(await look(lab, devtools))
    third = LOOKS // 3
    middle, last = looks[third : 2 * third], looks[2 * third :]
    heap = [statistics.median(one["heap_kb"] for one in part) for part in (middle, last)]
    assert heap[1] - heap[0] < GROWTH_KB, looks
    for what in ("listeners", "nodes"):  # twice as many rounds lie between; a status just being told of has some, too
        growth = max(one[what] for one in last) - max(one[what] for one in middle)
        assert growth < ROUNDS, (what, looks)
    assert await lab.run("lab.client.figures.get().held") == 0
