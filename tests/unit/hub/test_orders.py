"""What is asked of a client: done at once where it is, and left to the broker where it is not."""

import asyncio

import pytest

from vagus.broker.memory import MemoryBroker
from vagus.hub.hub import Hub
from vagus.kernel import codes
from vagus.kernel.channels import ChannelRule
from vagus.kernel.control import Order
from vagus.kernel.errors import BrokerError
from vagus.kernel.replies import Attached, Ended, Message, Renewed
from vagus.testing import in_memory


class LonelyBroker(MemoryBroker):
    """One that takes its time, and that other nodes cannot be reached through."""

    async def subscribe(self, channel: str) -> None:
        await asyncio.sleep(1)
        await super().subscribe(channel)

    async def order(self, order: Order) -> None:
        raise BrokerError("nobody is there")


def lonely_hub() -> Hub:
    return Hub(broker=LonelyBroker(), rules=[ChannelRule(pattern="news")])


async def test_a_client_that_is_here_follows_a_channel_when_that_is_done() -> None:
    hub = lonely_hub()
    async with in_memory(hub) as world:
        ada = await world.connect(user="ada")
        await hub.subscribe("news", client=ada.id)
        assert set(hub.clients[ada.id].subscriptions) == {"news"}
        await hub.subscribe("news", client=ada.id, user="ada")
        assert [type(heard) for heard in await ada.heard()] == [Attached]


async def test_a_client_that_is_here_needs_no_other_node() -> None:
    hub = lonely_hub()
    async with in_memory(hub) as world:
        ada = await world.connect(user="ada")
        await hub.subscribe("news", client=ada.id)
        await hub.send({"n": 1}, client=ada.id)
        await hub.refresh(client=ada.id, expires_at=hub.now() + 60)
        await hub.unsubscribe("news", client=ada.id)
        assert [type(heard) for heard in await ada.heard()] == [Attached, Message, Renewed, Ended]
        await hub.disconnect(client=ada.id)
        assert await ada.closure() is codes.FORCE_DISCONNECT


async def test_an_order_for_another_user_is_not_for_a_client_that_is_here() -> None:
    hub = lonely_hub()
    async with in_memory(hub) as world:
        ada = await world.connect(user="ada")
        await hub.subscribe("news", client=ada.id, user="ben")
        await hub.send(1, client=ada.id, user="ben")
        await ada.assert_nothing_more()
        assert hub.clients[ada.id].subscriptions == {}


async def test_others_are_asked_for_through_the_broker() -> None:
    hub = lonely_hub()
    async with in_memory(hub) as world:
        await world.connect(user="ada")
        for order in (
            hub.subscribe("news", client="elsewhere"),
            hub.subscribe("news", user="ada"),
            hub.send(1, user="ada"),
            hub.unsubscribe("news", client="elsewhere"),
            hub.disconnect(user="ada"),
        ):
            with pytest.raises(BrokerError):
                await order
