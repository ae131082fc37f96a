"""What holds for every test: how hard properties are tried, no blocking on the event loop, and programs of the machine.

A test's folder is its kind: what needs a server, a browser or the examples is marked here, so that no test repeats it.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from blockbuster import BlockBuster
from hypothesis import HealthCheck, settings

from tests.patience import PATIENCE
from tools.system_packages import program_path

# No deadline and no speed check: time on a shared machine says nothing about the code.
_untimed = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("dev", _untimed, max_examples=30)
settings.register_profile("ci", _untimed, max_examples=200, derandomize=False, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "dev"))

_MARKED_FOLDERS = ("integration", "browser", "examples")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark each test with its folder and how long it may take here, and put the files first that may take longest."""
    usual = float(config.getini("timeout"))
    allowed: dict[Path, float] = {}
    for item in items:
        folder = item.path.relative_to(Path(__file__).parent).parts[0]
        if folder in _MARKED_FOLDERS:
            item.add_marker(folder)
        marked = item.get_closest_marker("timeout")
        limit = marked.args[0] if marked else usual
        item.add_marker(pytest.mark.timeout(limit * PATIENCE), append=False)
        allowed[item.path] = max(limit, allowed.get(item.path, usual))
    items.sort(key=lambda item: -allowed[item.path])


@pytest.fixture(scope="session")
def _blocking_calls() -> BlockBuster:
    return BlockBuster("vagus")


@pytest.fixture(autouse=True)
def no_blocking_calls(_blocking_calls: BlockBuster) -> Iterator[None]:
    """Raise BlockingError where Vagus blocks while an event loop runs in the same thread; tests themselves may."""
    _blocking_calls.activate()
    yield
    _blocking_calls.deactivate()


@pytest.fixture(scope="session")
def installed_program() -> Callable[[str], Path]:
    """Return a function that finds a program by name; a test whose program is absent skips, and in CI it fails."""

    def path_of(name: str) -> Path:
        found = program_path(name)
        if found is not None:
            return found
        reason = f"{name} is not on this machine"
        return pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)

    return path_of
