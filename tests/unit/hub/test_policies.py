"""Who may connect, subscribe and publish: the order in which tokens, names, functions and rules are asked."""

from typing import Any

import msgspec
import pytest

from vagus.auth.claims import ConnectionClaims, SubscriptionClaims
from vagus.auth.errors import KeysUnavailableError
from vagus.auth.minting import Signer, connection_token, subscription_token
from vagus.auth.tokens import TokenRules, TokenVerifier
from vagus.hub.hub import Hub
from vagus.hub.requests import ConnectRequest
from vagus.kernel import codes
from vagus.kernel.channels import ChannelRule
from vagus.kernel.errors import DisconnectError, RefusedError
from vagus.kernel.identity import Grant, Identity
from vagus.testing import FakeClock, in_memory

SIGNER = Signer.with_secret("a secret of at least thirty-two bytes")
FORGER = Signer.with_secret("another one of at least thirty-two bytes")


def verifier(clock: FakeClock) -> TokenVerifier:
    return TokenVerifier(TokenRules(hmac_secret="a secret of at least thirty-two bytes"), now=clock)


def token(channel: str = "", user: str = "ada", signer: Signer = SIGNER, exp: float | None = None) -> str:
    if channel:
        return subscription_token(SubscriptionClaims(channel=channel, user=user, exp=exp), signer)
    return connection_token(ConnectionClaims(user=user, exp=exp), signer)


PAST = 1.0
OPEN, CLOSED = ("anyone",), ()
NO = codes.PERMISSION_DENIED
GONE = codes.INVALID_TOKEN

# channel, token, words of the rule, answer of the function, open hub → the fault, the closure, or None for yes
TABLE: list[tuple[str, str, tuple[str, ...], Any, bool, Any]] = [
    ("news", "", OPEN, None, False, None),
    ("news", "", CLOSED, None, False, NO),
    ("news", "", ("user",), None, False, None),
    ("news", "", ("@admin",), None, False, NO),
    ("news", "", CLOSED, True, False, None),
    ("news", "", CLOSED, False, False, NO),
    ("news", "", OPEN, False, False, None),
    ("news", "", CLOSED, Grant(), False, None),
    ("news", "", CLOSED, RefusedError.because(400, "no"), False, codes.Fault(400, "no")),
    ("news", "", CLOSED, None, True, None),
    ("news", token("news"), CLOSED, None, False, None),
    ("news", token("news"), CLOSED, False, False, None),
    ("news", token("other"), OPEN, True, False, GONE),
    ("news", token("news", user="bob"), OPEN, True, False, GONE),
    ("news", token("news", signer=FORGER), OPEN, True, False, NO),
    ("news", token("news", exp=PAST), OPEN, True, False, codes.TOKEN_EXPIRED),
    ("news", token("news", signer=FORGER), OPEN, True, True, NO),
    ("news", token(), OPEN, True, False, NO),
    ("$private", "", OPEN, True, False, NO),
    ("$private", "", OPEN, True, True, None),
    ("$private", token("$private"), CLOSED, None, False, None),
    ("dialog#ada,bob", "", CLOSED, False, False, None),
    ("dialog#bob", "", CLOSED, None, False, NO),
    ("dialog#bob", "", OPEN, True, False, NO),
    ("dialog#bob", "", CLOSED, None, True, None),
]


def said(error: Exception) -> object:
    """What the client was told."""
    return error.fault if isinstance(error, RefusedError) else getattr(error, "closure", None)


@pytest.mark.parametrize(("channel", "token", "words", "answer", "is_open", "expected"), TABLE)
async def test_a_subscription_is_decided_by_the_first_that_knows(
    channel: str, token: str, words: tuple[str, ...], answer: Any, is_open: bool, expected: Any, clock: FakeClock
) -> None:
    hub = Hub(verifier=verifier(clock), open_to_all=is_open, clock=clock)

    def decide() -> Any:
        if isinstance(answer, Exception):
            raise answer
        return answer

    options: dict[str, Any] = {"subscribe": words, "user_limited": True}
    if answer is None:
        hub.rules.add(ChannelRule(pattern=channel, **options))
    else:
        hub.channel(channel, **options)(decide)
    async with in_memory(hub) as world:
        ada = await world.connect(user="ada")
        if expected is None:
            await ada.subscribe(channel, token=token)
            return
        with pytest.raises((RefusedError, DisconnectError)) as caught:
            await ada.subscribe(channel, token=token)
        assert said(caught.value) == expected


