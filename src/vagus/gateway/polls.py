"""Requests that are answered whole: at once, or later, when there is something to say.

An endpoint that is polled judges a request by its head, which gives the whole response or a ``Held``; that takes the
body and replies when it can. The rules of a protocol are in those two alone: ``poll_http`` carries them behind any
ASGI server, ``direct_polls`` has the fast way.
"""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any, Final, Protocol

from vagus.asgi import (
    BodyTooLargeError,
    ClientGoneError,
    Receive,
    Response,
    Scope,
    Send,
    headers_of,
    read_body,
    respond,
)
from vagus.hub.requests import Origin

from .cors import preflight
from .gate import Gate

BODY_S: Final = 30.0
"""How long the body of a request may take to come, and that of a response to go."""

Reply = Callable[[Response], None]


class Held(Protocol):
    """A request whose head was judged. Either ``begin`` comes next, or one of the others instead of it."""

    @property
    def takes_body(self) -> bool: ...

    def begin(self, body: bytes, reply: Reply) -> None:
        """The request is there. Calls ``reply`` once, now or later, unless the client is lost before."""
        ...

    def too_large(self) -> Response:
        """The body is longer than the bound, and was not read."""
        ...

    def lost(self) -> None:
        """The client is gone, before its body came or while it waited."""
        ...


class PolledEndpoint(Protocol):
    """An endpoint whose requests may be held. ``polls_as`` is what its clients are listed as."""

    @property
    def polls_as(self) -> str: ...

    @property
    def max_payload(self) -> int:
        """The bound of a body."""
        ...

    def expect(self, method: str, origin: Origin) -> Response | Held:
        """Judge a request by its head. The page's origin, the address and the rates are checked here."""
        ...


def polled(endpoint: object) -> PolledEndpoint | None:
    """The endpoint, if it is one of these."""
    return endpoint if hasattr(endpoint, "polls_as") else None  # type: ignore[return-value]  # no other has that


async def poll_http(gate: Gate, endpoint: PolledEndpoint, scope: Scope, receive: Receive, send: Send) -> None:
    """Serve one request of an ASGI server."""
    if scope["method"] == "OPTIONS":
        await respond(send, preflight(gate, scope))
        return
    answer = endpoint.expect(scope["method"], gate.origin(scope, transport=endpoint.polls_as))
    response = answer if isinstance(answer, Response) else await _outcome(answer, endpoint.max_payload, scope, receive)
    if response is None:
        return  # nobody is there to be answered
    with contextlib.suppress(TimeoutError):  # who takes nothing does not answer pings either
        async with asyncio.timeout(BODY_S):
            await respond(send, response)


async def _outcome(held: Held, bound: int, scope: Scope, receive: Receive) -> Response | None:
    try:
        async with asyncio.timeout(BODY_S):
            body = await read_body(receive, headers_of(scope), bound) if held.takes_body else b""
    except BodyTooLargeError:
        return held.too_large()
    except (ClientGoneError, TimeoutError):
        held.lost()
        return None
    except asyncio.CancelledError:
        held.lost()
        raise
    return await _reply(held, body, receive)


async def _reply(held: Held, body: bytes, receive: Receive) -> Response | None:
    """What is replied, unless the client leaves first."""
    replied: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
    held.begin(body, lambda response: None if replied.done() else replied.set_result(response))
    if replied.done():
        return replied.result()
    gone = asyncio.ensure_future(_disconnected(receive))
    try:
        either: set[asyncio.Future[Any]] = {replied, gone}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
    finally:
        gone.cancel()
        if not replied.done():
            held.lost()
    return replied.result() if replied.done() else None


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
