"""Keeping a connection: it is made, and made anew whenever it is lost, until nobody wants it any more."""

import asyncio
import contextlib
import random
import time
from collections.abc import Awaitable, Callable
from typing import Final, Generic, TypeVar

import structlog

from vagus.kernel.errors import BrokerError

from .connecting import AccessError
from .link import Link

log = structlog.get_logger()

L = TypeVar("L", bound=Link)

FIRST_WAIT_S: Final = 0.1
LONGEST_WAIT_S: Final = 2.0

STEADY_S: Final = 5.0
"""After how long a connection counts as good, so that when it is lost, waiting begins with the shortest again."""


class Keeper(Generic[L]):
    """One link that stands as much as possible. ``link`` is None while it does not.

    ``make`` opens one or raises ``BrokerError``. ``gained`` and ``lost`` are told of each, and must not block or raise.
    """

    def __init__(
        self,
        purpose: str,
        make: Callable[[], Awaitable[L]],
        *,
        gained: Callable[[L], None] | None = None,
        lost: Callable[[L], None] | None = None,
    ) -> None:
        self._purpose = purpose
        self._make = make
        self._gained = gained
        self._lost = lost
        self._task: asyncio.Task[None] | None = None
        self._stands = asyncio.Event()
        self.link: L | None = None
        self.reconnections = 0
        self.trouble = "there is no connection to Redis yet"

    async def start(self, timeout_s: float) -> None:
        """Return when the link stands. Raises ``BrokerError`` if it does not within ``timeout_s`` and a second attempt:

        the first one may have been late because this process was, which is busy when it starts.
        """
        self.begin(await self._first(timeout_s))

    def begin(self, link: L | None = None) -> None:
        """Keep this link from now on, or make one without being waited for."""
        if link is not None:
            self._take(link)
        self._task = asyncio.create_task(self._keep(link))

    async def _first(self, timeout_s: float) -> L:
        end = time.monotonic() + timeout_s
        wait, is_first = FIRST_WAIT_S, True
        while True:
            try:
                return await self._make()
            except AccessError:
                raise
            except BrokerError:
                if time.monotonic() + wait > end and not is_first:
                    raise
            is_first = False
            await asyncio.sleep(wait)
            wait *= 2

    async def expect(self, timeout_s: float) -> L:
        """The link, as soon as it stands. Raises ``BrokerError`` if it does not within ``timeout_s``."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._stands.wait()
        if self.link is None:
            raise BrokerError(self.trouble)
        return self.link

    def renew(self, reason: str) -> None:
        """Give up the link there is, so that another one is made."""
        if self.link is not None:
            self.link.abort(reason)

    async def close(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])
        link, self.link = self.link, None
        if link is not None:
            link.abort("this server closed its connection to Redis")

    def _take(self, link: L) -> None:
        self.link = link
        self._stands.set()
        if self._gained is not None:
            self._gained(link)

    async def _keep(self, link: L | None) -> None:
        wait = 0.0
        while True:
            if link is not None:
                wait = await self._end_of(link, wait)
                self.reconnections += 1
            link, wait = await self._again(wait)
            log.info("redis_connected", purpose=self._purpose, place=link.place)
            self._take(link)

    async def _end_of(self, link: L, wait: float) -> float:
        """Return when the link is lost: how long to wait before the next one is made."""
        since = time.monotonic()
        self.trouble = await asyncio.shield(link.lost)
        self.link = None
        self._stands.clear()
        log.warning("redis_lost", purpose=self._purpose, reason=self.trouble)
        if self._lost is not None:
            self._lost(link)
        return FIRST_WAIT_S if time.monotonic() - since > STEADY_S else max(wait, FIRST_WAIT_S)

    async def _again(self, wait: float) -> tuple[L, float]:
        """A new link, and how long to wait when it is lost soon."""
        while True:
            await asyncio.sleep(random.uniform(wait / 2, wait))
            wait = min(max(wait * 2, FIRST_WAIT_S), LONGEST_WAIT_S)
            try:
                return await self._make(), wait
            except BrokerError as error:
                self.trouble = str(error)
            except Exception as error:
                self.trouble = f"connecting to Redis failed: {type(error).__name__}"
                log.exception("redis_failed", purpose=self._purpose)
