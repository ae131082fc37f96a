"""What cannot be signed; that what is minted is believed stands in test_tokens.py."""

from collections.abc import Mapping

import jwt
import pytest

from vagus.auth.claims import ConnectionClaims
from vagus.auth.minting import Signer, connection_token


@pytest.mark.parametrize(("secret", "algorithm"), [("", "HS256"), ("x", "none"), ("x", "RS256")])
def test_a_secret_signs_only_with_hmac(secret: str, algorithm: str) -> None:
    with pytest.raises(ValueError):
        Signer.with_secret(secret, algorithm)


@pytest.mark.parametrize(("name", "algorithm"), [("rsa", "HS256"), ("rsa", "ES256"), ("p-256", "ES384")])
def test_a_key_signs_only_with_its_own_algorithms(name: str, algorithm: str, private_pems: Mapping[str, str]) -> None:
    with pytest.raises(ValueError):
        Signer.with_private_key(private_pems[name], algorithm=algorithm)


def test_a_public_key_signs_nothing(public_pems: Mapping[str, str]) -> None:
    with pytest.raises(ValueError):
        Signer.with_private_key(public_pems["rsa"])


def test_the_key_id_stands_in_the_header(private_pems: Mapping[str, str]) -> None:
    signer = Signer.with_private_key(private_pems["p-256"], kid="2024")
    header = jwt.get_unverified_header(connection_token(ConnectionClaims(), signer))
    assert header == {"alg": "ES256", "typ": "JWT", "kid": "2024"}
