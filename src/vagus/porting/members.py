"""Members: the clients of a section, each as the one value that an application's functions know it by.

A client becomes a member when it is let into the section that it came for. One that came for another section and calls
in (every call is open to all whom it allows) becomes a member with its first call, in the very same way, so that no
function is ever called for somebody whom the application has not had the chance to turn away.
"""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import Any, Generic, Protocol, TypeVar
from weakref import WeakKeyDictionary, WeakValueDictionary

from vagus.hub.requests import Caller, ConnectRequest, Origin
from vagus.hub.sections import Section
from vagus.kernel.codes import Closure
from vagus.kernel.identity import Identity
from vagus.kernel.publications import NOTHING, Json

from .rooms import Rooms

M = TypeVar("M")
T = TypeVar("T")


class Household(Protocol[M]):
    """What an API does with its members."""

    def member(self, client: str, identity: Identity, origin: Origin) -> M: ...

    async def admit(self, member: M, data: Json) -> None:
        """Before it is let in; what is raised refuses it. ``data`` is what it sent along."""
        ...

    async def greet(self, member: M) -> None:
        """It is in. What is raised sends it away."""
        ...

    async def bid_farewell(self, member: M, closure: Closure) -> None: ...


class Members(Generic[M]):
    """``here`` are those of this node by the ids of their clients."""

    def __init__(self, section: Section, rooms: Rooms, household: Household[M]) -> None:
        self.here: dict[str, M] = {}
        self._hub = section.hub
        self._rooms = rooms
        self._household = household
        self._greeting: WeakKeyDictionary[ConnectRequest, M] = WeakKeyDictionary()
        self._coming: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        section.on_connecting(self._connecting)
        section.on_connected(self._connected)
        self._hub.on_disconnect(self._disconnected)

    def call(self, caller: Caller, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        """Call a function that takes the caller's member and the arguments; the result may have to be awaited."""
        member = self.here.get(caller.client)
        if member is None:
            return self._come_and_call(caller, function, arguments)
        return function(member, *arguments)

    async def of(self, caller: Caller) -> M:
        """The member that a caller is, or becomes."""
        member = self.here.get(caller.client)
        return await self._come(caller) if member is None else member

    async def _come_and_call(self, caller: Caller, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        return await outcome(function(await self._come(caller), *arguments))

    async def _come(self, caller: Caller) -> M:
        """Let a caller from another section in, once: streams that it asks for begin side by side."""
        lock = self._coming.get(caller.client) or asyncio.Lock()
        self._coming[caller.client] = lock
        async with lock:
            member = self.here.get(caller.client)
            return await self._meet(caller) if member is None else member

    async def _meet(self, caller: Caller) -> M:
        client = self._hub.clients.get(caller.client)
        member = self._household.member(caller.client, caller.identity, client.origin if client else Origin())
        await self._household.admit(member, NOTHING)
        try:
            await self._let_in(member, caller)
        except BaseException:
            await self._rooms.see_off(caller.client, caller.user)
            raise
        return member

    async def _connecting(self, request: ConnectRequest, identity: Identity) -> None:
        member = self._household.member(request.client, identity, request.origin)
        await self._household.admit(member, request.data)
        self._greeting[request] = member

    async def _connected(self, caller: Caller, request: ConnectRequest) -> None:
        await self._let_in(self._greeting.pop(request), caller)

    async def _let_in(self, member: M, caller: Caller) -> None:
        """Nobody is greeted, or bidden farewell, who is gone before its rooms have taken it in."""
        if caller.client not in self._hub.clients:
            return
        await self._rooms.welcome(caller.client, caller.user)
        if caller.client not in self._hub.clients:
            return
        self.here[caller.client] = member
        try:
            await self._household.greet(member)
        except BaseException:
            self.here.pop(caller.client, None)
            raise

    def _disconnected(self, caller: Caller, closure: Closure) -> Awaitable[None] | None:
        member = self.here.pop(caller.client, None)
        return None if member is None else self._household.bid_farewell(member, closure)


async def outcome(result: T | Awaitable[T]) -> T:
    """What a function gave that may be plain or async."""
    return await result if inspect.isawaitable(result) else result
