"""Signing in: by a link, by a password, by a token. Each way ends in a session, or in ``RefusedSignInError``.

What is wrong is told without saying whether a user exists, also not by the time it takes. Guesses are bounded three
times: for an address, for a user, and in how many passwords are checked at once, since each takes a core and 64 MiB.
The bounds are each node's own.
"""

import asyncio
from ipaddress import IPv6Address, ip_address
from typing import Final, Literal

import msgspec
import structlog

from vagus.auth.passwords import is_outdated, is_password, password_hash
from vagus.hub import Hub
from vagus.kernel import codes
from vagus.kernel.errors import DisconnectError, RefusedError
from vagus.kernel.rates import Buckets, Rate

from . import links, users
from .keeping import KeptSessions, Newcomer, Opened
from .sessions import Method
from .tables import TURN
from .values import SignIn

log = structlog.get_logger()

TRIES_PER_ADDRESS: Final = Rate(per_s=0.2, burst=20)
TRIES_PER_USER: Final = Rate(per_s=0.05, burst=5)

CHECKED_AT_ONCE: Final = 2
WAITING: Final = 16
"""How many more may wait for their password to be checked."""

Kind = Literal["wrong", "too often", "later"]


class RefusedSignInError(Exception):
    """``kind`` is whether to try otherwise, less often (after ``wait_s``) or later; ``detail`` is for the person."""

    def __init__(self, kind: Kind, detail: str, wait_s: int = 0) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.wait_s = wait_s


class Visitor(msgspec.Struct, frozen=True):
    """From where somebody signs in. ``session`` is the one that the browser has already, which ends."""

    address: str
    agent: str = ""
    session: str = ""

    def as_newcomer(
        self, user: str, roles: frozenset[str], method: Method, expires_at: float | None = None
    ) -> Newcomer:
        return Newcomer(
            user=user,
            roles=roles,
            method=method,
            address=self.address,
            agent=self.agent,
            expires_at=expires_at,
            instead_of=self.session,
        )


class SigningIn:
    """One node's. Besides ``RefusedSignInError`` its method raises ``StoreError``; then nothing has happened."""

    def __init__(self, hub: Hub, kept: KeptSessions) -> None:
        self._hub = hub
        self._kept = kept
        self._addresses = Buckets(TRIES_PER_ADDRESS)
        self._users = Buckets(TRIES_PER_USER)
        self._checks = asyncio.Semaphore(CHECKED_AT_ONCE)
        self._checking = 0

    async def sign_in(self, shown: SignIn, visitor: Visitor) -> Opened:
        try:
            self._take(self._addresses, _network_of(visitor.address), TRIES_PER_ADDRESS)
            opened = await self._open(shown, visitor)
        except RefusedSignInError as refused:
            log.info("sign_in_refused", method=shown.method, address=visitor.address, reason=refused.kind)
            raise
        session = opened.session
        log.info("signed_in", method=session.method, user=session.user, session=session.id, address=visitor.address)
        await self._kept.forget(opened.ended)
        return opened

    async def _open(self, shown: SignIn, visitor: Visitor) -> Opened:
        match shown.method:
            case "link":
                return await self._by_link(shown, visitor)
            case "password":
                return await self._by_password(shown, visitor)
            case "token":
                return await self._by_token(shown, visitor)

    async def _by_link(self, shown: SignIn, visitor: Visitor) -> Opened:
        async with self._kept.store.begin(alone=TURN) as transaction:
            link = await links.use(transaction, shown.code, now=self._hub.now())
            if link is not None:
                return await self._kept.open(transaction, visitor.as_newcomer(link.user, link.roles, "link"))
        raise RefusedSignInError("wrong", "The link is used up or too old: vagus link makes a new one.")

    async def _by_password(self, shown: SignIn, visitor: Visitor) -> Opened:
        self._take(self._users, shown.user, TRIES_PER_USER)
        async with self._kept.store.reading() as transaction:
            user = await users.find(transaction, shown.user)
        is_right = await self._check(user.hash if user is not None else None, shown.password)
        if user is None or not is_right:
            raise RefusedSignInError("wrong", "User or password is wrong.")
        renewed = await asyncio.to_thread(password_hash, shown.password) if is_outdated(user.hash) else ""
        newcomer = visitor.as_newcomer(user.name, user.roles, "password")
        async with self._kept.store.begin(alone=TURN) as transaction:
            if not user.is_changed(await users.find(transaction, user.name)):  # else it was while it was checked
                if renewed:
                    await users.set_hash(transaction, user.name, renewed, now=user.changed_at)
                return await self._kept.open(transaction, newcomer)
        raise RefusedSignInError("wrong", "User or password is wrong.")

    async def _check(self, kept: str | None, shown: str) -> bool:
        if self._checking >= CHECKED_AT_ONCE + WAITING:
            raise RefusedSignInError("later", "Many people are signing in now: try again.", 2)
        self._checking += 1
        try:
            async with self._checks:
                return await asyncio.to_thread(is_password, kept, shown)
        finally:
            self._checking -= 1

    async def _by_token(self, shown: SignIn, visitor: Visitor) -> Opened:
        try:
            identity = await self._hub.policies.identity_from(shown.token)
        except DisconnectError:
            raise RefusedSignInError("wrong", "The token is not valid.") from None
        except RefusedError as refused:
            if refused.fault is codes.TOKEN_EXPIRED:
                raise RefusedSignInError("wrong", "The token has expired.") from None
            raise RefusedSignInError("later", "The keys of tokens cannot be had now: try again.", 2) from None
        if identity.is_anonymous:
            raise RefusedSignInError("wrong", "The token names no user.")
        newcomer = visitor.as_newcomer(identity.user, identity.roles, "token", identity.expires_at)
        async with self._kept.store.begin(alone=TURN) as transaction:
            return await self._kept.open(transaction, newcomer)

    def _take(self, buckets: Buckets, party: str, rate: Rate) -> None:
        if not buckets.take(party, self._hub.loop.time()):
            wait_s = round(1 / rate.per_s)
            raise RefusedSignInError("too often", f"Too many tries: wait {wait_s} seconds.", wait_s)


def _network_of(address: str) -> str:
    """An IPv6 network is one party: whoever has one address of it has them all."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    return str(int(parsed) >> 64) if isinstance(parsed, IPv6Address) else address
