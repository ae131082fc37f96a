"""The Redis broker keeps the contract that all brokers keep: on one server, and on a cluster."""

import asyncio
from typing import ClassVar

import pytest

from tests.integration.redis.servers import RedisCluster, RedisServer
from vagus.broker import Broker
from vagus.broker.redis.addresses import options_from
from vagus.broker.redis.broker import RedisBroker
from vagus.broker.redis.keys import Keys
from vagus.broker.redis.servers import servers_from
from vagus.testing.broker_contract import BrokerContract


class TestRedisBroker(BrokerContract):
    nodes: ClassVar[int] = 2

    @pytest.fixture(autouse=True)
    def _server(self, redis_server: RedisServer) -> None:
        self.server = redis_server

    def new_broker(self) -> Broker:
        return RedisBroker(servers_from(options_from(self.server.url)))

    async def lose(self, broker: Broker, channel: str) -> None:
        names = Keys("vagus").names(channel)
        await asyncio.to_thread(self.server.ask, "DEL", names.meta, names.stream)


class TestRedisBrokerOnACluster(BrokerContract):
    nodes: ClassVar[int] = 2

    @pytest.fixture(autouse=True)
    def _cluster(self, redis_cluster: RedisCluster) -> None:
        self.cluster = redis_cluster

    def new_broker(self) -> Broker:
        return RedisBroker(servers_from(options_from(self.cluster.url)))

    async def lose(self, broker: Broker, channel: str) -> None:
        names = Keys("vagus").names(channel)
        server = await asyncio.to_thread(self.cluster.master_of, names.meta)
        await asyncio.to_thread(server.ask, "DEL", names.meta, names.stream)
