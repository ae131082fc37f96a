"""Subscriptions that the server makes: from tokens, for users, through its API; and what becomes of them."""

import time
from typing import Any

import msgspec
import pytest

from vagus import ChannelRule, Grant, Hub, Last, Limits, Position, RuleError
from vagus.auth.claims import ChannelGrant
from vagus.kernel import codes

from .conftest import ONLY_NODE, OpenPeer, OpenRaw, Serve
from .tokens import token, verifier


def hub_with_feed(**options: Any) -> Hub:
    rules = [
        ChannelRule(pattern="feed", history=Last(10, hours=1), presence=True),
        ChannelRule(pattern="#{user}", history=Last(10, hours=1)),
    ]
    return Hub(verifier=verifier(), rules=rules, **options)


async def test_a_token_subscribes_to_its_channels(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(hub_with_feed())
    peer = await open_peer(server, token=token(channels=("feed",)))
    await peer.expect("subscribed", "feed")
    await server.publish("feed", {"n": 1}, tags={"a": "b"})
    publication = await peer.expect("publication", "feed")
    assert (publication["data"], publication["offset"], publication["tags"]) == ({"n": 1}, 1, {"a": "b"})


async def test_a_token_brings_data_and_options_for_its_channels(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(hub_with_feed())
    subs = {"feed": ChannelGrant(info=b'{"seat":7}', data=b'{"welcome":1}')}
    peer = await open_peer(server, token=token(subs=subs))
    subscribed = await peer.expect("subscribed", "feed")
    assert (subscribed["data"], subscribed["recoverable"], subscribed["positioned"]) == ({"welcome": 1}, True, True)
    (info,) = (await server.on(server.hub.presence("feed"))).values()
    assert bytes(info.chan_info) == b'{"seat":7}'


async def test_a_client_cannot_name_channels_as_the_servers(serve: Serve, open_raw: OpenRaw) -> None:
    server = await serve(hub_with_feed())
    raw = await open_raw(server, connect=False)
    assert "subs" not in await raw.ask("connect", token=token("42"), subs={"feed": {"recover": True}, "#43": {}})
    assert server.hub.channels() == []


async def test_everybody_has_a_channel_of_their_own(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(hub_with_feed(personal_channels="#"))
    mine, other = await open_peer(server, token=token("42")), await open_peer(server, token=token("43"))
    await mine.expect("subscribed", "#42")
    await other.expect("subscribed", "#43")
    await server.publish("#42", "for you")
    assert await mine.data("#42", 1) == ["for you"]


async def test_personal_channels_need_a_rule(serve: Serve) -> None:
    with pytest.raises(RuleError, match="personal_channels"):
        await serve(Hub(personal_channels="#"))


async def test_the_server_subscribes_a_user(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(hub_with_feed())
    peer = await open_peer(server, token=token("42"))
    await server.on(server.hub.subscribe("feed", user="42", grant=Grant(data=msgspec.Raw(b'{"welcome":1}'))))
    assert (await peer.expect("subscribed", "feed"))["data"] == {"welcome": 1}
    await server.publish("feed", 1)
    assert await peer.data("feed", 1) == [1]


@ONLY_NODE
async def test_the_server_subscribes_a_user_from_a_position(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(hub_with_feed())
    top = await server.publish_each("feed", range(1, 4))
    peer = await open_peer(server, token=token("42"))
    await server.on(server.hub.subscribe("feed", user="42", since=Position(1, top.epoch)))
    await server.publish("feed", 4)
    await peer.expect("subscribed", "feed")
    assert await peer.data("feed", 3) == [2, 3, 4]


async def test_the_server_unsubscribes_a_user(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(hub_with_feed())
    peer = await open_peer(server, token=token("42", channels=("feed",)))
    await peer.expect("subscribed", "feed")
    await server.on(server.hub.unsubscribe("feed", user="42"))
    await peer.expect("unsubscribed", "feed")
    assert server.hub.channels() == []


async def test_the_server_ends_a_subscription_that_the_client_made(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(Hub(open_to_all=True))
    peer = await open_peer(server, connect=False)
    client = (await peer.connect())["client"]
    await peer.subscribe("news")
    await server.on(server.hub.unsubscribe("news", client=client))
    await peer.expect("unsubscribed", "news", code=2000, reason="server unsubscribe")


@pytest.mark.parametrize("ending", [codes.INSUFFICIENT, codes.SUBSCRIPTION_EXPIRED, codes.INVALIDATED])
async def test_some_endings_bring_the_client_back(serve: Serve, open_peer: OpenPeer, ending: codes.Ending) -> None:
    server = await serve(Hub(open_to_all=True))
    peer = await open_peer(server, connect=False)
    client = (await peer.connect())["client"]
    await peer.subscribe("news")
    await server.on(server.hub.unsubscribe("news", client=client, ending=ending))
    await peer.expect("subscribing", "news", code=ending.code)
    await peer.expect("subscribed", "news")


async def test_the_servers_subscriptions_are_recovered(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(hub_with_feed())
    peer = await open_peer(server, token=token("42", channels=("feed",)))
    await peer.expect("subscribed", "feed")
    await server.publish("feed", 1)
    assert await peer.data("feed", 1) == [1]
    await server.cut(("feed", 2), ("feed", 3))
    recovered = await peer.expect("subscribed", "feed")
    assert (recovered["was_recovering"], recovered["recovered"]) == (True, True)
    await server.publish("feed", 4)
    assert await peer.data("feed", 3) == [2, 3, 4]


async def test_the_servers_subscriptions_tell_of_another_epoch(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(hub_with_feed())
    peer = await open_peer(server, token=token("42", channels=("feed",)))
    await peer.expect("subscribed", "feed")
    await server.publish("feed", 1)
    assert await peer.data("feed", 1) == [1]
    await server.stop()
    await server.start(hub_with_feed())
    subscribed = await peer.expect("subscribed", "feed")
    assert (subscribed["was_recovering"], subscribed["recovered"]) == (True, False)


async def test_a_gap_in_the_servers_subscription_sends_the_client_round(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(hub_with_feed())
    peer = await open_peer(server, token=token("42", channels=("feed",)))
    await peer.expect("subscribed", "feed")
    await lose_one(server)
    await peer.expect("connecting", code=3010, reason="insufficient state")
    assert await peer.data("feed", 2) == [1, 2]


async def lose_one(server: Any) -> None:
    """Publish 1 behind the hub's back, as if its broker had lost it on the way, and 2 as usual."""

    async def publish() -> None:
        listener, server.hub.broker._listener = server.hub.broker._listener, None
        await server.hub.publish("feed", 1)
        server.hub.broker._listener = listener
        await server.hub.publish("feed", 2)

    await server.on(publish())


async def test_the_servers_subscription_that_expires_closes_the_connection(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(hub_with_feed())
    peer = await open_peer(server, token=token("42"))
    grant = Grant(expires_at=time.time() + 0.2)
    await server.on(server.hub.subscribe("feed", user="42", grant=grant))
    await peer.expect("connecting", code=3006, reason="subscription expired")
    await peer.expect("connected")


async def test_the_server_moves_the_expiry_of_a_connection(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(hub_with_feed(limits=Limits(expiry_grace_s=0.1)))
    peer = await open_peer(server, token=token("42"))
    await server.on(server.hub.refresh(user="42", expires_at=time.time() + 0.3))
    await peer.expect("connecting", code=3005, reason="connection expired")
    await peer.expect("connected")


async def test_the_server_calls_a_connection_expired(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(hub_with_feed())
    peer = await open_peer(server, token=token("42"))
    await server.on(server.hub.refresh(user="42", expired=True))
    await peer.expect("connecting", code=3005, reason="connection expired")


async def test_more_channels_than_the_limit_close_the_connection(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(hub_with_feed(personal_channels="#", limits=Limits(channels=1)))
    peer = await open_peer(server, connect=False, token=token("42", channels=("feed",)))
    await peer.start()
    await peer.expect("disconnected", code=3505, reason="channel limit")


async def test_a_channel_of_the_server_cannot_be_asked_for_again(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(hub_with_feed(open_to_all=True))
    peer = await open_peer(server, token=token("42", channels=("feed",)))
    await peer.expect("subscribed", "feed")
    await peer.begin("feed")
    await peer.expect("unsubscribed", "feed", code=105)
