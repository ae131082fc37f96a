"""The OpenAPI document: from the table of methods, the pages here, and what Litestar says of apps' routes.

Nothing is described twice: schemas come from the message types, texts from docstrings. Names of the server API's
schemas carry a prefix, so that an app's type of the same name does not replace one.
"""

from typing import Any, Final

from vagus.asgi import Problem
from vagus.version import VERSION

from .endpoint import STATUSES, ErrorMode, OldCommand
from .health import Alive, Health
from .methods import METHODS, Failure, Method, Replies
from .schemas import Schemas

Json = dict[str, Any]

_PREFIX: Final = "ServerApi."
_KEY: Final[list[Json]] = [{"key": []}]

_PROBLEMS: Final = {
    400: "The body is not what the method takes.",
    401: "There is no valid key.",
    403: "A page of another site asks, where no key is needed.",
    413: "The body is too large.",
    415: "The body is compressed.",
}

WORDS: Final = {
    "chan_info": "What its subscription shows to others.",
    "client": "Its id.",
    "code": "What kind of error it is.",
    "conn_info": "What its connection shows to others.",
    "data": "What was published.",
    "detail": "What was wrong.",
    "epoch": "The stream that offsets belong to.",
    "info": "The client that published it.",
    "message": "The error in words.",
    "method": "A method's name.",
    "num_channels": "Channels with subscribers.",
    "num_clients": "Clients.",
    "num_subs": "Subscriptions.",
    "num_users": "Users, however many clients they have.",
    "offset": "The number of a publication.",
    "params": "The method's request.",
    "presence": "Clients by their ids.",
    "publications": "As they were asked for.",
    "status": "How it is.",
    "tags": "Its labels.",
    "time": "Milliseconds since 1970.",
    "user": "Empty if it is anonymous.",
}
"""Descriptions of fields whose types are the kernel's."""

_DESCRIPTION: Final = (
    "Everything a program may ask of this hub. The server API has the form of Centrifugo's, so its client libraries "
    'work: requests are JSON, answers are `{"result": …}` or `{"error": {"code", "message"}}` with status 200. What '
    "never reaches a method is answered with a problem document (RFC 9457). Fields that are not known are ignored."
)


def document(app_routes: Json | None = None, *, error_mode: ErrorMode = "result") -> Json:
    """The whole document. ``app_routes`` is a document with the routes of apps; its paths and schemas are taken in."""
    rows = tuple(METHODS.values())
    schemas = Schemas(_PREFIX, WORDS)
    schemas.add([kind for row in rows for kind in (row.request, row.result)])
    schemas.add([OldCommand, Failure, Health, Alive, Problem])
    apps = app_routes or {}
    components: Json = dict(apps.get("components", {}))
    components["schemas"] = {**components.get("schemas", {}), **schemas.found}
    components["securitySchemes"] = {
        **components.get("securitySchemes", {}),
        "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
        "token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
        "session": {"type": "apiKey", "in": "cookie", "name": "vagus_session"},
    }
    methods = {f"/api/{row.name}": {"post": _method(row, error_mode)} for row in rows}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Vagus", "version": VERSION, "description": _DESCRIPTION},
        "paths": {**methods, "/api": {"post": _old_form()}, **_node_paths(), **_app_paths(apps)},
        "components": components,
    }


def _app_paths(apps: Json) -> Json:
    """The paths of apps, with refusals as what they are here (``rest``), and examples where those of methods are."""
    paths: Json = apps.get("paths", {})
    for operation in (one for item in paths.values() for one in item.values() if "responses" in one):
        for status, response in operation["responses"].items():
            if status >= "400":
                response.update(_content(_ref(Problem), "application/problem+json"))
        for content in operation.get("requestBody", {}).get("content", {}).values():
            for example in content["schema"].get("examples", ())[:1]:
                content["example"] = example
    return paths


def _ref(kind: type) -> Json:
    return Schemas(_PREFIX).reference(kind)


def _content(schema: Json, kind: str = "application/json", **more: Any) -> Json:
    return {"content": {kind: {"schema": schema, **more}}}


def _problem(status: int) -> Json:
    return {"description": _PROBLEMS[status], **_content(_ref(Problem), "application/problem+json")}


def _either(row: Method) -> Json:
    if row.result is Replies:
        return _ref(Replies)
    sides = {"result": _ref(row.result), "error": _ref(Failure)}
    return {
        "oneOf": [{"type": "object", "properties": {name: kind}, "required": [name]} for name, kind in sides.items()]
    }


def _method(row: Method, error_mode: ErrorMode) -> Json:
    summary, _, rest = row.doc.partition("\n")
    responses: Json = {"200": {"description": "The result, or an API error.", **_content(_either(row))}}
    if error_mode == "transport":
        error = {"type": "object", "properties": {"error": _ref(Failure)}, "required": ["error"]}
        for status in sorted({400, *STATUSES.values()}):
            responses[str(status)] = {"description": "An API error.", **_content(error)}
    for status in _PROBLEMS:
        responses.setdefault(str(status), _problem(status))
    return {
        "operationId": row.name,
        "tags": [row.group],
        "summary": summary.rstrip("."),
        "description": rest.strip().replace("\n", " "),
        "security": _KEY,
        **({"x-scope": row.scope} if row.scope else {}),
        "requestBody": {"required": True, **_content(_ref(row.request), example=row.example)},
        "responses": responses,
    }


def _old_form() -> Json:
    example = {"method": "publish", "params": METHODS["publish"].example}
    return {
        "operationId": "command",
        "tags": ["Publishing"],
        "summary": "Ask for any method, in the old form",
        "description": "Several commands are separated by newlines; so are their answers.",
        "security": _KEY,
        "requestBody": {"required": True, **_content(_ref(OldCommand), example=example)},
        "responses": {
            "200": {"description": "As for the method. One line for each command.", **_content({})},
            **{str(status): _problem(status) for status in _PROBLEMS},
        },
    }


def _node_paths() -> Json:
    live = {
        "name": "live",
        "in": "query",
        "description": "Ask only whether the process turns.",
        "schema": {"type": "string"},
        "allowEmptyValue": True,
    }
    health = {
        "operationId": "health",
        "tags": ["This node"],
        "summary": "Whether this node can do its work now",
        "description": "The broker and whatever else it stands on are asked, and the loop must not run late.",
        "parameters": [live],
        "responses": {
            "200": {"description": "It can.", **_content({"anyOf": [_ref(Health), _ref(Alive)]})},
            "503": {"description": "It cannot; `checks` say why.", **_content(_ref(Health))},
        },
    }
    metrics = {
        "operationId": "metrics",
        "tags": ["This node"],
        "summary": "Figures for Prometheus",
        "description": "In its text form, or OpenMetrics if that is asked for.",
        "security": [{}, *_KEY],
        "x-scope": "metrics",
        "responses": {
            "200": {"description": "The figures.", **_content({"type": "string"}, "text/plain")},
            "401": _problem(401),
        },
    }
    return {"/health": {"get": health}, "/metrics": {"get": metrics}}
