"""Problem documents (RFC 9457): what every route but the server API's own methods says when it cannot do as asked.

They name what was wrong with the request, and nothing of what is inside: no traceback, no path, no driver's message.
"""

from http import HTTPStatus
from typing import Final

import msgspec

from vagus.asgi import Response

CONTENT_TYPE: Final = b"application/problem+json"


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """The members that the standard names. ``type`` is ``about:blank``: the status says what kind it is."""

    title: str
    status: int
    detail: str = ""


def problem(status: int, detail: str = "", *, headers: tuple[tuple[bytes, bytes], ...] = ()) -> Response:
    body = msgspec.json.encode(Problem(HTTPStatus(status).phrase, status, detail))
    return Response(status, body, CONTENT_TYPE, ((b"cache-control", b"no-store"), *headers))


def method_not_allowed(allowed: str) -> Response:
    return problem(405, f"This answers to {allowed}.", headers=((b"allow", allowed.encode()),))
