"""The HTTP routes of the console's door: who am I, signing in and out, and the sessions that there are.

They are for pages of this server: whatever changes something is refused where a browser says that it comes from
elsewhere, signing in too, so that no other page can put somebody into a session of its own. Nothing here redirects.
The cookie is ``Secure`` where the page itself came over https, which its browser knows better than a server behind a
proxy does.
"""

from collections.abc import Awaitable, Callable, Sequence
from math import ceil
from typing import TYPE_CHECKING, Annotated, Any, Final

from litestar import Request, Response, Router, delete, get, post
from litestar.exceptions import (
    ClientException,
    HTTPException,
    NotAuthorizedException,
    NotFoundException,
    PermissionDeniedException,
    ServiceUnavailableException,
    TooManyRequestsException,
)
from litestar.handlers import BaseRouteHandler
from litestar.openapi.spec import Example
from litestar.params import Body, Parameter
from litestar.types import ControllerRouterHandler

from vagus.apps.bodies import JsonBody
from vagus.apps.callers import READING, Connection
from vagus.auth.sessions import cookie_of, is_own_page, secret_in
from vagus.kernel.identity import Role
from vagus.kernel.rates import Buckets

from .sessions import Session
from .signing import RefusedSignInError, Visitor
from .values import SessionList, SignedIn, SignIn, listed, milliseconds

if TYPE_CHECKING:
    from .app import Console

PATH: Final = "/api/console"
MAX_BODY_BYTES: Final = 16_384

SIGN_IN: Final = Body(examples=[Example(value={"user": "ada", "password": "correct horse battery staple"})])
SESSION_ID: Final = Parameter(description="The id of a session, as the list has it.", max_length=64)

_SECURITY: Final = [{"session": list[str]()}]
_REFUSALS: Final[list[type[HTTPException]]] = [TooManyRequestsException, ServiceUnavailableException]
LOCAL: Final = "local"
"""Who everybody is on an insecure server."""

_NOBODY: Final = "Nobody is signed in here."

AnyRequest = Request[Any, Any, Any]


def routes(console: "Console", quotas: Buckets) -> Sequence[ControllerRouterHandler]:
    """The handlers. ``quotas`` are how often each address may ask."""
    desk = _Desk(console)
    return [
        Router(
            path=PATH,
            route_handlers=[*_session(desk), *_sessions(desk)],
            guards=[_guard(console, quotas)],
            tags=["Console"],
            dto=JsonBody,
            return_dto=None,
            request_max_body_size=MAX_BODY_BYTES,
        )
    ]


def _guard(console: "Console", quotas: Buckets) -> Callable[[Connection, BaseRouteHandler], Awaitable[None]]:
    async def admit(connection: Connection, handler: BaseRouteHandler) -> None:
        if connection.scope.get("method") not in READING and _is_elsewhere(connection):
            raise PermissionDeniedException("Only pages of this server may do this.")
        if not quotas.take(console.address_of(connection.scope), console.hub.loop.time()):
            wait_s = ceil(1 / quotas.rate.per_s)
            raise TooManyRequestsException("Ask less often.", headers={"retry-after": str(wait_s)})

    return admit


def _is_elsewhere(connection: Connection) -> bool:
    """A browser names the origin of what changes something. Who names none must not come with a cookie."""
    return not is_own_page(connection.headers, when_silent=not connection.headers.get("cookie"))


class _Desk:
    """What the handlers have in common."""

    def __init__(self, console: "Console") -> None:
        self.console = console
        hub = console.hub
        self.local = SignedIn(
            id="",
            user=LOCAL,
            roles=[Role.ADMIN],
            method="none",
            expires_at=None,
            idle_ms=None,
            insecure=True,
            version=hub.version,
            node=hub.node_id,
        )

    def signed_in(self, session: Session) -> SignedIn:
        return SignedIn(
            id=session.id,
            user=session.user,
            roles=sorted(session.roles),
            method=session.method,
            expires_at=milliseconds(session.expires_at),
            idle_ms=milliseconds(self.console.sessions.terms.idle_s),
            insecure=False,
            version=self.console.hub.version,
            node=self.console.hub.node_id,
        )

    async def present(self, request: AnyRequest) -> Session | None:
        secret = secret_in(request.headers)
        return await self.console.sessions.find(secret) if secret else None

    async def needed(self, request: AnyRequest) -> Session:
        session = await self.present(request)
        if session is None:
            raise NotAuthorizedException(_NOBODY, headers={"www-authenticate": "Cookie"})
        return session

    async def visitor(self, request: AnyRequest) -> Visitor:
        before = await self.present(request)
        session = before.id if before is not None else ""
        return Visitor(self.console.address_of(request.scope), request.headers.get("user-agent", ""), session)


