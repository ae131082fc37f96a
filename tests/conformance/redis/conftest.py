"""Redis lives behind sockets, so here, unlike in the other folders, the clock is the machine's."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.integration.redis.programs import OLDEST, program_named
from tests.integration.redis.servers import RedisCluster, RedisServer


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"real": asyncio.new_event_loop}


@pytest.fixture(scope="session", params=["redis-server", "valkey-server", OLDEST])
def redis_server(
    request: pytest.FixtureRequest,
    installed_program: Callable[[str], Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[RedisServer]:
    program = program_named(request.param, installed_program)
    with RedisServer(program, tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(scope="session")
def redis_cluster(
    installed_program: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RedisCluster]:
    with RedisCluster(installed_program("redis-server"), tmp_path_factory.mktemp("cluster")) as cluster:
        yield cluster
