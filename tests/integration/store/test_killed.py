"""Killed in the middle of writing: what was committed is there, whole, and nothing else is."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from vagus.store import Store, settings
from vagus.store.backups import verify
from vagus.store.postgresql import postgresql_store
from vagus.store.sqlite import sqlite_store

from .postgres import Postgres

pytestmark = pytest.mark.timeout(60)  # programs that start, and wait for the disk with each of many writes
WRITER = Path(__file__).with_name("writer.py")


class Writer:
    """The program, and what it said last."""

    def __init__(self, place: str, since: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(WRITER), place, str(since)], stdout=subprocess.PIPE, text=True
        )
        self.last = since - 1

    def __enter__(self) -> "Writer":
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def read(self, count: int = 1) -> None:
        assert self._process.stdout is not None
        for _ in range(count):
            self.last = int(self._process.stdout.readline())

    def kill(self) -> None:
        if self._process.returncode is not None:
            return
        self._process.kill()
        assert self._process.stdout is not None
        said = self._process.stdout.read().split()  # what it had said before the end
        self.last = max([self.last, *(int(number) for number in said)])
        self._process.stdout.close()
        self._process.wait()


async def committed(store: Store) -> int:
    """How many are there, after looking that none is missing among them."""
    await store.start()
    try:
        async with store.reading() as transaction:
            rows = await settings.every(transaction, "n")
            last = await settings.get(transaction, "last")
        assert [row.key for row in rows] == [f"n{number:06}" for number in range(len(rows))]
        assert last is not None
        assert int(last.value) == len(rows) - 1
        return len(rows)
    finally:
        await store.close()


async def test_a_killed_writer_loses_nothing_that_it_committed(tmp_path: Path) -> None:
    file, count = tmp_path / "vagus.db", 0
    for _ in range(3):
        with Writer(str(file), count) as writer:
            writer.read(40)
        assert (file.with_name("vagus.db-wal")).stat().st_size
        count = await committed(sqlite_store(file))
        assert count in (writer.last + 1, writer.last + 2)  # one may be committed and not said
        await asyncio.to_thread(verify, file)


async def test_a_killed_postgresql_loses_nothing_that_was_committed(postgres: Postgres) -> None:
    url = postgres.url(await postgres.new_database())
    with Writer(url, 0) as writer:
        writer.read(40)
        postgres.kill()
        writer.kill()
    postgres.start()
    assert await committed(postgresql_store(url)) in (writer.last + 1, writer.last + 2)
