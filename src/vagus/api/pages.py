"""The pages that a person sees here: the documentation, drawn from the OpenAPI document, and what stands at ``/``.

They are whole as they come: no script runs, and no byte is fetched from another host, so the strictest policy holds.
Everything that is not from our own assets is escaped.
"""

import re
import shlex
from collections.abc import Iterable, Iterator
from html import escape
from importlib.resources import files
from string import Template
from typing import Any, Final

import msgspec

from vagus.asgi import Response

Json = dict[str, Any]

_ASSETS: Final = files("vagus.api") / "assets"
_HTML: Final = b"text/html; charset=utf-8"
_DEPTH: Final = 3
_WIDTH: Final = 10
"""Types with more fields than this are named instead of unfolded: those have a section of their own."""

_POLICY: Final = (
    b"default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

SAFE: Final = (
    (b"content-security-policy", _POLICY),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
)
"""What every page says about itself."""

_FRESH: Final = (b"cache-control", b"no-cache")


STATIC: Final = frozenset({"/", "/docs/style.css", "/docs/icon.svg"})
"""Paths of ``static_pages``."""


def static_pages() -> dict[str, Response]:
    """What is the same for everybody, by path. Reads files, so it is not for the event loop."""
    kept = (*SAFE, (b"cache-control", b"max-age=3600"))
    return {
        "/": _page("Vagus", "start", Template(_text("home.html")).substitute(base="docs")),
        "/docs/style.css": Response(200, _text("style.css").encode(), b"text/css; charset=utf-8", kept),
        "/docs/icon.svg": Response(200, _text("icon.svg").encode(), b"image/svg+xml", kept),
    }


def docs_page(document: Json) -> Response:
    """The documentation. Its addresses are relative, so that it works wherever it is mounted."""
    return _page("Vagus: HTTP API", "reading", Documentation(document).html())


def _page(title: str, kind: str, body: str) -> Response:
    text = Template(_text("page.html")).substitute(title=escape(title), kind=kind, base="docs", body=body)
    return Response(200, text.encode(), _HTML, (*SAFE, _FRESH))


def _text(name: str) -> str:
    return (_ASSETS / name).read_text(encoding="utf-8")


def prose(text: str) -> str:
    """Text as HTML, with what stands between backticks as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))


class Documentation:
    """An OpenAPI document as HTML: an index beside it, then each operation with its fields and an example."""

    def __init__(self, document: Json) -> None:
        self._info: Json = document["info"]
        self._schemas: Json = document.get("components", {}).get("schemas", {})
        self._groups: dict[str, list[tuple[str, str, Json]]] = {}
        for path, item in document["paths"].items():
            for verb, operation in item.items():
                if isinstance(operation, dict) and "responses" in operation:
                    group = (operation.get("tags") or ["Other"])[0]
                    self._groups.setdefault(group, []).append((verb, path, operation))

    def html(self) -> str:
        sections = "".join(
            f'<h2 class="group">{escape(group)}</h2>' + "".join(self._operation(*row) for row in rows)
            for group, rows in self._groups.items()
        )
        return f'<div class="docs">{self._side()}<main class="main">{self._header()}{sections}</main></div>'

    def _header(self) -> str:
        about = prose(self._info.get("description", ""))
        version = escape(self._info["version"])
        return (
            f'<header><h1>HTTP API</h1><p class="lead">{about}</p>'
            f'<p class="meta">Version {version} · <a href="docs/openapi.json">OpenAPI document</a></p></header>'
        )

    def _side(self) -> str:
        groups = "".join(
            f"<h2>{escape(group)}</h2><ul>"
            + "".join(f'<li><a href="#{_anchor(verb, path)}">{_short(path)}</a></li>' for verb, path, _ in rows)
            + "</ul>"
            for group, rows in self._groups.items()
        )
        brand = '<a class="brand" href="./"><img src="docs/icon.svg" alt="">Vagus</a>'
        return f'<nav class="side" aria-label="Operations">{brand}{groups}</nav>'

    def _operation(self, verb: str, path: str, operation: Json) -> str:
        anchor = _anchor(verb, path)
        scope = operation.get("x-scope")
        needed = f'<span class="scope">needs the scope <code>{escape(scope)}</code></span>' if scope else ""
        texts = [operation.get("summary") or "", operation.get("description") or ""]
        words = "".join(f"<p>{prose(_sentence(text))}</p>" for text in texts if text)
        return (
            f'<section class="operation" id="{anchor}"><h3><span class="verb">{escape(verb.upper())}</span>'
            f'<a href="#{anchor}">{escape(path)}</a>{needed}</h3>{words}'
            f'<div class="columns"><div>{self._fields(operation)}</div>'
            f'<div class="example"><h4>Example</h4><pre tabindex="0">{escape(curl(verb, path, operation))}</pre></div>'
            "</div></section>"
        )

    def _fields(self, operation: Json) -> str:
        parameters = [
            _row(one["name"], self._type(one.get("schema", {})), one.get("description", ""), one.get("required", False))
            for one in operation.get("parameters", ())
        ]
        request = self._table(_schema_in(operation.get("requestBody", {})), asks=True)
        answers = [one for status, one in operation["responses"].items() if status.startswith("2")]
        result = self._table(self._result(_schema_in(answers[0]))) if answers else ""
        tables = (("Parameters", "".join(parameters)), ("Request", request), ("Result", result))
        shown = [f"<h4>{title}</h4><table><tbody>{rows}</tbody></table>" for title, rows in tables if rows]
        return "".join(shown) or '<p class="none">No fields.</p>'

    def _result(self, schema: Json) -> Json:
        """The good one of a server API's two answers; the error's form is the same everywhere."""
        for side in schema.get("oneOf", ()):
            if "result" in side.get("properties", {}):
                found: Json = side["properties"]["result"]
                return found
        first: Json = schema.get("anyOf", [schema])[0]
        return first

    def _table(self, schema: Json, *, asks: bool = False) -> str:
        required = self._resolved(schema).get("required", ()) if asks else ()
        return "".join(self._rows(schema, "", _DEPTH, required))

    def _rows(self, schema: Json, path: str, depth: int, required: Iterable[str] = ()) -> Iterator[str]:
        schema = self._resolved(schema)
        for name, field in schema.get("properties", {}).items():
            where = f"<b>{escape(path)}</b>{escape(name)}"
            text = field.get("description") or self._about(field)
            yield _row(where, self._type(field), text, name in required, is_html=True)
            inner, suffix = self._inner(field)
            if depth > 1 and 0 < len(inner.get("properties", {})) <= _WIDTH:
                yield from self._rows(inner, f"{path}{name}{suffix}.", depth - 1)

    def _about(self, field: Json) -> str:
        for kind in field.get("anyOf", ()):
            if kind.get("description"):
                return str(kind["description"])
        return ""

    def _resolved(self, schema: Json) -> Json:
        if len(schema.get("allOf", ())) == 1:
            schema = schema["allOf"][0]
        name = schema.get("$ref", "").rpartition("/")[2]
        return self._schemas.get(name, {}) if name else schema

    def _inner(self, field: Json) -> tuple[Json, str]:
        """The object behind a field, and how a path goes into it."""
        for kind in field.get("anyOf", [field]):
            if kind.get("type") == "array":
                return self._resolved(kind.get("items", {})), "[]"
            if isinstance(kind.get("additionalProperties"), dict):
                return self._resolved(kind["additionalProperties"]), ".*"
            if "$ref" in kind:
                return self._resolved(kind), ""
        return {}, ""

    def _type(self, field: Json) -> str:
        """A schema in a few words."""
        if "anyOf" in field:
            kinds = [self._type(kind) for kind in field["anyOf"] if kind.get("type") != "null"]
            return " or ".join(dict.fromkeys(kinds))
        if "$ref" in field:
            return "object"
        if "enum" in field:
            return " | ".join(str(value) for value in field["enum"])
        match field.get("type"):
            case "array":
                return f"list of {self._type(field.get('items', {}))}"
            case "object" if isinstance(field.get("additionalProperties"), dict):
                return f"map of {self._type(field['additionalProperties'])}"
            case None:
                return "any JSON"
            case list() as kinds:
                return " or ".join(kind for kind in kinds if kind != "null")
            case kind:
                return str(kind)


def curl(verb: str, path: str, operation: Json) -> str:
    """A command line that does it."""
    parts = ["curl"]
    if verb not in ("get", "post"):
        parts.append(f"-X {verb.upper()}")
    if {"key": []} in operation.get("security", ()):
        parts.append("-H 'X-API-Key: KEY'")
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    if content:
        body = msgspec.json.encode(content.get("example", {})).decode()
        parts.append(f"-d {shlex.quote(_spaced(body))}")
    return " \\\n  ".join([*parts, f"http://localhost:8000{path}"])


def _spaced(body: str) -> str:
    return msgspec.json.format(body, indent=0)


def _row(name: str, kind: str, text: str, needed: bool, *, is_html: bool = False) -> str:
    label = name if is_html else escape(name)
    must = ' · <span class="needed">required</span>' if needed else ""
    return (
        f'<tr><td><span class="name">{label}</span><span class="type">{escape(kind)}{must}</span></td>'
        f"<td><p>{prose(text)}</p></td></tr>"
    )


def _schema_in(part: Json) -> Json:
    content: Json = part.get("content", {})
    for kind in content.values():
        schema: Json = kind.get("schema", {})
        return schema
    return {}


def _sentence(text: str) -> str:
    return text if text.endswith((".", "?", "!")) else f"{text}."


def _short(path: str) -> str:
    return escape(path.removeprefix("/api/"))


def _anchor(verb: str, path: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", f"{verb}{path}".lower()).strip("-")
