"""What the tests of faults need of the machine."""

from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def redis_program(installed_program: Callable[[str], Path]) -> Path:
    return installed_program("redis-server")
