"""Keys prepared once, signatures made and checked many times.

A key knows the algorithms it may be used with, derived from its own type: an RSA key never verifies an HMAC and
a P-256 key never an ES384 signature, whatever a token's header claims (RFC 8725 §3.1). HMAC lives here in a few
lines of the standard library, as it is the path that has to be quick; the rest is PyJWT's, loaded only when the
first asymmetric key is.
"""

from __future__ import annotations

import binascii
import hmac
from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jwt.algorithms import Algorithm

HMAC_DIGESTS = {"HS256": "sha256", "HS384": "sha384", "HS512": "sha512"}

_RSA = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
_EC = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}  # RFC 7518 §3.4: one curve each
_JWK_ALGORITHM = {"RSA": "RS256", "OKP": "EdDSA"}
_JWK_CURVES = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}
_MIN_RSA_BITS = 2048  # RFC 7518 §3.3

_TO_URL = bytes.maketrans(b"+/", b"-_")
_TO_STANDARD = bytes.maketrans(b"-_", b"+/")


class PublicKey(msgspec.Struct, frozen=True):
    """A public key and the algorithms it may verify, the preferred one first."""

    key: Any
    algorithms: tuple[str, ...]

    def verifies(self, algorithm: str, message: bytes, signature: bytes) -> bool:
        """Say whether `signature` is this key's under `algorithm`; False for any algorithm not its own."""
        if algorithm not in self.algorithms:
            return False
        return _algorithms()[algorithm].verify(message, self.key, signature)


class PrivateKey(msgspec.Struct, frozen=True):
    """A private key and the algorithms it may sign with, the preferred one first."""

    key: Any
    algorithms: tuple[str, ...]

    def sign(self, algorithm: str, message: bytes) -> bytes:
        """Return the signature; `ValueError` if the algorithm is not one of this key's."""
        if algorithm not in self.algorithms:
            raise ValueError(f"this key cannot sign {algorithm}")
        return _algorithms()[algorithm].sign(message, self.key)


def public_key_from_pem(pem: str) -> PublicKey:
    """Load a public key; `ValueError` for anything else, a private key included."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm):
        raise ValueError("not a public key in PEM form") from None
    return PublicKey(key, _algorithms_of(key))


def private_key_from_pem(pem: str) -> PrivateKey:
    """Load an unencrypted private key; `ValueError` for anything else."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ValueError("not an unencrypted private key in PEM form") from None
    return PrivateKey(key, _algorithms_of(key.public_key()))


def public_key_from_jwk(jwk: Mapping[str, object]) -> PublicKey:
    """Load one entry of a key set.

    `ValueError` if it is no public key for signatures. Secrets (`oct`) and private keys are refused on purpose:
    who can read the set could sign with them.
    """
    curve, kind = str(jwk.get("crv")), str(jwk.get("kty"))
    name = _JWK_CURVES.get(curve) if kind == "EC" else _JWK_ALGORITHM.get(kind)
    if name is None or "d" in jwk or jwk.get("use", "sig") != "sig":
        raise ValueError("not a public key for signatures")
    try:
        key = _algorithms()[name].from_jwk(dict(jwk))
    except Exception:  # from_jwk lets errors of half a dozen kinds through, all meaning the same
        raise ValueError("a damaged public key") from None
    allowed = tuple(a for a in _algorithms_of(key) if jwk.get("alg", a) == a)
    if not allowed:
        raise ValueError("a key bound to an algorithm that is not its own")
    return PublicKey(key, allowed)


def hmac_signature(secret: bytes, algorithm: str, message: bytes) -> bytes:
    """Return the signature as it stands in a token, already in base64url."""
    return base64url(hmac.digest(secret, message, HMAC_DIGESTS[algorithm]))


def base64url(data: bytes) -> bytes:
    """Encode as JOSE does: the URL alphabet, no padding."""
    return binascii.b2a_base64(data, newline=False).translate(_TO_URL).rstrip(b"=")


def base64url_decoded(text: bytes) -> bytes:
    """Decode strictly; `ValueError` for all but the one canonical spelling of the bytes.

    The standard decoders skip foreign characters and ignore spare bits, which gives one token many spellings.
    Encoding again and comparing is the check that misses none.
    """
    data = binascii.a2b_base64(text.translate(_TO_STANDARD) + b"=" * (-len(text) % 4))
    if base64url(data) != text:
        raise ValueError("not canonical base64url")
    return data


@cache
def _algorithms() -> dict[str, Algorithm]:
    from jwt.algorithms import get_default_algorithms

    return get_default_algorithms()


def _algorithms_of(key: object) -> tuple[str, ...]:
    from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa

    if isinstance(key, rsa.RSAPublicKey):
        if key.key_size < _MIN_RSA_BITS:
            raise ValueError(f"an RSA key of {key.key_size} bits, at least {_MIN_RSA_BITS} are needed")
        return _RSA
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in _EC:
        return (_EC[key.curve.name],)
    if isinstance(key, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey):
        return ("EdDSA",)
    raise ValueError("a key of a kind that no token algorithm uses")