@pytest.mark.parametrize(
    ("words", "answer", "is_open", "follows", "allowed"),
    [
        (CLOSED, None, False, True, False),
        (("subscriber",), None, False, True, True),
        (("subscriber",), None, False, False, False),
        (("subscriber",), True, False, False, True),
        (CLOSED, False, False, True, False),
        (CLOSED, False, True, True, True),
        (CLOSED, None, True, False, True),
        (("user",), False, False, False, True),
    ],
)
async def test_publishing_is_decided_by_the_function_then_words_then_openness(
    words: tuple[str, ...], answer: bool | None, is_open: bool, follows: bool, allowed: bool
) -> None:
    hub = Hub(rules=[ChannelRule(pattern="news", subscribe=OPEN, publish=words)], open_to_all=is_open)
    if answer is not None:
        hub.may_publish("news")(lambda: answer)
    async with in_memory(hub) as world:
        ada = await world.connect(user="ada")
        if follows:
            await ada.subscribe("news")
        if allowed:
            await ada.publish("news", 1)
        else:
            with pytest.raises(RefusedError, match="permission denied"):
                await ada.publish("news", 1)


class NoKeys:
    """A verifier whose key server cannot be reached."""

    async def connection(self, token: str) -> ConnectionClaims:
        raise KeysUnavailableError("the key server is away")

    async def subscription(self, token: str) -> SubscriptionClaims:
        raise KeysUnavailableError("the key server is away")


async def test_where_keys_cannot_be_had_the_client_may_try_again() -> None:
    async with in_memory(Hub(verifier=NoKeys())) as world:
        with pytest.raises(RefusedError) as caught:
            await world.connect(token="t")
        assert caught.value.fault.temporary


@pytest.mark.parametrize(
    ("has_verifier", "anonymous", "token", "expected"),
    [
        (True, False, token(), None),
        (True, False, "", codes.MALFORMED),
        (True, True, "", None),
        (True, False, token(user=""), codes.MALFORMED),
        (True, True, token(user=""), None),
        (True, True, token(signer=FORGER), codes.INVALID_TOKEN),
        (True, False, token(exp=PAST), codes.TOKEN_EXPIRED),
        (True, False, token("news"), codes.INVALID_TOKEN),
        (False, False, token(), codes.INVALID_TOKEN),
    ],
)
async def test_a_connection_is_decided_by_its_token(
    has_verifier: bool, anonymous: bool, token: str, expected: Any, clock: FakeClock
) -> None:
    hub = Hub(verifier=verifier(clock) if has_verifier else None, allow_anonymous=anonymous, clock=clock)
    async with in_memory(hub) as world:
        if expected is None:
            assert (await world.connect(token=token)).is_open
            return
        with pytest.raises((RefusedError, DisconnectError)) as caught:
            await world.connect(token=token)
        assert said(caught.value) == expected


async def test_an_applications_function_comes_before_the_token_and_may_leave_it_to_it(clock: FakeClock) -> None:
    hub = Hub(verifier=verifier(clock), clock=clock)
    seen: list[ConnectRequest] = []

    @hub.authenticate
    async def who(request: ConnectRequest) -> Identity | None:
        seen.append(request)
        return Identity(user="eve") if request.headers.get("x-user") else None

    async with in_memory(hub) as world:
        eve = await world.connect(token="nonsense", headers={"x-user": "eve"}, data={"a": 1})
        ada = await world.connect(token=token())
        assert eve.link.client.identity.user == "eve"
        assert ada.link.client.identity.user == "ada"
        assert seen[0].data == msgspec.Raw(b'{"a":1}')
        assert seen[0].origin.transport == "memory"


async def test_a_subscription_tokens_claims_are_its_grant(clock: FakeClock) -> None:
    hub = Hub(rules=[ChannelRule(pattern="$p", presence=True)], verifier=verifier(clock), clock=clock)
    claims = SubscriptionClaims(channel="$p", user="ada", info=b'{"badge":7}', exp=clock() + 50)
    async with in_memory(hub) as world:
        ada = await world.connect(user="ada")
        subscribed = await ada.subscribe("$p", token=subscription_token(claims, SIGNER))
        assert (subscribed.expires, subscribed.ttl) == (True, 50)
        (info,) = (await hub.presence("$p")).values()
        assert bytes(info.chan_info) == b'{"badge":7}'
