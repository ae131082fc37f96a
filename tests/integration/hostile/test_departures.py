"""Clients that go at the worst moment, and a hub that stops while the other side does not answer."""

import asyncio
import urllib.error
import urllib.request
from collections.abc import Callable

import pytest

from tests.integration.hostile.house import ANYTHING_GOES, END, HANDSHAKE, House, Peer, commands
from tests.patience import DEADLINE_S
from vagus import ConnectRequest, Hub, Identity, RefusedError
from vagus.kernel import codes

Build = Callable[..., House]


def test_who_leaves_while_it_is_being_let_in_or_turned_away_is_forgotten(build: Build) -> None:
    hub = Hub(rules=[ANYTHING_GOES])
    may_decide = asyncio.Event()

    @hub.authenticate
    async def who(request: ConnectRequest) -> Identity:
        await may_decide.wait()
        if request.token == "refuse me":
            raise RefusedError.because(400, "not today")
        return Identity(user="ann")

    house = build(hub)
    before = house.facts()
    for token in ("let me in", "refuse me"):
        with Peer(house.port).upgraded() as peer:
            peer.send(commands({"id": 1, "connect": {"token": token}}))
            house.until(lambda: house.facts_now().tasks > before.tasks)
        house.until(lambda: not house.gate.open_sockets)
    house.loop.call_soon_threadsafe(may_decide.set)
    house.comes_back_to(before)


def test_who_subscribes_and_goes_in_one_breath_leaves_no_topic(build: Build) -> None:
    hub = Hub(allow_anonymous=True)

    @hub.channel("slow:{name}", presence=True, join_leave=True)
    async def may_follow(name: str) -> bool:
        await asyncio.sleep(0)
        return True

    house = build(hub)
    before = house.facts()
    for number in range(200):
        with Peer(house.port).connected() as peer:
            peer.send(commands(*({"id": n, "subscribe": {"channel": f"slow:{number}-{n}"}} for n in range(2, 20))))
    house.comes_back_to(before)


def test_a_server_that_stops_lets_nobody_in(build: Build) -> None:
    house = build(Hub(rules=[ANYTHING_GOES], allow_anonymous=True))
    house.loop.call_soon_threadsafe(house.gate.close_all, codes.SHUTDOWN)
    with Peer(house.port) as late:
        late.send(HANDSHAKE + END)
        assert late.rest().startswith(b"HTTP/1.1 503 ")
    request = urllib.request.Request(f"http://127.0.0.1:{house.port}/hubs/vagus/negotiate", method="POST")
    with pytest.raises(urllib.error.HTTPError, match="503"):
        urllib.request.urlopen(request, timeout=DEADLINE_S)


def test_a_server_that_stops_ends_also_those_who_do_not_answer_its_close(
    build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vagus.gateway.websocket.CLOSING_S", 0.2)
    house = build(Hub(rules=[ANYTHING_GOES], allow_anonymous=True))
    with Peer(house.port).connected() as mute, Peer(house.port).upgraded() as unknown:
        house.loop.call_soon_threadsafe(house.gate.close_all, codes.SHUTDOWN)
        for peer in (mute, unknown):
            assert peer.rest().endswith(b"\x0b\xb9shutdown")
        house.run(house.gate.wait_until_empty(DEADLINE_S))
        assert house.gate.open_sockets == 0
