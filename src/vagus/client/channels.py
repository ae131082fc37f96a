"""Whom a push is for: a program's subscriptions, the channels that the server put it into, or the program itself.

It outlives connections: ``begin`` subscribes everything anew on each, ``pause`` says that it is over. Back-pressure
meets here: while ``crowded`` holds a membership whose buffer is full, the connection is not read.
"""

import asyncio
from contextlib import suppress
from typing import Any, Final, TypeVar

from vagus.kernel.codes import Ending

from .buffer import Buffer
from .connection import Connection, LostError, loss_by
from .following import Following, StrayPatchError, Wishes
from .membership import Membership
from .messages import Message, Publication, decoder_of
from .protocol import Push, Subscribed

T = TypeVar("T")

INBOX: Final = 1_000
"""Messages that are kept for a program which has not asked for them yet."""

_anything: Final = decoder_of(Any)


class Channels:
    """``refusal`` is why nothing can be followed now: the client was not started, or will not connect any more."""

    def __init__(self, refusal: Exception) -> None:
        self.refusal: Exception | None = refusal
        self.inbox: Final[Buffer[Any]] = Buffer(INBOX, "drop-oldest", lambda: None)
        self.crowded: Final[set[Membership[Any]]] = set()
        self._flow = asyncio.Event()
        self._memberships: dict[str, Membership[Any]] = {}
        self._attached: dict[str, Following[Any]] = {}
        self._keeping: dict[Membership[Any], asyncio.Task[None]] = {}
        self._connection: Connection | None = None
        self._tasks: asyncio.TaskGroup | None = None

    # over one connection

    def positions(self) -> dict[str, Any]:
        """Where the client stands in the channels that the server put it into, for the connect command."""
        return {channel: following.request() for channel, following in self._attached.items()}

    def welcomed(self, subs: dict[str, Subscribed]) -> None:
        """These are the channels that the server put it into this time."""
        for channel in self._attached.keys() - subs.keys():
            del self._attached[channel]
        for channel, subscribed in subs.items():
            self._attach(channel, subscribed)

    def begin(self, connection: Connection, tasks: asyncio.TaskGroup) -> None:
        """Subscribe everything here; the tasks belong to whoever owns the connection."""
        self._connection, self._tasks = connection, tasks
        for membership in self._memberships.values():
            self._keep(membership)

    def pause(self) -> None:
        """There is no connection for the moment."""
        self._connection = self._tasks = None
        self._keeping.clear()

    def forget(self) -> None:
        """The server says that what is known of channels holds no more."""
        for membership in self._memberships.values():
            membership.following.forget()
        for following in self._attached.values():
            following.forget()

    def stop(self, refusal: Exception) -> None:
        """From now on nothing begins any more, while what goes on is ended."""
        self.refusal = refusal
        self.pause()

    def end(self, refusal: Exception, *, quietly: bool) -> None:
        """Nothing more will come: iterations end, with the refusal unless ``quietly``."""
        self.refusal = refusal
        error = None if quietly else refusal
        for membership in self._memberships.values():
            membership.end(error)
        self._memberships.clear()
        self.inbox.close(error)

    def pushed(self, push: Push) -> None:
        """Hand a push to whom it is for. Raises ``LostError`` where it ends the connection."""
        if push.pub is not None:
            self._published(push.channel, push.pub)
        elif push.message is not None:
            self.inbox.put(Message("", Publication(push.message.data), _anything))
        elif push.unsubscribe is not None:
            self._ended(push.channel, push.unsubscribe)
        elif push.subscribe is not None:
            self._attach(push.channel, push.subscribe)
        elif push.disconnect is not None:
            raise loss_by(push.disconnect)

    async def wait_for_room(self) -> None:
        """Wait until nobody is crowded. Who waits for an answer is not kept from it by the messages in front of it."""
        while self.crowded and not (self._connection is not None and self._connection.awaits_answers):
            self._flow.clear()
            await self._flow.wait()
        for membership in tuple(self.crowded):
            if membership.shut_out_if_far_behind():
                self.crowded.discard(membership)

    def asked(self) -> None:
        """Somebody waits for an answer now."""
        self._flow.set()

    # for subscriptions

    def follow(self, membership: Membership[T]) -> None:
        """Take it in. Raises ``ValueError`` if its channel is followed already, or why nothing can be."""
        if self.refusal is not None:
            raise self.refusal.with_traceback(None)
        if membership.channel in self._memberships:
            raise ValueError(f"{membership.channel}: followed already; several tasks may iterate over one subscription")
        self._memberships[membership.channel] = membership
        self._keep(membership)

    def let_go(self, membership: Membership[T]) -> None:
        if self._memberships.get(membership.channel) is membership:
            del self._memberships[membership.channel]
        self.crowd(membership, False)
        task = self._keeping.pop(membership, None)
        if task is not None and task is not asyncio.current_task():
            task.cancel()

    async def leave(self, membership: Membership[T]) -> None:
        if self._memberships.get(membership.channel) is not membership:
            return
        self.let_go(membership)
        if self._connection is not None:
            with suppress(LostError):  # then the server has forgotten it anyway
                await self._connection.tell("unsubscribe", {"channel": membership.channel})

    def rejoin(self, membership: Membership[T], *, leave_first: bool = False) -> None:
        task = self._keeping.pop(membership, None)
        if task is not None:
            task.cancel()
        if self._memberships.get(membership.channel) is membership:
            self._keep(membership, leave_first=leave_first)

    def crowd(self, membership: Membership[T], is_crowded: bool) -> None:
        if is_crowded:
            self.crowded.add(membership)
        elif membership in self.crowded:
            self.crowded.discard(membership)
            self._flow.set()

    # inside

    def _keep(self, membership: Membership[T], *, leave_first: bool = False) -> None:
        if self._connection is not None and self._tasks is not None and not self._connection.is_over:
            keeping = membership.keep(self._connection, leave_first=leave_first)
            self._keeping[membership] = self._tasks.create_task(keeping)

    def _published(self, channel: str, publication: Publication) -> None:
        try:
            membership = self._memberships.get(channel)
            if membership is not None:
                membership.take(publication)
            elif (following := self._attached.get(channel)) is not None:
                message = following.published(publication)
                if message is not None:
                    self.inbox.put(message)
        except StrayPatchError as error:
            raise LostError(str(error)) from None

    def _attach(self, channel: str, subscribed: Subscribed) -> None:
        following = self._attached.get(channel)
        if following is None:
            following = self._attached[channel] = Following(channel, Wishes(), _anything)
        for message in following.subscribed(subscribed):
            self.inbox.put(message)

    def _ended(self, channel: str, ending: Ending) -> None:
        membership = self._memberships.get(channel)
        if membership is not None:
            membership.ended(ending)
        else:
            self._attached.pop(channel, None)
