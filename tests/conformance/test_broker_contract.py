"""The memory broker, which is the executable specification, keeps the contract that all brokers keep."""

import asyncio

import pytest

from vagus.broker import IDEMPOTENCY_S, Broker
from vagus.broker.memory import MemoryBroker
from vagus.kernel.publications import Draft, Json
from vagus.testing.broker_contract import KEEP, BrokerContract
from vagus.testing.clock import FakeLoop


class TestMemoryBroker(BrokerContract):
    def new_broker(self) -> Broker:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, FakeLoop)
        return MemoryBroker(loop.clock)

    async def lose(self, broker: Broker, channel: str) -> None:
        """A process that ends and starts again: the memory is empty."""
        vars(broker).update(vars(MemoryBroker()))

    @pytest.mark.parametrize(("age_s", "dropped"), [(IDEMPOTENCY_S - 1, True), (IDEMPOTENCY_S + 1, False)])
    async def test_a_key_is_remembered_for_five_minutes(self, age_s: float, dropped: bool) -> None:
        async with self.one() as node:
            channel = self.channel()
            draft = Draft(data=Json(b"1"), idempotency_key="k")
            await node.broker.publish(channel, draft, KEEP)
            await self.elapse(age_s)
            assert (await node.broker.publish(channel, draft, KEEP)).dropped is dropped
