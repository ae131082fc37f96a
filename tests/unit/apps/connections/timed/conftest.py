"""Rates and the live view, on a loop whose clock jumps."""

from tests.timeless import clock, logs, pytest_asyncio_loop_factories

__all__ = ["clock", "logs", "pytest_asyncio_loop_factories"]
