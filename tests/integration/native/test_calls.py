"""Calls with typed requests and results, and events that ask for no reply."""

import asyncio
from typing import Any

import msgspec
import pytest

from tests.patience import LEISURE
from vagus import Caller, Hub, Limits, Rate, RefusedError

from .conftest import ONLY_NODE, OpenPeer, OpenRaw, Serve
from .peers import refusal
from .tokens import token, verifier


class Order(msgspec.Struct):
    item: str
    count: int = 1


class Total(msgspec.Struct):
    user: str
    text: str


class Cancel(msgspec.Struct):
    order: int


@pytest.fixture
def hub() -> Hub:
    hub = Hub(verifier=verifier(), allow_anonymous=True, limits=Limits(answer_s=0.2))

    @hub.call("orders.add")
    async def add(caller: Caller, request: Order) -> Total:
        if not request.count:
            raise RefusedError.because(400, "sold out")
        return Total(caller.user, f"{request.count} x {request.item}")

    @hub.call("ping", allow=("anyone",))
    def ping(caller: Caller) -> None:
        return None

    @hub.call("broken", allow=("anyone",))
    def broken(caller: Caller) -> None:
        raise ZeroDivisionError

    @hub.call("endless", allow=("anyone",))
    async def endless(caller: Caller) -> None:
        await asyncio.Event().wait()

    return hub


async def test_a_call_has_a_typed_request_and_result(serve: Serve, open_peer: OpenPeer, hub: Hub) -> None:
    peer = await open_peer(await serve(hub), token=token("42"))
    assert await peer.rpc("orders.add", {"item": "tea", "count": 2}) == {"user": "42", "text": "2 x tea"}
    assert await peer.rpc("orders.add", {"item": "tea"}) == {"user": "42", "text": "1 x tea"}


async def test_a_call_may_have_no_result(serve: Serve, open_peer: OpenPeer, hub: Hub) -> None:
    peer = await open_peer(await serve(hub))
    assert await peer.rpc("ping") is None


@pytest.mark.parametrize(
    ("method", "data", "code"),
    [
        ("orders.drop", {}, 104),
        ("orders.add", {"count": 2}, 107),
        ("orders.add", {"item": "tea", "count": "two"}, 107),
        ("orders.add", [1], 107),
        ("orders.add", {"item": "tea", "count": 0}, 400),
        ("broken", None, 100),
        ("endless", None, 100),
    ],
    ids=["unknown", "missing", "mistyped", "no object", "the application's own", "broken", "too slow"],
)
async def test_a_call_that_fails_says_why(
    serve: Serve, open_peer: OpenPeer, hub: Hub, method: str, data: Any, code: int
) -> None:
    peer = await open_peer(await serve(hub), token=token())
    assert await refusal(peer.rpc(method, data)) == code
    assert await peer.rpc("ping") is None


async def test_a_call_is_for_those_whom_it_allows(serve: Serve, open_peer: OpenPeer, hub: Hub) -> None:
    peer = await open_peer(await serve(hub))
    assert await refusal(peer.rpc("orders.add", {"item": "tea"})) == 103


async def test_a_method_that_nobody_registered_is_not_found(serve: Serve, open_peer: OpenPeer) -> None:
    peer = await open_peer(await serve(Hub(open_to_all=True)))
    assert await refusal(peer.rpc("anything")) == 104


async def test_answers_come_in_the_order_of_the_calls(serve: Serve, open_peer: OpenPeer) -> None:
    hub, opened, order = Hub(open_to_all=True), asyncio.Event(), []

    @hub.call("wait")
    async def wait(caller: Caller, request: int) -> int:
        order.append(request)
        if request == 0:
            await opened.wait()
        return request

    @hub.call("open")
    def open_up(caller: Caller) -> None:
        opened.set()

    server = await serve(hub)
    peer, other = await open_peer(server), await open_peer(server)
    waiting = asyncio.gather(*(peer.rpc("wait", number) for number in range(3)))
    await other.rpc("open")
    assert await waiting == [0, 1, 2]
    assert order == [0, 1, 2]


async def test_too_many_commands_are_refused_for_a_while(serve: Serve, open_peer: OpenPeer) -> None:
    peer = await open_peer(await serve(Hub(open_to_all=True, limits=Limits(commands=Rate(per_s=0.01, burst=3)))))
    await peer.presence("news")
    await peer.presence("news")
    assert await refusal(peer.presence("news")) == 111


async def test_who_answers_pings_may_wait_long_for_an_answer(
    serve: Serve, open_peer: OpenPeer, open_raw: OpenRaw
) -> None:
    hub = Hub(open_to_all=True, limits=Limits(ping_interval_s=0.5 * LEISURE, pong_timeout_s=0.4 * LEISURE))
    released = asyncio.Event()

    @hub.call("wait")
    async def wait(caller: Caller) -> str:
        await released.wait()
        return "done"

    server = await serve(hub)
    peer = await open_peer(server)
    waiting = asyncio.create_task(peer.rpc("wait"))
    for _ in range(2):  # the peer has been pinged before each of these is given up
        assert await (await open_raw(server)).closed() == (3012, "no pong")
    hub.loop.call_soon_threadsafe(released.set)
    assert await waiting == "done"
    assert peer.has_seen("connecting")[1:] == []


@ONLY_NODE
@pytest.mark.parametrize("event", ["orders.cancel", "orders.unknown", ""])
async def test_an_event_is_taken_and_an_unknown_one_ignored(serve: Serve, open_peer: OpenPeer, event: str) -> None:
    hub, taken = Hub(open_to_all=True), []

    @hub.event("orders.cancel")
    def cancel(caller: Caller, request: Cancel) -> None:
        taken.append((caller.user, request.order))

    peer = await open_peer(await serve(hub))
    await peer.run("send", data={"type": event, "payload": {"order": 7}} if event else "no envelope")
    await peer.presence("news")  # answered after the event was taken
    assert taken == ([("", 7)] if event == "orders.cancel" else [])


@ONLY_NODE
async def test_an_event_that_makes_no_sense_disturbs_nobody(serve: Serve, open_peer: OpenPeer) -> None:
    hub = Hub(open_to_all=True)

    @hub.event("orders.cancel")
    def cancel(caller: Caller, request: Cancel) -> None:
        raise AssertionError("this payload is none")

    peer = await open_peer(await serve(hub))
    await peer.run("send", data={"type": "orders.cancel", "payload": {"order": "many"}})
    await peer.presence("news")
    assert peer.has_seen("connecting")[1:] == peer.has_seen("disconnected") == []


async def test_errors_say_whether_to_try_again(serve: Serve, open_raw: OpenRaw, hub: Hub) -> None:
    raw = await open_raw(await serve(hub))
    failed = await raw.ask("rpc", method="broken")
    assert failed["error"] == {"code": 100, "message": "internal server error", "temporary": True}
    failed = await raw.ask("rpc", method="nothing")
    assert failed["error"] == {"code": 104, "message": "method not found"}
