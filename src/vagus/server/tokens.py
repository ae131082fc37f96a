"""Settings of tokens to what verifies them: keys from files, text or base64, and two sets of rules in one verifier."""

import base64
import binascii
import time
from pathlib import Path
from typing import Final

import msgspec

from vagus.auth.claims import ConnectionClaims, SubscriptionClaims
from vagus.auth.jwks import RemoteJwks
from vagus.auth.tokens import TokenRules, TokenVerifier
from vagus.hub.policies import Verifier
from vagus.settings import Tokens

_BEGIN: Final = "-----BEGIN"
_PEM_FIELDS: Final = ("rsa_public_key", "ecdsa_public_key", "eddsa_public_key")


class SplitVerifier:
    """Connection tokens by one set of rules, subscription tokens by another."""

    def __init__(self, connections: Verifier, subscriptions: Verifier) -> None:
        self._connections = connections
        self._subscriptions = subscriptions

    async def connection(self, token: str) -> ConnectionClaims:
        return await self._connections.connection(token)

    async def subscription(self, token: str) -> SubscriptionClaims:
        return await self._subscriptions.subscription(token)


def verifier_from(tokens: Tokens) -> TokenVerifier:
    """A verifier by these settings. Raises ``ValueError`` that begins with the name of the option that is wrong."""
    values = msgspec.structs.asdict(tokens)
    url = values.pop("jwks_url")
    values.update({name: _pem(name, values[name]) for name in _PEM_FIELDS})
    return TokenVerifier(TokenRules(**values, jwks=_jwks(url)), now=time.time)


def _jwks(url: str | None) -> RemoteJwks | None:
    if url is None:
        return None
    try:
        return RemoteJwks(url, now=time.monotonic)
    except ValueError as error:
        raise ValueError(f"jwks_url: {error}") from None


def _pem(name: str, text: str | None) -> str | None:
    try:
        return None if text is None else pem_from(text)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def pem_from(text: str) -> str:
    """The PEM text that an option means. Raises ``ValueError`` if it is neither that, nor a file, nor base64 of it."""
    if _BEGIN in text:
        return text.replace("\\n", "\n")  # environment files often hold it on one line
    try:
        return Path(text).read_text("ascii")
    except (OSError, ValueError):
        pass
    try:
        decoded = base64.b64decode(text, validate=True).decode("ascii")
    except (binascii.Error, UnicodeDecodeError):
        decoded = ""
    if _BEGIN not in decoded:
        raise ValueError("is neither a readable file, nor a key in PEM form, nor that in base64")
    return decoded
