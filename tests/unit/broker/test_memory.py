"""What the memory broker does beyond the contract: it gives its memory back."""

import msgspec

from vagus.broker import IDEMPOTENCY_S, STREAM_IDLE_S, memory
from vagus.broker.memory import MemoryBroker
from vagus.kernel.channels import Last
from vagus.kernel.history import Query
from vagus.kernel.publications import ClientInfo, Draft
from vagus.testing import FakeClock
from vagus.testing.broker_contract import Node

KEEP = Last(5, seconds=10)


def draft(key: str = "") -> Draft:
    return Draft(data=msgspec.Raw(b"1"), idempotency_key=key)


async def test_a_stream_that_nobody_follows_is_forgotten_a_day_after_it_expired() -> None:
    clock = FakeClock()
    broker = MemoryBroker(clock)
    old = (await broker.publish("old", draft(), KEEP)).position
    clock.advance(KEEP.ttl_s + STREAM_IDLE_S - 1)
    await broker.publish("other:1", draft(), KEEP)
    assert (await broker.history("old", Query(0), KEEP)).top == old
    clock.advance(2)
    await broker.publish("other:2", draft(), KEEP)
    assert (await broker.history("old", Query(0), KEEP)).top.epoch != old.epoch


async def test_a_stream_that_is_followed_keeps_its_position_for_ever() -> None:
    clock = FakeClock()
    broker = MemoryBroker(clock)
    await broker.subscribe("old")
    old = (await broker.publish("old", draft(), KEEP)).position
    clock.advance(10 * STREAM_IDLE_S)
    await broker.publish("other", draft(), KEEP)
    assert (await broker.history("old", Query(0), KEEP)).top == old


async def test_a_sweep_looks_at_a_bounded_number_of_streams() -> None:
    clock = FakeClock()
    broker = MemoryBroker(clock)
    for n in range(2 * memory.SWEEP):
        await broker.publish(f"old:{n}", draft(), KEEP)
    clock.advance(KEEP.ttl_s + STREAM_IDLE_S + 1)
    for n in range(6):
        await broker.publish(f"new:{n}", draft(), KEEP)
    assert sum(name.startswith("old") for name in vars(broker)["_streams"]) == 0


async def test_keys_are_forgotten_when_they_are_old_or_too_many() -> None:
    clock = FakeClock()
    broker = MemoryBroker(clock, max_keys=3)
    for key in "abcd":
        await broker.publish("news", draft(key), None)
    assert not (await broker.publish("news", draft("a"), None)).dropped
    assert (await broker.publish("news", draft("d"), None)).dropped
    clock.advance(IDEMPOTENCY_S + 1)
    await broker.publish("news", draft("new"), None)
    assert len(vars(broker)["_receipts"]) == 1


async def test_a_key_that_is_used_again_after_its_time_counts_from_then() -> None:
    clock = FakeClock()
    broker = MemoryBroker(clock, max_keys=2)
    await broker.publish("news", draft("a"), None)
    clock.advance(IDEMPOTENCY_S - 1)
    await broker.publish("news", draft("b"), None)
    clock.advance(2)
    await broker.publish("news", draft("a"), None)
    await broker.publish("news", draft("c"), None)
    assert (await broker.publish("news", draft("a"), None)).dropped


async def test_an_empty_roster_is_given_back() -> None:
    broker = MemoryBroker()
    await broker.enter("news", ClientInfo("ada", "c1"))
    await broker.exit("news", "c1")
    assert vars(broker)["_rosters"] == {}


async def test_a_broker_nobody_listens_to_keeps_history_all_the_same() -> None:
    broker = MemoryBroker()
    await broker.subscribe("news")
    await broker.publish("news", draft(), KEEP)
    await broker.announce("news", ClientInfo("ada", "c1"), joined=True)
    assert len((await broker.history("news", Query(None), KEEP)).publications) == 1


async def test_a_publication_has_arrived_when_publish_returns() -> None:
    broker = MemoryBroker()
    node = Node(broker)
    await broker.start(node)
    await broker.subscribe("news")
    await broker.publish("news", draft(), KEEP)
    assert len(node.told) == 1
