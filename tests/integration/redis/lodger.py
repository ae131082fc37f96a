"""A program that is a node of its own, to be killed: it enters a client, says so, and stays."""

import asyncio
import sys

from tests.integration.redis.followers import node
from vagus.kernel.publications import ClientInfo


async def main(url: str, channel: str, client: str) -> None:
    async with node(url) as lodger:
        await lodger.broker.enter(channel, ClientInfo("ada", client))
        print(lodger.node_id, flush=True)  # noqa: T201 - what the test waits for
        await asyncio.Event().wait()


asyncio.run(main(*sys.argv[1:]))
