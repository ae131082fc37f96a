"""Tokens in, claims out: what a connection or subscription token must satisfy to be believed.

The rules are fixed when the verifier is made, and the header of a token chooses only among the keys configured
for its algorithm; `none`, a key inside the header and critical extensions are never obeyed (RFC 8725). With
secrets and fixed keys nothing suspends: `connection(token).send(None)` ends at once, and an HS256 token costs some
ten microseconds, which PyJWT's general path does not reach.
"""

from __future__ import annotations

import hmac
import re
from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec

from vagus.auth.claims import (
    ConnectionClaims,
    Registered,
    SubscriptionClaims,
    connection_claims,
    subscription_claims,
)
from vagus.auth.errors import ExpiredTokenError, InvalidTokenError
from vagus.auth.jwks import KeySource
from vagus.auth.signatures import (
    HMAC_DIGESTS,
    PublicKey,
    base64url_decoded,
    hmac_signature,
    public_key_from_pem,
)

if TYPE_CHECKING:
    from collections.abc import Callable


_PEM_FAMILIES = {"rsa_public_key": "RS256", "ecdsa_public_key": "ES", "eddsa_public_key": "EdDSA"}


class TokenRules(msgspec.Struct, frozen=True, kw_only=True):
    """Which tokens are believed. Only algorithms that have a key here are accepted.

    `hmac_previous_secret` counts until `hmac_previous_valid_until` (seconds since 1970; None: until it is taken
    out). The regular expressions must match the whole value. `jwks` is asked when no fixed key has signed.
    `allow_anonymous` admits connection tokens without a user.
    """

    hmac_secret: str | None = None
    hmac_previous_secret: str | None = None
    hmac_previous_valid_until: float | None = None
    rsa_public_key: str | None = None
    ecdsa_public_key: str | None = None
    eddsa_public_key: str | None = None
    jwks: KeySource | None = None
    audience: str | None = None
    audience_regex: str | None = None
    issuer: str | None = None
    issuer_regex: str | None = None
    user_claim: str = "sub"
    allow_anonymous: bool = True
    leeway_s: float = 0
    max_bytes: int = 8192

    def __repr__(self) -> str:
        return "TokenRules(...)"  # settings get printed, and these hold secrets


