"""A disk that is full or read-only: said so, nothing is harmed, and it goes on once that is over."""

import asyncio
import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from vagus.kernel.errors import StoreError
from vagus.store import Store, settings
from vagus.store.backups import export, verify
from vagus.store.sqlite import sqlite_store

SIZE = 2_000_000


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk of its own, which the system allows only to root."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "none", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no disk may be mounted here: {mounted.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def fill(disk: Path) -> Path:
    """Take all the room that there is."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as out:
        with contextlib.suppress(OSError):
            while out.write(b"x" * 4096):
                pass
    return filler


def remount(disk: Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", str(disk)], check=True)


async def put(store: Store, number: int) -> None:
    async with store.begin() as transaction:
        await settings.put(transaction, f"n{number:04}", b'"%b"' % (b"x" * 4000), by="test", now=0.0)


async def until_full(store: Store) -> int:
    """Write until it is refused, and say how many were written."""
    for number in range(10_000):
        try:
            await put(store, number)
        except StoreError as error:
            assert error.retryable
            assert "full" in str(error)
            return number
    raise AssertionError("the disk is never full")


async def test_a_full_disk_is_said_and_it_goes_on_when_there_is_room(disk: Path) -> None:
    store = sqlite_store(disk / "vagus.db")
    await store.start()
    filler = fill(disk)
    written = await until_full(store)
    for _ in range(2):
        with pytest.raises(StoreError, match="full"):
            await put(store, written)
    async with store.reading() as transaction:
        assert len(await settings.every(transaction)) == written
    filler.unlink()
    await put(store, written)
    await store.check()
    async with store.reading() as transaction:
        assert len(await settings.every(transaction)) == written + 1
    await store.close()
    await asyncio.to_thread(verify, disk / "vagus.db")


async def test_health_is_red_while_the_disk_is_full(disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vagus.store.engine.CHECK_S", 0.0)
    store = sqlite_store(disk / "vagus.db")
    await store.start()
    filler = fill(disk)
    await until_full(store)
    with pytest.raises(StoreError, match="full"):
        for _ in range(1000):  # each writes a little, and there may be a little room
            await store.check()
    filler.unlink()
    await store.check()
    await store.close()


async def test_a_server_that_starts_on_a_full_disk_says_so(disk: Path) -> None:
    fill(disk)
    store = sqlite_store(disk / "vagus.db")
    with pytest.raises(StoreError, match=r"full|cannot be made"):
        await store.start()
    (disk / "filler").unlink()
    await store.start()
    await store.check()
    await store.close()


async def test_a_read_only_disk_is_said(disk: Path) -> None:
    store = sqlite_store(disk / "vagus.db")
    await store.start()
    await put(store, 1)
    await store.close()
    remount(disk, "ro")
    with pytest.raises(StoreError, match=r"[Rr]ead-only"):
        await store.start()
    remount(disk, "rw")
    await store.start()
    await put(store, 2)
    await store.close()


async def test_a_copy_that_has_no_room_leaves_nothing(disk: Path, tmp_path: Path) -> None:
    store = sqlite_store(tmp_path / "vagus.db")
    await store.start()
    async with store.begin() as transaction:
        large = b'"%b"' % (b"x" * 2 * SIZE)
        await settings.put(transaction, "large", large, by="test", now=0.0)
    await store.close()
    with pytest.raises(StoreError, match="full"):
        await asyncio.to_thread(
            export, tmp_path / "vagus.db", disk / "copy.db", replace=False, progress=lambda _done, _total: None
        )
    assert os.listdir(disk) == []
