"""The stage that measures pages on the packages of web/: how smoothly one draws under load, and what it keeps.

The page is that of web/e2e, in Chromium without a window and without a graphics processor, so drawing is the
processor's work too. Frames are counted by the page itself. Memory is what is left after Chromium's own collection.
"""

import contextlib
import os
import statistics
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from playwright.sync_api import Browser, CDPSession, Page, sync_playwright

from bench.figures import Row, Samples, at_least, at_most
from bench.machine import BUILD, ROOT, UnavailableError
from bench.measuring import Bench, say
from bench.servers import PORT, Program, Server, running
from tools.pages import PagesError, build_pages, served
from tools.system_packages import program_path

RATE: Final = 10_000
WATCHED_S: Final = 10.0
SETTLING_S: Final = 3.0
MESSAGES: Final = int(RATE * (WATCHED_S + 2 * SETTLING_S))
SMOOTH: Final = at_least(58, "/s")
CHURN_S: Final = 600.0
LOOKS: Final = 30
ROUNDS: Final = 10
"""At most 25 channels a round are left for two seconds, which is far below the hub's bound here."""

GROWTH: Final = at_most(256, "KB")
KILOBYTE: Final = 1024
ARGUMENTS: Final = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")


def hub() -> Program:
    """The hub of web/testing, which publishes by itself when it is asked to."""
    return Program(
        name="vagus-pages",
        version=f"Vagus on Python {sys.version.split()[0]}",
        protocol="centrifuge",
        command=(sys.executable, "-m", "vagus", "serve", "--app", "hub:hub", "--port", PORT),
        environment={
            "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "web" / "testing"))),
            "VAGUS_SERVER__DATA_DIR": str(BUILD / "pages-data"),
            "VAGUS_SERVER__LOG_LEVEL": "error",
            "VAGUS_TOKENS__HMAC_SECRET": "a-secret-of-the-bench-that-is-long-enough",
            "VAGUS_ACCESS__ORIGINS": "*",
            "VAGUS_LIMITS__CHANNELS": "5000",
        },
    )


