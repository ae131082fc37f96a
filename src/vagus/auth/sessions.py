"""Sessions of people in the console: what the cookie holds, when a session is over, and which pages may use it.

A session's secret is 256 random bits in a cookie that no script can read; what is kept is its SHA-256, for the reason
that ``keys`` gives. Here are the rules alone; what keeps sessions is handed to the hub as ``Sessions``.

No token against forged requests is needed beside it. The cookie is ``SameSite=Strict``, so other sites' requests come
without it; what is left are other origins of the same site, such as another port or a sibling name, and browsers say on
their own, in headers that no page can set, which origin a request comes from (``is_own_page``).
"""

import hashlib
import re
import secrets
from collections.abc import Mapping
from typing import Final, Protocol

import msgspec

from vagus.kernel.identity import Identity

from .origins import OriginRules

COOKIE: Final = "vagus_session"

_SECRET: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_SAME_HOST: Final = OriginRules()


class SessionIdentity(Identity, frozen=True, kw_only=True):
    """Somebody who has signed in. ``session`` is its id, which opens nothing."""

    session: str


class Sessions(Protocol):
    """What knows the sessions."""

    async def identify(self, secret: str) -> SessionIdentity | None:
        """Who is behind a secret; ``None`` if it is unknown, revoked or over. Raises ``StoreError``."""
        ...


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """How long sessions last: unused for ``idle_s``, and whatever happens for ``lasting_s``. ``most`` a user has."""

    idle_s: float
    lasting_s: float
    most: int

    def is_over(self, now: float, *, seen_at: float, expires_at: float) -> bool:
        return now >= expires_at or now >= seen_at + self.idle_s


def new_secret() -> str:
    """A fresh one, for a session or a link."""
    return secrets.token_urlsafe(32)


def secret_hash(secret: str) -> str:
    """The form in which a secret is kept."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def secret_in(headers: Mapping[str, str]) -> str:
    """The secret that a request shows, by lower-case names of headers; empty if there is none.

    Of two that differ neither counts: a neighbour on the same site may have set one of them.
    """
    pairs = (pair.strip().partition("=") for pair in headers.get("cookie", "").split(";"))
    shown = {value for name, _, value in pairs if name == COOKIE}
    found = shown.pop() if len(shown) == 1 else ""
    return found if _SECRET.fullmatch(found) else ""


def is_own_page(headers: Mapping[str, str], *, when_silent: bool) -> bool:
    """Whether a request comes from a page of the server that it is for.

    Browsers name the origin with everything but plain reading, and on an upgrade. What names none is no page, or reads
    for one of its own: then it is ``when_silent``, which is for what changes nothing.
    """
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site == "same-origin":
        return True  # the browser compared the addresses that it knows; a proxy may have changed Host
    if site not in (None, "none"):
        return False
    return when_silent if origin is None else _SAME_HOST.allows(origin, headers.get("host"))


def cookie_of(secret: str, *, lasting_s: float, is_secure: bool) -> str:
    """The ``Set-Cookie`` that hands out a secret; an empty one takes it back."""
    lasting = int(lasting_s) if secret else 0
    attributes = f"{COOKIE}={secret}; Path=/; Max-Age={lasting}; HttpOnly; SameSite=Strict"
    return f"{attributes}; Secure" if is_secure else attributes
