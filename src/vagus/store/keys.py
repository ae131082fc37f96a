"""Service keys that are kept in the store: only their hashes, and for good, so that a revoked key stays known.

Functions take the transaction that they belong to. What a key is and how it is checked: ``vagus.auth.keys``.
"""

import secrets
from collections.abc import Mapping
from typing import Final

import msgspec
from sqlalchemy import Row, bindparam, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from vagus.kernel.errors import ConflictError

from .tables import keys

MAX_VALID: Final = 10_000
"""Keys that may be valid at a time: every node has all of them in memory."""

NAME_LENGTH: Final = 200


class StoredKey(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the book. Times are in seconds since 1970."""

    id: str
    name: str
    hash: str
    scopes: frozenset[str]
    created_at: float
    expires_at: float | None = None
    revoked_at: float | None = None
    used_at: float | None = None

    def is_valid(self, now: float) -> bool:
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > now)


class Change(msgspec.Struct, frozen=True):
    """Counts that differ whenever the book does."""

    made: int
    revoked: int


async def add(
    transaction: AsyncConnection,
    *,
    name: str,
    hash: str,
    scopes: frozenset[str],
    now: float,
    expires_at: float | None = None,
) -> StoredKey:
    """Enter a key. Raises ``ConflictError`` if a key of this name, or this key itself, is there already."""
    if not (name.isprintable() and 0 < len(name) <= NAME_LENGTH):
        raise ValueError(f"the name of a key has 1 to {NAME_LENGTH} printable characters")
    valid = await transaction.execute(select(func.count()).where(keys.c.revoked_at.is_(None)))
    if valid.scalar_one() >= MAX_VALID:
        raise ConflictError(f"there are {MAX_VALID} keys: revoke some first")
    taken = await transaction.scalar(select(keys.c.id).where(keys.c.name == name, keys.c.revoked_at.is_(None)))
    if taken is not None:
        raise ConflictError(f"there is a key named {name} already: revoke it first, or choose another name")
    key = StoredKey(
        id=f"key_{secrets.token_hex(6)}",
        name=name,
        hash=hash,
        scopes=scopes,
        created_at=now,
        expires_at=expires_at,
    )
    row = msgspec.structs.asdict(key) | {"scopes": msgspec.json.encode(sorted(scopes)).decode()}
    await transaction.execute(keys.insert().values(row))
    return key


async def every(transaction: AsyncConnection, *, revoked: bool = False) -> list[StoredKey]:
    """The keys that may be used or have expired, oldest first, and with ``revoked`` those that were revoked too."""
    statement = select(keys).order_by(keys.c.created_at, keys.c.id)
    if not revoked:
        statement = statement.where(keys.c.revoked_at.is_(None))
    return [_from(row) for row in await transaction.execute(statement)]


async def revoke(transaction: AsyncConnection, which: str, *, now: float) -> StoredKey | None:
    """Revoke the key with this id, or else of this name, for good. ``None`` if there is none that was not revoked."""
    statement = (
        update(keys)
        .where(or_(keys.c.id == which, keys.c.name == which), keys.c.revoked_at.is_(None))
        .values(revoked_at=now)
        .returning(keys)
    )
    row = (await transaction.execute(statement)).first()
    return None if row is None else _from(row)


async def note_use(transaction: AsyncConnection, used: Mapping[str, float]) -> None:
    """Keys, here by their hashes, were shown at these times. A later time that is known stays."""
    is_news = or_(keys.c.used_at.is_(None), keys.c.used_at < bindparam("at"))
    statement = update(keys).where(keys.c.hash == bindparam("shown"), is_news).values(used_at=bindparam("at"))
    if used:  # in one order, so that nodes wait for each other instead of standing in each other's way
        await transaction.execute(statement, [{"shown": hash, "at": at} for hash, at in sorted(used.items())])


async def change(transaction: AsyncConnection) -> Change:
    """Where the book stands: cheap, to be asked often."""
    made, revoked = (await transaction.execute(select(func.count(), func.count(keys.c.revoked_at)))).one()
    return Change(made, revoked)


def _from(row: Row[tuple[object, ...]]) -> StoredKey:
    values = row._asdict()
    scopes = msgspec.json.decode(values.pop("scopes"), type=frozenset[str])
    return StoredKey(scopes=scopes, **values)
