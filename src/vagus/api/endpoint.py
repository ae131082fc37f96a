"""The server API as an ASGI application: ``POST /api/<method>`` and the old form ``POST /api``.

Its form is Centrifugo's: answers are HTTP 200 with ``{"result": …}`` or ``{"error": {"code", "message"}}``, also for
what is refused. Only what never reaches a method has an HTTP status and a problem document: no key (401), a wrong
verb (405), a body that is too large (413), compressed (415) or not what the method takes (400).
"""

from collections.abc import Callable
from typing import Any, Final, Literal

import msgspec

from vagus.asgi import (
    BodyTooLargeError,
    ClientGoneError,
    Receive,
    Response,
    Scope,
    Send,
    headers_of,
    method_not_allowed,
    problem,
    read_body,
    respond,
)
from vagus.kernel import codes

from .access import Keys, is_cross_site, shown_key, unknown_key
from .methods import METHODS, UNAVAILABLE, Call, Failure, Method, Replies, carry_out, failure

ErrorMode = Literal["result", "transport"]

STATUSES: Final = {
    codes.INTERNAL.code: 500,
    codes.UNAUTHORIZED.code: 401,
    codes.UNKNOWN_CHANNEL.code: 404,
    codes.PERMISSION_DENIED.code: 403,
    codes.METHOD_NOT_FOUND.code: 404,
    codes.TOO_MANY_REQUESTS.code: 429,
    codes.UNRECOVERABLE_POSITION.code: 416,
    codes.CONCURRENT_PAGINATION.code: 409,
    codes.UNAVAILABLE.code: 503,
}
"""HTTP statuses of API errors in the mode ``transport``; all others are 400."""

_encode: Final = msgspec.json.Encoder().encode


class OldCommand(msgspec.Struct, frozen=True):
    """A line of the old form."""

    method: str
    params: msgspec.Raw = msgspec.Raw(b"{}")


_DECODERS: Final[dict[str, Callable[[bytes], Any]]] = {
    row.name: msgspec.json.Decoder(row.request).decode for row in METHODS.values()
}
_decode_old: Final = msgspec.json.Decoder(OldCommand).decode_lines


class Endpoint:
    """Serves every method of the table, with one body read and one answer built. ``call`` is who and where, but for the

    key. Without ``keys`` nobody is asked for one; pages of other sites are turned away then.
    """

    def __init__(self, call: Call, keys: Keys | None, *, error_mode: ErrorMode, max_body_bytes: int) -> None:
        self.keys = keys
        self._call = call
        self._statuses: dict[int, int] | None
        self._max_body_bytes: int
        self.heed(error_mode=error_mode, max_body_bytes=max_body_bytes)

    def heed(self, *, error_mode: ErrorMode, max_body_bytes: int) -> None:
        """Let other options hold from the next request on."""
        self._statuses = STATUSES if error_mode == "transport" else None
        self._max_body_bytes = max_body_bytes

    def serves(self, path: str) -> bool:
        """Whether a path is one of the server API's; the others below ``/api`` belong to apps."""
        return path == "/api" or (path.startswith("/api/") and (path[5:] in METHODS or path[5:] in UNAVAILABLE))

    async def __call__(self, scope: Scope, receive: Receive, send: Send, path: str) -> None:
        try:
            response = await self._respond(scope, receive, path[5:])
        except ClientGoneError:
            return
        await respond(send, response)

    async def _respond(self, scope: Scope, receive: Receive, name: str) -> Response:
        if scope["method"] != "POST":
            return method_not_allowed("POST")
        headers = headers_of(scope)
        call = self._call
        if self.keys is not None:
            shown = shown_key(scope, headers)
            key = self.keys.verify(shown)
            if key is None:
                return unknown_key(self.keys, shown)
            call = Call(call.hub, call.node_name, key)
        elif is_cross_site(headers):
            return problem(403, "Pages of other sites may not use this.")
        if headers.get(b"content-encoding", b"identity") != b"identity":
            return problem(415, "Compressed bodies are not taken.")
        try:
            body = await read_body(receive, headers, self._max_body_bytes)
        except BodyTooLargeError:
            detail = f"A body has at most {self._max_body_bytes} bytes."
            return problem(413, detail, headers=((b"connection", b"close"),))
        return await self._answer(call, name, body)

    async def _answer(self, call: Call, name: str, body: bytes) -> Response:
        try:
            if not body.isascii():
                body.decode()  # embedded data is passed through, so nobody else looks at it
            if not name:
                return await self._answer_old(call, _decode_old(body))
            asked = _DECODERS[name](body) if name in _DECODERS else None
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
            return problem(400, _why(error))
        if asked is None:
            return self._response(failure(codes.NOT_AVAILABLE))
        return self._response(await carry_out(call, METHODS[name], asked))

    async def _answer_old(self, call: Call, commands: list[OldCommand]) -> Response:
        if not commands:
            return problem(400, "The body is empty.")
        answers = [await self._carry_out_old(call, command) for command in commands]
        if len(answers) == 1:
            return self._response(answers[0])
        return Response(200, b"\n".join(_wrapped(answer) for answer in answers))

    @staticmethod
    async def _carry_out_old(call: Call, command: OldCommand) -> msgspec.Struct:
        row: Method | None = METHODS.get(command.method)
        if row is None:
            return failure(codes.NOT_AVAILABLE if command.method in UNAVAILABLE else codes.METHOD_NOT_FOUND)
        try:
            asked = _DECODERS[row.name](bytes(command.params))
        except (msgspec.DecodeError, RecursionError) as error:
            return Failure(codes.BAD_REQUEST.code, f"{codes.BAD_REQUEST.message}: {_why(error)}")
        return await carry_out(call, row, asked)

    def _response(self, answer: msgspec.Struct) -> Response:
        status = 200
        if type(answer) is Failure and self._statuses is not None:
            status = self._statuses.get(answer.code, 400)
        return Response(status, _wrapped(answer))


def _wrapped(answer: msgspec.Struct) -> bytes:
    if type(answer) is Replies:
        return _encode(answer)
    return (b'{"error":%b}' if type(answer) is Failure else b'{"result":%b}') % _encode(answer)


def _why(error: Exception) -> str:
    match error:
        case UnicodeDecodeError():
            return "The body is not UTF-8."
        case RecursionError():
            return "The body is nested too deeply."
        case _:
            return str(error)
