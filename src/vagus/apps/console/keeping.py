"""The sessions as a node knows them: in the store, and in memory for as long as a revoked one may still be believed.

A request costs no query as long as its session was looked up ``FRESH_S`` ago or less. Every ``LOOK_S`` the sessions of
live connections are looked up, and connections are closed whose session is over; what was in use is written every
``TOUCH_S``, so a session whose page stays open does not fall idle. While the store is away, connections stay, requests
are answered with 503, and each connection ends with its session's time all the same (``Identity.expires_at``).
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from typing import Final

import msgspec
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from vagus.auth.sessions import SessionIdentity, Terms, new_secret, secret_hash
from vagus.hub import Hub
from vagus.kernel import codes
from vagus.kernel.errors import StoreError, VagusError
from vagus.store import Store

from . import sessions, users
from .sessions import Method, Session

log = structlog.get_logger()

FRESH_S: Final = 2.0
LOOK_S: Final = 2.0
TOUCH_S: Final = 60.0

ANSWER_S: Final = 5.0
"""How long the store may take."""

REMEMBERED: Final = 10_000
"""Secrets in memory, false ones too; beyond it all are looked up again."""

_AGENT_LENGTH: Final = 200


class Newcomer(msgspec.Struct, frozen=True, kw_only=True):
    """Who begins a session, by what, and from where.

    ``expires_at`` is when what was shown ends; ``instead_of`` is the id of a session that this one takes the place of.
    """

    user: str
    roles: frozenset[str]
    method: Method
    address: str = ""
    agent: str = ""
    expires_at: float | None = None
    instead_of: str = ""


class Opened(msgspec.Struct, frozen=True):
    """A new session, the secret that opens it, and the ids of sessions that it ended."""

    session: Session
    secret: str
    ended: tuple[str, ...]


class _Known(msgspec.Struct, frozen=True):
    session: Session | None
    until: float


class KeptSessions:
    """``vagus.auth.sessions.Sessions`` over a store. Everything raises ``StoreError`` for what it cannot do now."""

    def __init__(self, hub: Hub, store: Store | None, terms: Terms) -> None:
        self.terms = terms
        self._hub = hub
        self._store = store
        self._known: dict[str, _Known] = {}
        self._used: set[str] = set()
        self._touched_at = 0.0
        self._is_away = False
        self._watching: asyncio.Task[None] | None = None

    @property
    def store(self) -> Store:
        if self._store is None:
            raise StoreError("there is no store to keep sessions in", retryable=False)
        return self._store

    async def start(self) -> None:
        self._watching = asyncio.create_task(self._watch())

    async def stop(self) -> None:
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.wait({self._watching})
            self._watching = None

    # who it is

    async def identify(self, secret: str) -> SessionIdentity | None:
        session = await self.find(secret)
        if session is None:
            return None
        return SessionIdentity(
            user=session.user, roles=session.roles, expires_at=session.expires_at, session=session.id
        )

    async def find(self, secret: str) -> Session | None:
        """The session that a secret opens; ``None`` if it is unknown, revoked or over."""
        hash, clock = secret_hash(secret), self._hub.loop.time()
        known = self._known.get(hash)
        if known is None or clock >= known.until:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            known = self._known[hash] = _Known(await self._look_up(hash), clock + FRESH_S)
        session = known.session
        if session is None or self._is_over(session):
            return None
        self._used.add(session.id)
        return session

    async def _look_up(self, hash: str) -> Session | None:
        try:
            async with asyncio.timeout(ANSWER_S), self.store.reading() as transaction:
                return await sessions.find(transaction, hash)
        except TimeoutError:
            raise StoreError("the store does not answer", retryable=True) from None

    def _is_over(self, session: Session) -> bool:
        return self.terms.is_over(self._hub.now(), seen_at=session.seen_at, expires_at=session.expires_at)

    # beginning and ending

    async def open(self, transaction: AsyncConnection, newcomer: Newcomer) -> Opened:
        """Begin a session within a transaction; ``forget`` what it ended once that has succeeded."""
        now, secret = self._hub.now(), new_secret()
        latest = now + self.terms.lasting_s
        session = Session(
            id=sessions.new_id(),
            user=newcomer.user,
            roles=newcomer.roles,
            method=newcomer.method,
            created_at=now,
            seen_at=now,
            expires_at=latest if newcomer.expires_at is None else min(latest, newcomer.expires_at),
            address=newcomer.address,
            agent=newcomer.agent[:_AGENT_LENGTH],
        )
        ended = await sessions.end(transaction, [newcomer.instead_of] if newcomer.instead_of else [])
        ended += await sessions.add(transaction, session, secret_hash(secret), self.terms)
        await users.note_sign_in(transaction, newcomer.user, now=now)
        return Opened(session, secret, tuple(ended))

    async def end(self, ids: Iterable[str], *, user: str | None = None) -> bool:
        """End sessions, with ``user`` only that one's. Whether there were any."""
        async with self.store.begin() as transaction:
            ended = await sessions.end(transaction, ids, user=user)
        await self.forget(ended)
        return bool(ended)

    async def forget(self, ids: Iterable[str]) -> None:
        """These are over: believe them no longer, and close their connections to this node."""
        over = set(ids)
        if over:
            for hash, known in list(self._known.items()):
                if known.session is not None and known.session.id in over:
                    del self._known[hash]
            await self._close(over)

    async def listed(self, user: str | None = None) -> list[Session]:
        """The sessions of a user, or of all, that are not over; newest first."""
        async with self.store.reading() as transaction:
            found = await sessions.every(transaction, user)
        return [session for session in found if not self._is_over(session)]

    # live connections

    async def look(self) -> None:
        """Write what was in use, and close the connections of sessions that are over."""
        live = self._connections()
        self._used.update(live)
        now, clock = self._hub.now(), self._hub.loop.time()
        if self._used and clock - self._touched_at >= min(TOUCH_S, self.terms.idle_s / 4):
            async with asyncio.timeout(ANSWER_S), self.store.begin() as transaction:
                await sessions.touch(transaction, self._used, now=now)
            self._used.clear()
            self._touched_at = clock
        if live:
            async with asyncio.timeout(ANSWER_S), self.store.reading() as transaction:
                lasting = await sessions.lasting(transaction, live, now=now, terms=self.terms)
            await self.forget(live.keys() - lasting)

    def _connections(self) -> dict[str, list[str]]:
        """The clients of this node that came with a session, by its id."""
        live: dict[str, list[str]] = defaultdict(list)
        for client in self._hub.clients.values():
            if isinstance(client.identity, SessionIdentity):
                live[client.identity.session].append(client.id)
        return live

    async def _close(self, over: set[str]) -> None:
        live = self._connections()
        for session in over & live.keys():
            for client in live[session]:
                await self._hub.disconnect(client=client, closure=codes.INVALID_TOKEN)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                await self.look()
            except (TimeoutError, VagusError) as error:
                if not self._is_away:
                    log.warning("sessions_unread", error=str(error) or "the store does not answer")
                self._is_away = True
            else:
                self._is_away = False
