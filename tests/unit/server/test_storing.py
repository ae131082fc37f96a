"""Where a server's store is, and that the keys in it are followed."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.patience import DEADLINE_S
from vagus.auth.keys import key_hash
from vagus.kernel.errors import StoreError
from vagus.server import storing
from vagus.server.folder import DataFolder
from vagus.server.storing import DATABASE, Storage, sqlite_file, store_of
from vagus.settings import Settings
from vagus.settings.tree import Store
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


async def test_what_cannot_start_is_closed_again(folder: DataFolder) -> None:
    folder.path.mkdir()
    (folder.path / DATABASE).write_bytes(b"rubbish" * 1000)
    storage = Storage(store_of(Settings(), folder))
    with pytest.raises(StoreError, match="no SQLite database"):
        await storage.start()
    await storage.close()
    with pytest.raises(StoreError, match="closed"):
        await storage.store.check()
