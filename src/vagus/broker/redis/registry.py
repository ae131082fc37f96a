"""Which nodes are alive, and whether what is published comes back to this one.

A node is alive while its *tenure* beats: every two seconds one script notes the beat, reads those of the others, and
publishes a sign to the node itself that must come back. Times are those of Redis. A tenure is a node's id and a random
part: a node that others may have thought dead takes a new one, so that nobody clears away what it has under that.
"""

import asyncio
import random
from collections.abc import Iterable
from typing import Final

from vagus.kernel.publications import Position

from . import Servers, scripts
from .keys import Keys

MISSED: Final = 3.5
"""How many beats a tenure may miss before it is dead: with a beat in two seconds, all notice a crash within nine."""

SIGN: Final = b"sign"

KNOWN: Final = 8
"""Signs that are waited for; older ones are given up."""

UNSEEN: Final = 2
"""Signs that must be missing before that is a fault: one may be late because this process was held up."""


def nodes_of(tenures: Iterable[bytes]) -> frozenset[str]:
    """The nodes to which these belong."""
    return frozenset([tenure.decode(errors="replace").rpartition(".")[0] for tenure in tenures])


class Registry:
    """This node among the others. It has to ``beat`` every ``beat_s``; ``timeout_s`` is how long a sign may take."""

    def __init__(self, servers: Servers, keys: Keys, node: str, beat_s: float, timeout_s: float) -> None:
        self._servers = servers
        self._keys = keys
        self._node = node
        self._timeout_s = timeout_s
        self._beat_s = beat_s
        self.alive_ms: Final = int(beat_s * MISSED * 1000)
        """How long after its last beat a tenure is dead."""
        self._loop = asyncio.get_running_loop()
        self._signs: dict[int, float] = {}
        """Those that have not come back, by number, with when they were sent."""
        self._count = 0
        self._silent_since: float | None = None
        self._relistened_at = 0.0
        self.tenure = ""
        """Empty until the first beat."""
        self.nodes: frozenset[str] = frozenset()
        self.dead: frozenset[str] = frozenset()
        """Tenures after whom nobody has cleared up yet."""
        self.orders = Position()
        """Where the orders stood at the last beat."""
        self.lag_s = 0.0

    async def beat(self) -> bool:
        """Say that this node is alive. ``False`` if its tenure was or may have been thought dead: it needs another."""
        return await self._beat(self.tenure, is_new=False)

    async def take_tenure(self) -> None:
        """Another one than before, which beats no more and is dead soon."""
        tenure = f"{self._node}.{random.getrandbits(32):08x}"
        await self._beat(tenure, is_new=True)
        self.tenure = tenure

    async def _beat(self, tenure: str, *, is_new: bool) -> bool:
        number = self._send_sign()
        word, here = self._servers.publish_word(), self._keys.node(self._node)
        try:
            answer = await self._servers.call(
                scripts.BEAT,
                (self._keys.beats, self._keys.orders.meta),
                (tenure, self.alive_ms, word, here, b"%b %d" % (SIGN, number), 0 if is_new else 1),
            )
        except BaseException:
            self._take_sign(number)
            raise
        is_late, alive, dead, epoch, offset = answer
        self.nodes = nodes_of(alive)
        self.dead = frozenset([tenure.decode(errors="replace") for tenure in dead])
        self.orders = Position(int(offset), epoch.decode())
        return not is_late

    def _send_sign(self) -> int:
        now = self._loop.time()
        if self._silent_since is None:
            self._silent_since = now
        self._count += 1
        self._signs[self._count] = now
        if len(self._signs) > KNOWN:
            del self._signs[next(iter(self._signs))]
        return self._count

    def _take_sign(self, number: int) -> float | None:
        """When it was sent, if it was and is still waited for."""
        sent_at = self._signs.pop(number, None)
        if sent_at is not None:
            self._silent_since = min(self._signs.values(), default=None)
        return sent_at

    def hear_sign(self, number: bytes) -> None:
        """A sign came back. Raises ``ValueError`` if it is none."""
        sent_at = self._take_sign(int(number))
        if sent_at is None:
            return
        self.lag_s = self._loop.time() - sent_at
        for older in [older for older in self._signs if older < int(number)]:
            self._take_sign(older)

    @property
    def silent_s(self) -> float:
        """For how long signs have been missing; 0 if all is well."""
        if self._silent_since is None or len(self._signs) < UNSEEN:
            return 0.0
        silent_s = self._loop.time() - self._silent_since
        return silent_s if silent_s > self._timeout_s else 0.0

    def listen_anew(self) -> None:
        """Give up the connections that listen if signs are missing, unless that was done just now."""
        now = self._loop.time()
        if self.silent_s and now - self._relistened_at > self._timeout_s + self._beat_s:
            self._relistened_at = now
            self._servers.relisten()

    async def give_up(self, tenure: str) -> None:
        """Say that a tenure of this node is dead, so that others need not wait to find out."""
        await self._servers.run(self._keys.beats, b"ZADD", self._keys.beats, b"XX", 0, tenure)

    async def bury(self, tenure: str) -> None:
        """Everything is cleared up after a dead tenure."""
        await self._servers.call(scripts.BURY, (self._keys.beats,), (tenure, self.alive_ms))
