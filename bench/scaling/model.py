"""From a workload to cores, memory, Redis, bandwidth and money, by formulas alone. Pure: figures in, figures out.

A node is one process on one core, and every core of a machine has one. What a publication costs depends on how many
nodes have subscribers of its channel, which depends on how many nodes there are; so the number of machines is found by
trying, from one on, until they suffice without the spare ones.
"""

import math
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from bench.scaling.costs import Costs

SECOND_US: Final = 1e6
MONTH_H: Final = 730
MOST_MACHINES: Final = 100_000
SYSTEM_SHARE: Final = 0.2
"""Of a machine's memory, for everything else on it."""
NODE_BYTES: Final = 60e6
"""A node without clients."""


class Workload(msgspec.Struct, frozen=True, kw_only=True):
    """What clients and publishers do. Each client has all of its channels but one to itself, and shares that one."""

    connections: Annotated[int, Meta(ge=1, description="clients that are connected")] = 10_000
    channels_per_client: Annotated[
        float, Meta(ge=1, description="channels that a client follows, one of them shared")
    ] = 2.0
    publications_per_s: Annotated[
        float, Meta(ge=0, description="publications a second, of all publishers together")
    ] = 500.0
    audience: Annotated[float, Meta(ge=1, description="subscribers who get one publication")] = 10.0
    busiest_per_s: Annotated[
        float, Meta(ge=0, description="publications a second of one channel; frequent ones are joined")
    ] = 1.0
    data_bytes: Annotated[float, Meta(ge=0, description="data of a publication")] = 100.0
    lifetime_s: Annotated[float, Meta(gt=0, description="how long a client stays connected on average")] = 300.0
    history_size: Annotated[
        int, Meta(ge=0, description="publications that a channel keeps on average; 0: no history")
    ] = 10
    presence: Annotated[bool, Meta(description="whether channels keep who is there")] = False

    @property
    def deliveries_per_s(self) -> float:
        return self.publications_per_s * self.audience

    @property
    def connects_per_s(self) -> float:
        return self.connections / self.lifetime_s

    @property
    def channels(self) -> float:
        """How many there are."""
        return self.connections * (self.channels_per_client - 1 + 1 / self.audience)


class Machines(msgspec.Struct, frozen=True, kw_only=True):
    """What is rented, and how much of it is kept free. The prices are examples, of nobody in particular."""

    cores: Annotated[int, Meta(ge=1, description="cores of a machine, each for one node")] = 8
    memory_gb: Annotated[float, Meta(gt=0, description="memory of a machine")] = 16.0
    busy: Annotated[float, Meta(gt=0, lt=1, description="how much of a core is used at most while all is well")] = 0.6
    spare: Annotated[int, Meta(ge=0, description="machines above what is needed, so that as many may be lost")] = 1
    check_s: Annotated[float, Meta(gt=0, description="broker.check_s of the nodes")] = 30.0
    price_core_hour: Annotated[float, Meta(ge=0, description="what a core costs an hour")] = 0.04
    price_gb_hour: Annotated[float, Meta(ge=0, description="what a GB of memory costs an hour")] = 0.005
    price_egress_gb: Annotated[float, Meta(ge=0, description="what a GB sent to clients costs")] = 0.05


class Size(msgspec.Struct, frozen=True, kw_only=True):
    """What the workload takes. Cores are what is used; nodes and machines have the headroom in them."""

    machines: int
    """The spare ones too."""
    nodes: int
    """One for each core of them."""
    clients_per_node: float
    cores: dict[str, float]
    """Of all nodes together, by what they do."""
    node_memory_gb: float
    """Of all nodes together, the kernel's part in it."""
    redis_shards: int
    redis_cores: dict[str, float]
    redis_memory_gb: float
    redis_commands_per_s: float
    egress_mbit_s: float
    redis_mbit_s: float
    nodes_per_publication: float
    """How many nodes have somebody who gets it."""
    return_s: float
    """How long the other nodes compute for the clients of a lost machine, with all that they have left."""
    money_month: dict[str, float]


def spread(audience: float, nodes: int) -> float:
    """How many of the nodes have a member of an audience, when clients are spread evenly: n (1 - (1 - 1/n)^a)."""
    return nodes * -math.expm1(audience * math.log1p(-1 / nodes)) if nodes > 1 else 1.0


