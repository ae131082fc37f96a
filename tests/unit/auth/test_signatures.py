"""Base64url has one spelling for each value; keys know their own algorithms."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vagus.auth.signatures import (
    base64url,
    base64url_decoded,
    private_key_from_pem,
    public_key_from_jwk,
    public_key_from_pem,
)


@given(st.binary())
def test_bytes_survive_base64url(data: bytes) -> None:
    assert base64url_decoded(base64url(data)) == data


@given(st.binary(max_size=12))
def test_a_text_is_refused_or_is_the_only_spelling_of_its_bytes(text: bytes) -> None:
    try:
        data = base64url_decoded(text)
    except ValueError:
        return
    assert base64url(data) == text


@pytest.mark.parametrize("text", [b"QQ==", b"QR", b"Q", b"Q Q", b"QQ\n", b"+/+/", b"Q.Q", b"="])
def test_another_spelling_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError):
        base64url_decoded(text)


def test_a_key_verifies_nothing_by_a_foreign_algorithm(
    private_pems: Mapping[str, str], public_pems: Mapping[str, str]
) -> None:
    key = public_key_from_pem(public_pems["rsa"])
    signature = private_key_from_pem(private_pems["rsa"]).sign("RS256", b"message")
    assert key.verifies("RS256", b"message", signature)
    assert not any(key.verifies(name, b"message", signature) for name in ("HS256", "none", "PS256", "RS512", "ES256"))


def test_a_key_signs_nothing_by_a_foreign_algorithm(private_pems: Mapping[str, str]) -> None:
    with pytest.raises(ValueError):
        private_key_from_pem(private_pems["rsa"]).sign("ES256", b"message")


@pytest.mark.parametrize("name", ["rsa", "p-256", "p-384", "p-521", "ed25519", "ed448"])
def test_a_key_is_the_same_from_pem_and_from_jwk(
    name: str, public_pems: Mapping[str, str], public_jwks: Mapping[str, dict[str, object]]
) -> None:
    assert public_key_from_jwk(public_jwks[name]) == public_key_from_pem(public_pems[name])


def test_a_jwk_may_name_its_one_algorithm(public_jwks: Mapping[str, dict[str, object]]) -> None:
    assert public_key_from_jwk(public_jwks["rsa"] | {"alg": "PS384"}).algorithms == ("PS384",)


@pytest.mark.parametrize(
    "change",
    [
        {"use": "enc"},
        {"alg": "RSA-OAEP"},
        {"alg": "HS256"},
        {"d": "AQAB"},
        {"kty": "oct", "k": "AQAB"},
        {"kty": "new"},
        {"kty": None},
        {"n": None},
        {"n": 7},
        {"n": "!"},
        {"e": ""},
        {"e": []},
    ],
)
def test_a_jwk_that_is_no_public_signing_key_is_refused(
    change: dict[str, object], public_jwks: Mapping[str, dict[str, object]]
) -> None:
    with pytest.raises(ValueError):
        public_key_from_jwk(public_jwks["rsa"] | change)


@pytest.mark.parametrize("name", ["weak rsa", "bitcoin"])
def test_weak_and_foreign_keys_are_refused(
    name: str, public_pems: Mapping[str, str], public_jwks: Mapping[str, dict[str, object]]
) -> None:
    with pytest.raises(ValueError):
        public_key_from_pem(public_pems[name])
    with pytest.raises(ValueError):
        public_key_from_jwk(public_jwks[name])


@pytest.mark.parametrize("pem", ["", "x", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"])
def test_what_is_no_pem_key_is_refused(pem: str) -> None:
    for load in (public_key_from_pem, private_key_from_pem):
        with pytest.raises(ValueError):
            load(pem)
