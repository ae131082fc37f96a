"""What keeps an insecure server to its own machine, since listening on loopback alone does not.

A page of any site runs in a browser on this machine, and a name of that site may be made to point here (DNS
rebinding): its requests then arrive over loopback with matching ``Origin`` and ``Host``. They still name the other
site, and that is what is looked at.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Final
from urllib.parse import urlsplit

from vagus.settings import LOOPBACK

LOCAL_ORIGINS: Final = tuple(f"*://{host}:*" for host in ("localhost", "127.0.0.1", "[::1]"))
"""Pages that this machine serves itself, on any port: a page in development comes from another one than the hub's."""

_REFUSAL: Final = b"an insecure server answers to localhost, 127.0.0.1 and [::1] only\n"

ASGIApp = Callable[[Any, Any, Any], Awaitable[None]]


def for_this_machine(app: ASGIApp) -> ASGIApp:
    """The application, for requests that name this machine as their host; others are answered with 421."""

    async def application(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or names_this_machine(dict(scope["headers"]).get(b"host", b"").decode("latin-1")):
            await app(scope, receive, send)
            return
        headers = [(b"content-type", b"text/plain"), (b"connection", b"close")]
        await send({"type": "http.response.start", "status": 421, "headers": headers})
        await send({"type": "http.response.body", "body": _REFUSAL})

    return application


def names_this_machine(host: str) -> bool:
    """Whether a ``Host`` header names loopback, with or without a port."""
    try:
        return urlsplit(f"//{host}").hostname in LOOPBACK
    except ValueError:
        return False
