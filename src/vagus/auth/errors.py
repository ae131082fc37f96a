"""Why a token was refused, in one tree, split by whose fault it is.

    TokenError
    ├── InvalidTokenError      forged, malformed or meant for somebody else: do not come back with it
    ├── ExpiredTokenError      genuine, but its time is over or has not come: fetch another one
    └── KeysUnavailableError   nobody's fault but the key endpoint's: try again later

`reason` is safe to log and to send: it names what was wrong and never holds any part of the token.
"""

from __future__ import annotations


class TokenError(Exception):
    """A token was not accepted; `reason` says why in a few words."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class InvalidTokenError(TokenError):
    """The token will never be accepted."""


class ExpiredTokenError(TokenError):
    """The signature is good, the time is not: before `nbf`, or from `exp` or `expire_at` on."""


class KeysUnavailableError(TokenError):
    """The key that would decide cannot be had at the moment; the token may be good."""
