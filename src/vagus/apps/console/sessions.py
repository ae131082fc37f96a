"""Sessions as the store keeps them. Functions take the transaction that they belong to.

What a session is and when it is over: ``vagus.auth.sessions``. How a node knows them without asking each time:
``keeping``.
"""

import secrets
from collections.abc import Iterable
from typing import Final, Literal

import msgspec
from sqlalchemy import ColumnElement, Row, delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from vagus.auth.sessions import Terms

from .tables import sessions
from .users import roles_from, roles_text

Method = Literal["link", "password", "token"]

LISTED: Final = 1_000
"""Sessions that are listed at most, the newest first."""

_AT_ONCE: Final = 500
"""Ids in one statement."""


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody's. ``address`` and ``agent`` are where it was opened, so that people know theirs again."""

    id: str
    user: str
    roles: frozenset[str]
    method: Method
    created_at: float
    seen_at: float
    expires_at: float
    address: str
    agent: str


def new_id() -> str:
    """It names a session in lists and logs, and opens nothing."""
    return f"ses_{secrets.token_hex(6)}"


async def add(transaction: AsyncConnection, session: Session, hash: str, terms: Terms) -> list[str]:
    """Enter a session; the ids of those that it ends, since the user has too many or they are over."""
    now = session.created_at
    is_over = or_(sessions.c.expires_at <= now, sessions.c.seen_at <= now - terms.idle_s)
    ended = await _remove(transaction, is_over)
    theirs = select(sessions.c.id).where(sessions.c.user == session.user).order_by(sessions.c.seen_at.desc())
    beyond = (await transaction.scalars(theirs.offset(terms.most - 1))).all()
    ended += await end(transaction, beyond)
    row = msgspec.structs.asdict(session) | {"roles": roles_text(session.roles), "hash": hash}
    await transaction.execute(sessions.insert().values(row))
    return ended


async def find(transaction: AsyncConnection, hash: str) -> Session | None:
    row = (await transaction.execute(select(sessions).where(sessions.c.hash == hash))).first()
    return None if row is None else _from(row)


async def every(transaction: AsyncConnection, user: str | None = None) -> list[Session]:
    """The sessions of a user, or of all, newest first; some may be over."""
    statement = select(sessions).order_by(sessions.c.created_at.desc(), sessions.c.id).limit(LISTED)
    if user is not None:
        statement = statement.where(sessions.c.user == user)
    return [_from(row) for row in await transaction.execute(statement)]


async def lasting(transaction: AsyncConnection, ids: Iterable[str], *, now: float, terms: Terms) -> set[str]:
    """Which of these sessions are not over."""
    found: set[str] = set()
    for some in _parts(ids):
        stands = (sessions.c.expires_at > now) & (sessions.c.seen_at > now - terms.idle_s)
        found.update(await transaction.scalars(select(sessions.c.id).where(sessions.c.id.in_(some), stands)))
    return found


async def touch(transaction: AsyncConnection, ids: Iterable[str], *, now: float) -> None:
    """They were in use."""
    for some in _parts(ids):
        older = sessions.c.seen_at < now
        await transaction.execute(update(sessions).where(sessions.c.id.in_(some), older).values(seen_at=now))


async def end(transaction: AsyncConnection, ids: Iterable[str], *, user: str | None = None) -> list[str]:
    """End sessions, with ``user`` only that one's; the ids of those that were there."""
    ended: list[str] = []
    for some in _parts(ids):
        which = sessions.c.id.in_(some)
        ended += await _remove(transaction, which if user is None else which & (sessions.c.user == user))
    return ended


async def end_of(transaction: AsyncConnection, user: str) -> list[str]:
    """End all sessions of a user."""
    return await _remove(transaction, sessions.c.user == user)


async def _remove(transaction: AsyncConnection, which: ColumnElement[bool]) -> list[str]:
    return list((await transaction.scalars(delete(sessions).where(which).returning(sessions.c.id))).all())


def _parts(ids: Iterable[str]) -> list[list[str]]:
    every_id = list(ids)
    return [every_id[start : start + _AT_ONCE] for start in range(0, len(every_id), _AT_ONCE)]


def _from(row: Row[tuple[object, ...]]) -> Session:
    values = row._asdict()
    del values["hash"]
    return Session(roles=roles_from(values.pop("roles")), **values)
