"""The broker carries publications, presence and orders between nodes, and keeps the channels' history.

``Broker`` is the contract, ``memory`` the executable specification for one node. What every broker promises:

* publishing is atomic for a channel: a publication gets its number, is kept, and goes out in that order everywhere;
* a node hears every publication of a channel from the moment ``subscribe`` returned until ``unsubscribe`` was called,
  in order of offsets, or it sees a gap in them: never a repetition in another order;
* a dropped draft (repeated key, outdated version) goes to nobody;
* ``publish`` that raises ``BrokerError`` may be repeated; with an idempotency key it then happens at most once.
"""

from typing import Protocol

from vagus.kernel.channels import Last
from vagus.kernel.control import Order
from vagus.kernel.history import Page, Query
from vagus.kernel.publications import ClientInfo, Draft, Publication, Receipt
from vagus.kernel.replies import PresenceStatsResult


class Listener(Protocol):
    """What a node does with what comes from the broker. Called on the event loop; must not block or raise."""

    def published(self, channel: str, publication: Publication, epoch: str, exclude: str) -> None:
        """``epoch`` is empty for a publication without an offset. ``exclude`` names a client that shall not get it."""
        ...

    def announced(self, channel: str, info: ClientInfo, *, joined: bool) -> None: ...

    def ordered(self, order: Order) -> None:
        """Do to the clients here what some node asked of all nodes."""
        ...


class Broker(Protocol):
    """``keep`` is the channel's history setting; ``None`` where it has none."""

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
        """Add a client to the channel's presence, or renew what is known of it."""
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

    async def check(self) -> None:
        """Raises ``BrokerError`` if the broker cannot do its work now."""
        ...