def _session(desk: _Desk) -> Sequence[ControllerRouterHandler]:
    console = desk.console

    @get("/session", security=_SECURITY, raises=[NotAuthorizedException, *_REFUSALS])
    async def who_am_i(request: AnyRequest) -> Response[SignedIn]:
        """Who is signed in on this page. On an insecure server everybody is, as an admin named `local`."""
        if console.hub.is_open:
            return _answer(desk.local)
        return _answer(desk.signed_in(await desk.needed(request)))

    @post(
        "/session",
        status_code=200,
        raises=[ClientException, NotAuthorizedException, PermissionDeniedException, *_REFUSALS],
    )
    async def sign_in(data: Annotated[SignIn, SIGN_IN], request: AnyRequest) -> Response[SignedIn]:
        """Sign in by the code of a link, by user and password, or by a token; the session comes as a cookie.

        A session that this browser had before ends.
        """
        if console.hub.is_open:
            return _answer(desk.local)
        try:
            opened = await console.signing.sign_in(data, await desk.visitor(request))
        except RefusedSignInError as refused:
            raise _refusal(refused) from None
        lasting_s = opened.session.expires_at - opened.session.created_at
        cookie = cookie_of(opened.secret, lasting_s=lasting_s, is_secure=_is_secure(request))
        return _answer(desk.signed_in(opened.session), cookie)

    @delete("/session", status_code=204, raises=[PermissionDeniedException, *_REFUSALS])
    async def sign_out(request: AnyRequest) -> Response[None]:
        """End the session of this page, and its connections."""
        session = None if console.hub.is_open else await desk.present(request)
        if session is not None:
            await console.sessions.end([session.id])
        cookie = cookie_of("", lasting_s=0, is_secure=_is_secure(request))
        return Response(None, status_code=204, headers=_headers(cookie))

    return [who_am_i, sign_in, sign_out]


def _sessions(desk: _Desk) -> Sequence[ControllerRouterHandler]:
    console = desk.console

    @get("/sessions", security=_SECURITY, raises=[NotAuthorizedException, *_REFUSALS])
    async def list_sessions(request: AnyRequest) -> Response[SessionList]:
        """The sessions of whoever asks, and for admins everybody's."""
        if console.hub.is_open:
            return _answer(SessionList([]))
        asking = await desk.needed(request)
        found = await console.sessions.listed(_whose(asking))
        return _answer(SessionList([listed(session, current=asking.id) for session in found]))

    @delete(
        "/sessions/{session_id:str}",
        status_code=204,
        security=_SECURITY,
        raises=[NotAuthorizedException, PermissionDeniedException, NotFoundException, *_REFUSALS],
    )
    async def end_session(session_id: Annotated[str, SESSION_ID], request: AnyRequest) -> None:
        """End a session, and its connections within seconds: one's own, or for admins anybody's."""
        if console.hub.is_open:
            raise NotFoundException("There are no sessions on an insecure server.")
        asking = await desk.needed(request)
        if not await console.sessions.end([session_id], user=_whose(asking)):
            raise NotFoundException("There is no such session.")

    return [list_sessions, end_session]


def _whose(asking: Session) -> str | None:
    """Whose sessions somebody may see and end; ``None`` is everybody's."""
    return None if Role.ADMIN in asking.roles else asking.user


def _refusal(refused: RefusedSignInError) -> HTTPException:
    waiting = {"retry-after": str(refused.wait_s)}
    match refused.kind:
        case "wrong":
            return NotAuthorizedException(refused.detail, headers={"www-authenticate": "Cookie"})
        case "too often":
            return TooManyRequestsException(refused.detail, headers=waiting)
        case "later":
            return ServiceUnavailableException(refused.detail, headers=waiting)


def _is_secure(request: AnyRequest) -> bool:
    return request.headers.get("origin", "").startswith("https://") or request.url.scheme == "https"


def _headers(cookie: str = "") -> dict[str, str]:
    kept = {"cache-control": "no-store"}
    return kept | {"set-cookie": cookie} if cookie else kept


def _answer(body: Any, cookie: str = "") -> Response[Any]:
    return Response(body, headers=_headers(cookie), media_type="application/json")
