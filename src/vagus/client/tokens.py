"""Tokens of a connection or a channel: the one at hand, and where the next one comes from."""

from collections.abc import Awaitable, Callable
from typing import Final

from vagus.kernel import codes

from .errors import RefusedError

Fetch = Callable[[], str | Awaitable[str]]

AGAIN_S: Final = 5.0
"""Until a renewal that failed is tried again; the server lets an expired token live for 25 seconds."""
_EARLY_S: Final = 10.0


class TokenError(Exception):
    """The program's own function gave no token now. It never leaves the package."""


class Tokens:
    """``fetch`` is a plain or an async function of the program's own."""

    def __init__(self, token: str, fetch: Fetch | None) -> None:
        self._token = token
        self._fetch = fetch

    @property
    def can_renew(self) -> bool:
        return self._fetch is not None

    async def current(self) -> str:
        """The one at hand, or else a new one; empty where there is neither."""
        if self._token or self._fetch is None:
            return self._token
        return await self.renewed()

    async def renewed(self) -> str:
        """A new one. Raises ``TokenError`` if it could not be had now, ``RefusedError`` if there will be none."""
        if self._fetch is None:
            raise RefusedError(codes.TOKEN_EXPIRED)
        try:
            given = self._fetch()
            token = given if isinstance(given, str) else await given
        except RefusedError:
            raise
        except Exception as error:  # whatever the program's function raises
            raise TokenError(f"get_token: {type(error).__name__}: {error}") from error
        if not token:
            raise RefusedError(codes.UNAUTHORIZED)
        self._token = token
        return token

    def drop(self) -> None:
        """It was not good any more. Raises ``RefusedError`` where there is no other to be had."""
        if self._fetch is None:
            raise RefusedError(codes.TOKEN_EXPIRED)
        self._token = ""


def renewal_s(ttl_s: int) -> float:
    """When to renew a token that holds for so long."""
    return max(ttl_s * 0.9, ttl_s - _EARLY_S)
