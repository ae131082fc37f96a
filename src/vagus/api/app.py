"""The HTTP application of a node: the server API, health, metrics, documentation, and the routes of apps behind them.

What programs ask often is found in a dict and answered on bare ASGI; the rest is Litestar's, loaded when it is first
needed. Sockets are not its business: those go to the gateway.
"""

import asyncio
import platform
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec
import structlog

from vagus.asgi import Asgi, Receive, Response, Scope, Send, headers_of, method_not_allowed, path_of, problem, respond
from vagus.hub.hub import Hub

from .access import Keys, is_local, shown_key, unauthorized
from .endpoint import Endpoint, ErrorMode
from .health import Alive, Check, examine, health_response, wants_liveness
from .methods import Call, answer_for_node
from .pages import SAFE, STATIC, docs_page, static_pages

if TYPE_CHECKING:
    from litestar import Litestar
    from litestar.types import ControllerRouterHandler

log = structlog.get_logger()

MetricsAccess = Literal["public", "local", "key"]
Routes = Callable[[], "Sequence[ControllerRouterHandler]"]
View = Callable[[Scope, dict[bytes, bytes]], Awaitable[Response]]

MAX_BODY_BYTES: Final = 1_048_576
METRICS_SCOPE: Final = "metrics"


def api_app(
    hub: Hub,
    *,
    keys: Keys | None,
    error_mode: ErrorMode = "result",
    max_body_bytes: int = MAX_BODY_BYTES,
    metrics: MetricsAccess = "local",
    checks: Mapping[str, Check] | None = None,
    routes: Routes | None = None,
    node_name: str = "",
) -> "Api":
    """Make the ASGI application of a hub, which somebody else starts and stops.

    * ``keys`` knows who may use the server API, such as a ``KeyRing``; with ``None`` everybody may, as ``--insecure``
      says.
    * ``error_mode`` ``transport`` gives API errors an HTTP status of their own.
    * ``metrics`` are for everybody (``public``), for this machine and keys with the scope ``metrics`` (``local``), or
      for such keys alone (``key``).
    * ``checks`` are what health asks besides the broker, by name; a check that raises is a failed one.
    * ``routes`` gives the Litestar handlers of apps. It is called in a thread, when the first request needs them, so
      that Litestar may be imported there.
    """
    call = Call(hub, node_name or platform.node())
    answer_for_node(call)
    endpoint = Endpoint(call, keys, error_mode=error_mode, max_body_bytes=max_body_bytes)
    return Api(call, endpoint, metrics=metrics, checks=checks or {}, routes=routes, error_mode=error_mode)


