"""Leases: among nodes that share a store, one alone does something, and another takes over when it is gone.

A lease is a setting whose version its holder counts up. Others take it when the version has stood still for ``TERM_S``
by their own clocks, so it does not matter how far the nodes' clocks are apart. The holder trusts its lease for a little
less than that, counted from before it wrote: two nodes never hold one lease at a time, however slow the store is.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Final

import msgspec

from vagus.kernel.errors import ConflictError, StoreError

from . import Store, settings

TERM_S: Final = 6.0
"""How long a lease stands that is not renewed."""

RENEWAL_S: Final = 2.0
"""How often ``hold`` is to be called."""

_TRUST_S: Final = 5.0
"""For how long the holder relies on it: the difference is for clocks that do not run alike."""

_ANSWER_S: Final = 4.0
"""How long the store may take. A later answer would hold for a moment alone, and who asks anew may have one sooner."""


class _Holder(msgspec.Struct, frozen=True):
    """What the setting says. An empty ``node`` is nobody: it was given back."""

    node: str


class Lease:
    """A node's part in one lease. ``node`` is an id that no other process ever has. ``clock`` counts seconds and never

    jumps, such as the event loop's.
    """

    def __init__(self, store: Store, name: str, node: str, clock: Callable[[], float]) -> None:
        self._store = store
        self._key = f"lease.{name}"
        self._node = node
        self._clock = clock
        self.holder = ""
        """Who had it when it was last looked at; empty for nobody."""
        self._version = 0
        """The one that was read or written last, and since when it stands."""
        self._stands_since = 0.0
        self._held_until = -1.0

    @property
    def is_held(self) -> bool:
        """Whether this node may act now."""
        return self._clock() < self._held_until

    async def hold(self) -> bool:
        """Take the lease if it is free, renew it if it is held. Raises ``StoreError``; what was held then runs out."""
        began = self._clock()
        try:
            async with asyncio.timeout(_ANSWER_S):
                is_ours = await self._take()
        except TimeoutError:
            raise _silent() from None
        self._held_until = began + _TRUST_S if is_ours else -1.0
        return is_ours

    async def give_back(self) -> None:
        """Let another node take it at once. Raises ``StoreError``."""
        if self._held_until >= 0:
            self._held_until = -1.0
            try:
                async with asyncio.timeout(_ANSWER_S):
                    await self._write("", self._version)
            except ConflictError:  # another node has it
                pass
            except TimeoutError:
                raise _silent() from None

    async def _take(self) -> bool:
        async with self._store.reading() as transaction:
            present = await settings.get(transaction, self._key)
        if present is not None and not self._may_take(present):
            return False
        try:
            await self._write(self._node, present.version if present is not None else 0)
        except ConflictError:  # another node was quicker
            return False
        self.holder = self._node
        return True

    def _may_take(self, present: settings.Setting) -> bool:
        now = self._clock()
        if present.version != self._version:
            self._version, self._stands_since = present.version, now
        self.holder = msgspec.json.decode(present.value, type=_Holder).node
        return self.holder in (self._node, "") or now - self._stands_since >= TERM_S

    async def _write(self, node: str, version: int) -> None:
        value = msgspec.json.encode(_Holder(node))
        async with self._store.begin() as transaction:
            kept = await settings.put(
                transaction, self._key, value, by=f"node:{self._node}", now=time.time(), version=version
            )
        self._version, self._stands_since = kept.version, self._clock()


def _silent() -> StoreError:
    return StoreError("the store does not answer", retryable=True)
