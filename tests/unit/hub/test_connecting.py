"""Connecting, renewing and expiring: what the client is told, and when the hub's patience ends."""

import asyncio
from typing import Any

import msgspec
import pytest

from vagus.auth.claims import ChannelGrant, ConnectionClaims
from vagus.auth.minting import Signer, connection_token
from vagus.auth.tokens import TokenRules, TokenVerifier
from vagus.hub.hub import Hub
from vagus.hub.requests import ConnectRequest
from vagus.kernel import codes
from vagus.kernel.channels import ChannelRule, Last
from vagus.kernel.errors import DisconnectError, RefusedError
from vagus.kernel.identity import Grant, Identity
from vagus.kernel.limits import Limits
from vagus.kernel.publications import Position
from vagus.kernel.replies import Ended, Renewed
from vagus.testing import FakeClock, in_memory

SECRET = "a secret of at least thirty-two bytes"
RULES = (
    ChannelRule(pattern="news", subscribe=("anyone",)),
    ChannelRule(pattern="#{user}", history=Last(10, hours=1)),
    ChannelRule(pattern="srv:{n}", history=Last(10, hours=1)),
)


def new_hub(clock: FakeClock, **options: Any) -> Hub:
    verifier = TokenVerifier(TokenRules(hmac_secret=SECRET), now=clock)
    return Hub(rules=RULES, verifier=verifier, allow_anonymous=True, clock=clock, **options)


def token(**claims: Any) -> str:
    return connection_token(ConnectionClaims(**{"user": "ada", **claims}), Signer.with_secret(SECRET))


async def test_the_reply_names_the_subscriptions_that_the_server_made(clock: FakeClock) -> None:
    hub = new_hub(clock, personal_channels="#")
    claims = {"channels": ("news",), "subs": {"srv:1": ChannelGrant()}}
    async with in_memory(hub) as world:
        client = await world.connect(token=token(**claims))
        assert client.connected is not None
        assert client.connected.subs is not None
        assert set(client.connected.subs) == {"news", "srv:1", "#ada"}
        assert client.connected.subs["srv:1"].positioned


async def test_subscriptions_of_the_server_recover_from_where_the_client_stood(clock: FakeClock) -> None:
    hub = new_hub(clock, personal_channels="#")
    async with in_memory(hub) as world:
        client = await world.connect(user="ada")
        assert client.connected is not None
        assert client.connected.subs is not None
        epoch = client.connected.subs["#ada"].epoch
        client.drop()
        for n in range(3):
            await hub.publish("#ada", n)
        again = await world.connect(user="ada", recover={"#ada": Position(1, epoch)})
        assert again.connected is not None
        assert again.connected.subs is not None
        recovered = again.connected.subs["#ada"]
        assert recovered.recovered
        assert [publication.offset for publication in recovered.publications] == [2, 3]


async def test_a_subscription_of_the_server_in_a_channel_without_a_rule_refuses_the_client(clock: FakeClock) -> None:
    hub = new_hub(clock)
    async with in_memory(hub) as world:
        with pytest.raises(RefusedError, match="unknown channel"):
            await world.connect(token=token(channels=("news", "nowhere")))
        assert (hub.topics, hub.clients) == ({}, {})


async def test_too_many_subscriptions_of_the_server_close(clock: FakeClock) -> None:
    async with in_memory(new_hub(clock, limits=Limits(channels=1))) as world:
        with pytest.raises(DisconnectError) as caught:
            await world.connect(token=token(channels=("news", "srv:1")))
        assert caught.value.closure is codes.CHANNEL_LIMIT


@pytest.mark.parametrize("body", ['{"name":"%s"}' % ("n" * 17), '{"version":"%s"}' % ("v" * 65)])
async def test_a_name_or_version_that_is_too_long_closes(body: str, clock: FakeClock) -> None:
    async with in_memory(new_hub(clock)) as world:
        client = world.client()
        client.say(f'{{"id":1,"connect":{body}}}')
        assert await client.closure() is codes.MALFORMED


