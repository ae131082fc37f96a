"""A program that writes one setting after the other and says so once each is committed, until it is killed."""

import asyncio
import sys
from pathlib import Path

from vagus.store import Store, settings
from vagus.store.postgresql import postgresql_store
from vagus.store.sqlite import sqlite_store


async def write(store: Store, since: int) -> None:
    await store.start()
    for number in range(since, since + 100_000):
        async with store.begin() as transaction:
            await settings.put(transaction, f"n{number:06}", b"1", by="writer", now=0.0)
            await settings.put(transaction, "last", str(number).encode(), by="writer", now=0.0)
        print(number, flush=True)  # noqa: T201  # whoever started it reads it


if __name__ == "__main__":
    place = sys.argv[1]
    made = postgresql_store(place) if "://" in place else sqlite_store(Path(place))
    asyncio.run(write(made, int(sys.argv[2])))
