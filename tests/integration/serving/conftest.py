"""Servers as processes, and a Redis that they share."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.integration.redis.servers import RedisServer
from tests.integration.serving.processes import Guests, Serving, Start

CONFIGURATION = """
[access]
allow_anonymous = true

[[channels]]
pattern = "news"
history = { size = 300, minutes = 5 }
subscribe = ["anyone"]
publish = ["anyone"]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "vagus.toml").write_text(CONFIGURATION)
    return tmp_path


@pytest.fixture(scope="package")
def redis(installed_program: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with RedisServer(installed_program("redis-server"), tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def start(folder: Path) -> Iterator[Start]:
    """Start a process that is ended with the test."""
    with ExitStack() as stack:

        def start_one(*arguments: str, **environment: str) -> Serving:
            serving = Serving(folder, *arguments, **environment)
            stack.callback(serving.end)
            return serving

        yield start_one


@pytest.fixture
def start_node(start: Start, redis: RedisServer, folder: Path) -> Start:
    """The same on the Redis of this test's own nodes. Options are ``VAGUS_…`` variables."""
    shared = {"VAGUS_BROKER__URL": redis.url, "VAGUS_BROKER__PREFIX": f"t-{folder.name}"[:60]}
    return lambda *arguments, **environment: start(*arguments, **shared, **environment)


@pytest.fixture
async def guests() -> AsyncIterator[Guests]:
    """Clients and connections, which end with the test."""
    guests = Guests()
    yield guests
    await guests.leave()
