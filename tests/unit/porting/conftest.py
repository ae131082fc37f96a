"""As for the hub's own tests: the clock jumps, and what is logged is kept instead of printed."""

from tests.unit.hub.conftest import clock, logs, pytest_asyncio_loop_factories

__all__ = ["clock", "logs", "pytest_asyncio_loop_factories"]
