"""Databases live in threads and behind sockets, so here, unlike in the other folders, the clock is the machine's."""

import asyncio
from collections.abc import Callable, Mapping

import pytest

from tests.integration.store.postgres import postgres

__all__ = ["postgres"]

pytest.register_assert_rewrite("vagus.testing.store_contract")


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"real": asyncio.new_event_loop}
