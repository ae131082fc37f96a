"""Channels: what SignalR has groups for, and what it has not."""

import pytest
from websockets.asyncio.client import connect

from tests.integration.native.peers import Refused
from tests.integration.native.rawsocket import RawSocket
from vagus.kernel.events import envelope_of, event

from .conftest import ONE_WAY, OpenPeer, Serve
from .furnished import furnished_hub


async def test_everybody_in_a_channel_is_told_what_is_published(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(furnished_hub())
    peers = [await open_peer(server) for _ in range(3)]
    for peer in peers:
        await peer.on("news", "publication")
        await peer.invoke("Subscribe", "room")
    await peers[0].invoke("Publish", "room", {"type": "news", "payload": {"n": 1}})
    await server.publish("room", [1, "two"])
    for peer in peers:
        assert await peer.called("news") == [{"n": 1}]
        (told,) = await peer.called("publication")
        assert (told["channel"], told["data"], told["offset"]) == ("room", [1, "two"], 2)


async def test_who_leaves_a_channel_is_told_no_more(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(furnished_hub())
    peer = await open_peer(server)
    await peer.on("publication")
    await peer.invoke("Subscribe", "room")
    await peer.invoke("Unsubscribe", "room")
    await server.publish("room", 1)
    await peer.invoke("Echo")
    assert not peer.has_seen("called")


async def test_binary_values_in_an_event_arrive_as_the_notation_has_them(
    serve: Serve, way: str, open_peer: OpenPeer
) -> None:
    server = await serve(furnished_hub())
    peer = await open_peer(server)
    await peer.on("picture")
    await peer.invoke("Subscribe", "room")
    await server.publish("room", envelope_of(event("picture", b"\x00\x01", {"size": 2})))
    value = {"$bytes": "AAE="} if way.startswith("messagepack") else "AAE="
    assert await peer.called("picture") == [value, {"size": 2}]


async def test_a_channel_is_followed_as_a_stream_from_where_it_stood(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(furnished_hub())
    peer = await open_peer(server)
    await server.publish_each("room", range(3))
    epoch = (await peer.invoke("History", "room", {"limit": 0}))["epoch"]
    name = await peer.stream("Stream", "room", {"recover": True, "offset": 1, "epoch": epoch})
    assert await peer.items(name, 2) == [1, 2]
    await server.publish_each("room", range(3, 6))
    assert await peer.items(name, 3) == [3, 4, 5]
    await peer.run("dispose", name=name)
    while "room" in server.hub.topics:
        await peer.invoke("Echo")


async def test_clients_of_equal_ids_share_the_bytes_of_a_stream(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(furnished_hub())
    peers = [await open_peer(server) for _ in range(3)]
    names = [await peer.stream("Stream", "room") for peer in peers]
    for peer in peers:
        await peer.invoke("Echo")
    encodings = {
        subscription.wishes.encoding
        for client in server.hub.clients.values()
        for subscription in client.subscriptions.values()
        if subscription.wishes is not None
    }
    assert len(encodings) == 1
    await server.publish_each("room", range(10))
    for peer, name in zip(peers, names, strict=True):
        assert await peer.items(name, 10) == list(range(10))


async def test_history_and_presence_are_read(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(furnished_hub())
    peer = await open_peer(server)
    await peer.invoke("Subscribe", "room")
    await server.publish_each("room", ["a", "b"])
    page = await peer.invoke("history", "room", {"limit": 1, "reverse": True})
    assert [publication["data"] for publication in page["publications"]] == ["b"]
    assert page["offset"] == 2
    (client,) = server.hub.clients
    assert (await peer.invoke("presence", "room"))["presence"] == {client: {"user": "", "client": client}}
    assert await peer.invoke("presencestats", "room") == {"num_clients": 1, "num_users": 1}


async def test_a_connection_id_is_that_of_the_client(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(furnished_hub())
    peer = await open_peer(server, start=False)
    assert await peer.started() in server.hub.clients


@ONE_WAY
async def test_what_may_not_be_is_refused_and_the_connection_goes_on(serve: Serve, open_peer: OpenPeer) -> None:
    peer = await open_peer(await serve(furnished_hub(rules=())))
    with pytest.raises(Refused, match="unknown channel"):
        await peer.invoke("Subscribe", "room")
    with pytest.raises(Refused, match="bad request: argument 1"):
        await peer.invoke("Subscribe", 5)
    assert await peer.invoke("Echo", 1) == [1]


async def test_native_clients_and_these_see_the_same_in_the_same_order(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(furnished_hub())
    peer = await open_peer(server)
    await peer.on("publication")
    await peer.invoke("Subscribe", "room")
    async with connect(server.url, proxy=None) as connection:
        native = RawSocket(connection)
        await native.ask("connect")
        await native.ask("subscribe", channel="room")
        for number in range(100):
            if number % 2:
                await native.ask("publish", channel="room", data=number)
            else:
                await peer.invoke("Publish", "room", number)
        pushed = [push["push"]["pub"]["data"] for push in native.pushes if "pub" in push.get("push", {})]
        told = [(await peer.called("publication"))[0]["data"] for _ in range(100)]
        while len(pushed) < 100:
            pushed.append((await native.line())["push"]["pub"]["data"])
    assert told == pushed == list(range(100))


@pytest.mark.parametrize("hub", ["vagus", "VAGUS"])
@ONE_WAY
async def test_the_root_section_has_a_name_here(serve: Serve, open_peer: OpenPeer, hub: str) -> None:
    server = await serve(furnished_hub())
    server.hub.call("Root", allow=("anyone",))(lambda caller: "root")
    peer = await open_peer(server, hub=hub)
    assert await peer.invoke("root") == "root"
