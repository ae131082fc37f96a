"""What the tests of this folder read from a subscription, with a deadline each."""

import asyncio
from typing import Any, TypeVar

from tests.patience import DEADLINE_S
from vagus.client import Client, Message, Status, Subscription

T = TypeVar("T")


async def take(subscription: Subscription[T], count: int) -> list[Message[T]]:
    """The next messages."""
    async with asyncio.timeout(DEADLINE_S):
        return [await anext(subscription) for _ in range(count)]


async def data(subscription: Subscription[Any], count: int) -> list[Any]:
    return [message.data for message in await take(subscription, count)]


async def reached(subscription: Subscription[Any], offset: int) -> None:
    """Wait until everything up to this place came, be it taken or not."""
    async with asyncio.timeout(DEADLINE_S):
        while subscription.position.offset < offset:  # noqa: ASYNC110 - a subscription has no event for it
            await asyncio.sleep(0)


async def rejoined(subscription: Subscription[Any]) -> None:
    """Wait until it stands again after the first loss."""
    async with asyncio.timeout(DEADLINE_S):
        while subscription.recovered is None:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0)


async def status(client: Client, state: str) -> Status:
    """Wait until the client is in this state."""
    async with asyncio.timeout(DEADLINE_S):
        async for status in client.watch():
            if status.state == state:
                return status
    raise AssertionError(f"closed before it was {state}")
