"""Pictures of every page of the console, as `make screenshots` takes them: in each theme and size, empty and full.

All of them go into build/screenshots, and the best into docs/images, which the README shows. Empty is a server that has
just been set up; full is the demo with some clients, after a while, so that charts have something to draw.
"""

import argparse
import asyncio
import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from tools.system_packages import program_path
from vagus.auth.claims import ConnectionClaims
from vagus.auth.minting import Signer, connection_token
from vagus.client import Client

ROOT: Final = Path(__file__).parents[1]
PICTURES: Final = ROOT / "build" / "screenshots"
SHOWN: Final = ROOT / "docs" / "images"

SIZES: Final = {"wide": (1440, 900), "middle": (900, 1200), "phone": (390, 844)}
THEMES: Final = ("dark", "light", "high-contrast")
PAGES: Final = {
    "command": "/?range=15m",
    "nodes": "/connections",
    "clients": "/connections?view=clients",
    "channels": "/connections?view=channels",
    "slow": "/connections?view=slow",
    "missing": "/nowhere",
}
SIGN_IN: Final = "sign-in"
BEST: Final = {
    "command-centre": ("command", "dark", "wide"),
    "command-centre-light": ("command", "light", "wide"),
    "command-centre-phone": ("command", "dark", "phone"),
    "connections": ("nodes", "dark", "wide"),
    "connections-clients": ("clients", "dark", "wide"),
}
"""What docs/images has. These pages are open all the while, so that their lines and rates are there."""

VISITORS: Final = 24
CHANNELS: Final = ("demo:numbers", "demo:clock")
PATIENCE_MS: Final = 15_000
SETTLING_MS: Final = 1_200
"""For what comes a moment after the page: the first pulse, and what was asked for."""


@dataclass(frozen=True, slots=True)
class Site:
    """A server that runs, and the secret of its tokens."""

    url: str
    secret: str

    def token(self, user: str, *roles: str) -> str:
        return connection_token(ConnectionClaims(user=user, roles=frozenset(roles)), Signer.with_secret(self.secret))


@contextlib.contextmanager
def serving(*flags: str) -> Iterator[Site]:
    """``vagus serve`` in a folder of its own."""
    clean = {name: text for name, text in os.environ.items() if not name.startswith("VAGUS_")}
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "vagus", "serve", "--port", "0", "--log-level", "error", *flags]
        process = subprocess.Popen(command, cwd=folder, env=clean, stdout=subprocess.PIPE, text=True)
        try:
            assert process.stdout is not None
            url = process.stdout.readline().split()[-1]
            yield Site(url, Path(folder, "vagus-data", "token_secret").read_text().strip())
        finally:
            process.terminate()
            process.wait()


@contextlib.asynccontextmanager
async def visited(site: Site) -> AsyncIterator[None]:
    """Clients that follow the demo's channels; their names say that they are of the demo."""
    async with contextlib.AsyncExitStack() as stack:
        for number in range(VISITORS):
            client = Client(site.url, token=site.token(f"demo-visitor-{number + 1:02}"), name="demo")
            await stack.enter_async_context(client)
            for channel in CHANNELS[: 1 + number % len(CHANNELS)]:
                await stack.enter_async_context(client.subscribe(channel))
        yield


async def take_all(browser: Browser, kind: str, site: Site) -> None:
    """Every page of a server, in each theme and size."""
    for theme in THEMES:
        for size in SIZES:
            context = await _context(browser, theme, size)
            if kind == "empty":
                await _take(context, site.url + "/", f"{SIGN_IN}-{theme}-{size}")
            await _sign_in(context, site)
            for name, path in PAGES.items():
                await _take(context, site.url + path, f"{kind}-{name}-{theme}-{size}")
            await context.close()


async def open_best(browser: Browser, site: Site) -> dict[str, Page]:
    """The pages of docs/images, by the names of their pictures."""
    opened = {}
    for picture, (name, theme, size) in BEST.items():
        context = await _context(browser, theme, size)
        await _sign_in(context, site)
        opened[picture] = await _open(context, site.url + PAGES[name])
    return opened


async def _context(browser: Browser, theme: str, size: str) -> BrowserContext:
    width, height = SIZES[size]
    context = await browser.new_context(viewport={"width": width, "height": height}, reduced_motion="reduce")
    await context.add_init_script(f"localStorage.setItem('vagus.console', '{json.dumps({'theme': theme})}')")
    return context


async def _sign_in(context: BrowserContext, site: Site) -> None:
    answer = await context.request.post(
        f"{site.url}/api/console/session",
        data={"token": site.token("demo", "admin")},
        headers={"origin": site.url},
    )
    if not answer.ok:
        raise RuntimeError(f"signing in failed: {await answer.text()}")


async def _open(context: BrowserContext, address: str) -> Page:
    page = await context.new_page()
    await page.goto(address)
    await page.wait_for_selector("h1", timeout=PATIENCE_MS)
    return page


async def _take(context: BrowserContext, address: str, name: str) -> None:
    page = await _open(context, address)
    await page.wait_for_timeout(SETTLING_MS)
    await page.screenshot(path=PICTURES / f"{name}.png", animations="disabled")
    await page.close()


async def main(fill_s: float) -> None:
    """Take all of them; those of the demo when it has run for ``fill_s``."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    SHOWN.mkdir(parents=True, exist_ok=True)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=program_path("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        with serving("--demo") as demo:
            async with visited(demo):
                is_filled = asyncio.create_task(asyncio.sleep(fill_s))
                best = await open_best(browser, demo)
                with serving() as empty:
                    await take_all(browser, "empty", empty)
                await is_filled
                for picture, page in best.items():
                    await page.screenshot(path=SHOWN / f"{picture}.png", animations="disabled")
                    await page.context.close()
                await take_all(browser, "full", demo)
        await browser.close()
    print(f"== pictures are in {PICTURES.relative_to(ROOT)}, the best in {SHOWN.relative_to(ROOT)}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--fill", type=float, default=60, metavar="SECONDS", help="how long the demo runs before")
    asyncio.run(main(parser.parse_args().fill))
