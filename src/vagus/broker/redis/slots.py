"""Slots of a Redis Cluster: which one a key has, and what nodes say about who has which. No I/O."""

import binascii
from typing import Annotated, Any, Final

import msgspec

from vagus.kernel.errors import BrokerError

from .connecting import Address, host_of

SLOTS: Final = 16_384


Slot = Annotated[int, msgspec.Meta(ge=0, lt=SLOTS)]


class Range(msgspec.Struct, frozen=True):
    """Slots from ``first`` to ``last`` that a master has."""

    first: Slot
    last: Slot
    master: Address


class View(msgspec.Struct, frozen=True):
    """What one node says of the cluster. ``epoch`` grows with every change of who has what."""

    place: str
    ranges: list[Range]
    epoch: int
    is_whole: bool


def slot_of(key: bytes) -> int:
    """The slot of a key: that of the part between its first { and the next }, if there is something."""
    start = key.find(b"{")
    if start >= 0:
        end = key.find(b"}", start + 1)
        if end > start + 1:
            key = key[start + 1 : end]
    return binascii.crc_hqx(key, 0) % SLOTS


def view_from(facts: bytes, answer: Any, place: str) -> View:
    """What a node answered to CLUSTER INFO and CLUSTER SLOTS."""
    lines = dict(line.partition(b":")[::2] for line in facts.split(b"\r\n"))
    epoch = lines.get(b"cluster_current_epoch", b"")
    is_whole = lines.get(b"cluster_state") == b"ok"
    return View(place, ranges_from(answer, host_of(place)), int(epoch) if epoch.isdigit() else 0, is_whole)


def ranges_from(answer: Any, host: str) -> list[Range]:
    """What a node at ``host`` answered to CLUSTER SLOTS. A node that does not know its own address says none."""
    try:
        found = [
            {"first": first, "last": last, "master": (_host(master[0]) or host, master[1])}
            for first, last, master, *_ in answer
        ]
        return msgspec.convert(found, list[Range])
    except (TypeError, ValueError, IndexError, AttributeError):
        raise BrokerError("a node of the Redis Cluster answers in an unknown way") from None


def _host(name: bytes | None) -> str:
    return "" if name is None or name == b"?" else name.decode()


def target_from(detail: str, host: str) -> Address | None:
    """Where MOVED or ASK of a node at ``host`` sends us: the slot, a space, and an address."""
    place = detail.partition(" ")[2].partition(" ")[0]
    name, _, port = place.rpartition(":")
    return (name or host, int(port)) if port.isdecimal() else None
