"""Settings of tokens to verifiers: keys in every form that they may be given in."""

import base64
import time
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from vagus.auth.claims import ConnectionClaims, SubscriptionClaims
from vagus.auth.errors import InvalidTokenError
from vagus.auth.minting import Signer, connection_token, subscription_token
from vagus.server.tokens import SplitVerifier, pem_from, verifier_from
from vagus.settings import Tokens

KEY = ed25519.Ed25519PrivateKey.generate()
PEM = (
    KEY.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
)
PRIVATE = KEY.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
).decode()


def test_a_key_may_be_pem_text(tmp_path: Path) -> None:
    assert pem_from(PEM) == PEM


def test_a_key_may_be_pem_text_on_one_line() -> None:
    assert pem_from(PEM.replace("\n", "\\n")) == PEM


def test_a_key_may_be_a_file(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text(PEM)
    assert pem_from(str(tmp_path / "key.pem")) == PEM


def test_a_key_may_be_base64() -> None:
    assert pem_from(base64.b64encode(PEM.encode()).decode()) == PEM


@pytest.mark.parametrize("text", ["", "absent.pem", "x" * 5000, base64.b64encode(b"no key").decode(), "\x00"])
def test_what_is_none_of_these_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="neither a readable file, nor a key in PEM form, nor that in base64"):
        pem_from(text)


async def test_a_public_key_in_settings_verifies_tokens() -> None:
    token = connection_token(ConnectionClaims(user="42"), Signer.with_private_key(PRIVATE))
    claims = await verifier_from(Tokens(eddsa_public_key=PEM)).connection(token)
    assert claims.user == "42"


@pytest.mark.parametrize(
    ("tokens", "start"),
    [
        (Tokens(rsa_public_key="absent"), "rsa_public_key: "),
        (Tokens(rsa_public_key=PEM), "rsa_public_key: "),
        (Tokens(jwks_url="ftp://example.com"), "jwks_url: "),
        (Tokens(hmac_secret=""), "hmac_secret: "),
        (Tokens(audience="a", audience_regex="b"), "audience: "),
    ],
)
def test_a_wrong_option_is_named_first(tokens: Tokens, start: str) -> None:
    with pytest.raises(ValueError, match=f"^{start}"):
        verifier_from(tokens)


async def test_two_sets_of_rules_each_verify_their_own_kind() -> None:
    split = SplitVerifier(verifier_from(Tokens(hmac_secret="one")), verifier_from(Tokens(hmac_secret="two")))
    one, two = Signer.with_secret("one"), Signer.with_secret("two")
    exp = time.time() + 60
    assert (await split.connection(connection_token(ConnectionClaims(user="u", exp=exp), one))).user == "u"
    assert (await split.subscription(subscription_token(SubscriptionClaims(channel="c"), two))).channel == "c"
    with pytest.raises(InvalidTokenError):
        await split.subscription(subscription_token(SubscriptionClaims(channel="c"), one))
