"""Who is present in channels, for all nodes. What a node enters holds as long as its tenure (see ``registry``) lives.

A client costs one script when it comes and one when it leaves, and nothing in between. This node keeps its own entries,
so that it can enter them again under another tenure where they may be gone: after a loss in Redis, or where something
failed. The entries of a dead tenure are cleared away by whichever node gets the lock for that.
"""

import asyncio
from collections import Counter
from itertools import chain
from typing import Any, Final

import msgspec
import structlog

from vagus.kernel.errors import BrokerError
from vagus.kernel.publications import ClientInfo
from vagus.kernel.replies import PresenceStatsResult

from . import Servers, parcels, scripts
from .keys import Keys
from .registry import Registry
from .streams import is_foreign

log = structlog.get_logger()

KEPT_MS: Final = 24 * 3600 * 1000
"""How long keys are kept when nobody renews them: nodes do so a few times in that time."""

RENEW_S: Final = 6 * 3600.0

BATCH: Final = 512
"""Commands sent in one write when there is a lot to do."""

READ_AT_ONCE: Final = 500
"""About how many entries are read before others get their turn."""


class Attendance:
    """``is_settled`` says that all that is known here is entered, as far as can be told."""

    def __init__(self, servers: Servers, keys: Keys, registry: Registry) -> None:
        self._servers = servers
        self._keys = keys
        self._registry = registry
        self._here: dict[str, dict[str, ClientInfo]] = {}
        self._partitions: Counter[int] = Counter()
        self._renewed_at = asyncio.get_running_loop().time()
        self.is_settled = True

    async def enter(self, channel: str, info: ClientInfo) -> None:
        """It is kept in mind if Redis cannot take it now, and entered later."""
        members = self._here.get(channel)
        if members is None:
            members = self._here[channel] = {}
            self._partitions[self._keys.partition(channel)] += 1
        members[info.client] = info
        try:
            await self._enter(channel, info)
        except BrokerError as error:
            self._note(error, channel, info.client)
            raise

    async def exit(self, channel: str, client: str) -> None:
        """Where it fails, settling makes up for it."""
        left = channel if self._forget(channel, client) else ""
        try:
            await self._exit(channel, client, left)
        except BrokerError as error:
            self._note(error, channel, client)
            raise

    def doubt(self) -> None:
        """What was entered may be gone."""
        if self._here:
            self.is_settled = False

    def _note(self, error: BrokerError, channel: str, client: str) -> None:
        """It has to be tried again, unless that is of no use."""
        if is_foreign(error):
            self._forget(channel, client)
        else:
            self.is_settled = False

    def _forget(self, channel: str, client: str) -> bool:
        """Whether that was the last one of this node in the channel."""
        members = self._here.get(channel)
        if members is None or members.pop(client, None) is None or members:
            return False
        del self._here[channel]
        self._partitions[self._keys.partition(channel)] -= 1
        return True

    async def _enter(self, channel: str, info: ClientInfo) -> None:
        tenure = self._registry.tenure
        entry = parcels.packed_entry(info, tenure)
        keys = self._keys.presence(channel, tenure)
        await self._servers.call(scripts.ENTER, keys, (info.client, entry, info.user, channel, KEPT_MS))

    async def _exit(self, channel: str, client: str, left: str) -> None:
        keys = self._keys.presence(channel, self._registry.tenure)
        await self._servers.call(scripts.EXIT, keys, (client, left))

    # asking

    async def present(self, channel: str) -> dict[str, ClientInfo]:
        """Who is in a channel, but for those of dead tenures. Read in parts, so that crowds hold nobody up."""
        clients = self._keys.presence(channel, "")[0]
        found: dict[str, ClientInfo] = {}
        cursor = b"0"
        while True:
            cursor, fields = await self._servers.run(clients, b"HSCAN", clients, cursor, b"COUNT", READ_AT_ONCE)
            found.update((info.client, info) for entry in fields[1::2] if (info := self._living(entry)) is not None)
            if cursor == b"0":
                return found

    def _living(self, entry: bytes) -> ClientInfo | None:
        """Whom an entry means; ``None`` if its tenure is dead, or if it was not written by this program."""
        try:
            return None if parcels.tenure_of(entry) in self._registry.dead else parcels.unpacked_entry(entry)
        except (ValueError, msgspec.DecodeError):
            return None

    async def stats(self, channel: str) -> PresenceStatsResult:
        clients, users, _ = self._keys.presence(channel, "")
        return PresenceStatsResult(*await asyncio.gather(self._size(clients), self._size(users)))

    async def _size(self, key: bytes) -> int:
        size: int = await self._servers.run(key, b"HLEN", key)
        return size

    # keeping

    async def look_after(self) -> None:
        """Find out whether entries are gone; now and then, keep the keys for longer."""
        partitions = [partition for partition, count in self._partitions.items() if count]
        indexes = [self._keys.index(partition, self._registry.tenure) for partition in partitions]
        kept = await asyncio.gather(*[self._keep(index) for index in indexes])
        if any(not is_kept and self._partitions[number] for number, is_kept in zip(partitions, kept, strict=True)):
            self.is_settled = False
        now = asyncio.get_running_loop().time()
        if now - self._renewed_at > RENEW_S:
            self._renewed_at = now
            await self._renew()

    async def _keep(self, key: bytes) -> Any:
        return await self._servers.run(key, b"PEXPIRE", key, KEPT_MS)

    async def _renew(self) -> None:
        channels = list(self._here)
        for start in range(0, len(channels), BATCH // 2):
            keys = [self._keys.presence(channel, "")[:2] for channel in channels[start : start + BATCH // 2]]
            await asyncio.gather(*[self._keep(key) for key in chain.from_iterable(keys)])

    async def settle(self) -> None:
        """Enter everything again, under another tenure. Raises ``BrokerError``, and then has to be done again."""
        former = self._registry.tenure
        self.is_settled = True
        try:
            await self._registry.take_tenure()
            everybody = [(channel, client) for channel, members in self._here.items() for client in members]
            for start in range(0, len(everybody), BATCH):
                await asyncio.gather(*[self._enter_again(*entry) for entry in everybody[start : start + BATCH]])
            await self._registry.give_up(former)
        except BaseException:
            self.is_settled = False
            raise
        if everybody:
            log.info("presence_entered_again", entries=len(everybody))

    async def _enter_again(self, channel: str, client: str) -> None:
        """Unless it has left meanwhile."""
        info = self._here.get(channel, {}).get(client)
        if info is None:
            return
        try:
            await self._enter(channel, info)
        except BrokerError as error:
            self._note(error, channel, client)
            if not is_foreign(error):
                raise