async def test_headers_of_the_command_do_not_replace_those_of_the_connection(clock: FakeClock) -> None:
    hub, seen = new_hub(clock), list[dict[str, str]]()

    @hub.on_connect
    def look(request: ConnectRequest, identity: Identity) -> None:
        seen.append(dict(request.headers))

    async with in_memory(hub) as world:
        client = world.client(headers={"x-real": "1"})
        client.say('{"id":1,"connect":{"headers":{"X-Real":"2","X-More":"3"}}}')
        await world.settle()
        assert seen == [{"x-real": "1", "x-more": "3"}]


async def test_an_expiring_token_must_be_renewed_within_its_time_and_the_grace(clock: FakeClock) -> None:
    hub = new_hub(clock)
    async with in_memory(hub) as world:
        client = await world.connect(token=token(exp=clock() + 60))
        assert client.connected is not None
        assert (client.connected.expires, client.connected.ttl) == (True, 60)
        await asyncio.sleep(84)
        assert client.is_open
        renewed = await client.refresh(token(exp=clock() + 60))
        assert (renewed.expires, renewed.ttl) == (True, 60)
        await asyncio.sleep(84)
        assert client.is_open
        assert await client.closure() is codes.CONNECTION_EXPIRED


async def test_a_token_that_does_not_expire_ends_the_waiting(clock: FakeClock) -> None:
    async with in_memory(new_hub(clock)) as world:
        client = await world.connect(token=token(exp=clock() + 60))
        assert not (await client.refresh(token())).expires
        await asyncio.sleep(1000)
        assert client.is_open


async def test_what_an_application_lets_in_for_a_time_gets_no_grace(clock: FakeClock) -> None:
    async with in_memory(new_hub(clock)) as world:
        client = await world.connect(identity=Identity(user="ada", expires_at=clock() + 60))
        assert client.connected is not None
        assert not client.connected.expires
        await asyncio.sleep(59)
        assert client.is_open
        assert await client.closure(2) is codes.CONNECTION_EXPIRED


async def test_renewing_with_other_subscriptions_makes_the_client_come_anew(clock: FakeClock) -> None:
    async with in_memory(new_hub(clock)) as world:
        client = await world.connect(token=token(exp=clock() + 60))
        with pytest.raises(DisconnectError) as caught:
            await client.refresh(token(channels=("news",)))
        assert caught.value.closure is codes.INSUFFICIENT_STATE


@pytest.mark.parametrize(("ttl_s", "closes_after"), [(120.0, 145), (None, None)])
async def test_the_server_moves_an_expiry(ttl_s: float | None, closes_after: float | None, clock: FakeClock) -> None:
    hub = new_hub(clock)
    async with in_memory(hub) as world:
        client = await world.connect(token=token(exp=clock() + 60))
        await hub.refresh(user="ada", expires_at=None if ttl_s is None else clock() + ttl_s)
        assert await client.next() == Renewed(ttl_s is not None, int(ttl_s or 0))
        await asyncio.sleep(144)
        assert client.is_open
        if closes_after is not None:
            assert await client.closure(2) is codes.CONNECTION_EXPIRED


async def test_the_server_ends_a_connection_as_expired(clock: FakeClock) -> None:
    hub = new_hub(clock)
    async with in_memory(hub) as world:
        client = await world.connect(user="ada")
        await hub.refresh(user="ada", expired=True)
        assert await client.closure() is codes.CONNECTION_EXPIRED


async def test_an_expired_grant_ends_the_subscription_or_for_the_servers_own_the_connection(clock: FakeClock) -> None:
    hub = Hub(allow_anonymous=True, clock=clock, rules=RULES)
    hub.channel("timed")(lambda: Grant(expires_at=clock() + 5))
    async with in_memory(hub) as world:
        client = await world.connect()
        await client.subscribe("timed")
        await asyncio.sleep(4.9)
        await client.assert_nothing_more()
        assert await client.next() == Ended("timed", codes.SUBSCRIPTION_EXPIRED)
        own = await world.connect(identity=Identity(user="ada", channels={"news": Grant(expires_at=clock() + 5)}))
        assert await own.closure(6) is codes.CLOSED_BY_SUBSCRIPTION


async def test_data_of_an_identity_goes_to_its_client(clock: FakeClock) -> None:
    async with in_memory(new_hub(clock)) as world:
        client = await world.connect(identity=Identity(user="ada", data=msgspec.Raw(b'{"hello":1}')))
        assert client.connected is not None
        assert bytes(client.connected.data) == b'{"hello":1}'