def frames_per_s(rate: float, members: float, costs: Costs) -> float:
    """How many frames of a channel each member gets a second.

    After a flush an audience rests: a multiple of what the flush took, up to a bound. What comes meanwhile is joined.
    """
    flush_s = max(members, 1.0) * costs["write_us"] / SECOND_US
    rest_s = min(costs["rest_factor"] * flush_s, costs["rest_most_ms"] / 1000)
    period_s = flush_s + rest_s
    return min(rate, 1 / period_s) if period_s > 0 else rate


def delivery_us(rate: float, members: float, costs: Costs) -> float:
    """CPU for one delivery of a channel with so many publications a second and members at a node."""
    if rate <= 0:
        return 0.0
    return costs["write_us"] * frames_per_s(rate, members, costs) / rate + costs["message_us"]


def node_cores(workload: Workload, nodes: int, costs: Costs) -> dict[str, float]:
    """Cores that all nodes together use, by what for. Leaving a presence is taken to cost what coming does."""
    reached = spread(workload.audience, nodes)
    members = workload.audience / reached
    each = delivery_us(workload.busiest_per_s, members, costs)
    joining = costs["connect_us"] + (workload.channels_per_client - 1) * costs["subscribe_us"]
    joining += 2 * workload.channels_per_client * costs["presence_us"] if workload.presence else 0
    per_s = {
        "connections at rest": workload.connections * costs["rest_us"],
        "connecting and subscribing": workload.connects_per_s * joining,
        "publishing": workload.publications_per_s * costs["publish_us"],
        "hearing from Redis": workload.publications_per_s * reached * costs["hear_us"],
        "delivering": workload.deliveries_per_s * each,
    }
    return {what: us / SECOND_US for what, us in per_s.items()}


def subscriptions(workload: Workload, nodes: int) -> float:
    """Channels that are followed, counted once for each node that does."""
    own = workload.connections * (workload.channels_per_client - 1)
    groups = workload.connections / workload.audience
    return own + groups * spread(workload.audience, nodes)


def redis_cores(workload: Workload, machines: Machines, nodes: int, costs: Costs) -> dict[str, float]:
    """Cores that Redis uses in all, by what for. Leaving costs as much as coming."""
    reached = spread(workload.audience, nodes)
    changes = 2 * workload.connects_per_s * subscriptions(workload, nodes) / workload.connections
    per_s = {
        "publishing": workload.publications_per_s * costs["redis_publish_us"],
        "telling nodes": workload.publications_per_s * reached * costs["redis_hear_us"],
        "subscriptions": changes * costs["redis_subscribe_us"],
        "presence": _entries_per_s(workload) * costs["redis_presence_us"],
        "checking positions": _checks_per_s(workload, machines, nodes) * costs["redis_check_us"],
        "heartbeats": nodes / 2 * costs["redis_heartbeat_us"],
    }
    return {what: us / SECOND_US for what, us in per_s.items()}


def _entries_per_s(workload: Workload) -> float:
    return 2 * workload.connects_per_s * workload.channels_per_client if workload.presence else 0.0


def _checks_per_s(workload: Workload, machines: Machines, nodes: int) -> float:
    return subscriptions(workload, nodes) / machines.check_s if workload.history_size else 0.0


def size(workload: Workload, machines: Machines, costs: Costs) -> Size:
    """The smallest number of whole machines that carries the workload with its headroom."""
    rented = _enough(workload, machines, costs) + machines.spare
    nodes = rented * machines.cores
    cores = node_cores(workload, nodes, costs)
    redis = redis_cores(workload, machines, nodes, costs)
    shards = max(1, math.ceil(sum(redis.values()) / machines.busy))
    redis_gb = _redis_bytes(workload, nodes, costs) / 1e9
    egress = _egress_bytes_per_s(workload, nodes, costs)
    return Size(
        nodes=nodes,
        machines=rented,
        clients_per_node=workload.connections / nodes,
        cores=cores,
        node_memory_gb=_node_bytes(workload, nodes, costs) / 1e9,
        redis_shards=shards,
        redis_cores=redis,
        redis_memory_gb=redis_gb,
        redis_commands_per_s=_redis_commands(workload, machines, nodes),
        egress_mbit_s=egress * 8 / 1e6,
        redis_mbit_s=_redis_bytes_per_s(workload, nodes, costs) * 8 / 1e6,
        nodes_per_publication=spread(workload.audience, nodes),
        return_s=return_s(workload, machines, rented, sum(cores.values()), costs),
        money_month=_money(machines, rented, shards, redis_gb, egress),
    )