def pages(bench: Bench) -> Iterator[Row]:
    """A page under 10,000 publications a second, and ten minutes of panels that come and go."""
    with chromium(bench) as browser, _site() as site, running(hub()) as server:
        at_rest = _watch(browser.new_page(), site, server, count=0)
        for throttle in (1000,) if bench.quick else (1000, 100):
            say(f"== a page, {RATE:,} publications a second, throttled to {throttle} ms")
            busy = [_watch(browser.new_page(), site, server, throttle=throttle) for _ in range(bench.rounds)]
            yield from _smoothness(busy, at_rest, throttle)
        say("== a page with panels that come and go")
        share = 10 if bench.quick else 1
        yield _churned(browser.new_page(), site, server, CHURN_S / share, LOOKS // share)


@contextlib.contextmanager
def chromium(bench: Bench) -> Iterator[Browser]:
    program = program_path("chromium")
    if program is None:
        raise UnavailableError("chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(ARGUMENTS))
        fact = f"chromium: {browser.version}, without a window or a graphics processor"
        if fact not in bench.facts:
            bench.facts.append(fact)
        yield browser
        browser.close()


@contextlib.contextmanager
def _site() -> Iterator[str]:
    try:
        folder = build_pages()
    except PagesError as error:
        raise UnavailableError(" ".join(str(error).split())[:200]) from None
    with served(folder) as address:
        yield address


@dataclass(frozen=True, slots=True)
class Watched:
    """One page that was watched while it drew."""

    frames_per_s: float
    longest_ms: float
    long_tasks_ms: float
    renders: float
    astray: float
    """Messages that were lost, doubled or out of order."""


def _open(page: Page, site: str, server: Server, **wishes: object) -> None:
    page.goto(f"{site}/react.html?{urlencode({'hub': f'http://127.0.0.1:{server.port}', **wishes})}")
    page.wait_for_function("globalThis.lab?.client.status.get().state === 'connected'")


def _watch(page: Page, site: str, server: Server, *, count: int = MESSAGES, throttle: int = 1000) -> Watched:
    """Let the hub publish from a little before until a little after the page is watched."""
    channel = f"kept:{time.monotonic_ns()}"
    _open(page, site, server, channel=channel, throttle=throttle)
    page.evaluate("([channel, throttle]) => void lab.follow(channel, { throttle })", [channel, throttle])
    page.wait_for_function("channel => lab.isFollowing(channel)", arg=channel)
    wanted = {"channel": channel, "count": count, "per_s": RATE}
    if count:
        page.evaluate("wanted => void lab.client.call('burst', wanted, { timeout: 60_000 })", wanted)
        page.wait_for_function("channel => lab.numbers(channel).length > 0", arg=channel)
    found = page.evaluate("duration => measureFrames(duration)", WATCHED_S * 1000)
    if count:
        page.wait_for_function("([channel, last]) => lab.numbers(channel).at(-1) === last", arg=[channel, count - 1])
    astray = page.evaluate(
        "([channel, count]) => Math.abs(count - lab.numbers(channel).length)"
        " + lab.numbers(channel).filter((number, place) => number !== place).length",
        [channel, count],
    )
    watched = Watched(
        frames_per_s=found["framesPerS"],
        longest_ms=found["longest"],
        long_tasks_ms=found["longTasksTook"],
        renders=page.evaluate("Math.max(...Object.values(renders))"),
        astray=astray,
    )
    page.close()
    return watched


def _smoothness(busy: list[Watched], at_rest: Watched, throttle: int) -> Iterator[Row]:
    def samples(name: str, unit: str) -> Samples:
        return Samples(tuple(getattr(one, name) for one in busy), unit)

    flood = f"{RATE:,} publications/s into a page throttled to {throttle} ms"
    yield Row(
        f"frames, {flood}",
        samples("frames_per_s", "/s"),
        Samples((at_rest.frames_per_s,), "/s"),
        "the page at rest",
        SMOOTH,
        f"longest wait for one: {samples('longest_ms', 'ms')}, at rest {at_rest.longest_ms:.1f} ms; "
        f"tasks of more than 50 ms, together: {samples('long_tasks_ms', 'ms')}",
    )
    yield Row(f"renders of a component for {MESSAGES:,} messages, {flood}", samples("renders", ""))
    yield Row(f"lost, doubled or out of order, {flood}", samples("astray", ""), target=at_most(0, ""))


@dataclass(frozen=True, slots=True)
class Kept:
    """What a page keeps once nobody is there any more."""

    heap_kb: float
    listeners: int
    nodes: int


def _churned(page: Page, site: str, server: Server, seconds: float, looks: int) -> Row:
    _open(page, site, server)
    devtools = page.context.new_cdp_session(page)
    kept: list[Kept] = []
    mounted, began = 0, time.monotonic()
    while len(kept) < looks:
        mounted += page.evaluate("rounds => churn(rounds)", ROUNDS)
        for what in ("subscriptions.get().size", "figures.get().subscriptions"):
            page.wait_for_function(f"lab.client.{what} === 1")  # the page's own, of alerts
        if time.monotonic() >= began + seconds * (len(kept) + 1) / looks:
            kept.append(_look(devtools))
    page.close()
    third = looks // 3
    middle, last = (statistics.median(one.heap_kb for one in part) for part in (kept[third:-third], kept[-third:]))
    note = (
        f"{mounted:,} panels mounted; heap {last:,.0f} KB; listeners {kept[third].listeners} to {kept[-1].listeners}, "
        f"nodes {kept[third].nodes} to {kept[-1].nodes}"
    )
    what = f"growth of a page's heap over the last two thirds of {seconds / 60:.0f} minutes of coming and going"
    return Row(what, Samples((last - middle,), "KB"), target=GROWTH, note=note)


def _look(devtools: CDPSession) -> Kept:
    devtools.send("HeapProfiler.collectGarbage")
    counters = devtools.send("Memory.getDOMCounters")
    heap = devtools.send("Runtime.getHeapUsage")["usedSize"] / KILOBYTE
    return Kept(heap, counters["jsEventListeners"], counters["nodes"])
