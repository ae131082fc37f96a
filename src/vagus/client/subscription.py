"""A channel that a program follows: messages to iterate over, kept whole across lost connections.

::

    async with client.subscribe("orders:7", Order) as orders:
        async for message in orders:
            print(message.data.total)

What was missed while there was no connection is recovered, and each message comes once and in order. Where that is not
possible, ``message.after_gap`` says so on the first message after the gap, ``on_gap`` is called, and ``recovered`` is
false: load the state anew then.
"""

import asyncio
from types import TracebackType
from typing import Final, Generic, Self, TypeVar

from vagus.kernel.publications import Position

from .channels import Channels
from .errors import NotConnectedError
from .membership import Membership
from .messages import Message

T = TypeVar("T")


class Subscription(Generic[T]):
    """One channel of a client, made by ``client.subscribe``. Several tasks may iterate; each message goes to one."""

    def __init__(self, channels: Channels, membership: Membership[T]) -> None:
        self.channel: Final = membership.channel
        self._channels = channels
        self._membership = membership
        self._was_started = False

    async def start(self) -> None:
        """Subscribe, and return when the subscription stands.

        Raises ``RefusedError`` if the server says no, ``ValueError`` if the client follows the channel already, and
        what the client raises that will not connect any more. Cancelling leaves nothing behind.
        """
        membership = self._membership
        if membership.settled.is_set():
            raise ValueError(f"{self.channel}: a subscription is started once; the client makes another")
        self._channels.follow(membership)
        self._was_started = True
        try:
            await membership.settled.wait()
        except asyncio.CancelledError:
            await self.close()
            raise
        if membership.error is not None:
            raise membership.error.with_traceback(None)
        if not membership.was_in:
            raise NotConnectedError(f"{self.channel}: closed before the subscription stood")

    async def close(self) -> None:
        """Follow no more. What came and was not taken yet can still be iterated over, which ends then."""
        self._membership.end(None)
        await self._channels.leave(self._membership)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Message[T]:
        """The next message. Ends when the subscription or the client is closed.

        Raises ``EndedError`` if the server ended the subscription, ``RefusedError`` if it refused to renew it, and what
        the client raises that will not connect any more; always after all that came before. ``ValueError`` if it was
        not started, since nothing would ever come. Cancelling loses none.
        """
        if not self._was_started:
            raise ValueError(
                f"{self.channel}: not subscribed; write `async with client.subscribe(…) as subscription`, and iterate"
                " over that"
            )
        return await self._membership.buffer.take()

    @property
    def position(self) -> Position:
        """The place of the newest message that came, be it taken or not."""
        return self._membership.following.position

    @property
    def recovered(self) -> bool | None:
        """Whether all that was missed before the latest subscription came; ``None`` where nothing was missed."""
        return self._membership.following.recovered

    @property
    def waiting(self) -> int:
        """Messages that came and were not taken yet."""
        return len(self._membership.buffer)

    @property
    def dropped(self) -> int:
        """Messages that made room for newer ones, with ``when_full="drop-oldest"``."""
        return self._membership.buffer.dropped
