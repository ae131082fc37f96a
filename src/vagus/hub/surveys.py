"""Surveys: what one node asks all of them and what this one answers, so that any node can tell about the whole hub."""

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

import msgspec

from vagus.kernel import codes
from vagus.kernel.codes import Fault
from vagus.kernel.control import Question
from vagus.kernel.errors import RefusedError

if TYPE_CHECKING:
    from .hub import Hub

CHANNELS: Final = "channels"
MAX_CHANNELS: Final = 10_000
"""That one node tells another, so that an answer has a size that a broker carries."""

_TOO_MANY: Final = Fault(
    codes.LIMIT_EXCEEDED.code, f"limit exceeded: a node has more than {MAX_CHANNELS} such channels; narrow the pattern"
)


class _Counts(msgspec.Struct, frozen=True):
    """Subscribers by channel; none at all if there are too many channels."""

    channels: dict[str, int]
    is_whole: bool = True


def answer_surveys(hub: "Hub") -> None:
    """Let this node answer."""

    async def channels(pattern: bytes) -> bytes:
        found = hub.channels(pattern.decode())
        is_whole = len(found) <= MAX_CHANNELS
        counts = {channel.name: channel.num_clients for channel in found} if is_whole else {}
        return msgspec.json.encode(_Counts(counts, is_whole))

    hub.answers[CHANNELS] = channels


async def count_channels(hub: "Hub", pattern: str) -> Iterable[tuple[str, int]]:
    """Channels with subscribers anywhere and how many those are. Raises ``RefusedError`` where there are too many."""
    counts = Counter({channel.name: channel.num_clients for channel in hub.channels(pattern)})
    for answer in await hub.ask_nodes(Question(CHANNELS, pattern.encode())):
        if answer.node == hub.node_id:
            continue
        found = msgspec.json.decode(answer.content, type=_Counts)
        if not found.is_whole:
            raise RefusedError(_TOO_MANY)
        counts.update(found.channels)
    return counts.items()