class Api:
    """See ``api_app``. ASGI's lifespan starts and stops the measuring; without one, the first request starts it."""

    def __init__(
        self,
        call: Call,
        endpoint: Endpoint,
        *,
        metrics: MetricsAccess,
        checks: Mapping[str, Check],
        routes: Routes | None,
        error_mode: ErrorMode,
    ) -> None:
        self.endpoint = endpoint
        self._call = call
        self._vitals = call.hub.vitals
        self._metrics_access = metrics
        self._checks = checks
        self._routes = routes
        self._error_mode = error_mode
        self._metrics: Callable[[str], Response] | None = None
        self._rest: asyncio.Task[Litestar] | None = None
        self._documents: tuple[Response, Response] | None = None
        self._static: dict[str, Response] | None = None
        self._views: dict[str, View] = {
            **dict.fromkeys(STATIC, self._page),
            "/health": self._health,
            "/metrics": self._show_metrics,
            "/docs": self._docs,
            "/docs/openapi.json": self._openapi,
        }

    @property
    def keys(self) -> Keys | None:
        """May be set while it runs: a ring does not change, so another one takes its place."""
        return self.endpoint.keys

    @keys.setter
    def keys(self, keys: Keys | None) -> None:
        self.endpoint.keys = keys

    def heed(self, *, error_mode: ErrorMode, max_body_bytes: int, metrics: MetricsAccess) -> None:
        """Let other options hold from the next request on; see ``api_app``."""
        self.endpoint.heed(error_mode=error_mode, max_body_bytes=max_body_bytes)
        self._metrics_access = metrics
        if error_mode != self._error_mode:
            self._error_mode = error_mode
            self._documents = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        match scope["type"]:
            case "http":
                await self._http(scope, receive, send)
            case "lifespan":
                await self._lifespan(receive, send)
            case "websocket":
                await send({"type": "websocket.close", "code": 1000})
            case other:
                raise ValueError(f"no such scope: {other!r}")

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            event = await receive()
            if event["type"] == "lifespan.startup":
                self._vitals.start()
                await send({"type": "lifespan.startup.complete"})
            else:
                self._vitals.stop()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._vitals.start()
        path = path_of(scope)
        if self.endpoint.serves(path):
            await self.endpoint(scope, receive, send, path)
            return
        view = self._views.get(path)
        if view is not None:
            await self._show(view, scope, send)
        elif self._routes is not None and not path.startswith("/docs/"):
            await self._pass_on(scope, receive, send)
        else:
            await respond(send, problem(404, "There is nothing here."), head_only=scope["method"] == "HEAD")

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            app: Asgi = await self._litestar()  # type: ignore[assignment]  # its types of ASGI are narrower
        except Exception:
            log.exception("routes_failed")
            await respond(send, problem(500), head_only=scope["method"] == "HEAD")
        else:
            await app(scope, receive, send)

    async def _show(self, view: View, scope: Scope, send: Send) -> None:
        if scope["method"] not in ("GET", "HEAD"):
            await respond(send, method_not_allowed("GET, HEAD"))
            return
        try:
            response = await view(scope, headers_of(scope))
        except Exception:
            log.exception("page_failed", path=scope["path"])
            response = problem(500)
        await respond(send, response, head_only=scope["method"] == "HEAD")

    async def _page(self, scope: Scope, headers: dict[bytes, bytes]) -> Response:
        if self._static is None:
            self._static = await asyncio.to_thread(static_pages)
        return self._static[path_of(scope)]

    async def _health(self, scope: Scope, headers: dict[bytes, bytes]) -> Response:
        if wants_liveness(scope["query_string"]):
            return health_response(Alive())
        return health_response(await examine(self._call.hub, self._checks))

    async def _show_metrics(self, scope: Scope, headers: dict[bytes, bytes]) -> Response:
        if not self._may_see_metrics(scope, headers):
            return unauthorized()
        if self._metrics is None:
            self._metrics = await asyncio.to_thread(_metrics, self._call.hub)
        return self._metrics(headers.get(b"accept", b"").decode("latin-1"))

    def _may_see_metrics(self, scope: Scope, headers: dict[bytes, bytes]) -> bool:
        access = self._metrics_access
        if access == "public" or (access == "local" and is_local(scope, headers)):
            return True
        key = self.keys.verify(shown_key(scope, headers)) if self.keys is not None else None
        return key is not None and key.allows(METRICS_SCOPE)

    async def _docs(self, scope: Scope, headers: dict[bytes, bytes]) -> Response:
        return (await self._documentation())[0]

    async def _openapi(self, scope: Scope, headers: dict[bytes, bytes]) -> Response:
        return (await self._documentation())[1]

    async def _documentation(self) -> tuple[Response, Response]:
        """The page and the document: made once, in a thread, since it takes tens of milliseconds."""
        if self._documents is None:
            app = await self._litestar() if self._routes is not None else None
            self._documents = await asyncio.to_thread(_documentation, app, self._error_mode)
        return self._documents

    async def _litestar(self) -> "Litestar":
        """Apps' routes, loaded once, also if whoever asked first goes away. After a failure the next one tries."""
        if self._rest is None or (self._rest.done() and self._rest.exception() is not None):
            assert self._routes is not None
            self._rest = asyncio.ensure_future(asyncio.to_thread(_load, self._call.hub, self._routes))
        return await asyncio.shield(self._rest)


def _load(hub: Hub, routes: Routes) -> "Litestar":
    from .rest import litestar_app

    return litestar_app(hub, list(routes()))


def _metrics(hub: Hub) -> Callable[[str], Response]:
    from .metrics import metrics_response, registry_of  # only who is asked for metrics needs the library

    return partial(metrics_response, registry_of(hub))


def _documentation(app: "Litestar | None", error_mode: ErrorMode) -> tuple[Response, Response]:
    from .openapi import document

    app_routes: dict[str, Any] | None = None
    if app is not None:
        from .rest import schema_of

        app_routes = schema_of(app)
    whole = document(app_routes, error_mode=error_mode)
    as_json = Response(200, msgspec.json.encode(whole), headers=(*SAFE, (b"cache-control", b"no-cache")))
    return docs_page(whole), as_json
