"""Servers for the tests of this folder, of each program that speaks Redis."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.integration.redis.ears import Heard
from tests.integration.redis.programs import OLDEST, program_named
from tests.integration.redis.servers import RedisServer
from vagus.broker.redis import Servers
from vagus.broker.redis.addresses import options_from
from vagus.broker.redis.servers import servers_from

Connect = Callable[..., Awaitable[tuple[Servers, Heard]]]


@pytest.fixture(params=["redis-server", "valkey-server"])
def program(request: pytest.FixtureRequest, installed_program: Callable[[str], Path]) -> Path:
    return program_named(request.param, installed_program)


@pytest.fixture(params=["redis-server", "valkey-server", OLDEST])
def each_program(request: pytest.FixtureRequest, installed_program: Callable[[str], Path]) -> Path:
    """Where a Cluster is concerned, and 6.2 differs."""
    return program_named(request.param, installed_program)


@pytest.fixture
def redis_program(installed_program: Callable[[str], Path]) -> Path:
    """Redis itself, for what does not differ or the other programs lack."""
    return program_named("redis-server", installed_program)


@pytest.fixture
def server(program: Path, tmp_path: Path) -> Iterator[RedisServer]:
    with RedisServer(program, tmp_path) as server:
        yield server


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    """Return a function that connects to a URL; what it opened is closed at the end."""
    async with AsyncExitStack() as stack:

        async def opened(url: str, timeout_s: float = 3.0, **files: str) -> tuple[Servers, Heard]:
            servers, heard = servers_from(options_from(url, timeout_s=timeout_s, **files)), Heard()
            await servers.start(heard)
            stack.push_async_callback(servers.close)
            return servers, heard

        yield opened


@pytest.fixture(autouse=True)
def nothing_left_behind(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """A future or task whose failure nobody looked at is said by asyncio in the log alone."""
    yield
    said: list[Any] = [record.getMessage() for record in caplog.records if record.name == "asyncio"]
    assert not [text for text in said if "never retrieved" in text or "destroyed" in text]
