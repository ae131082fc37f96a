"""A process may open its database twice: another process that comes and goes meanwhile takes nothing away from it."""

import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.patience import DEADLINE_S
from vagus.store import settings
from vagus.store.sqlite import sqlite_store

VISITOR: Final = """
import sqlite3, sys
database = sqlite3.connect(sys.argv[1])
database.execute("INSERT INTO vagus_settings VALUES (?, '1', 1, 0, 'visitor')", (sys.argv[2],))
database.commit()
database.close()
"""


async def test_what_processes_write_in_turn_stays_when_the_database_was_opened_twice(tmp_path: Path) -> None:
    path = tmp_path / "vagus.db"
    store, second = sqlite_store(path), sqlite_store(path)
    await store.start()
    await second.open()
    await second.close()
    for key in ("first", "second"):
        subprocess.run([sys.executable, "-c", VISITOR, str(path), key], check=True, timeout=DEADLINE_S)  # noqa: ASYNC221
        async with store.begin() as transaction:
            await settings.put(transaction, f"after.{key}", b"1", by="us", now=0.0)
    async with store.reading() as transaction:
        found = {setting.key for setting in await settings.every(transaction)}
    await store.close()
    assert found == {"first", "after.first", "second", "after.second"}
