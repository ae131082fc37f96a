"""Claims in, tokens out: for the command line and for tests.

An application mints its own tokens with any JWT library; this is the same act in Vagus. Whatever is minted here is
accepted by a verifier with the matching key, and gives back the same claims.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from vagus.auth.claims import ConnectionClaims, SubscriptionClaims, payload_from
from vagus.auth.signatures import HMAC_DIGESTS, base64url, hmac_signature, private_key_from_pem


class Signer(msgspec.Struct, frozen=True):
    """Signs tokens with one key and one algorithm."""

    algorithm: str
    sign: Callable[[bytes], bytes]
    kid: str | None = None

    @classmethod
    def with_secret(cls, secret: str, algorithm: str = "HS256") -> Signer:
        """Sign with a shared secret; `ValueError` if it is empty or the algorithm is not an HMAC one."""
        if not secret or algorithm not in HMAC_DIGESTS:
            raise ValueError("a secret and one of HS256, HS384, HS512 are needed")
        return cls(algorithm, lambda message: hmac_signature(secret.encode(), algorithm, message))

    @classmethod
    def with_private_key(cls, pem: str, *, algorithm: str | None = None, kid: str | None = None) -> Signer:
        """Sign with a private key in PEM form, by default as its kind usually does (RS256, ES*, EdDSA)."""
        key = private_key_from_pem(pem)
        chosen = algorithm or key.algorithms[0]
        if chosen not in key.algorithms:
            raise ValueError(f"this key cannot sign {chosen}")
        return cls(chosen, lambda message: base64url(key.sign(chosen, message)), kid)

    def token(self, payload: bytes) -> str:
        """Return the token that carries this payload, whatever it is."""
        header = {"alg": self.algorithm, "typ": "JWT", **({"kid": self.kid} if self.kid is not None else {})}
        signed = base64url(msgspec.json.encode(header)) + b"." + base64url(payload)
        return (signed + b"." + self.sign(signed)).decode()


def connection_token(claims: ConnectionClaims, signer: Signer) -> str:
    """Mint a connection token; `ValueError` if raw values among the claims are not JSON."""
    return signer.token(payload_from(claims))


def subscription_token(claims: SubscriptionClaims, signer: Signer) -> str:
    """Mint a subscription token; `ValueError` if raw values among the claims are not JSON."""
    return signer.token(payload_from(claims))
