"""Nodes on the Redis broker that know where their channels stand, as a hub does."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import msgspec

from tests.patience import DEADLINE_S
from vagus.broker import Followed
from vagus.broker.redis.addresses import options_from
from vagus.broker.redis.broker import RedisBroker
from vagus.broker.redis.servers import servers_from
from vagus.kernel.channels import Last
from vagus.kernel.errors import BrokerError
from vagus.kernel.history import Query
from vagus.kernel.publications import Draft, Position, Publication, Receipt
from vagus.testing.broker_contract import Node

KEEP = Last(100_000, minutes=5)


class Follower(Node):
    """A node that looks after its channels quickly, so that tests need not wait."""

    def __init__(self, broker: RedisBroker) -> None:
        super().__init__(broker)
        self.at: dict[str, Position] = {}
        self.breaks: list[tuple[Position, Position]] = []
        """Where what came did not follow what was there, though neither the epoch nor ``lost`` told of it."""

    def published(self, channel: str, publication: Publication, epoch: str, exclude: str) -> None:
        super().published(channel, publication, epoch, exclude)
        if publication.offset:
            before, here = self.at.get(channel), Position(publication.offset, epoch)
            if before is not None and before.epoch == epoch and before.offset + 1 != publication.offset:
                self.breaks.append((before, here))
            self.at[channel] = here

    def lost(self, channel: str, top: Position) -> None:
        super().lost(channel, top)
        self.at[channel] = top

    def followed(self) -> list[Followed]:
        return [Followed(channel, position, KEEP) for channel, position in self.at.items()]

    async def follow(self, channel: str) -> Position:
        await self.broker.subscribe(channel)
        page = await self.broker.history(channel, Query(0), KEEP)
        return self.at.setdefault(channel, page.top)

    async def publish(self, channel: str, number: int, **options: object) -> Receipt:
        draft = msgspec.structs.replace(Draft(data=msgspec.Raw(b"%d" % number)), **options)
        return await self.broker.publish(channel, draft, KEEP)

    async def insist(self, channel: str, number: int) -> Receipt:
        """Publish until it is taken, once, as a careful application does."""
        async with asyncio.timeout(DEADLINE_S):
            while True:
                try:
                    return await self.publish(channel, number, idempotency_key=f"{channel} {number}")
                except BrokerError:
                    await asyncio.sleep(0.02)

    async def until_number(self, channel: str, number: int) -> None:
        async with asyncio.timeout(DEADLINE_S):
            while number not in self.numbers(channel):
                await self._next()

    async def is_well(self) -> bool:
        try:
            await self.broker.check()
        except BrokerError:
            return False
        return self.broker.condition.is_up

    async def recovered(self) -> None:
        await until_so(self.is_well)


@asynccontextmanager
async def node(
    url: str, *, prefix: str = "vagus", check_s: float = 60.0, beat_s: float = 0.2
) -> AsyncIterator[Follower]:
    servers = servers_from(options_from(url, timeout_s=1.0))
    broker = RedisBroker(servers, prefix=prefix, check_s=check_s, beat_s=beat_s, timeout_s=1.0)
    follower = Follower(broker)
    await broker.start(follower)
    try:
        yield follower
    finally:
        await broker.close()


async def until_so(asks: Callable[[], Awaitable[bool]]) -> None:
    """Ask again and again; for what nobody is told of."""
    async with asyncio.timeout(DEADLINE_S):
        while not await asks():  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(0.02)
