"""The formulas of bench/scaling, against cases worked out by hand."""

import math

import msgspec
import pytest

from bench.scaling.costs import Cost, Costs, read
from bench.scaling.model import (
    Machines,
    Workload,
    delivery_us,
    frames_per_s,
    node_cores,
    redis_cores,
    size,
    spread,
    subscriptions,
)


def costs(**values: float) -> Costs:
    """All of them 0 but these."""
    return Costs(**{name: Cost(values.get(name, 0.0), name, "") for name in Costs.__struct_fields__})


WRITING = costs(write_us=10, message_us=0.1, rest_factor=2, rest_most_ms=20)


@pytest.mark.parametrize(("audience", "nodes", "reached"), [(10, 1, 1), (1, 7, 1), (2, 2, 1.5), (3, 2, 1.75)])
def test_an_audience_is_spread_over_nodes_by_lot(audience: float, nodes: int, reached: float) -> None:
    assert spread(audience, nodes) == pytest.approx(reached)


@pytest.mark.parametrize(
    ("rate", "members", "frames"),
    [
        (1, 500, 1),  # nothing to join
        (600, 500, 1 / 0.015),  # 5 ms of writing and 10 of rest
        (600, 5_000, 1 / 0.07),  # 50 ms of writing and 20 of rest, the longest
        (600, 0.1, 600),  # on average fewer than one: a frame costs what it costs
    ],
)
def test_a_busy_channel_sends_as_many_frames_as_its_rest_allows(rate: float, members: float, frames: float) -> None:
    assert frames_per_s(rate, members, WRITING) == pytest.approx(frames)


def test_a_delivery_costs_its_share_of_a_frame_and_itself() -> None:
    assert delivery_us(1_000, 500, WRITING) == pytest.approx(10 / 15 + 0.1)
    assert delivery_us(0, 500, WRITING) == 0


def test_a_node_alone_hears_each_publication_once() -> None:
    workload = Workload(connections=1_000, publications_per_s=100, audience=5, busiest_per_s=1)
    found = node_cores(workload, 1, costs(publish_us=30, hear_us=20, write_us=10, rest_us=3))
    assert found["publishing"] == pytest.approx(0.003)
    assert found["hearing from Redis"] == pytest.approx(0.002)
    assert found["delivering"] == pytest.approx(0.005)
    assert found["connections at rest"] == pytest.approx(0.003)


def test_connecting_costs_its_subscriptions_and_both_ends_of_a_presence() -> None:
    prices = costs(connect_us=100, subscribe_us=50, presence_us=25)
    workload = Workload(connections=6_000, lifetime_s=60, channels_per_client=3)
    assert node_cores(workload, 4, prices)["connecting and subscribing"] == pytest.approx(100 * 200e-6)
    present = msgspec.structs.replace(workload, presence=True)
    assert node_cores(present, 4, prices)["connecting and subscribing"] == pytest.approx(100 * 350e-6)


def test_a_shared_channel_is_followed_where_its_members_are() -> None:
    workload = Workload(connections=100, channels_per_client=2, audience=2)
    assert subscriptions(workload, 1) == pytest.approx(100 + 50)
    assert subscriptions(workload, 2) == pytest.approx(100 + 50 * 1.5)


def test_redis_pays_for_each_node_that_it_tells() -> None:
    prices = costs(redis_publish_us=10, redis_hear_us=2, redis_subscribe_us=5, redis_check_us=3, redis_heartbeat_us=40)
    workload = Workload(connections=200, publications_per_s=1_000, audience=2, channels_per_client=1, lifetime_s=100)
    found = redis_cores(workload, Machines(check_s=30), 2, prices)
    assert found["publishing"] == pytest.approx(0.010)
    assert found["telling nodes"] == pytest.approx(1_000 * 1.5 * 2e-6)
    assert found["subscriptions"] == pytest.approx(2 * 2 * 150 / 200 * 5e-6)
    assert found["checking positions"] == pytest.approx(150 / 30 * 3e-6)
    assert found["heartbeats"] == pytest.approx(40e-6)
    assert found["presence"] == 0


def test_a_channel_without_history_has_no_position_to_compare() -> None:
    workload = Workload(history_size=0)
    assert redis_cores(workload, Machines(), 2, costs(redis_check_us=3))["checking positions"] == 0


