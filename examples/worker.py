"""A worker gets its orders from a channel, and tells in another one what it has done.

vagus serve                                  with rules for work:{worker} and done in its vagus.toml, docs/recipes.md
HUB_TOKEN=$(vagus token --user press-3 --role service) python -m examples.worker press-3
vagus publish work:press-3 '{"id": 7, "item": "bracket"}'
"""

import asyncio
import os
import sys

import msgspec

from vagus.client import Client, Retry

URL = os.environ.get("HUB_URL", "http://127.0.0.1:8000")


class Order(msgspec.Struct):
    id: int
    item: str


async def main(name: str) -> None:
    async with (
        Client(URL, token=os.environ["HUB_TOKEN"], name="worker", retry=Retry(tries=None)) as hub,
        hub.subscribe(f"work:{name}", Order) as orders,
    ):
        print(f"{name} waits for orders", flush=True)
        async for message in orders:
            print(f"making a {message.data.item}", flush=True)
            await hub.publish("done", {"order": message.data.id, "by": name}, key=f"done-{message.data.id}")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
