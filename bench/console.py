"""The stage that measures the console: its first load, how smoothly charts and long lists move, and what it keeps.

The pages are those of the installed package, served by `vagus serve`, in Chromium without a window and without a
graphics processor. Nobody signs in, since an insecure server asks nobody to.
"""

import asyncio
import base64
import contextlib
import os
import statistics
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from typing import Final

from playwright.sync_api import Browser, CDPSession, Page

from bench.figures import Row, Samples, at_least, at_most
from bench.machine import BUILD, UnavailableError
from bench.measuring import Bench, say
from bench.pages import chromium
from bench.servers import PORT, Program, Server, running
from vagus.server.pages import is_built

KILOBYTE: Final = 1000
WATCHED_S: Final = 10.0
KEPT_S: Final = 600.0
LOOKS: Final = 30
CLIENTS: Final = 10_000
AT_ONCE: Final = 100
ROW: Final = "[role=grid] [role=row]"
SMOOTH: Final = at_least(58, "/s")

FRAMES: Final = """async ([seconds, step]) => {
  const times = [];
  const end = performance.now() + seconds * 1000;
  await new Promise((resolve) => {
    const take = (now) => {
      times.push(now);
      step && document.querySelector(step.what).scrollBy(0, step.by);
      now < end ? requestAnimationFrame(take) : resolve();
    };
    requestAnimationFrame(take);
  });
  const waits = times.slice(1).map((time, place) => time - times[place]).sort((a, b) => a - b);
  return {
    perS: (waits.length * 1000) / (times.at(-1) - times[0]),
    late: waits[Math.floor(waits.length * 0.95)],
    longest: waits.at(-1),
  };
}"""
"""Frames of a page, counted by itself; with a step, what scrolls by so many pixels each frame."""


def server_of_demo() -> Program:
    """With the demo's data; it asks no client for pongs, so that ten thousand may just be there."""
    return Program(
        name="vagus-console",
        version=f"Vagus on Python {sys.version.split()[0]}",
        protocol="centrifuge",
        command=(sys.executable, "-m", "vagus", "serve", "--insecure", "--demo", "--port", PORT),
        environment={
            "VAGUS_SERVER__DATA_DIR": str(BUILD / "console-data"),
            "VAGUS_SERVER__LOG_LEVEL": "error",
            "VAGUS_LIMITS__PING_INTERVAL_S": "0",
        },
    )


