"""The store in PostgreSQL keeps the contract that all stores keep."""

import pytest

from tests.integration.store.postgres import Postgres
from vagus.store import Store
from vagus.store.postgresql import postgresql_store
from vagus.testing.store_contract import StoreContract


class TestPostgresqlStore(StoreContract):
    @pytest.fixture(autouse=True)
    def _server(self, postgres: Postgres) -> None:
        self.postgres = postgres
        self.url = ""

    async def new_store(self) -> Store:
        self.url = self.postgres.url(await self.postgres.new_database())
        return postgresql_store(self.url)

    async def another(self, store: Store) -> Store:
        return postgresql_store(self.url)
