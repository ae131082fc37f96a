"""A hub with the connections app on it, and clients of it."""

from collections.abc import AsyncIterator

import pytest

from vagus.apps.connections import Connections, install
from vagus.hub import Hub
from vagus.kernel.channels import ChannelRule, Last
from vagus.testing import World, in_memory


@pytest.fixture
def connections(hub: Hub) -> Connections:
    hub.rules.add(ChannelRule(pattern="orders:{id}", history=Last(10, hours=1), subscribe=("anyone",), delta=True))
    hub.rules.add(ChannelRule(pattern="prices", subscribe=("anyone",), when_slow="keep-latest"))
    return install(hub)


@pytest.fixture
async def world(hub: Hub, connections: Connections) -> AsyncIterator[World]:
    async with in_memory(hub) as world:
        yield world
