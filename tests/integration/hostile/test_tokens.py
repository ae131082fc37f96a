"""Tokens that prove nothing: each closes or refuses as the protocol says, in an open hub too."""

import base64
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.hostile.house import ANYTHING_GOES, Closed, House, Peer, commands
from vagus import Hub, Limits
from vagus.auth.claims import ConnectionClaims, SubscriptionClaims
from vagus.auth.minting import Signer, connection_token, subscription_token
from vagus.auth.tokens import TokenRules, TokenVerifier

SECRET = "a secret that only this test knows"
OURS = Signer.with_secret(SECRET)
INVALID = Closed(3500, "invalid token")
HOUR = 3600.0


def connection(signer: Signer = OURS, **claims: Any) -> str:
    fields = {"user": "ann", "aud": ("vagus",), "exp": time.time() + HOUR, **claims}
    return connection_token(ConnectionClaims(**fields), signer)


def subscription(signer: Signer = OURS, **claims: Any) -> str:
    fields = {"user": "ann", "channel": "$gate", "aud": ("vagus",), "exp": time.time() + HOUR, **claims}
    return subscription_token(SubscriptionClaims(**fields), signer)


def segment(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def unsigned(algorithm: str) -> str:
    return f"{segment({'alg': algorithm})}.{segment({'sub': 'ann', 'aud': 'vagus'})}."


def tampered() -> str:
    head, _, signature = connection().split(".")
    return f"{head}.{segment({'sub': 'root', 'aud': 'vagus'})}.{signature}"


FORGED = {
    "alg none": unsigned("none"),
    "alg None": unsigned("None"),
    "an empty signature": unsigned("HS256"),
    "another key": connection(Signer.with_secret("a guess at the secret that is wrong")),
    "an algorithm without a key": f"{segment({'alg': 'RS256'})}.{connection().partition('.')[2]}",
    "another user than was signed": tampered(),
    "another audience": connection(aud=("elsewhere",)),
    "no audience": connection(aud=()),
    "a subscription token": subscription(),
    "garbage": "garbage",
    "dots": "..",
    "more dots": connection() + ".x",
    "not ASCII": "ü.ü.ü",
    "too long": connection(jti="x" * 10_000),
    "NUL": connection() + "\0",
}


@pytest.fixture(scope="module", params=["guarded", "open"])
def house(request: pytest.FixtureRequest) -> Iterator[House]:
    verifier = TokenVerifier(TokenRules(hmac_secret=SECRET, audience="vagus"), now=time.time)
    is_open = request.param == "open"
    with House(Hub(rules=[ANYTHING_GOES], verifier=verifier, open_to_all=is_open, allow_anonymous=True)) as house:
        yield house


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_connection_token_closes_with_invalid_token(unharmed: House, name: str) -> None:
    with Peer(unharmed.port).upgraded() as peer:
        assert peer.send(commands({"id": 1, "connect": {"token": FORGED[name]}})).closed() == INVALID


@pytest.mark.parametrize("claims", [{"exp": 1.0}, {"nbf": time.time() + HOUR}], ids=["expired", "not yet valid"])
def test_a_token_out_of_its_time_is_an_error_and_nothing_after_it_is_done(
    unharmed: House, claims: dict[str, Any]
) -> None:
    published = unharmed.hub.figures.commands["Publish"]
    with Peer(unharmed.port).upgraded() as peer:
        peer.send(commands({"id": 1, "connect": {"token": connection(**claims)}}))
        assert peer.lines() == [{"id": 1, "error": {"code": 109, "message": "token expired"}}]
        peer.send(commands({"id": 2, "publish": {"channel": "x", "data": 1}}))
    assert unharmed.hub.figures.commands["Publish"] == published


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_subscription_token_is_denied_and_the_connection_stays(unharmed: House, name: str) -> None:
    token = connection() if name == "a subscription token" else FORGED[name]
    with Peer(unharmed.port).connected(token=connection()) as peer:
        for channel in ("$gate", "public"):
            assert peer.ask(subscribe={"channel": channel, "token": token})["error"]["code"] == 103
        assert "subscribe" in peer.ask(subscribe={"channel": "$gate", "token": subscription()})


def test_a_subscription_token_of_somebody_else_or_for_elsewhere_closes(unharmed: House) -> None:
    for stolen in (subscription(user="ben"), subscription(channel="$other"), subscription(user="")):
        with Peer(unharmed.port).connected(token=connection()) as peer:
            assert (
                peer.send(commands({"id": 2, "subscribe": {"channel": "$gate", "token": stolen}})).closed() == INVALID
            )


def test_an_expired_subscription_token_is_an_error(unharmed: House) -> None:
    with Peer(unharmed.port).connected(token=connection()) as peer:
        reply = peer.ask(subscribe={"channel": "$gate", "token": subscription(exp=1.0)})
        assert reply["error"]["code"] == 109


@pytest.mark.parametrize(
    ("token", "closed"),
    [
        (connection(user="ben"), INVALID),
        (connection(user=""), INVALID),
        (subscription(), INVALID),
        (FORGED["another key"], INVALID),
        (FORGED["alg none"], INVALID),
        (connection(exp=1.0), Closed(3005, "connection expired")),
        ("", Closed(3501, "bad request")),
    ],
    ids=["another user", "nobody", "a subscription token", "another key", "alg none", "expired", "empty"],
)
def test_a_bad_refresh_closes(unharmed: House, token: str, closed: Closed) -> None:
    with Peer(unharmed.port).connected(token=connection()) as peer:
        assert "refresh" in peer.ask(refresh={"token": connection()})
        assert peer.send(commands({"id": 2, "refresh": {"token": token}})).closed() == closed


@pytest.mark.parametrize(
    ("token", "closed"),
    [
        (subscription(user="ben"), INVALID),
        (subscription(channel="$other"), INVALID),
        (connection(), INVALID),
        (FORGED["alg none"], INVALID),
        ("", Closed(3501, "bad request")),
    ],
    ids=["another user", "another channel", "a connection token", "alg none", "empty"],
)
def test_a_bad_refresh_of_a_subscription_closes(unharmed: House, token: str, closed: Closed) -> None:
    with Peer(unharmed.port).connected(token=connection()) as peer:
        assert "subscribe" in peer.ask(subscribe={"channel": "$gate", "token": subscription()})
        assert "sub_refresh" in peer.ask(sub_refresh={"channel": "$gate", "token": subscription()})
        assert peer.send(commands({"id": 2, "sub_refresh": {"channel": "$gate", "token": token}})).closed() == closed


def test_without_a_token_a_guarded_hub_says_bad_request_and_one_without_keys_invalid_token() -> None:
    verifier = TokenVerifier(TokenRules(hmac_secret=SECRET), now=time.time)
    with House(Hub(verifier=verifier, limits=Limits())) as guarded, Peer(guarded.port).upgraded() as peer:
        assert peer.send(commands({"id": 1, "connect": {}})).closed() == Closed(3501, "bad request")
    with House(Hub(open_to_all=True)) as keyless, Peer(keyless.port).upgraded() as peer:
        assert peer.send(commands({"id": 1, "connect": {"token": connection()}})).closed() == INVALID
