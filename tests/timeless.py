"""For conftest files: tests on a loop whose clock jumps: an hour takes no time. What is logged is kept, not printed."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import Any

import pytest
from structlog.testing import capture_logs

from vagus.testing import FakeClock, FakeLoop


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"jumping": FakeLoop}


@pytest.fixture
async def clock() -> FakeClock:
    """The clock of the loop that the test runs on."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, FakeLoop)
    return loop.clock


@pytest.fixture(autouse=True)
def logs() -> Iterator[list[MutableMapping[str, Any]]]:
    """What was logged, as events; nothing is rendered, which reads files where there is a traceback."""
    with capture_logs() as captured:
        yield captured
