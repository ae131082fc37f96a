"""What integration tests share: plain logs, and a thread with an event loop of its own, on which real servers run."""

import signal
import sys
from collections.abc import Iterator, MutableMapping
from typing import Any

import pytest
import structlog

from tests.integration.native.serving import LoopThread


def _name_error(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Say what was raised without its traceback: to print one reads source files, which counts as blocking here."""
    if event.pop("exc_info", None):
        event["error"] = repr(sys.exc_info()[1])
    return event


@pytest.fixture(scope="session", autouse=True)
def plain_logs() -> None:
    renderer = structlog.processors.KeyValueRenderer(key_order=["event"])
    structlog.configure(processors=[_name_error, renderer], logger_factory=structlog.PrintLoggerFactory())


@pytest.fixture(scope="session", autouse=True)
def interrupts() -> None:
    """Have Ctrl+C heeded where a shell runs the tests in its background, whose processes inherit that it is ignored."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def server_thread() -> Iterator[LoopThread]:
    thread = LoopThread()
    yield thread
    thread.end()