def console(bench: Bench) -> Iterator[Row]:
    """The first load, twelve charts ten times a second, ten thousand rows, and ten minutes of an open page."""
    if not is_built():
        raise UnavailableError("the console is not built: run `make dev`")
    with chromium(bench) as browser, running(server_of_demo()) as server:
        say("== the console's first load")
        yield _first_load(browser, server)
        say("== 12 charts, 10 times a second")
        at_rest = _at_rest(browser, server)
        yield _charts(browser, server, bench, at_rest)
        share = 10 if bench.quick else 1
        say(f"== the console, open for {KEPT_S / share / 60:.0f} minutes")
        yield _kept(browser, server, KEPT_S / share, LOOKS // (2 if bench.quick else 1))
        clients = CLIENTS // share
        say(f"== a list of {clients:,} clients")
        with _crowd(server, clients):
            yield _rows(browser, server, bench, clients, at_rest)


def _open(browser: Browser, server: Server, path: str) -> Page:
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.goto(f"http://127.0.0.1:{server.port}{path}")
    page.wait_for_selector("h1")
    return page


def _first_load(browser: Browser, server: Server) -> Row:
    page = _open(browser, server, "/")
    page.wait_for_load_state("networkidle")
    names = page.evaluate("performance.getEntriesByType('resource').map(({ name }) => name)")
    page.close()
    script, style = (sum(_gzipped(name) for name in names if name.endswith(kind)) for kind in (".js", ".css"))
    others = [name for name in names if not name.startswith(f"http://127.0.0.1:{server.port}/")]
    return Row(
        "JavaScript of the console's first page, gzipped",
        Samples((script / KILOBYTE,), "KB"),
        target=at_most(200, "KB"),
        note=f"{style / KILOBYTE:.1f} KB of CSS beside it; {len(others)} files from other hosts",
    )


def _gzipped(address: str) -> int:
    """How large a file is as the server sends it."""
    request = urllib.request.Request(address, headers={"accept-encoding": "gzip"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return len(answer.read())


def _at_rest(browser: Browser, server: Server) -> Samples:
    """Frames of a page on which nothing moves: what this machine gives Chromium now."""
    page = _open(browser, server, "/nowhere")
    found = page.evaluate(FRAMES, [WATCHED_S, None])
    page.close()
    return Samples((found["perS"],), "/s")


def _charts(browser: Browser, server: Server, bench: Bench, at_rest: Samples) -> Row:
    found = []
    for _ in range(bench.rounds):
        page = _open(browser, server, "/labs/charts?charts=12&hz=10")
        page.wait_for_selector(".chart-canvas canvas")
        found.append(page.evaluate(FRAMES, [WATCHED_S, None]))
        page.close()
    return _smoothness("frames with 12 charts that are fed 10 times a second", found, at_rest)


def _smoothness(what: str, found: list[dict[str, float]], at_rest: Samples, note: str = "") -> Row:
    def samples(key: str, unit: str) -> Samples:
        return Samples(tuple(one[key] for one in found), unit)

    waits = f"95 % wait at most {samples('late', 'ms')} for one, the longest {samples('longest', 'ms')}"
    note = "; ".join(filter(None, (waits, note)))
    return Row(what, samples("perS", "/s"), at_rest, "a page at rest", SMOOTH, note)


def _kept(browser: Browser, server: Server, seconds: float, looks: int) -> Row:
    """The command centre of the demo, which has a pulse every few seconds."""
    page = _open(browser, server, "/")
    devtools = page.context.new_cdp_session(page)
    began, heaps = time.monotonic(), list[float]()
    while len(heaps) < looks:
        time.sleep(max(0, began + seconds * (len(heaps) + 1) / looks - time.monotonic()))
        heaps.append(_heap_kb(devtools))
    page.close()
    third = looks // 3
    middle, last = statistics.median(heaps[third:-third]), statistics.median(heaps[-third:])
    return Row(
        f"growth of the console's heap over the last two thirds of {seconds / 60:.0f} minutes",
        Samples((last - middle,), "KB"),
        target=at_most(512, "KB"),
        note=f"heap {last:,.0f} KB",
    )


def _heap_kb(devtools: CDPSession) -> float:
    devtools.send("HeapProfiler.collectGarbage")
    used: float = devtools.send("Runtime.getHeapUsage")["usedSize"]
    return used / KILOBYTE


def _rows(browser: Browser, server: Server, bench: Bench, clients: int, at_rest: Samples) -> Row:
    """Load the whole list by going to its end again and again, then scroll it from its beginning."""
    page = _open(browser, server, "/connections?view=clients&sort=address&paused=1")
    page.wait_for_selector(ROW)
    began = time.monotonic()
    grid = page.get_by_role("grid")
    while not grid.evaluate("(grid, rows) => grid.scrollHeight >= rows * 28", clients):
        grid.press("End")
        if time.monotonic() > began + 120:
            raise UnavailableError(f"the list of {clients:,} clients does not load")
    loaded_s = time.monotonic() - began
    found = []
    for _ in range(bench.rounds):
        grid.press("Home")
        found.append(page.evaluate(FRAMES, [WATCHED_S, {"what": "[role=grid]", "by": 120}]))
    in_page = page.locator(ROW).count()
    page.close()
    note = f"{in_page} rows in the page; all were loaded in {loaded_s:.1f} s"
    return _smoothness(f"frames while {clients:,} rows are scrolled, 3 a frame", found, at_rest, note)


@contextlib.contextmanager
def _crowd(server: Server, clients: int) -> Iterator[None]:
    """So many connected clients that do nothing, in a thread of their own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="crowd")
    thread.start()
    writers: list[asyncio.StreamWriter] = []
    try:
        asyncio.run_coroutine_threadsafe(_come(server, clients, writers), loop).result(120)
        yield
    finally:
        asyncio.run_coroutine_threadsafe(_leave(writers), loop).result(60)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _come(server: Server, clients: int, writers: list[asyncio.StreamWriter]) -> None:
    gate = asyncio.Semaphore(AT_ONCE)

    async def one() -> None:
        async with gate:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writers.append(writer)
            writer.write(_HANDSHAKE)
            await reader.readuntil(b"\r\n\r\n")
            writer.write(_CONNECT)
            await reader.read(1)

    await asyncio.gather(*(one() for _ in range(clients)))


async def _leave(writers: list[asyncio.StreamWriter]) -> None:
    for writer in writers:
        writer.transport.abort()
    await asyncio.sleep(0)


_HANDSHAKE: Final = (
    b"GET /connection/websocket HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + base64.b64encode(os.urandom(16)) + b"\r\n\r\n"
)
_CONNECT: Final = b"\x81" + bytes([0x80 | len(b'{"id":1,"connect":{}}')]) + bytes(4) + b'{"id":1,"connect":{}}'
"""One masked frame; the mask is zeros."""
