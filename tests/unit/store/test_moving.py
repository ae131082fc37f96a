"""Rows as lines: all of them arrive in another database, or none."""

import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from vagus.kernel.errors import ConflictError, StoreError
from vagus.store import Store, keys, settings, tables
from vagus.store.moving import lines_of, read_lines
from vagus.store.sqlite import sqlite_store

SETTINGS = 1200


@asynccontextmanager
async def started(file: Path) -> AsyncIterator[Store]:
    store = sqlite_store(file)
    await store.start()
    try:
        yield store
    finally:
        await store.close()


def file_of(lines: list[bytes]) -> io.BytesIO:
    return io.BytesIO(b"".join(lines))


@pytest.fixture
async def lines(tmp_path: Path) -> list[bytes]:
    """What a store with a key and many settings is exported as."""
    async with started(tmp_path / "old.db") as store:
        async with store.begin() as transaction:
            await keys.add(transaction, name="ähm", hash="a" * 64, scopes=frozenset({"*"}), now=1.125)
            rows = [
                {"key": f"k{n:04}", "value": '{"a": "ä"}', "version": 1, "changed_at": n + 0.5, "changed_by": "me"}
                for n in range(SETTINGS)
            ]
            await transaction.execute(tables.settings.insert(), rows)
        return [line async for line in lines_of(store)]


async def test_everything_arrives_as_it_was(lines: list[bytes], tmp_path: Path) -> None:
    async with started(tmp_path / "new.db") as store:
        assert await read_lines(store, file_of(lines)) == SETTINGS + 1
        async with store.reading() as transaction:
            (key,) = await keys.every(transaction)
            found = await settings.every(transaction)
        assert (key.name, key.created_at, key.scopes) == ("ähm", 1.125, frozenset({"*"}))
        assert [row.changed_at for row in found] == [number + 0.5 for number in range(SETTINGS)]
        assert [line async for line in lines_of(store)] == lines


async def test_what_is_not_empty_is_left_alone(lines: list[bytes], tmp_path: Path) -> None:
    async with started(tmp_path / "new.db") as store:
        async with store.begin() as transaction:
            await settings.put(transaction, "k", b"1", by="me", now=1)
        with pytest.raises(ConflictError, match="not empty"):
            await read_lines(store, file_of(lines))
        async with store.reading() as transaction:
            assert len(await settings.every(transaction)) == 1


@pytest.mark.parametrize(
    "row",
    [
        {"key": "k", "value": "MQ==", "version": 1, "changed_at": "never", "changed_by": "me"},
        {"key": "k", "value": "MQ==", "version": 2**64, "changed_at": 1.0, "changed_by": "me"},
        {"unknown": 1},
    ],
)
async def test_of_an_export_with_a_row_that_is_none_nothing_arrives(
    lines: list[bytes], tmp_path: Path, row: dict[str, object]
) -> None:
    async with started(tmp_path / "new.db") as store:
        with pytest.raises(StoreError, match="damaged"):
            await read_lines(store, file_of([*lines, msgspec.json.encode({"table": "vagus_settings", "row": row})]))
        async with store.reading() as transaction:
            assert await settings.every(transaction) == []


@pytest.mark.parametrize("cut", [1, 600, SETTINGS + 1])
async def test_of_an_export_that_was_cut_short_nothing_arrives(lines: list[bytes], tmp_path: Path, cut: int) -> None:
    for broken in (lines[:cut], [*lines[:cut], lines[cut][:-3]]):
        async with started(tmp_path / "new.db") as store:
            with pytest.raises(StoreError, match="cut short"):
                await read_lines(store, file_of(broken))
            async with store.reading() as transaction:
                assert await settings.every(transaction) == []
                assert await keys.every(transaction) == []


@pytest.mark.parametrize("first", [b"", b"rubbish", b'{"vagus": "1"}', b'{"vagus":"1","schema":"0000","rows":{}}'])
async def test_what_is_no_export_of_this_schema_is_refused(tmp_path: Path, first: bytes) -> None:
    async with started(tmp_path / "new.db") as store:
        with pytest.raises(StoreError, match="export"):
            await read_lines(store, file_of([first]))


async def test_a_table_that_nobody_knows_is_refused(lines: list[bytes], tmp_path: Path) -> None:
    async with started(tmp_path / "new.db") as store:
        with pytest.raises(StoreError, match="vagus_future"):
            strange = msgspec.json.encode({"table": "vagus_future", "row": {"a": 1}})
            await read_lines(store, file_of([lines[0], strange]))
