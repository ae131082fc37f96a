"""A store in a file of its own, and sources that say what they are told to."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from vagus.store import Store
from vagus.store.sqlite import sqlite_store


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = sqlite_store(tmp_path / "vagus.db")
    await store.start()
    yield store
    await store.close()
