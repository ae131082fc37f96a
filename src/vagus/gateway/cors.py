"""Which pages of other origins may read what is answered to them over HTTP.

Pages are let in by the same patterns as for WebSockets (``Gate.allows_origin``); cookies travel along, so an origin is
always named and never ``*``. These headers only let a page read an answer: that a request of a foreign page is not
carried out is for ``Gate.check`` to see to, since a browser sends many of them without asking first.
"""

import re
from collections.abc import Mapping
from typing import Final

from vagus.asgi import Response, Scope

from .gate import Gate, joined_headers

Headers = list[tuple[bytes, bytes]]

MAX_AGE_S: Final = b"300"
"""How long a browser may remember the answer to a preflight: what the reference server of the native protocol says."""

METHODS: Final = b"GET, POST, DELETE, OPTIONS"

MAX_NAMES_LENGTH: Final = 1_024
"""Names of headers that a page asks for; they are echoed."""

_NAMES: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+(?:[ \t]*,[ \t]*[A-Za-z0-9!#$%&'*+.^_`|~-]+)*")


def cors_headers(gate: Gate, scope: Scope) -> Headers:
    """What lets the asking page read the answer; nothing for a page that may not, or where no page asks."""
    return cors_headers_of(gate, _headers(scope))


def cors_headers_of(gate: Gate, headers: Mapping[str, str]) -> Headers:
    """The same for headers by lower-case name."""
    claimed = headers.get("origin")
    if claimed is None:
        return []
    if not gate.allows_origin(claimed, headers.get("host")):
        return [(b"vary", b"Origin")]
    return [
        (b"access-control-allow-origin", claimed.encode("latin-1")),
        (b"access-control-allow-credentials", b"true"),
        (b"vary", b"Origin"),
    ]


def preflight(gate: Gate, scope: Scope, methods: bytes = METHODS) -> Response:
    """The answer to OPTIONS: whether a page may send what it is about to."""
    asked = _headers(scope)
    headers = cors_headers_of(gate, asked)
    if len(headers) == 1:
        return Response(403, b"", headers=tuple(headers))
    headers += [(b"access-control-allow-methods", methods), (b"access-control-max-age", MAX_AGE_S)]
    wanted = asked.get("access-control-request-headers", "")
    if len(wanted) <= MAX_NAMES_LENGTH and _NAMES.fullmatch(wanted):
        headers.append((b"access-control-allow-headers", wanted.encode()))
    return Response(204, b"", headers=tuple(headers))


def _headers(scope: Scope) -> dict[str, str]:
    return joined_headers((name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"])
