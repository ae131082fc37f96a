"""Pings, pongs, and the end of those who do not answer or do not read."""

import asyncio
from math import ceil
from typing import Literal

import msgspec
import pytest

from tests.patience import LEISURE
from vagus import ChannelRule, Hub, Limits
from vagus.kernel import codes

from .conftest import OpenPeer, OpenRaw, Serve

QUICK = Limits(ping_interval_s=0.5, pong_timeout_s=0.3)
"""For clients that do not answer."""

PATIENT = Limits(ping_interval_s=0.5 * LEISURE, pong_timeout_s=0.4 * LEISURE)
"""For clients that do, which takes them longer where everything does."""


async def test_a_client_that_answers_pings_stays(serve: Serve, open_peer: OpenPeer, open_raw: OpenRaw) -> None:
    server = await serve(Hub(open_to_all=True, limits=PATIENT))
    peer = await open_peer(server)
    for _ in range(2):  # the peer has been pinged before each of these is given up
        assert await (await open_raw(server)).closed() == (3012, "no pong")
    await peer.presence("news")
    assert peer.has_seen("connecting")[1:] == []


async def test_a_client_is_told_of_pings_and_pinged(serve: Serve, open_raw: OpenRaw) -> None:
    raw = await open_raw(await serve(Hub(open_to_all=True, limits=PATIENT)), connect=False)
    connected = await raw.ask("connect")
    assert (connected["ping"], connected["pong"]) == (ceil(PATIENT.ping_interval_s), True)
    for _ in range(2):
        assert await raw.frame() == "{}"
        await raw.send("{}")


async def test_a_client_that_does_not_answer_is_closed(serve: Serve, open_raw: OpenRaw) -> None:
    raw = await open_raw(await serve(Hub(open_to_all=True, limits=QUICK)))
    assert await raw.closed() == (3012, "no pong")
    assert raw.pushes == [{}]


async def test_talk_is_no_pong(serve: Serve, open_raw: OpenRaw) -> None:
    raw = await open_raw(await serve(Hub(open_to_all=True, limits=QUICK)))
    assert await raw.line() == {}
    await raw.ask("presence", channel="news")
    assert await raw.closed() == (3012, "no pong")


async def test_a_pong_that_nobody_asked_for_closes(serve: Serve, open_raw: OpenRaw) -> None:
    raw = await open_raw(await serve(Hub(open_to_all=True)))
    await raw.send("{}")
    assert await raw.closed() == (3501, "bad request")


async def test_a_hub_may_send_no_pings(serve: Serve, open_raw: OpenRaw) -> None:
    raw = await open_raw(await serve(Hub(open_to_all=True, limits=Limits(ping_interval_s=0))), connect=False)
    connected = await raw.ask("connect")
    assert "ping" not in connected and "pong" not in connected


async def test_pings_may_be_frames_of_the_websocket(serve: Serve, open_raw: OpenRaw) -> None:
    server = await serve(Hub(open_to_all=True, limits=PATIENT))
    native = await open_raw(server, connect=False, query="?cf_ws_frame_ping_pong=true")
    assert "ping" not in await native.ask("connect")
    for _ in range(2):  # websockets answers ping frames by itself
        assert await (await open_raw(server)).closed() == (3012, "no pong")
    await native.ask("presence", channel="news")
    assert native.pushes == []


@pytest.mark.parametrize("library", ["node", "node-protobuf"], indirect=True)
async def test_a_library_lives_with_pings_of_the_websocket(
    serve: Serve, open_peer: OpenPeer, open_raw: OpenRaw
) -> None:
    server = await serve(Hub(open_to_all=True, limits=PATIENT))
    peer = await open_peer(server, query="?cf_ws_frame_ping_pong=true")
    assert await (await open_raw(server)).closed() == (3012, "no pong")
    await peer.presence("news")
    assert peer.has_seen("connecting")[1:] == []


