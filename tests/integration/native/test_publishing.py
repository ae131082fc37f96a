"""How publications travel: from the server, from clients, to some and not to others."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from vagus import ChannelRule, Hub, Identity, Last, Limits

from .conftest import ONLY_NODE, OpenPeer, Serve
from .peers import UNANSWERED, refusal
from .serving import Server
from .tokens import token, verifier

VALUES = [{"n": 1}, ["ä", "a\nb", " ", "😀"], {"deep": [[{"x": None}]]}, 1.5, "text", True, 0, "", 9007199254740991]


def guarded_hub(**options: Any) -> Hub:
    rule = ChannelRule(pattern="news", subscribe=("user",), history=Last(10, hours=1), **options)
    return Hub(verifier=verifier(), rules=[rule])


async def test_a_publication_reaches_a_subscriber(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(Hub(open_to_all=True))
    peer = await open_peer(server)
    await peer.subscribe("news")
    await server.publish("news", {"n": 1}, tags={"region": "eu"})
    publication = await peer.expect("publication", "news")
    assert (publication["data"], publication["offset"], publication["tags"]) == ({"n": 1}, 1, {"region": "eu"})


async def test_data_arrives_as_it_was_sent(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(Hub(open_to_all=True))
    peer = await open_peer(server)
    await peer.subscribe("news")
    for value in VALUES:
        await peer.publish("news", value)
    assert await peer.data("news", len(VALUES)) == VALUES


async def test_a_client_publishes_and_is_named(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(guarded_hub(publish=("user",)))
    peer = await open_peer(server, connect=False, token=token("42", info=b'{"name":"Al"}'))
    client = (await peer.connect())["client"]
    await peer.subscribe("news")
    await peer.publish("news", "hello")
    publication = await peer.expect("publication", "news")
    assert publication["info"] == {"user": "42", "client": client, "conn_info": {"name": "Al"}, "chan_info": None}


async def test_a_client_without_permission_may_not_publish(serve: Serve, open_peer: OpenPeer) -> None:
    peer = await open_peer(await serve(guarded_hub()), token=token())
    await peer.subscribe("news")
    assert await refusal(peer.publish("news", "hello")) == 103


async def test_whoever_follows_a_channel_may_publish_if_its_rule_says_so(serve: Serve, open_peer: OpenPeer) -> None:
    peer = await open_peer(await serve(guarded_hub(publish=("subscriber",))), token=token())
    assert await refusal(peer.publish("news", "hello")) == 103
    await peer.subscribe("news")
    await peer.publish("news", "hello")
    assert await peer.data("news", 1) == ["hello"]


async def test_a_function_decides_who_publishes(serve: Serve, open_peer: OpenPeer) -> None:
    hub = guarded_hub()

    @hub.may_publish("news")
    async def editors(identity: Identity) -> bool:
        return identity.user == "editor"

    server = await serve(hub)
    editor, reader = await open_peer(server, token=token("editor")), await open_peer(server, token=token("reader"))
    assert await refusal(reader.publish("news", "hello")) == 103
    await editor.publish("news", "hello")


@pytest.mark.parametrize("channel", ["olds", "new", "news:1"])
async def test_a_channel_without_a_rule_is_unknown(serve: Serve, open_peer: OpenPeer, channel: str) -> None:
    peer = await open_peer(await serve(guarded_hub()), token=token())
    assert await refusal(peer.publish(channel, "hello")) == 102
    await peer.begin(channel)
    await peer.expect("unsubscribed", channel, code=102)


async def test_two_publishers_keep_their_order(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(Hub(open_to_all=True))
    reader, *writers = [await open_peer(server) for _ in range(3)]
    await reader.subscribe("news")

    async def write(name: int) -> None:
        for number in range(30):
            await writers[name].publish("news", [name, number])

    await asyncio.gather(write(0), write(1))
    events = [await reader.expect("publication", "news") for _ in range(60)]
    assert [event["offset"] for event in events] == list(range(1, 61))
    for name in (0, 1):
        assert [event["data"][1] for event in events if event["data"][0] == name] == list(range(30))


async def test_who_unsubscribed_gets_nothing_more(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(Hub(open_to_all=True))
    peer = await open_peer(server)
    await peer.subscribe("news")
    await peer.subscribe("other")
    await peer.unsubscribe("news")
    await peer.presence_stats("news")  # answered after the unsubscribe command
    await server.publish("news", "missed")
    await server.publish("other", "last")
    assert await peer.data("other", 1) == ["last"]
    assert peer.has_seen("publication", "news") == []


async def test_who_subscribes_again_gets_what_follows(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(Hub(open_to_all=True))
    peer = await open_peer(server)
    await peer.subscribe("news")
    await peer.unsubscribe("news")
    await server.publish("news", "missed")
    await peer.subscribe("news")
    await server.publish("news", "seen")
    assert await peer.data("news", 1) == ["seen"]


async def test_the_sender_may_be_left_out(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(Hub(open_to_all=True))
    sender, other = await open_peer(server, connect=False), await open_peer(server)
    client = (await sender.connect())["client"]
    for peer in (sender, other):
        await peer.subscribe("news")
    await server.publish("news", 1, exclude=client)
    await server.publish("news", 2)
    assert await other.data("news", 2) == [1, 2]
    assert await sender.data("news", 1) == [2]


async def published_twice(server: Server, first: Mapping[str, Any], second: Mapping[str, Any]) -> list[bool]:
    return [(await server.publish("news", n, **options)).dropped for n, options in enumerate((first, second))]


@pytest.mark.parametrize(
    ("first", "second"),
    [({"idempotency_key": "k"}, {"idempotency_key": "k"}), ({"version": 2}, {"version": 1})],
    ids=["same key", "older version"],
)
async def test_a_repeated_or_outdated_publication_is_dropped(
    serve: Serve, open_peer: OpenPeer, first: dict[str, Any], second: dict[str, Any]
) -> None:
    server = await serve(Hub(open_to_all=True))
    peer = await open_peer(server)
    await peer.subscribe("news")
    assert await published_twice(server, first, second) == [False, True]
    await server.publish("news", "last")
    assert await peer.data("news", 2) == [0, "last"]


async def test_a_throttled_subscriber_gets_the_newest(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(Hub(open_to_all=True))
    slow, quick = await open_peer(server), await open_peer(server)
    await slow.subscribe("news", data={"vagus": {"rate": 5}})
    await quick.subscribe("news")
    await server.on(burst(server.hub, 50))
    assert await slow.data("news", 2) == [0, 49]
    assert await quick.data("news", 50) == list(range(50))


async def burst(hub: Hub, size: int) -> None:
    for number in range(size):
        await hub.publish("news", number)


@pytest.mark.parametrize("rate", [0, -1, 5000, "fast"])
async def test_a_rate_that_makes_no_sense_is_refused(serve: Serve, open_peer: OpenPeer, rate: object) -> None:
    peer = await open_peer(await serve(Hub(open_to_all=True)))
    await peer.begin("news", data={"vagus": {"rate": rate}})
    await peer.expect("unsubscribed", "news", code=107)


async def test_a_message_that_is_too_large_closes_the_connection(
    serve: Serve, open_peer: OpenPeer, library: str
) -> None:
    peer = await open_peer(await serve(Hub(open_to_all=True, limits=Limits(message_bytes=1000))))
    await peer.publish("news", "x" * 800)
    assert await refusal(peer.publish("news", "x" * 1000)) in UNANSWERED
    # On close code 1009 the one library gives up and the other tries again.
    await peer.expect("disconnected" if library.startswith("node") else "connecting", code=3)


async def test_a_large_publication_arrives_whole(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(Hub(open_to_all=True))
    peer = await open_peer(server)
    await peer.subscribe("news")
    await server.publish("news", "x" * 700_000)
    assert await peer.data("news", 1) == ["x" * 700_000]


@ONLY_NODE
async def test_a_message_goes_to_all_clients_of_one_user(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(Hub(verifier=verifier()))
    mine = [await open_peer(server, token=token("42")) for _ in range(2)]
    other = await open_peer(server, token=token("43"))
    await server.on(server.hub.send({"for": 42}, user="42"))
    await server.on(server.hub.send({"for": 43}, user="43"))
    for peer in mine:
        await peer.expect("message", data={"for": 42})
    assert (await other.expect("message"))["data"] == {"for": 43}


@ONLY_NODE
async def test_a_message_goes_to_one_client_alone(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(Hub(verifier=verifier()))
    first, second = [await open_peer(server, connect=False, token=token("42")) for _ in range(2)]
    clients = [(await peer.connect())["client"] for peer in (first, second)]
    await server.on(server.hub.send(1, client=clients[0]))
    await server.on(server.hub.send(2, client=clients[1]))
    assert [(await peer.expect("message"))["data"] for peer in (first, second)] == [1, 2]