def _enough(workload: Workload, machines: Machines, costs: Costs) -> int:
    """Machines that suffice without the spare ones. More of them hear each publication more often, but by ever less."""
    enough = 1
    while enough < MOST_MACHINES:
        nodes = (enough + machines.spare) * machines.cores
        by_processor = sum(node_cores(workload, nodes, costs).values()) / machines.busy / machines.cores
        by_memory = _node_bytes(workload, nodes, costs) / 1e9 / (machines.memory_gb * (1 - SYSTEM_SHARE))
        needed = math.ceil(max(by_processor, by_memory) - 1e-9)
        if needed <= enough:
            return enough
        enough = needed
    raise ValueError(f"{MOST_MACHINES:,} machines do not suffice")


def return_s(workload: Workload, machines: Machines, rented: int, used: float, costs: Costs) -> float:
    """CPU time that the clients of a lost machine need to come back, over what the other machines have left."""
    left = (rented - 1) * machines.cores - used
    if left <= 0:
        return math.inf
    return workload.connections / rented * client_return_us(workload, costs) / SECOND_US / left


def client_return_us(workload: Workload, costs: Costs) -> float:
    """CPU of a node for a client that comes back with all of its channels."""
    return costs["return_us"] + (workload.channels_per_client - 1) * costs["subscribe_us"]


def _node_bytes(workload: Workload, nodes: int, costs: Costs) -> float:
    each = costs["connection_bytes"] + costs["socket_bytes"]
    return workload.connections * each + subscriptions(workload, nodes) * costs["channel_bytes"] + nodes * NODE_BYTES


def _redis_bytes(workload: Workload, nodes: int, costs: Costs) -> float:
    stream = workload.history_size * (costs["redis_publication_bytes"] + workload.data_bytes)
    each = costs["redis_channel_bytes"] + max(stream, costs["redis_stream_bytes"])
    kept = workload.channels * each if workload.history_size else 0.0
    entries = workload.connections * workload.channels_per_client if workload.presence else 0
    followed = subscriptions(workload, nodes) * costs["redis_followed_bytes"]
    return kept + followed + entries * costs["redis_presence_bytes"]


def _redis_commands(workload: Workload, machines: Machines, nodes: int) -> float:
    """Commands and calls of scripts that nodes send a second."""
    changes = 2 * workload.connects_per_s * subscriptions(workload, nodes) / workload.connections
    checks = _checks_per_s(workload, machines, nodes)
    return workload.publications_per_s + changes + _entries_per_s(workload) + checks + nodes / 2


def _egress_bytes_per_s(workload: Workload, nodes: int, costs: Costs) -> float:
    """To clients, with what the packets add; pings are the least of it and left out."""
    members = workload.audience / spread(workload.audience, nodes)
    rate = workload.busiest_per_s
    packets = frames_per_s(rate, members, costs) / rate if rate > 0 else 1.0
    each = workload.data_bytes + costs["envelope_bytes"] + packets * costs["packet_bytes"]
    return workload.deliveries_per_s * each


def _redis_bytes_per_s(workload: Workload, nodes: int, costs: Costs) -> float:
    """Between nodes and Redis: once in, and out to each node that follows."""
    each = workload.data_bytes + costs["envelope_bytes"]
    return workload.publications_per_s * each * (1 + spread(workload.audience, nodes))


def _money(machines: Machines, rented: int, shards: int, redis_gb: float, egress: float) -> dict[str, float]:
    """A month's. Each shard is two cores, one for its replica, and twice the memory."""
    cores = rented * machines.cores
    hourly = cores * machines.price_core_hour + rented * machines.memory_gb * machines.price_gb_hour
    redis = 2 * shards * machines.price_core_hour + 2 * max(redis_gb * 2, shards) * machines.price_gb_hour
    return {
        "machines": hourly * MONTH_H,
        "Redis": redis * MONTH_H,
        "traffic": egress * 3600 * MONTH_H / 1e9 * machines.price_egress_gb,
    }
