"""What things are called in Redis: ``<prefix>:{<partition>}:<kind>:<channel>``.

A channel's partition is a hash tag, so that in a Cluster all keys of a channel lie in one slot and a script may use
them together; that is so without a Cluster too, and the same data can move into one. Channels share partitions, of
which there are few enough to be listened to in batches.

=====  =========  =====================================================================
kind   type       content
=====  =========  =====================================================================
``m``  hash       the stream's ``e`` epoch and ``o`` offset, ``m`` the mark of the last publication (see ``streams``),
                  ``v`` ``w`` the last version and its epoch
``s``  stream     the publications kept: ids ``<offset>-<mark>``, field ``p`` a parcel
``f``  channel    what is published, and who comes and goes
``r``  string     ``<offset> <epoch>``: the receipt for an idempotency key
``c``  hash       who is present: client to entry (see ``parcels``)
``u``  hash       who is present: user to number of clients
``n``  set        the channels of the partition in which a tenure (see ``registry``) has entries
=====  =========  =====================================================================

What belongs to all nodes has the tag ``{nodes}``: ``beats``, a sorted set of tenures by the time of their last beat;
``to:<node>``, a channel to one node; ``orders``, kinds ``m``, ``s`` and ``f`` of a stream to all of them; and
``evict:<tenure>``, the lock of who clears up after one that is dead.
"""

from binascii import crc_hqx
from functools import lru_cache
from typing import Final

import msgspec

PARTITIONS: Final = 128

NAMES: Final = 16_384
"""Channels whose names are kept at hand."""


class Names(msgspec.Struct, frozen=True, gc=False):
    """The names of a channel that publishing needs: two keys and what is listened to."""

    meta: bytes
    stream: bytes
    flow: bytes


class Keys:
    """The names under one prefix."""

    def __init__(self, prefix: str) -> None:
        if not prefix or "{" in prefix or "}" in prefix:
            raise ValueError("the prefix of keys must be a word without braces")
        self._prefix = prefix
        self.names = lru_cache(NAMES)(self._names)
        self.beats: Final = f"{prefix}:{{nodes}}:beats".encode()
        self.orders: Final = self._named("nodes", "orders")

    @staticmethod
    def partition(channel: str) -> int:
        return crc_hqx(channel.encode(), 0) % PARTITIONS

    def _names(self, channel: str) -> Names:
        return self._named(str(self.partition(channel)), channel)

    def _named(self, tag: str, name: str) -> Names:
        start = f"{self._prefix}:{{{tag}}}:"
        return Names(f"{start}m:{name}".encode(), f"{start}s:{name}".encode(), f"{start}f:{name}".encode())

    def receipt(self, channel: str, key: str) -> bytes:
        """The channel's length keeps two pairs apart that read the same when joined."""
        return f"{self._prefix}:{{{self.partition(channel)}}}:r:{len(channel)}:{channel}:{key}".encode()

    def presence(self, channel: str, tenure: str) -> tuple[bytes, bytes, bytes]:
        """Clients, users, and the index of the tenure."""
        partition = self.partition(channel)
        start = f"{self._prefix}:{{{partition}}}:"
        return f"{start}c:{channel}".encode(), f"{start}u:{channel}".encode(), self.index(partition, tenure)

    def index(self, partition: int, tenure: str) -> bytes:
        return f"{self._prefix}:{{{partition}}}:n:{tenure}".encode()

    def node(self, node: str) -> bytes:
        return f"{self._prefix}:{{nodes}}:to:{node}".encode()

    def eviction(self, tenure: str) -> bytes:
        return f"{self._prefix}:{{nodes}}:evict:{tenure}".encode()
