"""The broker carries publications, presence, orders and questions between nodes, and keeps the channels' history.

``Broker`` is the contract, ``memory`` the executable specification for one node, ``redis`` the one for many. What every
broker promises:

* publishing is atomic for a channel: a publication gets its number, is kept, and goes out in that order everywhere;
* a node hears every publication of a channel from the moment ``subscribe`` returned until ``unsubscribe`` was called,
  in order of offsets, or it sees a gap in them: never a repetition in another order;
* a broker that was cut off looks after the channels with a position that are followed here: what they missed is told
  in its place, or, where it cannot be had any more, ``lost`` is;
* a dropped draft (repeated key, outdated version) goes to nobody;
* ``publish`` that raises ``BrokerError`` may be repeated; with an idempotency key it then happens at most once.
"""

from collections.abc import Iterable
from typing import Final, Protocol

import msgspec

from vagus.kernel.channels import Last
from vagus.kernel.control import Answer, Order, Question
from vagus.kernel.history import Page, Query
from vagus.kernel.publications import ClientInfo, Draft, Position, Publication, Receipt
from vagus.kernel.replies import PresenceStatsResult

IDEMPOTENCY_S: Final = 300.0
"""How long a key is remembered: longer than any publisher keeps trying."""

STREAM_IDLE_S: Final = 86_400.0
"""How long an empty stream's position is kept after its content expired, before memory is given back."""

ANSWER_S: Final = 2.0
"""How long nodes have to answer each other, unless it is said."""


class Followed(msgspec.Struct, frozen=True):
    """A channel with history whose flow stands at a position on this node."""

    channel: str
    position: Position
    keep: Last


class Condition(msgspec.Struct):
    """How a broker does. The counts are totals since the start; all stay as they are where nothing can be lost."""

    is_up: bool = True
    nodes: int = 1
    """Nodes that are alive, this one too."""
    lag_s: float = 0.0
    """How long a message took from this node through the broker back to it, when that was tried last."""
    reconnections: int = 0
    """How often a connection was lost and found again."""
    caught_up: int = 0
    """Publications that were read again, since they did not come by themselves."""
    lost: int = 0
    """Channels of which it was told that publications are lost."""


class Listener(Protocol):
    """What a node does with what comes from the broker. Called on the event loop; must not block or raise."""

    @property
    def node_id(self) -> str: ...

    def published(self, channel: str, publication: Publication, epoch: str, exclude: str) -> None:
        """``epoch`` is empty for a publication without an offset. ``exclude`` names a client that shall not get it."""
        ...

    def announced(self, channel: str, info: ClientInfo, *, joined: bool) -> None: ...

    def ordered(self, order: Order) -> None:
        """Do to the clients here what some node asked of all nodes."""
        ...

    async def asked(self, question: Question) -> bytes | None:
        """Answer some node; ``None`` if there is nothing to say."""
        ...

    def followed(self) -> Iterable[Followed]:
        """What is followed here and where it stands, so that a broker that was cut off knows where to read on."""
        ...

    def lost(self, channel: str, top: Position) -> None:
        """What lies between where the channel's flow stands here and ``top`` is lost; it goes on after ``top``."""
        ...


class Broker(Protocol):
    """``keep`` is the channel's history setting; ``None`` where it has none.

    What clients cause may begin outside of a task, so that it costs none where nothing waits: everything but ``start``,
    ``close``, ``ask`` and ``check`` must do without ``asyncio.timeout`` and the like.
    """

    async def start(self, listener: Listener) -> None: ...

    async def close(self) -> None: ...

    async def publish(self, channel: str, draft: Draft, keep: Last | None) -> Receipt: ...

    async def subscribe(self, channel: str) -> None: ...

    async def unsubscribe(self, channel: str) -> None: ...

    async def history(self, channel: str, query: Query, keep: Last) -> Page:
        """Part of the channel's stream; makes its epoch if it has none yet."""
        ...

    async def remove_history(self, channel: str) -> None: ...

    async def enter(self, channel: str, info: ClientInfo) -> None:
        """Add a client to the channel's presence, or renew what is known of it.

        Entries hold for as long as this node is alive. What ``BrokerError`` kept from being entered or taken back is
        made good as soon as it can be.
        """
        ...

    async def exit(self, channel: str, client: str) -> None: ...

    async def presence(self, channel: str) -> dict[str, ClientInfo]: ...

    async def presence_stats(self, channel: str) -> PresenceStatsResult: ...

    async def announce(self, channel: str, info: ClientInfo, *, joined: bool) -> None:
        """Tell every node's subscribers that somebody came or left. At most once; not kept."""
        ...

    async def order(self, order: Order) -> None:
        """Ask every node, this one too, to carry an order out."""
        ...

    async def ask(self, question: Question, *, node: str = "", timeout_s: float = ANSWER_S) -> list[Answer]:
        """Ask every node, this one too, or only the one with an id. Who does not answer in time, or has nothing to say,

        is left out.
        """
        ...

    @property
    def condition(self) -> Condition: ...

    async def check(self) -> None:
        """Raises ``BrokerError`` if the broker cannot do its work now."""
        ...
