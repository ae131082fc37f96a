"""Clearing up after dead tenures: their entries in presence are taken out in small steps, by one node at a time."""

import asyncio
from typing import Any, Final

import structlog

from vagus.kernel.errors import BrokerError

from . import Servers, scripts
from .keys import PARTITIONS, Keys
from .registry import Registry
from .streams import is_foreign

log = structlog.get_logger()

CHANNELS: Final = 64
"""Channels that are cleared at the same time."""

SCANNED: Final = 500
"""Entries that are looked at in one step."""

LOCK_MS: Final = 15_000
"""How long a node that clears up is left to it when nothing is heard of it."""


class Clearing:
    """``clear`` may be called by any number of nodes at once, and be broken off and called again."""

    def __init__(self, servers: Servers, keys: Keys, registry: Registry) -> None:
        self._servers = servers
        self._keys = keys
        self._registry = registry

    async def clear(self) -> None:
        """Clear up after all that are dead, unless others are at it. Raises ``BrokerError``."""
        for tenure in self._registry.dead:
            lock = self._keys.eviction(tenure)
            mine = self._registry.tenure
            if await self._servers.run(lock, b"SET", lock, mine, b"NX", b"PX", LOCK_MS) is None:
                continue
            channels = await self._clear_after(tenure, lock)
            await self._registry.bury(tenure)
            log.info("node_cleared", tenure=tenure, channels=channels)

    async def _clear_after(self, tenure: str, lock: bytes) -> int:
        indexes = [self._keys.index(partition, tenure) for partition in range(PARTITIONS)]
        found = await asyncio.gather(*[self._some_of(index) for index in indexes])
        cleared = 0
        for index, some in zip(indexes, found, strict=True):
            channels = some
            while channels:
                await asyncio.gather(*[self._clear_channel(channel, tenure) for channel in channels])
                await self._servers.run(lock, b"PEXPIRE", lock, LOCK_MS)
                cleared += len(channels)
                channels = await self._some_of(index)
        return cleared

    async def _some_of(self, index: bytes) -> list[str]:
        """Channels in which the tenure has entries. What was not written by this program has none."""
        try:
            channels: list[bytes] = await self._servers.run(index, b"SRANDMEMBER", index, CHANNELS)
        except BrokerError as error:
            if not is_foreign(error):
                raise
            return []
        return [channel.decode(errors="surrogateescape") for channel in channels]

    async def _clear_channel(self, channel: str, tenure: str) -> None:
        keys = self._keys.presence(channel, tenure)
        cursor: Any = b"0"
        while True:
            try:
                cursor = await self._servers.call(scripts.EVICT, keys, (tenure, channel, cursor, SCANNED))
            except BrokerError as error:
                if not is_foreign(error):
                    raise
                await self._servers.run(keys[2], b"SREM", keys[2], channel)
                return
            if cursor == b"0":
                return
