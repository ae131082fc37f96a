"""Servers that are killed, started again and stopped in mid-flow, with Redis behind them: all comes, and once."""

import asyncio
import itertools
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.integration.client.conftest import OpenClient
from tests.integration.client.following import data, status
from tests.integration.redis.servers import RedisServer
from tests.integration.serving.processes import Serving
from tests.ports import free_port
from vagus.client import Client, Retry

RESTARTS: Final = 20
AT_ONCE: Final = 100
"""Publications under way at any moment."""

CONFIGURATION: Final = """
[access]
allow_anonymous = true

[limits]
history = 10000
ping_interval_s = 1
pong_timeout_s = 0.9

[[channels]]
pattern = "orders"
history = { size = 100000, minutes = 5 }
subscribe = ["anyone"]
publish = ["anyone"]
"""

PATIENT: Final = Retry(tries=None, min_s=0.05, max_s=0.2)


class House:
    """One server on one port, whose Redis stays while it comes and goes."""

    def __init__(self, folder: Path, redis: RedisServer) -> None:
        (folder / "vagus.toml").write_text(CONFIGURATION)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._folder = folder
        self._redis = redis
        self._serving = self._begin()

    @property
    def pid(self) -> int:
        return self._serving.pid

    def restart(self) -> None:
        """Kill it as when its machine dies, and return when it serves again."""
        self._serving.end()
        self._serving = self._begin()

    def end(self) -> None:
        self._serving.end()

    def _begin(self) -> Serving:
        return Serving(self._folder, "--port", str(self.port), VAGUS_BROKER__URL=self._redis.url)


@pytest.fixture
def house(installed_program: Callable[[str], Path], tmp_path: Path) -> Iterator[House]:
    with RedisServer(installed_program("redis-server"), tmp_path) as redis:
        house = House(tmp_path, redis)
        yield house
        house.end()


class Publisher:
    """Publishes 0, 1, 2 and so on until it is told that it is enough, many at a time."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.is_enough = False
        self.count = 0

    async def run(self) -> None:
        under_way: set[asyncio.Task[object]] = set()
        for number in itertools.count():
            if self.is_enough:
                break
            under_way.add(asyncio.create_task(self._client.publish("orders", number)))
            self.count = number + 1
            if len(under_way) >= AT_ONCE:
                done, under_way = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
        await asyncio.gather(*under_way)


@pytest.mark.timeout(180)  # 40 seconds on a quiet machine: twenty times a server starts
async def test_nothing_is_lost_or_repeated_over_twenty_killed_servers(house: House, open_client: OpenClient) -> None:
    writer, reader = await open_client(house.url, retry=PATIENT), await open_client(house.url, retry=PATIENT)
    publisher, seen = Publisher(writer), list[int]()
    async with reader.subscribe("orders", int) as orders:
        publishing = asyncio.create_task(publisher.run())
        for _ in range(RESTARTS):
            enough = len(seen) + 200
            while len(seen) < enough:
                seen += await data(orders, 1)
            await asyncio.to_thread(house.restart)
        publisher.is_enough = True
        await publishing
        while len(seen) < publisher.count:
            seen += await data(orders, 1)
        assert orders.recovered
        assert not orders.waiting
    assert seen == list(range(publisher.count))


@pytest.mark.timeout(60)
async def test_a_thousand_that_wait_while_the_server_is_down_are_made_once_in_order(
    house: House, open_client: OpenClient
) -> None:
    writer, reader = await open_client(house.url, retry=PATIENT), await open_client(house.url, retry=PATIENT)
    async with reader.subscribe("orders") as orders:
        house.end()
        await status(writer, "connecting")
        sent = [asyncio.create_task(writer.publish("orders", number)) for number in range(1_000)]
        await asyncio.to_thread(house.restart)
        receipts = await asyncio.gather(*sent)
        assert await data(orders, 1_000) == list(range(1_000))
    assert not any(receipt.repeated for receipt in receipts)


@pytest.mark.timeout(60)
async def test_a_server_that_stops_where_it_stands_is_left_and_found_again(
    house: House, open_client: OpenClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vagus.client.connection.SILENCE_S", 0.5)
    client = await open_client(house.url, retry=PATIENT)
    async with client.subscribe("orders") as orders:
        await client.publish("orders", 0)
        os.kill(house.pid, signal.SIGSTOP)
        try:
            sent = asyncio.create_task(client.publish("orders", 1))
            lost = await status(client, "connecting")
            assert "silent for 1.5 s" in lost.reason
        finally:
            os.kill(house.pid, signal.SIGCONT)
        await sent
        assert await data(orders, 2) == [0, 1]
