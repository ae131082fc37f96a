"""Every way a token can be wrong, and that the right ones are believed without suspending."""

import base64
import json
from collections.abc import Coroutine, Mapping
from typing import Any, TypeVar

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vagus.auth.claims import ConnectionClaims, SubscriptionClaims
from vagus.auth.errors import ExpiredTokenError, InvalidTokenError
from vagus.auth.jwks import JwkSet
from vagus.auth.minting import Signer, connection_token, subscription_token
from vagus.auth.signatures import base64url, hmac_signature
from vagus.auth.tokens import TokenRules, TokenVerifier

T = TypeVar("T")

NOW = 1_700_000_000.0
SECRET = "a secret of more than thirty-two bytes"
SIGNER = Signer.with_secret(SECRET)
KEYS_OF = {
    "RS256": "rsa",
    "RS384": "rsa",
    "RS512": "rsa",
    "PS256": "rsa",
    "PS384": "rsa",
    "PS512": "rsa",
    "ES256": "p-256",
    "ES384": "p-384",
    "ES512": "p-521",
    "EdDSA": "ed25519",
}


def stepped(verification: Coroutine[Any, Any, T]) -> T:
    """Step once, and fail if that is not enough."""
    try:
        verification.send(None)
    except StopIteration as stop:
        result: T = stop.value
        return result
    raise AssertionError("the verification suspended")


def verifier(at: float = NOW, **rules: Any) -> TokenVerifier:
    return TokenVerifier(TokenRules(**{"hmac_secret": SECRET, **rules}), now=lambda: at)


def connection(token: str, at: float = NOW, **rules: Any) -> ConnectionClaims:
    return stepped(verifier(at, **rules).connection(token))


def rules_for(name: str, pem: str) -> dict[str, Any]:
    field = "rsa_public_key" if "rsa" in name else "eddsa_public_key" if "ed" in name else "ecdsa_public_key"
    return {"hmac_secret": None, field: pem}


def signed(header: object, payload: bytes = b'{"sub":"42"}', secret: str = SECRET) -> str:
    message = base64url(json.dumps(header).encode()) + b"." + base64url(payload)
    return (message + b"." + hmac_signature(secret.encode(), "HS256", message)).decode()


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
def test_a_token_signed_with_the_secret_is_believed(algorithm: str) -> None:
    token = jwt.encode({"sub": "42", "exp": NOW + 1}, SECRET * 2, algorithm)
    assert connection(token, hmac_secret=SECRET * 2) == ConnectionClaims(user="42", exp=NOW + 1)


@pytest.mark.parametrize(("algorithm", "name"), KEYS_OF.items())
def test_a_token_signed_with_the_private_key_is_believed(
    algorithm: str, name: str, private_pems: Mapping[str, str], public_pems: Mapping[str, str]
) -> None:
    token = jwt.encode({"sub": "42"}, private_pems[name], algorithm)
    assert connection(token, **rules_for(name, public_pems[name])).user == "42"


@pytest.mark.parametrize(("algorithm", "name"), [*KEYS_OF.items(), ("EdDSA", "ed448"), (None, "rsa"), (None, "p-384")])
def test_what_is_minted_with_a_private_key_is_believed(
    algorithm: str | None, name: str, private_pems: Mapping[str, str], public_pems: Mapping[str, str]
) -> None:
    signer = Signer.with_private_key(private_pems[name], algorithm=algorithm)
    claims = SubscriptionClaims(channel="news", user="42", info=b"1")
    rules = rules_for(name, public_pems[name])
    assert stepped(verifier(**rules).subscription(subscription_token(claims, signer))) == claims


def test_other_libraries_believe_what_is_minted() -> None:
    token = connection_token(ConnectionClaims(user="42", roles=frozenset({"viewer"})), SIGNER)
    assert jwt.decode(token, SECRET, algorithms=["HS256"]) == {"sub": "42", "roles": ["viewer"]}


