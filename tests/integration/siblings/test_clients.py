"""Client libraries, unmodified, before nodes to which their connections come in turn: they notice nothing."""

import asyncio
from typing import Any, Final

import pytest

from tests.integration.socketio.sockets import Socket

from .conftest import Family, OpenPeer, OpenSocket
from .house import Door, SiblingServer, home_of

MANY: Final = 100
WAYS: Final = ("json-websockets", "json-sse", "json-polling", "messagepack-websockets", "messagepack-polling")


def given(servers: list[SiblingServer]) -> int:
    return sum(server.siblings.received for server in servers)


@pytest.mark.parametrize("transport", ["polling", "upgrade"])
async def test_everything_of_socketio_works(
    family: Family, door: Door, open_socket: OpenSocket, transport: str
) -> None:
    servers = await family(3)
    await door.open(*servers)
    socket = await open_socket(transport)
    me = (await socket.connected())["id"]
    home = home_of(servers, me)
    blob = bytes(range(256)) * 100
    assert await socket.ask("add", 1, 2, 39) == 42
    assert await socket.ask("echo", {"a": [blob, "ä€"]}) == {"a": [blob, "ä€"]}
    assert await home.on(home.hub.ask(me, "ready?", 1, b"blob")) == [1, b"blob"]
    assert "error" not in await socket.ask("subscribe", "news")
    assert "error" not in await socket.ask("publish", "news", {"n": 1})
    assert (await socket.event("publication"))[0]["data"] == {"n": 1}
    assert given(servers) > 0


@pytest.mark.parametrize("transport", ["polling", "upgrade"])
async def test_nothing_is_lost_in_either_direction(
    family: Family, door: Door, open_socket: OpenSocket, transport: str
) -> None:
    servers = await family(3)
    await door.open(*servers)
    sockets = [await open_socket(transport) for _ in range(6)]
    await asyncio.gather(*(_talk(servers, socket) for socket in sockets))
    assert given(servers) > 0


async def _talk(servers: list[SiblingServer], socket: Socket) -> None:
    me = (await socket.connected())["id"]
    home = home_of(servers, me)
    for number in range(MANY):
        await home.on(home.hub.send({"type": "tick", "payload": number}, client=me))
        assert await socket.ask("echo", number) == number
    assert [(await socket.event("tick"))[0] for _ in range(MANY)] == list(range(MANY))


@pytest.mark.parametrize("way", WAYS)
async def test_everything_of_signalr_works(family: Family, door: Door, open_peer: OpenPeer, way: str) -> None:
    servers = await family(3)
    await door.open(*servers)
    peers = [await open_peer(way) for _ in range(4)]
    for peer in peers:
        await peer.on("publication")
        assert await peer.invoke("add", 1, 2, 39) == 42
        assert await peer.run("burst", target="echo", size=MANY) == list(range(MANY))
        assert await peer.whole(await peer.stream("count", MANY)) == list(range(MANY))
        upload, (feed,) = await peer.upload("total")
        await peer.feed(feed, *range(10), last=True)
        assert (await peer.expect("result", name=upload))["result"] == 45
        await peer.invoke("subscribe", "news")
    for server in servers:
        await server.publish_each("news", range(MANY))
    for peer in peers:
        assert [(await peer.called("publication"))[0]["data"] for _ in range(MANY)] == list(range(MANY))
    assert given(servers) > 0


@pytest.mark.parametrize("way", ["json-websockets", "messagepack-websockets"])
async def test_a_stateful_reconnect_finds_its_way_home(
    family: Family, door: Door, open_peer: OpenPeer, way: str
) -> None:
    servers = await family(3)
    await door.open(*servers)
    peer = await open_peer(way, stateful=True)
    node: Any = await peer.invoke("node")
    for number in range(6):
        await peer.run("cut")
        assert await peer.invoke("echo", number) == number
    assert await peer.invoke("node") == node
