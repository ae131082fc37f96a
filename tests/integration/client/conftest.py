"""Servers and clients for the tests of ``vagus.client``, and the marks that a bug would leave in the log.

==================  ================================================================================================
test_conversations  following, publishing, calls, history, presence, events, messages to one client, filters, deltas
test_recovering     cut connections, gaps, positions, epochs, subscriptions that the server ends
test_tokens         tokens that are refused, expire, are renewed; private channels
test_retrying       servers that are not there, come later, close for good; closing and cancelling
test_pressure       programs that do not keep up: full buffers, calls while they are full, dropping
test_queue          publications without a connection
test_hostile        servers that send what is not the protocol
test_processes      servers that are killed, restarted and stopped in mid-flow, with Redis behind them
==================  ================================================================================================
"""

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from tests.integration.native.serving import LoopThread, Server, servers_on
from vagus.client import Client, Retry

Serve = Callable[..., Awaitable[Server]]
OpenClient = Callable[..., Awaitable[Client]]

QUICKLY = Retry(tries=None, min_s=0.01, max_s=0.1)


@pytest.fixture
async def serve(server_thread: LoopThread) -> AsyncIterator[Serve]:
    """Start servers: ``await serve(hub)``, with options of the gate if need be."""
    async with servers_on(server_thread) as start:
        yield start


@pytest.fixture
async def open_client() -> AsyncIterator[OpenClient]:
    """Make clients that are closed with the test: ``await open_client(url)``; impatient ones, but for ``retry``."""
    async with AsyncExitStack() as stack:

        async def opened(url: str, **options: Any) -> Client:
            return await stack.enter_async_context(Client(url, **{"retry": QUICKLY, **options}))

        yield opened


@pytest.fixture(autouse=True)
async def nothing_left_behind(caplog: pytest.LogCaptureFixture) -> AsyncIterator[None]:
    """A client that was closed has no task left, and none whose failure nobody looked at."""
    before = asyncio.all_tasks()
    yield
    assert [task for task in asyncio.all_tasks() - before if "vagus" in repr(task)] == []
    gc.collect()
    said: list[Any] = [record.getMessage() for record in caplog.records if record.name == "asyncio"]
    assert not [text for text in said if "never retrieved" in text or "destroyed" in text]
