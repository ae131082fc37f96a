"""The store in a SQLite file keeps the contract that all stores keep."""

from pathlib import Path

import pytest

from vagus.store import Store
from vagus.store.sqlite import sqlite_store
from vagus.testing.store_contract import StoreContract


class TestSqliteStore(StoreContract):
    @pytest.fixture(autouse=True)
    def _place(self, tmp_path: Path) -> None:
        self.file = tmp_path / "data" / "vagus.db"

    async def new_store(self) -> Store:
        return sqlite_store(self.file)

    async def another(self, store: Store) -> Store:
        return sqlite_store(self.file)
