"""The Redis broker does what the executable specification does, whatever is asked of both."""

import random

import pytest

from tests.integration.redis.servers import RedisServer
from vagus.broker.memory import MemoryBroker
from vagus.broker.redis.addresses import options_from
from vagus.broker.redis.broker import RedisBroker
from vagus.broker.redis.servers import servers_from
from vagus.kernel.channels import Last
from vagus.kernel.history import Page, Query
from vagus.kernel.publications import Draft, Json, Position, Receipt
from vagus.testing.broker_contract import Node

STEPS = 300


def _draft(chance: random.Random, number: int) -> Draft:
    return Draft(
        data=Json(b"%d" % number),
        time=number,
        tags=chance.choice([None, {"n": "1"}]),
        idempotency_key=chance.choice(["", "", "a", "b", f"{number}"]),
        version=chance.choice([0, 0, 1, number, number // 2]),
        version_epoch=chance.choice(["", "", "v"]),
        skip_history=chance.random() < 0.1,
    )


def _query(chance: random.Random, top: int) -> Query:
    since = chance.choice([None, Position(chance.randrange(top + 3))])
    return Query(chance.choice([None, 0, 1, 3, 100]), since, chance.random() < 0.5)


def _seen(told: Page | Receipt) -> list[object]:
    """What must be alike: all but the epochs, of which each broker makes its own."""
    if isinstance(told, Receipt):
        return [told.position.offset, bool(told.position.epoch), told.dropped]
    return [told.top.offset, *((p.offset, bytes(p.data), p.tags, p.time, bool(p.epoch)) for p in told.publications)]


@pytest.mark.parametrize("seed", range(4))
async def test_receipts_and_pages_are_alike(redis_server: RedisServer, seed: int) -> None:
    chance = random.Random(seed)
    keep, top = Last(chance.choice([1, 5, 50]), minutes=5), 0
    brokers = MemoryBroker(), RedisBroker(servers_from(options_from(redis_server.url)), prefix=f"like{seed}")
    nodes = [Node(broker) for broker in brokers]
    for node in nodes:
        await node.broker.start(node)
        await node.broker.subscribe("c")
    for number in range(STEPS):
        draft, query = _draft(chance, number), _query(chance, top)
        receipts = [await broker.publish("c", draft, keep) for broker in brokers]
        assert _seen(receipts[0]) == _seen(receipts[1]), (number, draft)
        top = max(top, receipts[0].position.offset)
        pages = [await broker.history("c", query, keep) for broker in brokers]
        assert _seen(pages[0]) == _seen(pages[1]), (number, query)
        if chance.random() < 0.02:
            for broker in brokers:
                await broker.remove_history("c")
    expected = nodes[0].heard("c")
    heard = await nodes[1].until("c", len(expected))
    assert [(p.offset, bytes(p.data)) for p in heard] == [(p.offset, bytes(p.data)) for p in expected]
    for broker in brokers:
        await broker.close()