def test_a_subscription_token_opens_no_connection() -> None:
    token = subscription_token(SubscriptionClaims(channel="news", user="42"), SIGNER)
    with pytest.raises(InvalidTokenError):
        connection(token)


def test_a_connection_token_opens_no_subscription() -> None:
    token = connection_token(ConnectionClaims(user="42"), SIGNER)
    with pytest.raises(InvalidTokenError):
        stepped(verifier().subscription(token))


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "", "hs256", "HS1", "A128KW", "dir"])
def test_an_algorithm_that_is_none_or_unknown_is_refused(alg: str, public_pems: Mapping[str, str]) -> None:
    message = base64url(json.dumps({"alg": alg}).encode()) + b"." + base64url(b'{"sub":"42"}')
    rules: dict[str, Any] = {"rsa_public_key": public_pems["rsa"]}
    for token in (message.decode() + ".", signed({"alg": alg})):
        with pytest.raises(InvalidTokenError):
            connection(token, **rules)


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
def test_a_public_key_is_never_taken_for_a_secret(algorithm: str, public_pems: Mapping[str, str]) -> None:
    pem = public_pems["rsa"]
    message = base64url(json.dumps({"alg": algorithm}).encode()) + b"." + base64url(b'{"sub":"42"}')
    token = (message + b"." + hmac_signature(pem.encode(), algorithm, message)).decode()
    for secret in (None, SECRET):
        with pytest.raises(InvalidTokenError):
            connection(token, hmac_secret=secret, rsa_public_key=pem)


def test_only_algorithms_with_a_key_are_accepted(private_pems: Mapping[str, str]) -> None:
    for name in ("rsa", "p-256", "ed25519"):
        token = connection_token(ConnectionClaims(user="42"), Signer.with_private_key(private_pems[name]))
        with pytest.raises(InvalidTokenError, match="no key"):
            connection(token)
    with pytest.raises(InvalidTokenError, match="no key"):
        connection(connection_token(ConnectionClaims(), SIGNER), hmac_secret=None)


def test_a_curve_is_bound_to_its_algorithm(private_pems: Mapping[str, str], public_pems: Mapping[str, str]) -> None:
    token = connection_token(ConnectionClaims(user="42"), Signer.with_private_key(private_pems["p-384"]))
    with pytest.raises(InvalidTokenError):
        connection(token, **rules_for("p-256", public_pems["p-256"]))


def test_another_key_is_refused(private_pems: Mapping[str, str], public_pems: Mapping[str, str]) -> None:
    with pytest.raises(InvalidTokenError, match="signature"):
        connection(connection_token(ConnectionClaims(), Signer.with_secret("another secret")))
    token = connection_token(ConnectionClaims(), Signer.with_private_key(private_pems["another rsa"]))
    with pytest.raises(InvalidTokenError, match="signature"):
        connection(token, **rules_for("rsa", public_pems["rsa"]))


def test_a_key_inside_the_header_is_not_obeyed(
    private_pems: Mapping[str, str], public_pems: Mapping[str, str], public_jwks: Mapping[str, dict[str, object]]
) -> None:
    headers = {"jwk": public_jwks["another rsa"], "jku": "https://evil.example/keys", "x5u": "https://evil.example"}
    token = jwt.encode({"sub": "42"}, private_pems["another rsa"], "RS256", headers=headers)
    with pytest.raises(InvalidTokenError):
        connection(token, **rules_for("rsa", public_pems["rsa"]))


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "HS256", "crit": ["exp"]},
        {"alg": "HS256", "crit": []},
        {"alg": "HS256", "crit": "b64"},
        {"alg": ["HS256"]},
        {"alg": None},
        {"alg": "HS256", "kid": 1},
        {"typ": "JWT"},
        [],
        "HS256",
    ],
)
def test_a_header_with_an_unknown_demand_or_of_the_wrong_form_is_refused(header: object) -> None:
    with pytest.raises(InvalidTokenError):
        connection(signed(header))


