"""Sources of fusion over every database: what two nodes change at once."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from vagus.apps.fusion.book import Book, ChangedSourceError, Entry, UnknownSourceError
from vagus.apps.fusion.collector import Collector
from vagus.apps.fusion.sources.making import Surroundings
from vagus.store import Store
from vagus.store.postgresql import postgresql_store
from vagus.store.sqlite import sqlite_store

if TYPE_CHECKING:
    from tests.integration.store.postgres import Postgres

ORDERS = {"kind": "json_file", "name": "orders", "path": "orders.json"}


@pytest.fixture(params=["sqlite", "postgresql"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    if request.param == "sqlite":
        store: Store = sqlite_store(tmp_path / "vagus.db")
    else:
        server: Postgres = request.getfixturevalue("postgres")
        store = postgresql_store(server.url(await server.new_database()))
    await store.start()
    yield store
    await store.close()


@pytest.fixture
async def books(store: Store, tmp_path: Path) -> AsyncIterator[tuple[Book, Book]]:
    around = Surroundings(tmp_path)
    yield Book(Collector(), around, store), Book(Collector(), around, store)
    await around.close()


async def test_of_two_that_change_what_both_saw_at_once_one_is_refused(books: tuple[Book, Book]) -> None:
    one, other = books
    for _ in range(20):
        seen = (await one.add(ORDERS, by="user:ada")).version
        made = await asyncio.gather(
            one.change("orders", {**ORDERS, "path": "later.json"}, by="user:ada", seen=seen),
            other.remove("orders", by="user:bob", seen=seen),
            other.change("orders", {**ORDERS, "path": "other.json"}, by="user:bob", seen=seen),
            return_exceptions=True,
        )
        assert sum(isinstance(each, Entry | None) for each in made) == 1, made
        assert sum(isinstance(each, ChangedSourceError | UnknownSourceError) for each in made) == 2, made
        if any(entry.name == "orders" for entry in await one.entries()):
            await one.remove("orders", by="user:ada")
