"""A hub with the admin app on it, and clients of it."""

from collections.abc import AsyncIterator

import pytest

from vagus.apps.admin import Admin, install
from vagus.hub import Hub
from vagus.testing import World, in_memory


@pytest.fixture
def admin(hub: Hub) -> Admin:
    return install(hub)


@pytest.fixture
async def world(hub: Hub, admin: Admin) -> AsyncIterator[World]:
    async with in_memory(hub) as world:
        yield world