@pytest.mark.parametrize(
    "token",
    ["", ".", "..", "...", "a.b.c", "a.b", "\x00.\x00.\x00", "ä.ö.ü", "e30.e30.e30", "\ud800", "a" * 9000, "." * 8192],
)
def test_garbage_is_refused(token: str) -> None:
    with pytest.raises(InvalidTokenError):
        connection(token)


@given(st.text() | st.from_regex(r"[A-Za-z0-9_=-]*(\.[A-Za-z0-9_=-]*){1,5}", fullmatch=True))
def test_any_text_is_refused(token: str) -> None:
    for verification in (verifier().connection(token), verifier().subscription(token)):
        with pytest.raises(InvalidTokenError):
            stepped(verification)


def test_an_encrypted_token_is_refused() -> None:
    with pytest.raises(InvalidTokenError):
        connection(connection_token(ConnectionClaims(), SIGNER) + ".e30.e30")


def test_a_token_over_the_limit_is_refused_and_one_at_the_limit_is_not() -> None:
    token = connection_token(ConnectionClaims(user="x" * 8192), SIGNER)
    with pytest.raises(InvalidTokenError, match="longer"):
        connection(token)
    assert connection(token, max_bytes=len(token)).user == "x" * 8192
    with pytest.raises(InvalidTokenError, match="longer"):
        connection(token, max_bytes=len(token) - 1)


@given(st.data())
def test_a_token_with_one_other_character_is_refused(data: st.DataObject) -> None:
    token = connection_token(ConnectionClaims(user="42", exp=NOW + 60), SIGNER)
    at = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.characters(max_codepoint=0x7F).filter(lambda character: character != token[at]))
    with pytest.raises(InvalidTokenError):
        connection(token[:at] + other + token[at + 1 :])


