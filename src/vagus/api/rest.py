"""Litestar, for the routes of apps. Importing it takes a third of a second and building an application as long again.

So this module is loaded in a thread, when the first request needs it (``Rest``), and never while the hub starts. What
goes wrong in a route is a problem document.
"""

from typing import Any, Final

import structlog
from litestar import Litestar, Request
from litestar import Response as LitestarResponse
from litestar.datastructures import State
from litestar.exceptions import HTTPException, ValidationException
from litestar.openapi import OpenAPIConfig
from litestar.types import ControllerRouterHandler

from vagus.asgi import PROBLEM_TYPE, problem
from vagus.hub.hub import Hub
from vagus.kernel.errors import BrokerError, StoreError
from vagus.version import VERSION

log = structlog.get_logger()

BODY: Final = "data"
"""The parameter that a body is for. It is missing where none came; of one that does not fit, ``JsonBody`` says more."""


def litestar_app(hub: Hub, handlers: list[ControllerRouterHandler]) -> Litestar:
    """The application of these routes; they find the hub as ``state.hub``. It has no documentation pages of its own."""
    return Litestar(
        route_handlers=handlers,
        state=State({"hub": hub}),
        exception_handlers={Exception: _problem},
        openapi_config=OpenAPIConfig(title="Vagus", version=VERSION, path="/docs", use_handler_docstrings=True),
        logging_config=None,
    )


def schema_of(app: Litestar) -> dict[str, Any]:
    """Its OpenAPI document, whose paths and schemas go into ours.

    What a handler's docstring says first is the summary; Litestar would take the handler's name for one.
    """
    document = app.openapi_schema.to_schema()
    for path in document["paths"].values():
        for operation in path.values():
            summary, _, rest = operation.get("description", "").partition("\n")
            operation |= {"summary": summary.rstrip("."), "description": rest.strip()}
    return document


def _reasons(error: HTTPException) -> str:
    """What is wrong with which parameter, where Litestar says only that something is."""
    if not isinstance(error, ValidationException) or not isinstance(error.extra, list):
        return ""
    wrong = {found["key"]: found["message"] for found in error.extra if "key" in found}
    if BODY in wrong:
        return "A body is needed."
    return "; ".join(f"{parameter}: {message}" for parameter, message in wrong.items())


def _problem(request: Request[Any, Any, Any], error: Exception) -> LitestarResponse[bytes]:
    if isinstance(error, HTTPException):
        status = error.status_code
        detail = (_reasons(error) or error.detail) if status != 500 else ""
        headers = dict(error.headers or {})
    elif isinstance(error, BrokerError):
        status, detail, headers = 503, "The broker cannot do it now: try again.", {"retry-after": "1"}
    elif isinstance(error, StoreError):
        log.warning("store_failed", path=request.url.path, error=str(error))
        status, detail, headers = 503, "The store cannot do it now: try again.", {"retry-after": "2"}
    else:
        log.error("route_failed", path=request.url.path, exc_info=error)
        status, detail, headers = 500, "", {}
    body = problem(status, detail).body
    return LitestarResponse(body, status_code=status, media_type=PROBLEM_TYPE.decode(), headers=headers)
