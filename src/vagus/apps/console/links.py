"""Links to sign in with, each good for one use and for a short time.

Functions take the transaction that they belong to. A link is ``address/?code=…``; its code is kept as a hash.
"""

from typing import Final

import msgspec
from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncConnection

from vagus.auth.sessions import new_secret, secret_hash

from .tables import links
from .users import check_name, roles_from, roles_text

TTL_S: Final = 900.0
LONGEST_S: Final = 7 * 86_400.0


class Link(msgspec.Struct, frozen=True):
    """Who comes by a link."""

    user: str
    roles: frozenset[str]


async def make(
    transaction: AsyncConnection, *, user: str, roles: frozenset[str], now: float, ttl_s: float = TTL_S
) -> str:
    """A code for somebody with these roles. Raises ``ValueError`` for a name of none or a time that is too long."""
    check_name(user)
    if not 0 < ttl_s <= LONGEST_S:
        raise ValueError(f"a link is good for {LONGEST_S / 86_400:g} days at most")
    await transaction.execute(delete(links).where(links.c.expires_at <= now))
    code = new_secret()
    row = {"hash": secret_hash(code), "user": user, "roles": roles_text(roles), "created_at": now}
    await transaction.execute(links.insert().values(row | {"expires_at": now + ttl_s}))
    return code


async def use(transaction: AsyncConnection, code: str, *, now: float) -> Link | None:
    """Use a code up. ``None`` if there is none such, or it was used, or is too old: of two who try, one has it."""
    statement = delete(links).where(links.c.hash == secret_hash(code)).returning(links)
    row = (await transaction.execute(statement)).first()
    return None if row is None or row.expires_at <= now else Link(row.user, roles_from(row.roles))


def address_of(site: str, code: str) -> str:
    """What a person opens."""
    return f"{site.rstrip('/')}/?code={code}"
