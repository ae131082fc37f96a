"""Who asks: the key that a request shows, and whether it comes from this very machine.

A key is taken from ``X-API-Key``, from ``Authorization: apikey KEY``, or from ``?api_key=`` (which ends up in logs;
it is there for clients that can do nothing else).
"""

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Protocol
from urllib.parse import parse_qs

from vagus.asgi import Response, Scope, problem
from vagus.auth.keys import ServiceKey


class Keys(Protocol):
    """What knows the keys: a ``KeyRing``, or what changes its ring while it runs."""

    def verify(self, secret: str) -> ServiceKey | None: ...

    @property
    def is_complete(self) -> bool:
        """Whether every key that exists is known; where it is not, one that is not found may be a good one."""
        ...


def shown_key(scope: Scope, headers: Mapping[bytes, bytes]) -> str:
    """The key as it was shown; empty if there is none."""
    key = headers.get(b"x-api-key")
    if key is not None:
        return key.decode("latin-1")
    scheme, _, credentials = headers.get(b"authorization", b"").partition(b" ")
    if scheme.lower() == b"apikey":
        return credentials.strip().decode("latin-1")
    query: bytes = scope.get("query_string", b"")
    return parse_qs(query.decode("latin-1")).get("api_key", [""])[0] if b"api_key=" in query else ""


def unauthorized() -> Response:
    return problem(401, "A valid key is needed.", headers=((b"www-authenticate", b"apikey"),))


def unknown_key(keys: Keys, shown: str) -> Response:
    """The answer to a key that is not known: a wrong one, or one that cannot be looked up now."""
    if keys.is_complete or not shown:
        return unauthorized()
    return problem(503, "Keys cannot be looked up now: try again.", headers=((b"retry-after", b"2"),))


def is_cross_site(headers: Mapping[bytes, bytes]) -> bool:
    """Whether a page of another site sends this. It matters where no key is asked for: pages cannot know keys."""
    origin = headers.get(b"origin")
    return origin is not None and origin.partition(b"://")[2] != headers.get(b"host")


def is_local(scope: Scope, headers: Mapping[bytes, bytes]) -> bool:
    """Whether the peer is this machine, and not a proxy on it that speaks for somebody else."""
    if b"forwarded" in headers or b"x-forwarded-for" in headers:
        return False
    peer = scope.get("client")
    try:
        return peer is not None and ip_address(peer[0]).is_loopback
    except ValueError:
        return False
