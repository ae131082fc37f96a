"""Where a server's store is, and that the keys in it are followed."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.patience import DEADLINE_S
from vagus.auth.keys import key_hash
from vagus.kernel.errors import StoreError
from vagus.server import storing
from vagus.server.folder import DataFolder
from vagus.server.storing import DATABASE, Storage, StoredKeys, private_files, sqlite_file, store_of
from vagus.settings import Settings
from vagus.settings.tree import Broker, Store
from vagus.store import keys


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    return DataFolder(tmp_path / "data")


@pytest.fixture
async def storage(folder: DataFolder, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Storage]:
    monkeypatch.setattr(storing, "LOOK_S", 3600.0)  # the tests say when
    made = Storage(store_of(Settings(), folder))
    await made.start()
    yield made
    await made.close()


async def add(storage: Storage, name: str, expires_at: float | None = None) -> None:
    """A key whose secret is its name."""
    async with storage.store.begin() as transaction:
        hash = key_hash(name)
        await keys.add(transaction, name=name, hash=hash, scopes=frozenset({"*"}), now=1.0, expires_at=expires_at)


def place(url: str, folder: DataFolder) -> Path | None:
    return sqlite_file(Settings(store=Store(url=url)), folder)


def test_the_database_is_a_file_in_the_data_folder_unless_it_is_said(folder: DataFolder) -> None:
    assert place("", folder) == folder.path / DATABASE
    assert place("sqlite:///keep/it.db", folder) == Path("keep/it.db")
    assert place("sqlite:////var/lib/a%20b.db", folder) == Path("/var/lib/a b.db")
    assert place("postgresql://u:secret@h/d", folder) is None
    assert not folder.path.exists()


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///", "sqlite://host/x", "sqlite:///:memory:"])
def test_an_address_without_a_file_is_refused(url: str, folder: DataFolder) -> None:
    with pytest.raises(ValueError, match="a file is needed"):
        place(url, folder)


async def test_a_database_is_made_where_there_is_none_for_its_user_alone(storage: Storage, folder: DataFolder) -> None:
    await storage.checks["store"]()
    assert (folder.path / DATABASE).stat().st_mode & 0o777 == 0o600
    assert folder.path.stat().st_mode & 0o777 == 0o700


async def test_keys_that_come_and_go_are_followed(storage: Storage) -> None:
    await add(storage, "one")
    await storage.keys.renew()
    assert storage.keys.verify("one") is not None
    async with storage.store.begin() as transaction:
        await keys.revoke(transaction, "one", now=2.0)
    await storage.keys.renew()
    assert storage.keys.verify("one") is None


async def test_an_expired_key_is_none(storage: Storage) -> None:
    await add(storage, "old", expires_at=time.time() - 1)
    await add(storage, "new", expires_at=time.time() + 60)
    await storage.keys.renew()
    assert storage.keys.verify("new") is not None
    assert storage.keys.verify("old") is None


async def test_known_keys_go_on_while_the_store_is_away_and_it_is_said(storage: Storage) -> None:
    await add(storage, "one")
    await storage.keys.renew()
    assert storage.keys.verify("one") is not None
    with capture_logs() as logs:
        await storage.store.close()
        for _ in range(2):
            await storage.keys.renew()
        assert not storage.keys.is_complete
        assert storage.keys.verify("one") is not None
        await storage.store.start()
        for _ in range(2):
            await storage.keys.renew()
        assert storage.keys.is_complete
    assert [log["event"] for log in logs] == ["stored_keys_unread", "stored_keys_read_again"]


async def test_keys_are_looked_at_again_by_themselves(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    looked = asyncio.Event()

    async def look() -> None:
        looked.set()

    await storage.close()
    monkeypatch.setattr(storing, "LOOK_S", 0.0)
    await storage.start()
    monkeypatch.setattr(storage.keys, "look", look)
    async with asyncio.timeout(DEADLINE_S):
        await looked.wait()


async def uses(storage: Storage) -> dict[str, float | None]:
    """When each key was used last, as the store has it."""
    async with storage.store.reading() as transaction:
        return {key.name: key.used_at for key in await keys.every(transaction)}


async def test_the_use_of_a_key_is_written_at_once_and_then_once_a_minute(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = iter((10.0, 20.0, 30.0))
    known = StoredKeys(storage.store, clock=lambda: next(times))
    for name in ("one", "other"):
        await add(storage, name)
    await known.look()
    assert known.verify("nobody's") is None
    await known.note_use()
    assert await uses(storage) == {"one": None, "other": None}
    known.verify("one")
    await known.note_use()
    assert await uses(storage) == {"one": 10.0, "other": None}
    known.verify("one")
    known.verify("one")
    await known.note_use()
    assert await uses(storage) == {"one": 10.0, "other": None}, "a minute has not passed"
    monkeypatch.setattr(known, "_note_at", 0.0)
    await known.note_use()
    assert await uses(storage) == {"one": 30.0, "other": None}


async def test_the_use_of_a_key_is_remembered_while_the_store_is_away(storage: Storage) -> None:
    await add(storage, "one")
    await storage.keys.renew()
    await storage.store.close()
    await storage.keys.renew()
    assert storage.keys.verify("one") is not None
    with capture_logs() as logs:
        await storage.keys.note_use()
    assert logs == []
    await storage.store.start()
    await storage.keys.renew()
    await storage.keys.note_use()
    assert (await uses(storage))["one"] == pytest.approx(time.time(), abs=DEADLINE_S)


async def test_a_use_that_cannot_be_written_is_kept_and_told_once(
    storage: Storage, folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    await add(storage, "one")
    await storage.keys.renew()
    storage.keys.verify("one")
    monkeypatch.setattr(storing, "NOTE_S", 0.0)
    monkeypatch.setattr(storing, "LOOK_TIMEOUT_S", 0.05)
    other = await asyncio.to_thread(partial(sqlite3.connect, check_same_thread=False), folder.path / DATABASE)
    try:
        await asyncio.to_thread(other.execute, "BEGIN IMMEDIATE")
        with capture_logs() as logs:
            for _ in range(2):
                await storage.keys.note_use()
        assert [log["event"] for log in logs] == ["key_use_unwritten"]
        assert storage.keys.is_complete
    finally:
        await asyncio.to_thread(other.close)
    monkeypatch.setattr(storing, "LOOK_TIMEOUT_S", DEADLINE_S)
    await storage.keys.note_use()
    assert (await uses(storage))["one"] is not None


async def test_what_was_used_is_written_when_the_server_ends(storage: Storage) -> None:
    await add(storage, "one")
    await storage.keys.renew()
    storage.keys.verify("one")
    await storage.close()
    await storage.store.start()
    assert (await uses(storage))["one"] is not None


async def test_what_cannot_start_is_closed_again(folder: DataFolder) -> None:
    folder.path.mkdir()
    (folder.path / DATABASE).write_bytes(b"rubbish" * 1000)
    storage = Storage(store_of(Settings(), folder))
    with pytest.raises(StoreError, match="no SQLite database"):
        await storage.start()
    await storage.close()
    with pytest.raises(StoreError, match="closed"):
        await storage.store.check()


def test_what_is_secret_is_the_servers_own_wherever_it_is(tmp_path: Path) -> None:
    settings = Settings(broker=Broker(url="rediss://redis", key_file="tls/key.pem"))
    folder = DataFolder(tmp_path, Path("vagus.toml"))
    own = {"token_secret", "api_key", "vagus.db"}
    assert set(private_files(settings, folder)) == {
        *(tmp_path / name for name in own), Path("vagus.toml"), Path("tls/key.pem")
    }  # fmt: skip