@pytest.mark.parametrize("name", ["rsa", "p-256", "p-521", "ed25519"])
def test_a_signature_with_one_other_character_is_refused(
    name: str, private_pems: Mapping[str, str], public_pems: Mapping[str, str]
) -> None:
    token = connection_token(ConnectionClaims(user="42"), Signer.with_private_key(private_pems[name]))
    verify = verifier(**rules_for(name, public_pems[name])).connection
    head, _, signature = token.rpartition(".")
    # The last character carries spare bits: decoders that ignore them accept four spellings of one signature.
    for at in (0, len(signature) // 2, len(signature) - 1):
        for other in set("ABQRghwx09-_+/=. \n") - {signature[at]}:
            with pytest.raises(InvalidTokenError):
                stepped(verify(f"{head}.{signature[:at]}{other}{signature[at + 1 :]}"))


@pytest.mark.parametrize("form", ["{}=", "{}\n", " {}", "{}A", "Bearer {}"])
def test_a_token_with_something_around_it_is_refused(form: str) -> None:
    with pytest.raises(InvalidTokenError):
        connection(form.format(connection_token(ConnectionClaims(user="42"), SIGNER)))


def test_a_payload_that_another_base64_would_read_is_refused() -> None:
    header = base64url(b'{"alg":"HS256"}')
    message = header + b"." + base64.b64encode(b'{"sub":"4"}')
    assert message.endswith(b"=")
    with pytest.raises(InvalidTokenError):
        connection((message + b"." + hmac_signature(SECRET.encode(), "HS256", message)).decode())


@pytest.mark.parametrize("claims", [ConnectionClaims(exp=NOW), ConnectionClaims(exp=NOW + 9, expire_at=NOW)])
def test_a_token_is_expired_from_its_end_on(claims: ConnectionClaims) -> None:
    token = connection_token(claims, SIGNER)
    assert connection(token, at=NOW - 0.5) == claims
    with pytest.raises(ExpiredTokenError):
        connection(token, at=NOW)


def test_a_connection_without_end_still_needs_a_fresh_token() -> None:
    token = connection_token(ConnectionClaims(exp=NOW, expire_at=0), SIGNER)
    assert connection(token, at=NOW - 1).expires_at is None
    with pytest.raises(ExpiredTokenError):
        connection(token, at=NOW)


def test_a_token_is_not_valid_before_its_time() -> None:
    token = connection_token(ConnectionClaims(nbf=NOW), SIGNER)
    with pytest.raises(ExpiredTokenError, match="not valid yet"):
        connection(token, at=NOW - 0.5)
    assert connection(token, at=NOW).nbf == NOW


def test_leeway_widens_both_ends() -> None:
    token = connection_token(ConnectionClaims(nbf=NOW, exp=NOW + 10), SIGNER)
    for at in (NOW - 5, NOW + 14):
        assert connection(token, at=at, leeway_s=5).exp == NOW + 10
    for at in (NOW - 6, NOW + 15):
        with pytest.raises(ExpiredTokenError):
            connection(token, at=at, leeway_s=5)


def test_a_fraction_of_a_second_counts() -> None:
    token = connection_token(ConnectionClaims(exp=NOW + 0.5), SIGNER)
    assert connection(token, at=NOW + 0.25).exp == NOW + 0.5
    with pytest.raises(ExpiredTokenError):
        connection(token, at=NOW + 0.5)


def test_a_subscription_token_expires_too() -> None:
    token = subscription_token(SubscriptionClaims(channel="news", exp=NOW), SIGNER)
    with pytest.raises(ExpiredTokenError):
        stepped(verifier().subscription(token))


def test_a_forged_token_is_invalid_even_if_it_is_expired() -> None:
    token = connection_token(ConnectionClaims(exp=1), Signer.with_secret("another secret"))
    with pytest.raises(InvalidTokenError):
        connection(token)


def test_an_expired_token_of_a_stranger_is_invalid() -> None:
    token = connection_token(ConnectionClaims(exp=1, iss="stranger"), SIGNER)
    with pytest.raises(InvalidTokenError):
        connection(token, issuer="app")


@pytest.mark.parametrize("rule", [{"audience": "hub"}, {"audience_regex": "hu[a-c]"}, {"audience_regex": "h|hub"}])
def test_the_audience_must_match(rule: dict[str, Any]) -> None:
    for good in (("hub",), ("other", "hub")):
        assert connection(connection_token(ConnectionClaims(aud=good), SIGNER), **rule).aud == good
    for bad in ((), ("Hub",), ("hub2",), ("xhub", "hub\n")):
        with pytest.raises(InvalidTokenError, match="audience"):
            connection(connection_token(ConnectionClaims(aud=bad), SIGNER), **rule)


@pytest.mark.parametrize("rule", [{"issuer": "https://a.example"}, {"issuer_regex": r"https://a\.example"}])
def test_the_issuer_must_match(rule: dict[str, Any]) -> None:
    token = connection_token(ConnectionClaims(iss="https://a.example"), SIGNER)
    assert connection(token, **rule).iss == "https://a.example"
    for bad in (None, "", "https://aXexample", "https://a.example.evil.example"):
        with pytest.raises(InvalidTokenError, match="issuer"):
            connection(connection_token(ConnectionClaims(iss=bad), SIGNER), **rule)


def test_a_subscription_token_needs_the_right_audience_too() -> None:
    token = subscription_token(SubscriptionClaims(channel="news", aud=("other",)), SIGNER)
    with pytest.raises(InvalidTokenError, match="audience"):
        stepped(verifier(audience="hub").subscription(token))


def test_the_previous_secret_counts_until_its_time() -> None:
    token = connection_token(ConnectionClaims(user="42"), Signer.with_secret("previous"))
    rules: dict[str, Any] = {"hmac_previous_secret": "previous", "hmac_previous_valid_until": NOW}
    assert connection(token, at=NOW - 1, **rules).user == "42"
    with pytest.raises(InvalidTokenError):
        connection(token, at=NOW, **rules)
    assert connection(token, hmac_previous_secret="previous").user == "42"
    assert connection(connection_token(ConnectionClaims(user="7"), SIGNER), **rules).user == "7"


def test_anonymous_tokens_can_be_turned_away() -> None:
    for claims in (ConnectionClaims(), ConnectionClaims(channels=("news",))):
        token = connection_token(claims, SIGNER)
        assert connection(token).user == ""
        with pytest.raises(InvalidTokenError, match="anonymous"):
            connection(token, allow_anonymous=False)


def test_the_user_claim_is_a_rule() -> None:
    token = SIGNER.token(b'{"sub":"other","uid":"42"}')
    assert connection(token, user_claim="uid").user == "42"


def test_a_fixed_key_set_is_asked_without_suspending(
    private_pems: Mapping[str, str], public_jwks: Mapping[str, dict[str, object]]
) -> None:
    keys = JwkSet.parse({"keys": [public_jwks["p-256"] | {"kid": "1"}, public_jwks["rsa"] | {"kid": "2"}]})
    pem = private_pems["p-256"]
    for kid in ("1", None):
        token = connection_token(ConnectionClaims(user="42"), Signer.with_private_key(pem, kid=kid))
        assert connection(token, jwks=keys).user == "42"
    for kid in ("2", "3", ""):
        token = connection_token(ConnectionClaims(user="42"), Signer.with_private_key(pem, kid=kid))
        with pytest.raises(InvalidTokenError):
            connection(token, jwks=keys)


def test_a_key_set_stands_beside_a_fixed_key(
    private_pems: Mapping[str, str], public_pems: Mapping[str, str], public_jwks: Mapping[str, dict[str, object]]
) -> None:
    keys = JwkSet.parse({"keys": [public_jwks["another rsa"]]})
    for name in ("rsa", "another rsa"):
        token = connection_token(ConnectionClaims(user=name), Signer.with_private_key(private_pems[name]))
        assert connection(token, rsa_public_key=public_pems["rsa"], jwks=keys).user == name


def test_no_reason_holds_a_part_of_the_token() -> None:
    for token in (signed({"alg": "hunter2"}), signed({"alg": "HS256"}, b'{"exp":"hunter2"}'), "hunter2"):
        with pytest.raises(InvalidTokenError) as caught:
            connection(token)
        assert "hunter2" not in caught.value.reason


@pytest.mark.parametrize(
    "rules",
    [
        {"hmac_secret": ""},
        {"hmac_previous_secret": ""},
        {"rsa_public_key": "not a key"},
        {"audience": "a", "audience_regex": "a"},
        {"issuer": "a", "issuer_regex": "a"},
        {"issuer_regex": "("},
    ],
)
def test_rules_that_make_no_sense_are_refused_by_name(rules: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"^{next(iter(rules))}"):
        verifier(**rules)


@pytest.mark.parametrize(
    ("field", "name"),
    [
        ("hmac_secret", "rsa"),
        ("rsa_public_key", "p-256"),
        ("rsa_public_key", "weak rsa"),
        ("ecdsa_public_key", "rsa"),
        ("ecdsa_public_key", "bitcoin"),
        ("eddsa_public_key", "p-256"),
    ],
)
def test_a_key_in_the_wrong_place_is_refused_by_name(field: str, name: str, public_pems: Mapping[str, str]) -> None:
    rules: dict[str, Any] = {field: public_pems[name]}
    with pytest.raises(ValueError, match=f"^{field}"):
        verifier(**rules)


def test_a_private_key_is_no_public_key(private_pems: Mapping[str, str]) -> None:
    with pytest.raises(ValueError, match="rsa_public_key"):
        verifier(rsa_public_key=private_pems["rsa"])


def test_rules_do_not_print_their_secrets() -> None:
    assert SECRET not in repr(TokenRules(hmac_secret=SECRET))
