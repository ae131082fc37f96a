"""How long who asks fusion for something waits for the store: they would rather hear soon that it does not answer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Final

from vagus.kernel.errors import StoreError
from vagus.store import Store

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

PROMPT_S: Final = 2.0
"""A store that works answers within milliseconds; one that is cut off lets its own limits of 5 to 35 s pass."""


@asynccontextmanager
async def prompt() -> AsyncIterator[None]:
    """What does not end in time is a ``StoreError``."""
    try:
        async with asyncio.timeout(PROMPT_S):
            yield
    except TimeoutError:
        raise StoreError("the store does not answer", retryable=True) from None


@asynccontextmanager
async def read_promptly(store: Store) -> "AsyncIterator[AsyncConnection]":
    """See ``Store.reading``. A store that does not answer is a ``StoreError``; questions to one that does take time."""
    async with AsyncExitStack() as stack:
        async with prompt():
            transaction = await stack.enter_async_context(store.reading())
        yield transaction
