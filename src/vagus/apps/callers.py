"""Who asks over HTTP, whether they may, and how often.

A person or a service shows a token (``Authorization: Bearer``), which the hub's verifier believes or not and whose
roles decide; a program shows a key (``X-API-Key``), whose scopes decide. Whatever is shown must be valid; of both, the
key decides. Where neither is shown, a page of the console comes with the cookie of its session, whose roles decide.
Where the server has no keys (``--insecure``) nobody is asked for anything, but pages of other sites are turned away.

A browser sends a cookie by itself, also where a page of somebody else makes it send a request. So with a cookie only a
page of the server's own may do more than read, by what the browser says of where a request comes from; a token against
forged requests would prove nothing beyond that (``vagus.auth.sessions``).
"""

from collections.abc import Awaitable, Callable
from math import ceil
from typing import Any, Final

import msgspec
from litestar.connection import ASGIConnection
from litestar.exceptions import (
    ClientException,
    HTTPException,
    NotAuthorizedException,
    PermissionDeniedException,
    ServiceUnavailableException,
    TooManyRequestsException,
)
from litestar.handlers import BaseRouteHandler
from litestar.openapi.spec import SecurityRequirement

from vagus.auth.keys import KeyRing
from vagus.auth.sessions import is_own_page, secret_in
from vagus.hub import Hub
from vagus.kernel import codes
from vagus.kernel.errors import DisconnectError, RefusedError
from vagus.kernel.identity import Identity
from vagus.kernel.permissions import Access, is_allowed
from vagus.kernel.rates import Buckets

Connection = ASGIConnection[Any, Any, Any, Any]
Guard = Callable[[Connection, BaseRouteHandler], Awaitable[None]]

REFUSALS: Final[list[type[HTTPException]]] = [
    ClientException,
    NotAuthorizedException,
    PermissionDeniedException,
    TooManyRequestsException,
    ServiceUnavailableException,
]
"""What a guarded route may answer instead: its ``raises``, for the documentation."""

READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing."""

SECURITY: Final[list[SecurityRequirement]] = [{"token": []}, {"key": []}, {"session": []}]
"""How a guarded route is opened: its ``security``, for the documentation."""


class HttpCaller(msgspec.Struct, frozen=True):
    """Who is behind a request: the name of a user (``user:ada``) or of a key (``key:billing``), for logs and rates."""

    name: str


ANYBODY: Final = HttpCaller("anybody")


class Door:
    """Lets requests of one app in. ``quotas`` are what each caller may ask of all its routes together."""

    def __init__(self, hub: Hub, keys: KeyRing | None, quotas: Buckets) -> None:
        self._hub = hub
        self._keys = keys
        self._quotas = quotas

    def guard(self, *, allow: Access, scope: str) -> Guard:
        """Admit tokens and sessions by their roles (``allow``, such as ``("@admin",)``) and keys by a scope.

        The handler finds its caller as ``request.user``, an ``HttpCaller``.
        """

        async def admit(connection: Connection, handler: BaseRouteHandler) -> None:
            caller = await self._caller(connection, allow, scope)
            if not self._quotas.take(caller.name, self._hub.loop.time()):
                wait_s = ceil(1 / self._quotas.rate.per_s)
                raise TooManyRequestsException("Ask less often.", headers={"retry-after": str(wait_s)})
            connection.scope["user"] = caller

        return admit

    async def _caller(self, connection: Connection, allow: Access, scope: str) -> HttpCaller:
        key, shown = connection.headers.get("x-api-key"), connection.headers.get("authorization")
        identity = None if shown is None else await self._identity(_token_in(shown))
        if key is not None and self._keys is not None:
            return _owner_of(self._keys, key, scope)
        if identity is None and self._keys is not None:
            identity = await self._signed_in(connection)
        if identity is not None:
            return self._bearer(identity, allow)
        if _is_cross_site(connection):
            raise PermissionDeniedException("Pages of other sites may not use this.")
        return ANYBODY

    async def _signed_in(self, connection: Connection) -> Identity:
        """Who the session of a page is. Raises ``StoreError``."""
        headers, sessions = connection.headers, self._hub.policies.sessions
        secret = secret_in(headers)
        if not secret or sessions is None:
            raise _unauthorized("A token or a key is needed, or a session of the console.")
        if not is_own_page(headers, when_silent=connection.scope.get("method") in READING):
            raise PermissionDeniedException("With a session, only pages of this server may do this.")
        identity = await sessions.identify(secret)
        if identity is None:
            raise _unauthorized("The session has ended: sign in again.")
        return identity

    def _bearer(self, identity: Identity, allow: Access) -> HttpCaller:
        if self._keys is not None and not is_allowed(allow, identity):
            raise PermissionDeniedException(f"One of these is needed: {', '.join(allow)}.")
        return HttpCaller(f"user:{identity.user}")

    async def _identity(self, token: str) -> Identity:
        try:
            return await self._hub.policies.identity_from(token)
        except DisconnectError:
            raise _unauthorized("The token is not valid.", error="invalid_token") from None
        except RefusedError as refused:
            if refused.fault is codes.TOKEN_EXPIRED:
                raise _unauthorized("The token has expired.", error="invalid_token") from None
            raise ServiceUnavailableException("The keys of tokens cannot be had now.") from None


def _owner_of(keys: KeyRing, secret: str, scope: str) -> HttpCaller:
    key = keys.verify(secret)
    if key is None and not keys.is_complete:
        raise ServiceUnavailableException("Keys cannot be looked up now: try again.", headers={"retry-after": "2"})
    if key is None:
        raise _unauthorized("The key is not valid.")
    if not key.allows(scope):
        raise PermissionDeniedException(f"The key needs the scope {scope}.")
    return HttpCaller(f"key:{key.name}")


def _token_in(authorization: str) -> str:
    scheme, _, credentials = authorization.partition(" ")
    if scheme.lower() != "bearer":
        raise _unauthorized("Authorization must be of the kind Bearer.")
    return credentials.strip()


def _is_cross_site(connection: Connection) -> bool:
    origin = connection.headers.get("origin")
    return origin is not None and origin.partition("://")[2] != connection.headers.get("host")


def _unauthorized(detail: str, *, error: str = "") -> NotAuthorizedException:
    challenge = f'Bearer error="{error}", error_description="{detail}"' if error else "Bearer"
    return NotAuthorizedException(detail, headers={"www-authenticate": challenge})
