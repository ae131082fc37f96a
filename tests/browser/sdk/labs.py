"""A page of ``web/e2e`` and what it recorded. The page's side of it is ``web/e2e/lab.ts``."""

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final
from urllib.parse import urlencode

import pytest
from playwright.async_api import Page

DEADLINE_S: Final = 30.0
"""How long anything here may take; far beyond what it takes, and below the 35 s after which pings are missed."""

IN_A_PAGE: Final = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(60)]
"""Tests of pages share the browser's event loop, and wait for several things that each have a deadline of their own."""

OpenLab = Callable[..., Awaitable["Lab"]]


class Lab:
    """One page. ``errors`` is what went wrong in it without anybody catching it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.errors: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    async def open(self, address: str, hub: str, channel: str, query: str, options: Mapping[str, object]) -> None:
        wishes = urlencode({"hub": hub, "channel": channel, "options": json.dumps(options)})
        await self.page.goto(f"{address}?{wishes}&{query}")
        await self.until("globalThis.lab !== undefined")

    async def run(self, expression: str, argument: object = None) -> Any:
        """Evaluate something in the page; a function is called with ``argument``."""
        return await self.page.evaluate(expression, argument)

    async def until(self, expression: str, argument: object = None) -> None:
        """Wait until something holds in the page."""
        await self.page.wait_for_function(expression, arg=argument, polling=50)

    async def until_state(self, state: str) -> None:
        """Wait until the connection has this state."""
        await self.until("state => lab.client.status.get().state === state", state)

    async def follow(self, channel: str, **options: object) -> None:
        """Follow a channel, and wait until it is subscribed."""
        await self.run("([channel, options]) => void lab.follow(channel, options)", [channel, options])
        await self.until("channel => lab.isFollowing(channel)", channel)

    async def until_told(self, channel: str, last: int) -> list[int]:
        """Wait for a number. Returns all that came until then, in their order."""
        await self.until("([channel, last]) => lab.numbers(channel).at(-1) === last", [channel, last])
        numbers: list[int] = await self.run("channel => lab.numbers(channel)", channel)
        return numbers

    async def close(self) -> None:
        await self.page.close()
        assert not self.errors, self.errors