class TokenVerifier:
    """Checks tokens against one set of rules; `ValueError` naming the rule if the rules make no sense.

    Immutable and safe to share. `now` gives seconds since 1970.
    """

    def __init__(self, rules: TokenRules, *, now: Callable[[], float]) -> None:
        self._rules = rules
        self._now = now
        self._secret = _secret("hmac_secret", rules.hmac_secret)
        self._previous = _secret("hmac_previous_secret", rules.hmac_previous_secret)
        self._keys = _fixed_keys(rules)
        self._is_audience = _matcher("audience", rules.audience, rules.audience_regex)
        self._is_issuer = _matcher("issuer", rules.issuer, rules.issuer_regex)

    async def connection(self, token: str) -> ConnectionClaims:
        """Return what a connection token says, or raise a `TokenError`."""
        claims = connection_claims(await self._payload(token), self._rules.user_claim)
        self._check(claims)
        if not claims.user and not self._rules.allow_anonymous:
            raise InvalidTokenError("no user, and anonymous tokens are not allowed")
        return claims

    async def subscription(self, token: str) -> SubscriptionClaims:
        """Return what a subscription token says, or raise a `TokenError`."""
        claims = subscription_claims(await self._payload(token), self._rules.user_claim)
        self._check(claims)
        return claims

    async def _payload(self, token: str) -> bytes:
        if len(token) > self._rules.max_bytes:
            raise InvalidTokenError("longer than a token may be")
        try:
            signed, _, signature = token.encode("ascii").rpartition(b".")
            head, _, payload = signed.partition(b".")
            header = _header(head)
            content = base64url_decoded(payload)
        except (ValueError, RecursionError):
            raise InvalidTokenError("not a token") from None
        if header.crit is not None:
            raise InvalidTokenError("a critical extension that is not known")
        if header.alg in HMAC_DIGESTS:
            self._check_hmac(header.alg, signed, signature)
        else:
            await self._check_signature(header, signed, signature)
        return content

    def _check_hmac(self, algorithm: str, signed: bytes, signature: bytes) -> None:
        if self._secret is None:
            raise InvalidTokenError("no key for this algorithm")
        if hmac.compare_digest(hmac_signature(self._secret, algorithm, signed), signature):
            return
        until = self._rules.hmac_previous_valid_until
        if self._previous is not None and (until is None or self._now() < until):
            if hmac.compare_digest(hmac_signature(self._previous, algorithm, signed), signature):
                return
        raise InvalidTokenError("the signature does not match")

    async def _check_signature(self, header: _Header, signed: bytes, signature: bytes) -> None:
        try:
            decoded = base64url_decoded(signature)
        except ValueError:
            raise InvalidTokenError("not a token") from None
        fixed = self._keys.get(header.alg)
        if fixed is not None and fixed.verifies(header.alg, signed, decoded):
            return
        published = await self._published(header)
        if published is not None and published.verifies(header.alg, signed, decoded):
            return
        known = fixed is not None or published is not None
        raise InvalidTokenError("the signature does not match" if known else "no key for this algorithm or key id")

    async def _published(self, header: _Header) -> PublicKey | None:
        if self._rules.jwks is None or header.alg not in _ASYMMETRIC:
            return None
        return await self._rules.jwks.key(header.alg, header.kid)

    def _check(self, claims: Registered) -> None:
        # Whom it is for comes before the time: a stranger's token is to be dropped, not fetched again.
        if self._is_issuer is not None and (claims.iss is None or not self._is_issuer(claims.iss)):
            raise InvalidTokenError("from another issuer")
        if self._is_audience is not None and not any(self._is_audience(name) for name in claims.aud):
            raise InvalidTokenError("for another audience")
        now, leeway = self._now(), self._rules.leeway_s
        if claims.nbf is not None and claims.nbf > now + leeway:
            raise ExpiredTokenError("not valid yet")
        for end in (claims.exp, claims.expires_at):
            if end is not None and end <= now - leeway:
                raise ExpiredTokenError("expired")


class _Header(msgspec.Struct, frozen=True):
    alg: str
    kid: str | None = None
    crit: list[str] | None = None


_HEADER = msgspec.json.Decoder(_Header)
_ASYMMETRIC = frozenset(f"{family}{bits}" for family in ("RS", "PS", "ES") for bits in (256, 384, 512)) | {"EdDSA"}


@lru_cache(maxsize=64)
def _header(segment: bytes) -> _Header:
    # All tokens of an issuer begin with the same bytes, so nearly every header has been read before.
    return _HEADER.decode(base64url_decoded(segment))


def _secret(name: str, value: str | None) -> bytes | None:
    if value is None:
        return None
    if not value or "-----BEGIN" in value:
        raise ValueError(f"{name}: a secret is needed, not an empty text or a PEM key")
    return value.encode()


def _fixed_keys(rules: TokenRules) -> dict[str, PublicKey]:
    keys: dict[str, PublicKey] = {}
    for name, family in _PEM_FAMILIES.items():
        pem = getattr(rules, name)
        if pem is None:
            continue
        try:
            key = public_key_from_pem(pem)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
        if not key.algorithms[0].startswith(family):
            raise ValueError(f"{name}: a key of another kind")
        keys.update(dict.fromkeys(key.algorithms, key))
    return keys


def _matcher(name: str, exact: str | None, pattern: str | None) -> Callable[[str], object] | None:
    if exact is not None and pattern is not None:
        raise ValueError(f"{name}: either a value or a regular expression, not both")
    if exact is not None:
        return exact.__eq__
    if pattern is None:
        return None
    try:
        return re.compile(pattern).fullmatch
    except re.error as error:
        raise ValueError(f"{name}_regex: {error}") from None
