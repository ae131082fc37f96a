"""What a gateway says over HTTP when it cannot do as asked: problem documents (RFC 9457).

They name what was wrong with the request, and let a page read that if it may ask at all.
"""

from collections.abc import Mapping
from http import HTTPStatus

import msgspec

from vagus.asgi import Response
from vagus.wire.websocket import Refusal

from .cors import cors_headers_of
from .gate import Gate


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """``code`` is the number that the hub gave as its reason."""

    title: str
    status: int
    detail: str = ""
    code: int = 0


class Problems:
    """Makes the problem documents of one gate, for the request with these headers."""

    def __init__(self, gate: Gate, headers: Mapping[str, str]) -> None:
        self._gate = gate
        self._headers = headers

    def problem(self, status: int, detail: str, *, code: int = 0, retry_after_s: int = 0) -> Response:
        body = msgspec.json.encode(Problem(HTTPStatus(status).phrase, status, detail, code))
        headers = [(b"cache-control", b"no-store"), *cors_headers_of(self._gate, self._headers)]
        if retry_after_s:
            headers.append((b"retry-after", b"%d" % retry_after_s))
        if status == HTTPStatus.UNAUTHORIZED:
            headers.append((b"www-authenticate", b"Bearer"))
        return Response(status, body, b"application/problem+json", tuple(headers))

    def refusal(self, refusal: Refusal) -> Response:
        problem = self.problem(refusal.status, refusal.reason)
        return msgspec.structs.replace(problem, headers=(*problem.headers, *refusal.headers))
