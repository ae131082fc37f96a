"""What is told of nodes, clients and channels: frozen values, in camelCase on the wire.

Times are milliseconds since 1970, rates are per second, and ``null`` where they have not been measured yet.
"""

from typing import Literal

import msgspec

from vagus.kernel.channels import WhenSlow
from vagus.kernel.publications import Position

State = Literal["ok", "failed", "none"]


class Coverage(msgspec.Struct, frozen=True):
    """How many nodes are alive, and how many of them answered in time."""

    nodes: int
    answered: int

    @property
    def is_whole(self) -> bool:
        return self.answered >= self.nodes


class LoopLag(msgspec.Struct, frozen=True):
    """By how many milliseconds the event loop ran late, over the last ten seconds."""

    median: float
    highest: float


class NodeFigures(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A node and how it does. Messages in are commands of clients, messages out deliveries of publications to them;

    they count from its start, as do ``closed_slow`` and ``dropped``, while ``slow_clients`` are those of now.
    """

    id: str
    name: str
    version: str
    started_at: int
    uptime_seconds: int
    clients: int
    users: int
    channels: int
    subscriptions: int
    cpu_percent: float
    memory_bytes: int
    loop_lag_ms: LoopLag
    messages_in: int
    messages_out: int
    messages_in_per_second: float
    messages_out_per_second: float
    bytes_in: int
    queue_bytes: int
    slow_clients: int
    closed_slow: int
    dropped: int
    broker: State
    broker_lag_ms: float
    store: State
    draining: bool


class HubTotals(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Sums over the nodes that answered: a user or a channel on two of them counts twice."""

    clients: int
    users: int
    channels: int
    subscriptions: int
    messages_in_per_second: float
    messages_out_per_second: float
    queue_bytes: int
    slow_clients: int
    closed_slow: int
    dropped: int


def totals_of(nodes: list[NodeFigures]) -> HubTotals:
    sums = {name: sum(getattr(node, name) for node in nodes) for name in HubTotals.__struct_fields__}
    rates = {name: round(value, 1) for name, value in sums.items() if name.endswith("_per_second")}
    return HubTotals(**sums | rates)


class Nodes(msgspec.Struct, frozen=True):
    """All nodes that answered, by their names."""

    nodes: list[NodeFigures]
    totals: HubTotals
    at: int
    coverage: Coverage


class ClientRow(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A connection. What is sent to it counts when it is due: some of it may wait in its queue, or be dropped there."""

    id: str
    node: str
    user: str
    roles: list[str]
    dialect: str
    transport: str
    section: str
    address: str
    connected_at: int
    channels: int
    first_channels: list[str]
    messages_in: int
    messages_out: int
    bytes_in: int
    bytes_out: int
    messages_in_per_second: float | None
    messages_out_per_second: float | None
    bytes_in_per_second: float | None
    bytes_out_per_second: float | None
    queue_bytes: int
    slow: bool
    """Whether messages wait in its queue, since its transport takes none."""


class ClientsPage(msgspec.Struct, frozen=True):
    """A page of clients. ``total`` is how many there are; the ``cursor`` asks for the next page."""

    clients: list[ClientRow]
    total: int
    cursor: str | None
    coverage: Coverage


class SubscriptionRow(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A channel that a client follows, and how. ``position`` is where the channel's flow stands, if it has offsets."""

    channel: str
    rule: str
    by_server: bool
    position: Position | None
    recoverable: bool
    max_per_second: float | None
    deltas: bool
    filtered: bool
    when_full: WhenSlow


class ClientView(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """All about one client."""

    client: ClientRow
    agent: str
    expires_at: int | None
    queue_limit: int
    paused_ms: int | None
    subscriptions: list[SubscriptionRow]


class FoundClient(ClientView, frozen=True, kw_only=True, rename="camel"):
    """The same, and who was asked."""

    coverage: Coverage


class SlowClient(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A client whose queue grows, and how many of its channels say what becomes of it when that is full."""

    client: ClientRow
    queue_limit: int
    paused_ms: int
    when_full: dict[WhenSlow, int]


class SlowClients(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Clients that read too slowly now, the largest queue first, and what became of others before."""

    clients: list[SlowClient]
    total: int
    closed_slow: int
    dropped: int
    coverage: Coverage


class HistorySize(msgspec.Struct, frozen=True, rename="camel"):
    """How much history a channel keeps at most."""

    size: int
    ttl_seconds: float


class ChannelRow(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A channel with subscribers. ``publications`` are those seen since somebody on a node began to follow it."""

    name: str
    rule: str
    subscribers: int
    nodes: int
    publications: int
    publications_per_second: float | None
    history: HistorySize | None
    position: Position | None


class ChannelsPage(msgspec.Struct, frozen=True):
    """Channels. ``total`` is how many match; without ``whole`` a node has more of them than it can tell of."""

    channels: list[ChannelRow]
    total: int
    whole: bool
    coverage: Coverage


class Disconnected(msgspec.Struct, frozen=True):
    """How many connections were found and told to close."""

    disconnected: int
    coverage: Coverage