def test_machines_suffice_without_the_spare_ones() -> None:
    workload = Workload(connections=100_000, publications_per_s=0)
    found = size(workload, Machines(cores=2, busy=0.5, spare=2, memory_gb=1_000), costs(rest_us=35))
    assert sum(found.cores.values()) == pytest.approx(3.5)
    assert (found.machines, found.nodes) == (4 + 2, 12)  # 3.5 cores, half busy, are 7, which are 4 machines of 2


def test_memory_asks_for_machines_as_well() -> None:
    prices = costs(connection_bytes=6_000, socket_bytes=4_000)
    found = size(Workload(connections=1_000_000), Machines(cores=1, memory_gb=4, spare=0), prices)
    assert found.node_memory_gb == pytest.approx(10 + found.machines * 0.06)
    assert found.machines == 4  # of whose 4 GB nodes get 3.2


def test_nodes_that_hear_more_the_more_they_are_come_to_an_end() -> None:
    prices = costs(hear_us=100)
    machines = Machines(cores=1, spare=0)
    found = size(Workload(connections=10, publications_per_s=10_000, audience=1_000), machines, prices)
    assert sum(found.cores.values()) <= machines.busy * found.machines


def test_what_no_number_of_machines_carries_is_said() -> None:
    with pytest.raises(ValueError, match="do not suffice"):
        size(Workload(publications_per_s=1e9, audience=1e9), Machines(cores=1), costs(hear_us=100))


def test_the_return_of_a_machines_clients_takes_what_the_others_have_left() -> None:
    prices = costs(rest_us=2, return_us=300, subscribe_us=100)
    found = size(
        Workload(connections=400_000, publications_per_s=0, lifetime_s=1e9), Machines(cores=1, memory_gb=1e3), prices
    )
    assert found.machines == 3  # 0.8 cores are 1.33 at 60 %, so 2 of them, and the spare one
    assert found.return_s == pytest.approx(400_000 / 3 * 400e-6 / (2 - 0.8), rel=1e-4)


def test_one_machine_alone_has_nowhere_to_send_its_clients() -> None:
    assert size(Workload(), Machines(spare=0), costs(rest_us=1)).return_s == math.inf


def test_memory_of_redis_is_histories_and_entries() -> None:
    prices = costs(
        redis_publication_bytes=50, redis_channel_bytes=500, redis_presence_bytes=200, redis_followed_bytes=30
    )
    workload = Workload(connections=1_000, audience=10, history_size=4, data_bytes=100, presence=True)
    found = size(workload, Machines(cores=1, spare=0), prices)
    channels = 1_000 + 100
    assert found.redis_memory_gb * 1e9 == pytest.approx(channels * (4 * 150 + 500 + 30) + 2_000 * 200)


def test_a_stream_takes_what_redis_reserves_for_it() -> None:
    prices = costs(redis_publication_bytes=50, redis_channel_bytes=500, redis_stream_bytes=4_096)
    workload = Workload(connections=100, channels_per_client=1, audience=1, data_bytes=100)
    short = size(msgspec.structs.replace(workload, history_size=10), Machines(spare=0), prices)
    long = size(msgspec.structs.replace(workload, history_size=100), Machines(spare=0), prices)
    assert short.redis_memory_gb * 1e9 == pytest.approx(100 * (500 + 4_096))
    assert long.redis_memory_gb * 1e9 == pytest.approx(100 * (500 + 15_000))


def test_traffic_counts_packets_by_frames() -> None:
    prices = costs(envelope_bytes=50, packet_bytes=80, write_us=10, rest_factor=2, rest_most_ms=20)
    workload = Workload(publications_per_s=100, audience=10, busiest_per_s=1, data_bytes=100)
    found = size(workload, Machines(cores=1, spare=0), prices)
    assert found.egress_mbit_s == pytest.approx(1_000 * 230 * 8 / 1e6)
    assert found.redis_mbit_s == pytest.approx(100 * 150 * 2 * 8 / 1e6)


def test_money_is_cores_memory_and_traffic_for_a_month() -> None:
    machines = Machines(cores=2, memory_gb=4, price_core_hour=1, price_gb_hour=0.5, price_egress_gb=0, spare=1)
    found = size(Workload(publications_per_s=0), machines, costs(rest_us=1))
    assert found.money_month["machines"] == pytest.approx(2 * (2 + 2) * 730)
    assert found.money_month["Redis"] == pytest.approx((2 * 1 + 2 * 0.5) * 730)
    assert found.money_month["traffic"] == 0


def test_every_cost_of_the_file_says_where_it_comes_from() -> None:
    known = msgspec.structs.asdict(read())
    assert [name for name, cost in known.items() if not cost.source or not cost.means or cost.value <= 0] == []
