"""Rooms: which clients of a section are told what together. Socket.IO calls them rooms, SignalR groups.

====================================  ==========================================
everybody of the section ``chat``     the channel ``chat``
its room ``lobby``                    the channel ``chat:lobby``
whoever is the user ``ada`` there     the channel ``chat@ada``
====================================  ==========================================

The root section, which has no name, is called ``root`` here. A client is subscribed by the server; nobody may follow a
room or publish to it of their own accord unless its rule says so. Whoever follows one, in whatever dialect, gets the
same events in the same order, and those who ask for it recover what they missed.

What is for one room is one publication, whatever the number of its clients. Where rooms that have clients in common are
told something, or several clients are left out, part of it goes to each client by itself, and is not kept.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from vagus.hub.hub import Hub
from vagus.hub.sections import Section
from vagus.kernel import codes
from vagus.kernel.channels import ChannelOptions, ChannelRule, Last
from vagus.kernel.errors import RefusedError
from vagus.kernel.events import Event, envelope_of
from vagus.kernel.permissions import Access
from vagus.kernel.publications import ClientInfo

ROOT: Final = "root"
HISTORY: Final = Last(100, minutes=2)
"""Enough for a client that was away for a moment."""


def section_of(hub: Hub, name: str, allow: Access) -> Section:
    """A new section, or the one that is there from the start, which everybody who connects comes for."""
    return hub.section(name, allow=allow) if name else hub.sections[""]


class Recipients(msgspec.Struct, frozen=True):
    """Whom an event is for: who follows any of the channels, but for the clients left out."""

    channels: tuple[str, ...]
    left_out: frozenset[str] = frozenset()


class Rooms:
    """The rooms of one section. ``options`` are those of their channel rule that shall differ."""

    def __init__(self, hub: Hub, section: Section, options: ChannelOptions | None, *, has_users: bool = False) -> None:
        """With ``has_users`` each user's clients can be told something by the user's name."""
        self.hub = hub
        self.everybody: Final = section.name or ROOT
        self._prefix: Final = f"{self.everybody}:"
        self._has_users = has_users
        wanted: ChannelOptions = {"history": HISTORY, "presence": True, **(options or {})}
        for pattern in (self.everybody, self._prefix + "{room*}"):
            hub.rules.add(ChannelRule(pattern=pattern, **wanted), f"channel {pattern!r}")
        if has_users:
            pattern = self.everybody + "@{user*}"
            hub.rules.add(ChannelRule(pattern=pattern), f"channel {pattern!r}")

    def channel(self, room: str) -> str:
        """The channel of a room. Raises ``RefusedError`` for a name that none has, since clients often bring it."""
        channel = self._prefix + room
        if not room or len(channel) > self.hub.limits.channel_length:
            raise RefusedError(codes.BAD_REQUEST)
        return channel

    def channels(self, rooms: Iterable[str]) -> tuple[str, ...]:
        """The channels of several rooms, each once."""
        return tuple(dict.fromkeys(map(self.channel, rooms)))

    def channel_of_user(self, user: str) -> str:
        return f"{self.everybody}@{user}"

    async def welcome(self, client: str, user: str) -> None:
        """Let a client of the section in where it belongs from the start."""
        await self.enter(client, self.everybody)
        if self._has_users and user:
            await self.enter(client, self.channel_of_user(user))

    async def see_off(self, client: str, user: str) -> None:
        """Undo ``welcome``, and whatever it entered since."""
        for channel in (self.everybody, self.channel_of_user(user), *map(self.channel, self.of(client))):
            await self.leave(client, channel)

    async def enter(self, client: str, channel: str) -> None:
        """Subscribe a client; one of this node is told of what comes next when this returns."""
        here = self.hub.clients.get(client)
        if here is not None and channel not in here.subscriptions:
            if len(here.subscriptions) >= self.hub.limits.channels:
                raise RefusedError(codes.LIMIT_EXCEEDED)
        await self.hub.subscribe(channel, client=client)

    async def leave(self, client: str, channel: str) -> None:
        await self.hub.unsubscribe(channel, client=client)

    def of(self, client: str) -> frozenset[str]:
        """The rooms that a client of this node is in."""
        here = self.hub.clients.get(client)
        followed = here.subscriptions if here is not None else ()
        return frozenset(name.removeprefix(self._prefix) for name in followed if name.startswith(self._prefix))

    async def members(self, channel: str) -> dict[str, ClientInfo]:
        """Who is there, on all nodes, by the ids of their clients."""
        return await self.hub.presence(channel)

    async def tell_client(self, client: str, event: Event) -> None:
        await self.hub.send(envelope_of(event), client=client)

    async def tell_users(self, users: Iterable[str], event: Event) -> None:
        """Publish an event to users, who have no clients in common."""
        data = envelope_of(event)
        for user in dict.fromkeys(users):
            await self.hub.publish(self.channel_of_user(user), data)

    async def tell(self, to: Recipients, event: Event) -> None:
        """Publish an event so that it reaches each recipient once."""
        data = envelope_of(event)
        if len(to.channels) == 1 and len(to.left_out) <= 1:
            await self.hub.publish(to.channels[0], data, exclude="".join(to.left_out))
            return
        served = set(to.left_out)
        for channel in to.channels:
            members = (await self.members(channel)).keys()
            shared = members & served
            if len(shared) <= 1:
                await self.hub.publish(channel, data, exclude="".join(shared))
            else:
                for client in members - served:
                    await self.hub.send(data, client=client)
            served |= members