async def test_a_client_that_does_not_read_is_let_go_and_nobody_waits(serve: Serve, open_raw: OpenRaw) -> None:
    server = await serve(Hub(open_to_all=True, limits=Limits(queue_bytes=100_000)))
    slow, quick = await open_raw(server, max_queue=1, max_size=None), await open_raw(server, max_size=None)
    for raw in (slow, quick):
        await raw.ask("subscribe", channel="news")
    number = 0
    while server.hub.figures.slow == 0:
        number += 1
        await server.publish("news", [number, "x" * 200_000])
        assert (await quick.line())["push"]["pub"]["data"][0] == number
    assert server.hub.figures.closures[codes.SLOW.code] == 1
    assert "error" not in await quick.ask("presence", channel="news")


async def test_a_client_that_is_not_read_from_for_now_is_not_blamed(serve: Serve, open_raw: OpenRaw) -> None:
    limits = msgspec.structs.replace(PATIENT, waiting_commands=4)
    hub, released = Hub(open_to_all=True, limits=limits), asyncio.Event()

    @hub.call("wait")
    async def wait(caller: object) -> None:
        await released.wait()

    server = await serve(hub)
    raw = await open_raw(server)
    for number in range(2, 12):
        await raw.send({"id": number, "rpc": {"method": "wait"}})
    assert await raw.frame() == "{}"
    await raw.send("{}")  # waits in the socket
    for _ in range(2):
        assert await (await open_raw(server)).closed() == (3012, "no pong")
    hub.loop.call_soon_threadsafe(released.set)
    assert [(await raw.line())["id"] for _ in range(2, 12)] == list(range(2, 12))


@pytest.mark.parametrize("when_slow", ["keep-latest", "drop-oldest"])
async def test_a_client_that_reads_slowly_may_lose_what_is_old(
    serve: Serve, open_raw: OpenRaw, when_slow: Literal["keep-latest", "drop-oldest"]
) -> None:
    rule = ChannelRule(pattern="news", subscribe=("anyone",), when_slow=when_slow)
    hub = Hub(allow_anonymous=True, rules=[rule], limits=Limits(queue_bytes=500_000))
    server = await serve(hub)
    raw = await open_raw(server, max_queue=1, max_size=None)
    await raw.ask("subscribe", channel="news")
    last = 0
    while hub.figures.dropped < 3:
        last += 1
        await server.publish("news", [last, "x" * 200_000])
    seen = [0]
    while seen[-1] < last:
        seen.append((await raw.line())["push"]["pub"]["data"][0])
    assert seen == sorted(set(seen)) and len(seen) - 1 == last - hub.figures.dropped
    assert "error" not in await raw.ask("unsubscribe", channel="news")


async def test_too_many_waiting_commands_close(serve: Serve, open_raw: OpenRaw) -> None:
    hub, released = Hub(open_to_all=True, limits=Limits(waiting_commands=4)), asyncio.Event()

    @hub.call("wait")
    async def wait(caller: object) -> None:
        await released.wait()

    raw = await open_raw(await serve(hub))
    await raw.send(*({"id": number, "rpc": {"method": "wait"}} for number in range(2, 100)))
    assert await raw.closed() == (3013, "too many requests")
    hub.loop.call_soon_threadsafe(released.set)


async def test_a_client_with_many_waiting_commands_gets_every_answer(serve: Serve, open_raw: OpenRaw) -> None:
    hub, released = Hub(open_to_all=True, limits=Limits(waiting_commands=4)), asyncio.Event()

    @hub.call("wait")
    async def wait(caller: object, request: int) -> int:
        await released.wait()
        return request

    raw = await open_raw(await serve(hub))
    for number in range(2, 50):  # one frame each: beyond four the server reads no more for now
        await raw.send({"id": number, "rpc": {"method": "wait", "data": number}})
    hub.loop.call_soon_threadsafe(released.set)
    assert [(await raw.line())["rpc"]["data"] for _ in range(2, 50)] == list(range(2, 50))
