"""Problem documents of a gateway: a page may read what was wrong with its request, if it may ask at all."""

from collections.abc import Mapping
from http import HTTPStatus

import msgspec

from vagus.asgi import Response, problem
from vagus.wire.websocket import Refusal

from .cors import cors_headers_of
from .gate import Gate


class Problems:
    """Makes the problem documents of one gate, for the request with these headers."""

    def __init__(self, gate: Gate, headers: Mapping[str, str]) -> None:
        self._gate = gate
        self._headers = headers

    def problem(self, status: int, detail: str, *, code: int = 0, retry_after_s: int = 0) -> Response:
        headers = cors_headers_of(self._gate, self._headers)
        if retry_after_s:
            headers.append((b"retry-after", b"%d" % retry_after_s))
        if status == HTTPStatus.UNAUTHORIZED:
            headers.append((b"www-authenticate", b"Bearer"))
        return problem(status, detail, code=code, headers=headers)

    def refusal(self, refusal: Refusal) -> Response:
        problem = self.problem(refusal.status, refusal.reason)
        return msgspec.structs.replace(problem, headers=(*problem.headers, *refusal.headers))
