"""Key material, made anew for each run: a key in a repository ends up trusted somewhere."""

import json
from collections.abc import Mapping

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm


@pytest.fixture(scope="session")
def private_keys() -> Mapping[str, PrivateKeyTypes]:
    return {
        "rsa": rsa.generate_private_key(public_exponent=65537, key_size=2048),
        "another rsa": rsa.generate_private_key(public_exponent=65537, key_size=2048),
        "weak rsa": rsa.generate_private_key(public_exponent=65537, key_size=1024),
        "p-256": ec.generate_private_key(ec.SECP256R1()),
        "p-384": ec.generate_private_key(ec.SECP384R1()),
        "p-521": ec.generate_private_key(ec.SECP521R1()),
        "bitcoin": ec.generate_private_key(ec.SECP256K1()),
        "ed25519": ed25519.Ed25519PrivateKey.generate(),
        "ed448": ed448.Ed448PrivateKey.generate(),
    }


@pytest.fixture(scope="session")
def private_pems(private_keys: Mapping[str, PrivateKeyTypes]) -> Mapping[str, str]:
    return {
        name: key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        for name, key in private_keys.items()
    }


@pytest.fixture(scope="session")
def public_pems(private_keys: Mapping[str, PrivateKeyTypes]) -> Mapping[str, str]:
    return {
        name: key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        for name, key in private_keys.items()
    }


@pytest.fixture(scope="session")
def public_jwks(private_keys: Mapping[str, PrivateKeyTypes]) -> Mapping[str, dict[str, object]]:
    jwks = {}
    for name, private in private_keys.items():
        key = private.public_key()
        if isinstance(key, rsa.RSAPublicKey):
            jwks[name] = json.loads(RSAAlgorithm.to_jwk(key))
        elif isinstance(key, ec.EllipticCurvePublicKey):
            jwks[name] = json.loads(ECAlgorithm.to_jwk(key))
        elif isinstance(key, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey):
            jwks[name] = json.loads(OKPAlgorithm.to_jwk(key))
    return jwks
