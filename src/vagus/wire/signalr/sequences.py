"""Numbers of messages, for connections that outlive their sockets: what the other side has yet to confirm, and what of

its messages was seen before. Only invocations, items, completions and cancellations have numbers, from 1 on.
"""

from collections import deque
from typing import Final

from vagus.kernel import codes
from vagus.kernel.errors import DisconnectError

from .messages import COUNTED, Message, Sequence

BOUND: Final = 100_000
"""Bytes that may wait for confirmation, as in the reference server."""


class Unacked:
    """Finished messages as they were sent, several to a payload, until they are confirmed."""

    __slots__ = ("_bound", "_payloads", "size", "total")

    def __init__(self, bound: int = BOUND) -> None:
        self._bound = bound
        self._payloads: deque[tuple[int, bytes]] = deque()  # each with the number of its first message
        self.size = 0
        self.total = 0
        """Messages sent so far."""

    @property
    def is_full(self) -> bool:
        """Whether the sender should wait."""
        return self.size >= self._bound

    @property
    def first(self) -> int:
        """The number of the message that ``payloads`` begin with."""
        return self._payloads[0][0] if self._payloads else self.total + 1

    @property
    def payloads(self) -> list[bytes]:
        """All that is not confirmed, in order."""
        return [payload for _, payload in self._payloads]

    def put(self, payload: bytes, count: int) -> None:
        """Keep what is being sent, which is so many messages."""
        if count:
            self._payloads.append((self.total + 1, payload))
            self.total += count
            self.size += len(payload)

    def ack(self, number: int) -> None:
        """Messages up to this one have come. A payload goes when its last one has."""
        payloads = self._payloads
        while payloads and (payloads[1][0] if len(payloads) > 1 else self.total + 1) <= number + 1:
            self.size -= len(payloads.popleft()[1])


class Heard:
    """The numbers of what comes in."""

    __slots__ = ("_is_waiting", "_next", "latest")

    def __init__(self) -> None:
        self._next = 1
        self._is_waiting = False
        self.latest = 0
        """What to confirm."""

    def wait(self) -> None:
        """There is a new socket: ignore everything until the other side has said where it begins."""
        self._is_waiting = True

    def takes(self, message: Message) -> bool:
        """Whether a message is new. Raises ``DisconnectError`` where the other side has skipped some."""
        if isinstance(message, Sequence):
            if message.sequence > self._next or not message.sequence:
                raise DisconnectError(codes.MALFORMED)
            self._next = message.sequence
            self._is_waiting = False
            return False
        if self._is_waiting:
            return False
        if type(message) not in COUNTED:
            return True
        number = self._next
        self._next += 1
        if number <= self.latest:
            return False
        self.latest = number
        return True
