"""Pings, timeouts, restarts, and sessions that go on over another socket."""

import asyncio
from typing import Any

from tests.integration.native.serving import Server
from tests.patience import LEISURE
from vagus import Limits
from vagus.gateway.signalr import PREFIX, SignalR, Times

from .conftest import ONE_WAY, WEBSOCKETS, OpenCaller, OpenPeer, Serve
from .furnished import furnished_hub

TOTAL = 3_000


async def test_clients_come_back_when_the_server_has_restarted(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(furnished_hub())
    peer = await open_peer(server, delays=[0, *[50] * 100])
    await server.stop()
    await peer.expect("reconnecting")
    await server.start(furnished_hub())
    await peer.expect("reconnected")
    assert await peer.invoke("Echo", 1) == [1]


@ONE_WAY
async def test_a_client_that_does_not_come_back_by_itself_is_told_that_it_is_over(
    serve: Serve, open_peer: OpenPeer
) -> None:
    server = await serve(furnished_hub())
    peer = await open_peer(server)
    await server.stop()
    await peer.expect("closed", error=None)


@ONE_WAY
async def test_a_client_that_is_disconnected_for_good_stays_away(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(furnished_hub())
    peer = await open_peer(server, delays=[0, 0, 0])
    (client,) = server.hub.clients
    await server.on(server.hub.disconnect(client=client))
    await peer.expect("closed", error="Server returned an error on close: force disconnect")


async def test_pings_of_both_sides_keep_a_silent_connection(serve: Serve, way: str, open_peer: OpenPeer) -> None:
    silence_s = 1.5 * LEISURE
    times = Times(keep_alive_s=0.3, client_timeout_s=silence_s, poll_s=0.3)
    server = await serve(furnished_hub(), times=times)
    peer = await open_peer(server, keep_alive_ms=300, server_timeout_ms=silence_s * 1_000)
    await asyncio.sleep(silence_s + 2)  # longer than both sides would wait
    assert await peer.run("state") == "Connected"
    assert len(server.hub.clients) == 1


@WEBSOCKETS
async def test_a_client_hears_when_the_server_is_silent(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(furnished_hub(), times=Times(keep_alive_s=60))
    peer = await open_peer(server, server_timeout_ms=500 * LEISURE)
    await peer.expect("closed", error="Server timeout elapsed without receiving a message from the server.")


@WEBSOCKETS
async def test_a_client_that_falls_silent_is_gone(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(furnished_hub(), times=Times(client_timeout_s=0.5))
    peer = await open_peer(server, keep_alive_ms=60_000)
    await peer.expect("closed", error="Server returned an error on close: no pong")
    await server.alone()


async def test_a_handshake_must_come(serve: Serve, open_caller: OpenCaller) -> None:
    server = await serve(furnished_hub(), times=Times(handshake_s=0.1))
    socket = await (await open_caller(server)).socket()
    assert await socket.last_words() == ([{"error": "The handshake did not come in time."}], 1000)
    await server.alone()


async def numbers_from(peer: Any, name: str) -> list[int]:
    return [int(each) for each in await peer.items(name, TOTAL)]


@WEBSOCKETS
async def test_a_stream_survives_cut_sockets_without_loss_or_repetition(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(furnished_hub())
    peer = await open_peer(server, stateful=True)
    await peer.on("publication")
    name = await peer.stream("Stream", "numbers")
    await peer.invoke("Subscribe", "others")
    (client,) = server.hub.clients
    for first in range(0, TOTAL, 500):
        await server.publish_each("numbers", range(first, first + 250))
        await peer.run("cut")
        await server.publish_each("others", range(first, first + 3))
        await server.publish_each("numbers", range(first + 250, first + 500))
        await peer.invoke("Echo", first)  # it is back before it is cut again, or the library gives up
    assert await numbers_from(peer, name) == list(range(TOTAL))
    assert len([await peer.called("publication") for _ in range(TOTAL // 500 * 3)]) == TOTAL // 500 * 3
    assert not peer.has_seen("item") + peer.has_seen("called") + peer.has_seen("reconnecting")
    assert list(server.hub.clients) == [client]


@WEBSOCKETS
async def test_what_a_client_says_survives_cut_sockets(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(furnished_hub())
    peer = await open_peer(server, stateful=True)
    name, (numbers,) = await peer.upload("Sum", 0)
    for first in range(0, TOTAL, 300):
        await peer.feed(numbers, *range(first, first + 300))
        if first % 900 == 0:
            await peer.run("cut")
            await peer.invoke("Echo", first)  # it is back: the library gives up when it is cut while it comes back
    await peer.feed(numbers, last=True)
    assert (await peer.expect("result", name=name))["result"] == sum(range(TOTAL))
    assert not peer.has_seen("reconnecting")


@WEBSOCKETS
async def test_more_than_the_buffer_waits_for_confirmation_and_is_not_lost(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(furnished_hub(limits=Limits(queue_bytes=10_000_000)))
    peer = await open_peer(server, stateful=True)
    name = await peer.stream("Stream", "numbers")
    await peer.invoke("Echo")
    large = ["x" * 10_000, *range(5)]
    for _ in range(25):
        await server.publish("numbers", large)
    await peer.run("cut")
    assert await peer.items(name, 25) == [large] * 25


@WEBSOCKETS
async def test_a_session_that_nobody_comes_back_for_ends(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(furnished_hub(), times=Times(disconnect_s=0.3))
    peer = await open_peer(server, stateful=True, delays=[0, 0])
    await peer.invoke("Subscribe", "room")
    assert len(server.hub.clients) == 1
    server.gate.endpoints.pop(PREFIX)
    await peer.run("cut")
    await server.alone()
    assert not server.hub.clients


@WEBSOCKETS
async def test_a_client_that_stops_is_not_waited_for(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(furnished_hub())
    peer = await open_peer(server, stateful=True)
    assert len(server.hub.clients) == 1
    await peer.run("stop")
    await server.alone()
    assert not server.hub.clients


@WEBSOCKETS
async def test_a_resumable_client_comes_back_anew_when_the_server_has_restarted(
    serve: Serve, open_peer: OpenPeer
) -> None:
    server = await serve(furnished_hub())
    peer = await open_peer(server, stateful=True, delays=[0, *[50] * 100])
    await server.stop()
    await peer.expect("reconnecting")
    await server.start(furnished_hub())
    await peer.expect("reconnected")
    assert await peer.invoke("Echo", 1) == [1]


def resumable(server: Server) -> SignalR:
    endpoint = server.gate.endpoints[PREFIX]
    assert isinstance(endpoint, SignalR)
    return endpoint


async def test_a_parked_session_ends_with_the_server(serve: Serve, open_caller: OpenCaller) -> None:
    server = await serve(furnished_hub())
    caller = await open_caller(server)
    token = await caller.token("negotiateVersion=1&useStatefulReconnect=true")
    socket = await caller.socket(f"id={token}")
    await socket.send('{"protocol":"json","version":2}\x1e')
    await socket.record()
    socket.connection.transport.abort()
    while server.gate.open_sockets != 1 or resumable(server).house.opened[token].link is not None:
        await caller.negotiate()
    await server.stop()
    assert not server.gate.open_sockets
