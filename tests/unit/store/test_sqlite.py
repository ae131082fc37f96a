"""SQLite as the store sets it up: durable, one writer at a time, and honest about who is in the way."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.patience import DEADLINE_S
from vagus.kernel.errors import StoreError
from vagus.store import Store, engine, settings, sqlite
from vagus.store.sqlite import sqlite_store


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "vagus.db"


@pytest.fixture
async def store(file: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Store]:
    monkeypatch.setattr(sqlite, "BUSY_S", 0.05)
    made = sqlite_store(file)
    await made.start()
    yield made
    await made.close()


async def put(store: Store, value: bytes) -> None:
    async with store.begin() as transaction:
        await settings.put(transaction, "k", value, by="test", now=0.0)


async def test_a_commit_waits_for_the_disk_and_keys_are_checked(store: Store) -> None:
    async with store.begin() as transaction:
        found = [
            (await transaction.execute(text(f"PRAGMA {name}"))).scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
    assert found == ["wal", 2, 1]  # 2 is FULL


async def test_another_process_that_writes_for_long_is_named(store: Store, file: Path) -> None:
    other = await asyncio.to_thread(sqlite3.connect, file, isolation_level=None, check_same_thread=False)
    await asyncio.to_thread(other.execute, "BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="another process") as caught:
        await put(store, b"1")
    assert caught.value.retryable
    async with store.reading() as transaction:
        assert await settings.get(transaction, "k") is None
    await asyncio.to_thread(other.close)
    await put(store, b"2")


async def test_who_waits_too_long_for_others_here_is_told(store: Store) -> None:
    async with store.begin():
        with pytest.raises(StoreError, match="in use") as caught:
            await put(store, b"1")
    assert caught.value.retryable
    await put(store, b"2")


async def test_closing_waits_for_what_is_under_way(store: Store) -> None:
    inside, leave = asyncio.Event(), asyncio.Event()

    async def write() -> None:
        async with store.begin() as transaction:
            await settings.put(transaction, "k", b"1", by="test", now=0.0)
            inside.set()
            await leave.wait()

    writing = asyncio.create_task(write())
    await asyncio.wait_for(inside.wait(), DEADLINE_S)
    closing = asyncio.create_task(store.close())
    await asyncio.sleep(0)
    with pytest.raises(StoreError, match="closed"):
        await put(store, b"2")
    assert not closing.done()
    leave.set()
    await asyncio.wait_for(closing, DEADLINE_S)
    await writing
    await store.start()
    async with store.reading() as transaction:
        found = await settings.get(transaction, "k")
    assert found is not None
    assert found.value == b"1"


async def test_closing_does_not_wait_for_ever(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "CLOSE_S", 0.01)
    async with store.begin():
        await asyncio.wait_for(store.close(), DEADLINE_S)
    await store.start()
    await put(store, b"1")


@pytest.fixture
def rubbish(file: Path) -> Path:
    file.write_bytes(b"rubbish" * 1000)
    return file


async def test_a_file_that_is_no_database_is_said_at_the_start(rubbish: Path) -> None:
    store = sqlite_store(rubbish)
    with pytest.raises(StoreError, match="no SQLite database") as caught:
        await store.start()
    assert not caught.value.retryable


async def test_a_folder_that_cannot_be_made_is_said_at_the_start(rubbish: Path) -> None:
    with pytest.raises(StoreError, match="cannot be made or opened"):
        await sqlite_store(rubbish / "vagus.db").start()
