"""What is set while servers run: a JSON value a key, with who changed it when, and a version that counts its changes.

Functions take the transaction that they belong to, so that a change and its record are one. The settings of the file
are another thing: ``vagus.settings``.
"""

import msgspec
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from vagus.kernel.errors import ConflictError

from .tables import settings, upsert


class Setting(msgspec.Struct, frozen=True):
    """A setting as it is. ``value`` is JSON; ``changed_at`` is in seconds since 1970."""

    key: str
    value: bytes
    version: int
    changed_at: float
    changed_by: str


async def get(transaction: AsyncConnection, key: str) -> Setting | None:
    row = (await transaction.execute(select(settings).where(settings.c.key == key))).first()
    return None if row is None else _from(*row)


async def every(transaction: AsyncConnection, prefix: str = "") -> list[Setting]:
    """All settings whose keys begin so, in the order of their keys."""
    statement = select(settings).where(settings.c.key.startswith(prefix, autoescape=True)).order_by(settings.c.key)
    return [_from(*row) for row in await transaction.execute(statement)]


async def put(
    transaction: AsyncConnection, key: str, value: bytes, *, by: str, now: float, version: int | None = None
) -> Setting:
    """Set it. With ``version`` only if that is the present one (0: if it was never set), else ``ConflictError``."""
    row = {"key": key, "value": value.decode(), "version": 1, "changed_at": now, "changed_by": by}
    insert = upsert(transaction, settings).values(row)
    if version == 0:
        insert = insert.on_conflict_do_nothing(index_elements=["key"])
    else:
        changes = {name: insert.excluded[name] for name in ("value", "changed_at", "changed_by")}
        insert = insert.on_conflict_do_update(
            index_elements=["key"],
            set_=changes | {"version": settings.c.version + 1},
            where=None if version is None else settings.c.version == version,
        )
    kept = (await transaction.execute(insert.returning(settings))).first()
    if kept is None or (version is not None and kept.version != version + 1):
        raise ConflictError(f"the setting {key} is not at version {version} any more")
    return _from(*kept)


async def remove(transaction: AsyncConnection, key: str) -> None:
    """As if it had never been set."""
    await transaction.execute(delete(settings).where(settings.c.key == key))


def _from(key: str, value: str, version: int, changed_at: float, changed_by: str) -> Setting:
    return Setting(key, value.encode(), version, changed_at, changed_by)
