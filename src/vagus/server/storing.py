"""The store of a server: where it is, and the keys in it, which are looked at again while the server runs.

The database of a server is named by ``store.url``, and else is the file ``vagus.db`` in its data folder. Commands that
work on it without a server open it here too. SQLAlchemy is loaded when a store is made, which takes a quarter second.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import unquote

import structlog

from vagus.auth.keys import KeyRing, ServiceKey
from vagus.kernel.errors import StoreError
from vagus.settings import Settings
from vagus.store import Store

from .folder import DataFolder

log = structlog.get_logger()

DATABASE: Final = "vagus.db"

LOOK_S: Final = 2.0
"""How often the store's keys are looked at: a revoked one is good for no longer than this."""

LOOK_TIMEOUT_S: Final = 5.0

NOTE_S: Final = 60.0
"""How often it is written down, at most, when keys were used last."""


class Storage:
    """What a server keeps durably. ``start`` comes before everything that may want the store, ``close`` after it."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.keys = StoredKeys(store)

    async def start(self) -> None:
        """Open the store and read its keys. Raises ``StoreError`` if that cannot be done."""
        steps = await self.store.start()
        if steps:
            log.info("schema_migrated", steps=[f"{step.revision} {step.text}" for step in steps])
        try:
            await self.keys.start()
        except BaseException:
            await self.store.close()
            raise

    async def close(self) -> None:
        """Does nothing if it was not started."""
        await self.keys.close()
        await self.store.close()

    @property
    def checks(self) -> Mapping[str, Callable[[], Awaitable[object]]]:
        """What health asks."""
        return {"store": self.store.check}


class StoredKeys:
    """The store's keys, in memory: they go on working while the store is away, and ``is_complete`` is false then.

    When each was used last is kept here until it is written down, with the first look after it and once a minute then.
    """

    def __init__(self, store: Store, clock: Callable[[], float] = time.time) -> None:
        self.is_complete = True
        self._store = store
        self._clock = clock
        self._ring = KeyRing((), now=clock)
        self._seen: object = None
        self._watching: asyncio.Task[None] | None = None
        self._used: dict[str, float] = {}
        self._note_at = 0.0
        self._is_unwritten = False

    def verify(self, secret: str) -> ServiceKey | None:
        key = self._ring.verify(secret)
        if key is not None:
            self._used[key.hash] = self._clock()
        return key

    async def start(self) -> None:
        await self.look()
        self._watching = asyncio.create_task(self._watch())

    async def close(self) -> None:
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.wait({self._watching})
            self._watching = None
            self._note_at = 0.0
            await self.note_use()

    async def look(self) -> None:
        """Take over what has changed. Raises ``StoreError`` if that cannot be known."""
        from vagus.store import keys

        try:
            async with asyncio.timeout(LOOK_TIMEOUT_S), self._store.reading() as transaction:
                change = await keys.change(transaction)
                if change == self._seen:
                    return
                rows = await keys.every(transaction)
        except TimeoutError:
            raise StoreError("the store does not answer", retryable=True) from None
        kept = [ServiceKey(name=row.name, hash=row.hash, scopes=row.scopes, expires_at=row.expires_at) for row in rows]
        self._ring = KeyRing(kept, now=self._clock)
        self._seen = change

    async def renew(self) -> None:
        """Look, and remember whether that could be done."""
        try:
            await self.look()
        except Exception as error:
            if self.is_complete:
                log.warning("stored_keys_unread", error=str(error))
            self.is_complete = False
        else:
            if not self.is_complete:
                log.info("stored_keys_read_again")
            self.is_complete = True

    async def note_use(self) -> None:
        """Write down which keys were used, unless that was done a moment ago. What cannot be written is kept."""
        now = asyncio.get_running_loop().time()
        if not self._used or not self.is_complete or now < self._note_at:
            return
        self._note_at = now + NOTE_S
        used, self._used = self._used, {}
        is_written = False
        try:
            await self._write(used)
            is_written = True
        except Exception as error:
            if not self._is_unwritten:
                log.warning("key_use_unwritten", error=str(error) or "the store does not answer")
        finally:
            self._is_unwritten = not is_written
            if not is_written:
                self._used = used | self._used

    async def _write(self, used: Mapping[str, float]) -> None:
        from vagus.store import keys

        async with asyncio.timeout(LOOK_TIMEOUT_S), self._store.begin() as transaction:
            await keys.note_use(transaction, used)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            await self.renew()
            await self.note_use()


def store_of(settings: Settings, folder: DataFolder) -> Store:
    """The store that a server with these settings has. Nothing is opened. Raises ``ValueError`` for a useless url."""
    file = sqlite_file(settings, folder)
    if file is None:
        from vagus.store.postgresql import postgresql_store

        return postgresql_store(settings.store.url)
    from vagus.store.sqlite import sqlite_store

    return sqlite_store(file)


def sqlite_file(settings: Settings, folder: DataFolder) -> Path | None:
    """The file that the store is in; ``None`` if it is in PostgreSQL. Raises ``ValueError`` for a useless url."""
    url = settings.store.url
    if not url:
        return folder.path / DATABASE
    scheme, _, rest = url.partition("://")
    if scheme != "sqlite":
        return None
    path = unquote(rest.removeprefix("/").partition("?")[0])
    if not rest.startswith("/") or not path or path == ":memory:":
        raise ValueError("a file is needed: sqlite:///path, or sqlite:////path from the root")
    return Path(path)


def private_files(settings: Settings, folder: DataFolder) -> list[Path]:
    """The files that hold what is secret; beside the store's are some that begin like it."""
    try:
        database = sqlite_file(settings, folder)
    except ValueError:
        database = None
    keys = Path(settings.broker.key_file) if settings.broker.key_file else None
    return [*folder.secrets, *(path for path in (database, keys) if path is not None)]
