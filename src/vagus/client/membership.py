"""A subscription's inner half: it subscribes on each connection, renews its token, and fills the buffer.

It is driven by ``channels``, which hands it what came, and runs ``keep`` as a task of each connection. Programs see
``Subscription``.
"""

import asyncio
import random
from collections.abc import Callable
from typing import Final, Generic, Protocol, TypeVar

from vagus.kernel import codes
from vagus.kernel.codes import Ending

from .buffer import Buffer, WhenFull
from .connection import Connection
from .errors import EndedError, RefusedError
from .following import Following
from .messages import Gap, Message, Publication
from .protocol import Reply
from .retry import Retry
from .tokens import AGAIN_S, TokenError, Tokens, renewal_s

T = TypeVar("T")

ANSWER_S: Final = 10.0
"""For the server to answer to a subscription, before it is asked for again."""
_EXPIRED: Final = (codes.TOKEN_EXPIRED.code, codes.EXPIRED.code)


class Owner(Protocol):
    """What a membership needs of who drives it."""

    def let_go(self, membership: "Membership[T]") -> None:
        """Hand it nothing more."""

    async def leave(self, membership: "Membership[T]") -> None:
        """Let go of it, and tell the server."""

    def rejoin(self, membership: "Membership[T]", *, leave_first: bool = False) -> None:
        """Subscribe once more on the connection that there is; ``leave_first`` if the server believes it subscribed."""

    def crowd(self, membership: "Membership[T]", is_crowded: bool) -> None:
        """It is full, and nothing more can be read; or it is not any more."""


class Membership(Generic[T]):
    """``settled`` is set once the subscription stands, or never will: then ``error`` says why, if it was not closed."""

    def __init__(
        self,
        owner: Owner,
        following: Following[T],
        *,
        tokens: Tokens,
        retry: Retry,
        capacity: int,
        when_full: WhenFull,
        on_gap: Callable[[Gap], None] | None,
    ) -> None:
        self.channel: Final = following.channel
        self.following: Final = following
        self.buffer: Final[Buffer[T]] = Buffer(capacity, when_full, self._has_room)
        self.settled: Final = asyncio.Event()
        self.error: Exception | None = None
        self.was_in = False
        self._owner = owner
        self._tokens = tokens
        self._retry = retry
        self._on_gap = on_gap
        self._is_shut_out = False
        self._ends = 0
        """How often the server has ended it since the last message."""

    async def keep(self, connection: Connection, *, leave_first: bool = False) -> None:
        """Subscribe on this connection, and renew the token as long as it holds. Temporary refusals are tried again."""
        try:
            if self._ends > 1:
                await asyncio.sleep(self._retry.delay_s(self._ends - 2, random.random))
            if leave_first:
                await connection.ask("unsubscribe", {"channel": self.channel})
            ttl_s = await self._join(connection)
            while ttl_s and self._tokens.can_renew:
                await asyncio.sleep(renewal_s(ttl_s))
                ttl_s = await self._renew(connection)
        except RefusedError as error:
            self.end(error)
            await self._owner.leave(self)

    def take(self, publication: Publication) -> None:
        """Hand on what came. Raises ``StrayPatchError`` for a difference to something else."""
        if self._is_shut_out:
            return
        message = self.following.published(publication)
        if message is not None:
            self._put(message)

    def ended(self, ending: Ending) -> None:
        """The server ended it: for good, or to be made once more."""
        if not ending.resubscribes:
            self.end(EndedError(self.channel, ending))
            self._owner.let_go(self)
            return
        if ending.code == codes.INVALIDATED.code:
            self.following.forget()
        if ending.code in (codes.INVALIDATED.code, codes.SUBSCRIPTION_EXPIRED.code) and self._tokens.can_renew:
            self._tokens.drop()
        self._ends += 1
        self._owner.rejoin(self)

    def end(self, error: Exception | None) -> None:
        """Nothing more will come: iterations end when all is taken, with the error if there is one."""
        self.error = error
        self.buffer.close(error)
        self.settled.set()

    def shut_out_if_far_behind(self) -> bool:
        """Take no more until there is room, and recover then.

        For a program that waits for answers while its buffer is full: they come behind messages, so reading goes on.
        """
        if len(self.buffer) >= 2 * self.buffer.capacity:
            self._is_shut_out = True
        return self._is_shut_out

    async def _join(self, connection: Connection) -> int:
        """Subscribe. Returns for how long, in seconds; 0 without an end."""
        attempt = 0
        while True:
            try:
                body = self.following.request(await self._tokens.current())
                async with asyncio.timeout(ANSWER_S):
                    reply = await connection.ask("subscribe", body, self._joined)
            except TokenError:
                pass  # like a server that says "later"
            except TimeoutError:
                await connection.tell("unsubscribe", {"channel": self.channel})
            except RefusedError as error:
                if error.fault.code == codes.TOKEN_EXPIRED.code:
                    self._tokens.drop()
                elif not error.fault.temporary:
                    raise
            else:
                assert reply.subscribe is not None  # see ``Connection.ask``
                return reply.subscribe.ttl if reply.subscribe.expires else 0
            await asyncio.sleep(self._retry.delay_s(attempt, random.random))
            attempt += 1

    def _joined(self, reply: Reply) -> None:
        assert reply.subscribe is not None  # see ``Connection.ask``
        self.was_in, self._is_shut_out = True, False
        for message in self.following.subscribed(reply.subscribe):
            self._put(message)
        if self.following.is_in_gap and self._on_gap is not None:
            gap = Gap(self.channel, self.following.position)
            asyncio.get_running_loop().call_soon(self._on_gap, gap)  # what it raises is the loop's to report
        self.settled.set()

    async def _renew(self, connection: Connection) -> int:
        """Show a new token. Returns for how long it holds."""
        while True:
            try:
                token = await self._tokens.renewed()
                reply = await connection.ask("sub_refresh", {"channel": self.channel, "token": token})
            except TokenError:
                pass
            except RefusedError as error:
                if not (error.fault.temporary or error.fault.code in _EXPIRED):
                    raise
            else:
                assert reply.sub_refresh is not None  # see ``Connection.ask``
                return reply.sub_refresh.ttl if reply.sub_refresh.expires else 0
            await asyncio.sleep(AGAIN_S)

    def _put(self, message: Message[T]) -> None:
        self._ends = 0
        self.buffer.put(message)
        if self.buffer.is_full:
            self._owner.crowd(self, True)

    def _has_room(self) -> None:
        self._owner.crowd(self, False)
        if self._is_shut_out:
            self._owner.rejoin(self, leave_first=True)
