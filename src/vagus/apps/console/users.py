"""Users who sign in with a password, as the store keeps them.

Functions take the transaction that they belong to. Passwords are hashed before: ``vagus.auth.passwords``.
"""

from typing import Final

import msgspec
from sqlalchemy import Row, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from vagus.kernel.errors import ConflictError
from vagus.kernel.identity import Role

from .tables import users

ROLES: Final = (Role.VIEWER, Role.OPERATOR, Role.ADMIN, Role.AUDITOR)
"""What people can be; the others are for programs."""

NAME_LENGTH: Final = 64
MOST: Final = 10_000


class User(msgspec.Struct, frozen=True, kw_only=True):
    """``hash`` is the password's. Times are in seconds since 1970; ``signed_in_at`` is of the last time."""

    name: str
    hash: str
    roles: frozenset[str]
    created_at: float
    changed_at: float
    signed_in_at: float | None = None

    def is_changed(self, now: "User | None") -> bool:
        """Whether it is another one ``now``, or none. Signing in changes nobody."""
        return now is None or msgspec.structs.replace(now, signed_in_at=self.signed_in_at) != self


def check_name(name: str) -> None:
    """Raises ``ValueError`` for a name that could not be told from another one, or not be shown."""
    if not (name.isprintable() and name == name.strip() and 0 < len(name) <= NAME_LENGTH):
        raise ValueError(f"the name of a user has 1 to {NAME_LENGTH} printable characters, and no space at its ends")


def check_roles(roles: frozenset[str]) -> None:
    """Raises ``ValueError`` for what no user can have."""
    if not roles or not roles <= set(ROLES):
        raise ValueError(f"a user has one or more of the roles {', '.join(ROLES)}")


async def add(transaction: AsyncConnection, name: str, *, hash: str, roles: frozenset[str], now: float) -> User:
    """Enter a user. Raises ``ConflictError`` for a name that is taken, ``ValueError`` for what no user can have."""
    check_name(name)
    check_roles(roles)
    if await find(transaction, name) is not None:
        raise ConflictError(f"there is a user {name} already")
    if (await transaction.execute(select(func.count()).select_from(users))).scalar_one() >= MOST:
        raise ConflictError(f"there are {MOST} users: remove some first")
    user = User(name=name, hash=hash, roles=roles, created_at=now, changed_at=now)
    row = msgspec.structs.asdict(user) | {"roles": roles_text(roles)}
    await transaction.execute(users.insert().values(row))
    return user


async def find(transaction: AsyncConnection, name: str) -> User | None:
    row = (await transaction.execute(select(users).where(users.c.name == name))).first()
    return None if row is None else _from(row)


async def every(transaction: AsyncConnection) -> list[User]:
    """By name."""
    return [_from(row) for row in await transaction.execute(select(users).order_by(users.c.name))]


async def set_hash(transaction: AsyncConnection, name: str, hash: str, *, now: float) -> bool:
    """Keep another hash for a user. Whether there is such a user."""
    statement = update(users).where(users.c.name == name).values(hash=hash, changed_at=now)
    return (await transaction.execute(statement)).rowcount > 0


async def set_roles(transaction: AsyncConnection, name: str, roles: frozenset[str], *, now: float) -> bool:
    """Give a user these roles and no others. Whether there is such a user. Raises ``ValueError`` as ``add`` does.

    What its sessions may is in them, so they are ended by ``sessions.end_of``.
    """
    check_roles(roles)
    statement = update(users).where(users.c.name == name).values(roles=roles_text(roles), changed_at=now)
    return (await transaction.execute(statement)).rowcount > 0


async def note_sign_in(transaction: AsyncConnection, name: str, *, now: float) -> None:
    """Somebody signed in as this user. It need not be one: links and tokens name whom they like."""
    await transaction.execute(update(users).where(users.c.name == name).values(signed_in_at=now))


async def remove(transaction: AsyncConnection, name: str) -> bool:
    """Whether there was such a user. Its sessions are ended by ``sessions.end_of``."""
    return (await transaction.execute(delete(users).where(users.c.name == name))).rowcount > 0


def roles_text(roles: frozenset[str]) -> str:
    return msgspec.json.encode(sorted(roles)).decode()


def roles_from(text: str) -> frozenset[str]:
    return msgspec.json.decode(text, type=frozenset[str])


def _from(row: Row[tuple[object, ...]]) -> User:
    values = row._asdict()
    return User(roles=roles_from(values.pop("roles")), **values)
