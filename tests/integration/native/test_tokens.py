"""Tokens of connections and of subscriptions over their lives: refused, believed, refreshed, expired."""

import time
from typing import Any

import pytest

from tests.patience import DEADLINE_S, LEISURE
from vagus import ChannelRule, Hub, Limits

from .conftest import OpenPeer, OpenRaw, Serve
from .peers import refusal
from .tokens import EXPIRED, FORGED, channel_token, token, verifier

SHORTLY_S = 1 + 0.5 * LEISURE
"""Enough to connect with, and more than the whole second that a client is told at least."""


def hub_with_secrets(**limits: Any) -> Hub:
    rules = [ChannelRule(pattern="{any*}", subscribe=("user",)), ChannelRule(pattern="$secret:{name}")]
    return Hub(verifier=verifier(), rules=rules, limits=Limits(**limits))


async def test_a_token_is_refreshed_before_it_expires(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(hub_with_secrets())
    peer = await open_peer(server, token=token(lasts_s=SHORTLY_S), tokens=[token(lasts_s=3600)])
    (client,) = server.hub.clients.values()
    await peer.expect("token_asked")
    await peer.subscribe("news")
    assert client.identity.expires_at is not None and client.identity.expires_at > time.time() + 3000
    assert peer.has_seen("disconnected") == []


async def test_somebody_elses_token_at_refresh_ends_it(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(hub_with_secrets())
    peer = await open_peer(server, token=token("42", lasts_s=SHORTLY_S), tokens=[token("43", lasts_s=3600)])
    await peer.expect("disconnected", code=3500, reason="invalid token")


async def test_a_forged_token_at_refresh_ends_it(serve: Serve, open_peer: OpenPeer) -> None:
    peer = await open_peer(await serve(hub_with_secrets()), token=token(lasts_s=SHORTLY_S), tokens=[FORGED])
    await peer.expect("disconnected", code=3500, reason="invalid token")


async def test_who_does_not_refresh_in_time_is_closed(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(hub_with_secrets(expiry_grace_s=0.1))
    peer = await open_peer(server, token=token(lasts_s=0.5))  # after a second the client would see to it
    await peer.expect("connecting", code=3005, reason="connection expired")
    await peer.expect("disconnected", code=1)


@pytest.mark.parametrize(("refreshed", "closed"), [("", 3501), (EXPIRED, 3005), (FORGED, 3500)])
async def test_a_bad_refresh_closes(serve: Serve, open_raw: OpenRaw, refreshed: str, closed: int) -> None:
    raw = await open_raw(await serve(hub_with_secrets()), connect=False)
    await raw.ask("connect", token=token(lasts_s=60))
    await raw.send({"id": 2, "refresh": {"token": refreshed}})
    assert (await raw.closed())[0] == closed


async def test_a_refresh_says_how_long_it_holds(serve: Serve, open_raw: OpenRaw) -> None:
    raw = await open_raw(await serve(hub_with_secrets()), connect=False)
    for command, lasts_s in (("connect", 1_000.5), ("refresh", 2_000.5)):
        answer = await raw.ask(command, token=token(lasts_s=lasts_s))
        assert answer["expires"]
        assert lasts_s - DEADLINE_S < answer["ttl"] <= lasts_s


async def test_a_refresh_with_other_channels_sends_the_client_round(serve: Serve, open_raw: OpenRaw) -> None:
    raw = await open_raw(await serve(hub_with_secrets()), connect=False)
    await raw.ask("connect", token=token(lasts_s=60))
    await raw.send({"id": 2, "refresh": {"token": token(lasts_s=60, channels=("news",))}})
    assert await raw.closed() == (3010, "insufficient state")


async def test_a_private_channel_needs_a_token(serve: Serve, open_peer: OpenPeer) -> None:
    peer = await open_peer(await serve(hub_with_secrets()), token=token())
    await peer.begin("$secret:1")
    await peer.expect("unsubscribed", "$secret:1", code=103)


async def test_a_private_channel_opens_with_a_token(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(hub_with_secrets())
    peer = await open_peer(server, token=token())
    await peer.subscribe("$secret:1", token=channel_token("$secret:1"))
    await server.publish("$secret:1", "psst")
    assert await peer.data("$secret:1", 1) == ["psst"]


async def test_a_token_is_asked_for_when_the_client_has_none(serve: Serve, open_peer: OpenPeer) -> None:
    peer = await open_peer(await serve(hub_with_secrets()), token=token())
    await peer.subscribe("$secret:1", tokens=[channel_token("$secret:1")])
    await peer.expect("token_asked")


@pytest.mark.parametrize(
    "wrong",
    [channel_token("$secret:2"), channel_token("$secret:1", "43")],
    ids=["another channel's", "another user's"],
)
async def test_a_token_for_something_else_ends_the_connection(serve: Serve, open_peer: OpenPeer, wrong: str) -> None:
    peer = await open_peer(await serve(hub_with_secrets()), token=token("42"))
    await peer.begin("$secret:1", token=wrong)
    await peer.expect("disconnected", code=3500, reason="invalid token")


@pytest.mark.parametrize("wrong", ["nonsense", FORGED, token()], ids=["nonsense", "forged", "a connection's"])
async def test_a_token_that_is_none_is_refused(serve: Serve, open_peer: OpenPeer, wrong: str) -> None:
    peer = await open_peer(await serve(hub_with_secrets()), token=token())
    await peer.begin("$secret:1", token=wrong)
    await peer.expect("unsubscribed", "$secret:1", code=103)
    assert await refusal(peer.publish("$secret:1", "psst")) == 103


async def test_an_expired_subscription_token_is_replaced(serve: Serve, open_peer: OpenPeer) -> None:
    peer = await open_peer(await serve(hub_with_secrets()), token=token())
    old, new = channel_token("$secret:1", lasts_s=-60), channel_token("$secret:1")
    await peer.subscribe("$secret:1", token=old, tokens=[new])
    await peer.expect("error", "$secret:1", code=109)
    await peer.expect("token_asked")


async def test_a_subscription_token_is_refreshed_before_it_expires(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(hub_with_secrets(expiry_grace_s=0.5 * LEISURE))
    peer = await open_peer(server, token=token())
    first, second = (channel_token("$secret:1", lasts_s=seconds) for seconds in (SHORTLY_S, 3600))
    await peer.subscribe("$secret:1", token=first, tokens=[second])
    (client,) = server.hub.clients.values()
    await peer.expect("token_asked")
    assert await refusal(peer.presence("$secret:1")) == 108  # answered after the refresh
    left = client.subscriptions["$secret:1"].expires_at - server.hub.loop.time()
    assert left > 3000


async def test_a_subscription_that_is_not_refreshed_ends_and_begins_anew(serve: Serve, open_raw: OpenRaw) -> None:
    raw = await open_raw(await serve(hub_with_secrets(expiry_grace_s=0.1)), connect=False)
    await raw.ask("connect", token=token())
    await raw.ask("subscribe", channel="$secret:1", token=channel_token("$secret:1", lasts_s=0.5 * LEISURE))
    ended = await raw.line()
    assert ended["push"]["unsubscribe"] == {"code": 2501, "reason": "subscription expired"}
    assert await raw.ask("subscribe", channel="$secret:1", token=channel_token("$secret:1")) == {}


async def test_a_client_subscribes_anew_when_its_subscription_expired(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(hub_with_secrets(expiry_grace_s=0.1))
    peer = await open_peer(server, token=token())
    first, second = channel_token("$secret:1", lasts_s=0.4), channel_token("$secret:1")  # see above
    await peer.subscribe("$secret:1", token=first, tokens=[second])
    await peer.expect("subscribing", "$secret:1", code=2501)
    await peer.expect("subscribed", "$secret:1")


@pytest.mark.parametrize(
    ("refreshed", "closed"),
    [("", 3501), (FORGED, 3500), (channel_token("$secret:2"), 3500), (channel_token("$secret:1", "43"), 3500)],
    ids=["none", "forged", "another channel's", "another user's"],
)
async def test_a_bad_refresh_of_a_subscription_closes(
    serve: Serve, open_raw: OpenRaw, refreshed: str, closed: int
) -> None:
    raw = await open_raw(await serve(hub_with_secrets()), connect=False)
    await raw.ask("connect", token=token())
    await raw.ask("subscribe", channel="$secret:1", token=channel_token("$secret:1", lasts_s=60))
    await raw.send({"id": 3, "sub_refresh": {"channel": "$secret:1", "token": refreshed}})
    assert (await raw.closed())[0] == closed


async def test_a_refresh_of_a_subscription_is_answered(serve: Serve, open_raw: OpenRaw) -> None:
    raw = await open_raw(await serve(hub_with_secrets()), connect=False)
    await raw.ask("connect", token=token())
    good = channel_token("$secret:1", lasts_s=1_000.5)
    assert await raw.error("sub_refresh", channel="$secret:1", token=good) == 103
    for command in ("subscribe", "sub_refresh"):
        answer = await raw.ask(command, channel="$secret:1", token=good)
        assert answer["expires"]
        assert 1_000 - DEADLINE_S < answer["ttl"] <= 1_000
    assert await raw.error("sub_refresh", channel="$secret:1", token=channel_token("$secret:1", lasts_s=-9)) == 109
