"""Who may do what: the order in which tokens, names, functions and rules are asked.

To connect: the application's function, else a token, else the session in a cookie, for pages of the server's own alone,
else nobody, or anonymous where that is allowed. For a subscription: a token decides alone, and a private channel
(``$…``) needs one; a user-limited channel (``…#42``) is for the users that it names; else the application's function,
else the words of the channel's rule, else nobody. To publish: the function, else the words. An open hub
(``--insecure``) then lets everybody in whom these did not, but a token that is supplied is verified all the same.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

import msgspec

from vagus.auth.claims import ConnectionClaims, Override, SubscriptionClaims
from vagus.auth.errors import ExpiredTokenError, KeysUnavailableError, TokenError
from vagus.auth.sessions import Sessions, is_own_page, secret_in
from vagus.kernel import codes
from vagus.kernel.channels import PRIVATE_PREFIX, USER_BOUNDARY, Match, names_user
from vagus.kernel.commands import Publish, Subscribe
from vagus.kernel.errors import DisconnectError, RefusedError, StoreError
from vagus.kernel.identity import ANONYMOUS, Grant, Identity
from vagus.kernel.permissions import is_allowed
from vagus.kernel.publications import NOTHING, Json

from .requests import ConnectRequest
from .steps import call

if TYPE_CHECKING:
    from .client import Client
    from .functions import Function, Guard
    from .hub import Hub


class Verifier(Protocol):
    """What the hub needs of ``vagus.auth.tokens.TokenVerifier``."""

    async def connection(self, token: str) -> ConnectionClaims: ...

    async def subscription(self, token: str) -> SubscriptionClaims: ...


class Admission(msgspec.Struct, frozen=True):
    """A client is let into a channel. ``refreshable`` says that its token may be renewed until the grant expires."""

    grant: Grant
    refreshable: bool = False


class Policies:
    """All that decides for one hub. Filled while the application registers its functions."""

    def __init__(self, hub: "Hub", verifier: Verifier | None, *, allow_anonymous: bool) -> None:
        self._hub = hub
        self.verifier = verifier
        self.allow_anonymous = allow_anonymous
        self.sessions: Sessions | None = None
        """What knows the people who signed in to the console; ``None`` where nobody can."""
        self.authenticate: Function | None = None
        self.subscribing: dict[str, Guard] = {}
        self.publishing: dict[str, Guard] = {}

    async def identify(self, request: ConnectRequest) -> Identity:
        """Who connects. Raises ``RefusedError(TOKEN_EXPIRED)`` or ``DisconnectError`` for who may not."""
        if self.authenticate is not None:
            identity: Identity | None = await call(self.authenticate, request, deadline_s=self._hub.limits.answer_s)
            if identity is not None:
                return identity
        if request.token:
            return await self.identity_from(request.token)
        secret = _secret_shown(request.origin.headers)
        if secret and self.sessions is not None:
            identity = await self._identity_behind(self.sessions, secret)
            if identity is not None:
                return identity
        if self._hub.is_open or self.allow_anonymous:
            return ANONYMOUS
        raise DisconnectError(codes.INVALID_TOKEN if secret else codes.MALFORMED)

    async def _identity_behind(self, sessions: Sessions, secret: str) -> Identity | None:
        try:
            return await call(sessions.identify, secret, deadline_s=self._hub.limits.answer_s)
        except StoreError:
            raise RefusedError(codes.INTERNAL) from None

    async def identity_from(self, token: str) -> Identity:
        if self.verifier is None:
            raise DisconnectError(codes.INVALID_TOKEN)
        try:
            claims = await self.verifier.connection(token)
        except TokenError as error:
            raise _refusal(error, codes.INVALID_TOKEN) from None
        if not claims.user and not (self._hub.is_open or self.allow_anonymous):
            raise DisconnectError(codes.MALFORMED)
        return _identity(claims)

    async def admit(self, client: "Client", match: Match, command: Subscribe) -> Admission:
        """Let a client subscribe, or raise why not."""
        if command.token:
            return await self.admission_from(client, command.channel, command.token)
        is_open = self._hub.is_open
        if command.channel.startswith(PRIVATE_PREFIX) and not is_open:
            raise RefusedError(codes.PERMISSION_DENIED)
        if match.rule.user_limited and USER_BOUNDARY in command.channel:
            if is_open or names_user(command.channel, client.identity):
                return Admission(Grant())
            raise RefusedError(codes.PERMISSION_DENIED)
        guard = self.subscribing.get(match.rule.pattern)
        if guard is not None:
            answer = await guard.decide(client.caller, command, match.places, self._hub.limits.answer_s)
            if isinstance(answer, Grant):
                return Admission(answer)
            if answer:
                return Admission(Grant())
        if is_open or is_allowed(match.rule.subscribe, client.identity):
            return Admission(Grant())
        raise RefusedError(codes.PERMISSION_DENIED)

    async def admission_from(self, client: "Client", channel: str, token: str) -> Admission:
        if self.verifier is None:
            raise DisconnectError(codes.INVALID_TOKEN)
        try:
            claims = await self.verifier.subscription(token)
        except TokenError as error:
            raise _refusal(error, codes.PERMISSION_DENIED) from None
        if claims.channel != channel or claims.user != client.identity.user:
            raise DisconnectError(codes.INVALID_TOKEN)
        grant = _grant(claims.info, None, claims.override, claims.expires_at)
        return Admission(grant, refreshable=claims.expires_at is not None)

    async def allow_publish(self, client: "Client", match: Match, command: Publish) -> None:
        """Raises ``RefusedError`` unless the application's function, the rule's words or an open hub allow it."""
        guard = self.publishing.get(match.rule.pattern)
        if guard is not None and await guard.decide(client.caller, command, match.places, self._hub.limits.answer_s):
            return
        is_subscribed = command.channel in client.subscriptions
        if self._hub.is_open or is_allowed(match.rule.publish, client.identity, subscribed=is_subscribed):
            return
        raise RefusedError(codes.PERMISSION_DENIED)


def _secret_shown(headers: Mapping[str, str]) -> str:
    """The secret of a session that a page of the server's own brings along."""
    return secret_in(headers) if is_own_page(headers, when_silent=True) else ""


def _refusal(error: TokenError, otherwise: codes.Closure | codes.Fault) -> Exception:
    match error:
        case ExpiredTokenError():
            return RefusedError(codes.TOKEN_EXPIRED)
        case KeysUnavailableError():
            return RefusedError(codes.INTERNAL)
    return RefusedError(otherwise) if isinstance(otherwise, codes.Fault) else DisconnectError(otherwise)


def _identity(claims: ConnectionClaims) -> Identity:
    channels = {channel: Grant() for channel in claims.channels}
    for channel, entry in claims.subs.items():
        channels[channel] = _grant(entry.info, entry.data, entry.override, None)
    return Identity(
        user=claims.user,
        roles=claims.roles,
        info=_raw(claims.info),
        meta=_raw(claims.meta),
        channels=channels,
        expires_at=claims.expires_at,
        refreshable=claims.expires_at is not None,
    )


def _grant(info: bytes | None, data: bytes | None, override: Override, expires_at: float | None) -> Grant:
    return Grant(
        info=_raw(info),
        data=_raw(data),
        expires_at=expires_at,
        presence=override.presence,
        join_leave=override.join_leave,
        force_push_join_leave=override.force_push_join_leave,
        recovery=override.force_recovery,
        positioning=override.force_positioning,
    )


def _raw(data: bytes | None) -> Json:
    return msgspec.Raw(data) if data is not None else NOTHING
