"""Tokens as an application would mint them, and the verifier that believes them."""

import time
from typing import Any, Final

from vagus.auth.claims import ConnectionClaims, SubscriptionClaims
from vagus.auth.minting import Signer, connection_token, subscription_token
from vagus.auth.tokens import TokenRules, TokenVerifier

SECRET: Final = "a secret for these tests alone, of a good length"
_SIGNER: Final = Signer.with_secret(SECRET)


def verifier() -> TokenVerifier:
    return TokenVerifier(TokenRules(hmac_secret=SECRET), now=time.time)


def token(user: str = "42", *, lasts_s: float | None = None, **claims: Any) -> str:
    """A connection token; one that lasts less than no time is expired."""
    return connection_token(ConnectionClaims(user=user, exp=_end(lasts_s), **claims), _SIGNER)


def channel_token(channel: str, user: str = "42", *, lasts_s: float | None = None, **claims: Any) -> str:
    return subscription_token(SubscriptionClaims(channel=channel, user=user, exp=_end(lasts_s), **claims), _SIGNER)


def _end(lasts_s: float | None) -> float | None:
    return None if lasts_s is None else time.time() + lasts_s


EXPIRED: Final = token(lasts_s=-60)
FORGED: Final = connection_token(ConnectionClaims(user="42"), Signer.with_secret("somebody else's secret, also long"))
