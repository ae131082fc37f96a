"""Every test here runs on a loop whose clock jumps: an hour takes no time, and nothing depends on the machine."""

import pytest

from tests.timeless import clock, logs, pytest_asyncio_loop_factories

__all__ = ["clock", "logs", "pytest_asyncio_loop_factories"]

pytest.register_assert_rewrite("vagus.testing.broker_contract")
