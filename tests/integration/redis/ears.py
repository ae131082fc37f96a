"""What a test hears from ``Servers``, and a way to wait for it."""

import asyncio
from collections.abc import Callable, Iterable

from tests.patience import DEADLINE_S


class Heard:
    """Writes down everything in its order."""

    def __init__(self) -> None:
        self.messages: list[tuple[bytes, bytes]] = []
        self.again: list[bytes] = []
        self.cuts = 0
        self._changed = asyncio.Event()

    def heard(self, channel: bytes, message: bytes) -> None:
        self.messages.append((channel, message))
        self._changed.set()

    def cut(self) -> None:
        self.cuts += 1
        self._changed.set()

    def restored(self, channels: Iterable[bytes]) -> None:
        self.again += channels
        self._changed.set()

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Return when it is so, which may only change when something is heard."""
        async with asyncio.timeout(DEADLINE_S):
            while not is_so():
                self._changed.clear()
                await self._changed.wait()

    async def restoring(self, *channels: bytes) -> None:
        await self.until(lambda: set(channels) <= set(self.again))


async def eventually(is_so: Callable[[], bool]) -> None:
    """Look again and again; for what nobody is told of."""
    async with asyncio.timeout(DEADLINE_S):
        while not is_so():  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(0.01)
