"""A mailbox holds finished messages for a client whose transport takes no more.

It exists only while the client lags, and holds at most ``limit`` bytes. When it is full the rule of the channel whose
message came last decides. Urgent messages wait in a lane of their own, which is emptied first.
"""

from collections import deque
from typing import Final

import msgspec

from vagus.kernel.channels import WhenSlow

DISCONNECT: Final = "disconnect"


class Held(msgspec.Struct, frozen=True, gc=False):
    """A message and where it came from: channels are told apart by identity, replies have no source."""

    message: bytes
    source: object
    when_slow: WhenSlow


class Mailbox:
    __slots__ = ("_lane", "_limit", "_urgent", "dropped", "size")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lane: deque[Held] = deque()
        self._urgent: deque[Held] = deque()
        self.size = 0
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._lane) + len(self._urgent)

    def put(
        self, message: bytes, *, source: object = None, when_slow: WhenSlow = DISCONNECT, urgent: bool = False
    ) -> bool:
        """Hold a message. ``False`` says that the client must be closed: it is full, and the rule drops nothing."""
        held = Held(message, source, when_slow)
        if self.size + len(message) > self._limit:
            self._make_room(held)
        if self.size + len(message) > self._limit:
            return False
        (self._urgent if urgent else self._lane).append(held)
        self.size += len(message)
        return True

    def _make_room(self, held: Held) -> None:
        match held.when_slow:
            case "disconnect":
                return
            case "keep-latest":
                self._drop([old for old in (*self._lane, *self._urgent) if old.source is held.source])
            case "drop-oldest":
                excess, doomed = self.size + len(held.message) - self._limit, []
                for old in (*self._lane, *self._urgent):
                    if excess <= 0:
                        break
                    if old.when_slow == "drop-oldest":
                        doomed.append(old)
                        excess -= len(old.message)
                self._drop(doomed)

    def _drop(self, doomed: list[Held]) -> None:
        gone = {id(held) for held in doomed}
        self._lane = deque(held for held in self._lane if id(held) not in gone)
        self._urgent = deque(held for held in self._urgent if id(held) not in gone)
        self.size -= sum(len(held.message) for held in doomed)
        self.dropped += len(doomed)

    def take(self) -> bytes:
        """The next message to write. Raises ``IndexError`` when empty."""
        held = self._urgent.popleft() if self._urgent else self._lane.popleft()
        self.size -= len(held.message)
        return held.message
