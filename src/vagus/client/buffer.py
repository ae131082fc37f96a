"""Messages between the one who reads the socket and those who iterate: bounded, with a rule for when it is full.

``block``: who reads the socket looks at ``is_full`` and waits until ``on_room`` is called. It may put in some more
first, which nothing is lost by. ``drop-oldest``: the oldest goes, which is counted, and the next one says that it
follows a gap.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final, Generic, Literal, TypeVar

from .messages import Message

T = TypeVar("T")

TURN: Final = 64
"""Messages that are taken at a stretch."""

WhenFull = Literal["block", "drop-oldest"]


class Buffer(Generic[T]):
    """Several may take from it; each message goes to one of them."""

    __slots__ = ("_drops", "_error", "_is_closed", "_items", "_news", "_on_room", "_taken", "capacity", "dropped")

    def __init__(self, capacity: int, when_full: WhenFull, on_room: Callable[[], None]) -> None:
        if capacity < 1:
            raise ValueError("capacity: must be at least 1")
        if when_full not in ("block", "drop-oldest"):
            raise ValueError(f"when_full: 'block' or 'drop-oldest', not {when_full!r}")
        self.capacity: Final = capacity
        self.dropped = 0
        self._drops = when_full == "drop-oldest"
        self._items: deque[Message[T]] = deque()
        self._news = asyncio.Event()
        self._on_room = on_room
        self._taken = 0
        self._is_closed = False
        self._error: Exception | None = None

    def __len__(self) -> int:
        return len(self._items)

    @property
    def is_full(self) -> bool:
        return len(self._items) >= self.capacity and not self._drops

    def put(self, message: Message[T]) -> None:
        if self._is_closed:
            return
        items = self._items
        items.append(message)
        if self._drops and len(items) > self.capacity:
            items.popleft()
            self.dropped += 1
            items[0].after_gap = True
        self._news.set()

    def close(self, error: Exception | None = None) -> None:
        """Let what is there be taken; then iterations end, or raise the error."""
        if not self._is_closed:
            self._is_closed, self._error = True, error
            self._news.set()

    async def take(self) -> Message[T]:
        """The next message. Raises ``StopAsyncIteration`` or the error when closed. Cancelling loses none.

        Now and then others get a turn first, also where a program awaits nothing else: pings must be answered
        meanwhile.
        """
        items = self._items
        self._taken += 1
        if not self._taken % TURN:
            await asyncio.sleep(0)
        while not items:
            if self._is_closed:
                raise StopAsyncIteration if self._error is None else self._error.with_traceback(None)
            self._news.clear()
            await self._news.wait()
        message = items.popleft()
        if len(items) == self.capacity // 2:
            self._on_room()
        return message
