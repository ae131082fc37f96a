"""Every test here runs on a loop whose clock jumps, and what is logged is kept instead of printed."""

from tests.timeless import clock, logs, pytest_asyncio_loop_factories

__all__ = ["clock", "logs", "pytest_asyncio_loop_factories"]
