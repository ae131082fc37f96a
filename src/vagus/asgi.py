"""ASGI's shapes, and HTTP on it: a response is a value, a body is read whole and within a bound, and what cannot be

done is said in a problem document (RFC 9457). Those name what was wrong with the request, and nothing of what is
inside: no traceback, no path, no driver's message.

Written on bare ASGI, since what a framework does for each request costs more than publishing does.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from http import HTTPStatus
from typing import Any, Final

import msgspec

Scope = MutableMapping[str, Any]
Event = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Event]]
Send = Callable[[Event], Awaitable[None]]
Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]

PROBLEM_TYPE: Final = b"application/problem+json"


class Response(msgspec.Struct, frozen=True):
    """A whole response. ``headers`` come after type and length."""

    status: int
    body: bytes
    content_type: bytes = b"application/json"
    headers: tuple[tuple[bytes, bytes], ...] = ()


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """The members that the standard names. ``type`` is ``about:blank``: the status says what kind it is.

    ``code`` is the number that the hub gave as its reason.
    """

    title: str
    status: int
    detail: str = ""
    code: int = 0


def problem(status: int, detail: str = "", *, code: int = 0, headers: Iterable[tuple[bytes, bytes]] = ()) -> Response:
    body = msgspec.json.encode(Problem(HTTPStatus(status).phrase, status, detail, code))
    return Response(status, body, PROBLEM_TYPE, ((b"cache-control", b"no-store"), *headers))


def method_not_allowed(allowed: str) -> Response:
    return problem(405, f"This answers to {allowed}.", headers=((b"allow", allowed.encode()),))


class BodyTooLargeError(Exception):
    """The body is longer than the bound; the rest of it was not read."""


class ClientGoneError(Exception):
    """The connection ended before the whole body came; nobody waits for an answer."""


async def respond(send: Send, response: Response, *, head_only: bool = False) -> None:
    headers = list(response.headers)
    if response.status != HTTPStatus.NO_CONTENT:
        described = [(b"content-type", response.content_type), (b"content-length", b"%d" % len(response.body))]
        headers = [*described, *headers]
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if head_only else response.body})


async def read_body(receive: Receive, headers: Mapping[bytes, bytes], bound: int) -> bytes:
    """The body as bytes. Raises ``BodyTooLargeError`` as soon as it is sure, and ``ClientGoneError``."""
    declared = headers.get(b"content-length", b"")
    if declared.isdigit() and (len(declared) > 18 or int(declared) > bound):
        raise BodyTooLargeError
    event = await receive()
    body: bytes = event.get("body", b"")
    more = event.get("more_body", False)
    if event["type"] == "http.disconnect":
        raise ClientGoneError
    if more or len(body) > bound:
        return await _rest_of_body(receive, body, bound)
    return body


async def _rest_of_body(receive: Receive, first: bytes, bound: int) -> bytes:
    parts, length, more = [first], len(first), True
    while more:
        if length > bound:
            raise BodyTooLargeError
        event = await receive()
        if event["type"] == "http.disconnect":
            raise ClientGoneError
        parts.append(event.get("body", b""))
        length += len(parts[-1])
        more = event.get("more_body", False)
    if length > bound:
        raise BodyTooLargeError
    return b"".join(parts)


def headers_of(scope: Scope) -> dict[bytes, bytes]:
    """By name in lower case, as ASGI has them; of several the last."""
    return dict(scope["headers"])


def path_of(scope: Scope) -> str:
    """The path below where this application is mounted."""
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    return path[len(root) :] or "/" if root and path.startswith(root) else path
