"""What Socket.IO's own client libraries do with a hub, over every transport that they have."""

import asyncio
from typing import Any

import msgspec
import pytest

from tests.integration.native.rawsocket import RawSocket
from tests.integration.native.tokens import EXPIRED, FORGED, token, verifier
from vagus import Caller, ConnectRequest, Hub, Identity
from vagus.kernel.errors import DisconnectError, RefusedError

from .conftest import ONCE, ONLY_NODE, UPGRADING, OpenSocket, Serve


def house() -> Hub:
    hub = Hub(open_to_all=True)
    chat = hub.section("chat", allow=("anyone",))

    @hub.call("add", allow=("anyone",))
    async def add(caller: Caller, request: list[int]) -> int:
        return sum(request)

    @hub.call("sold_out", allow=("anyone",))
    async def sold_out(caller: Caller) -> None:
        raise RefusedError.because(400, "sold out", data={"left": 0})

    @chat.call("mirror")
    async def mirror(caller: Caller, value: Any, other: bytes = b"") -> Any:
        return {"value": value, "other": other}

    @chat.call("note")
    async def note(caller: Caller, number: int) -> int:
        notes.append(number)
        return number

    notes: list[int] = []
    hub.notes = notes  # type: ignore[attr-defined]  # for the tests alone
    return hub


async def test_a_client_connects_and_has_an_id(serve: Serve, open_socket: OpenSocket) -> None:
    server = await serve(house())
    socket = await open_socket(server, connect=False)
    assert (await socket.connected())["id"] in server.hub.clients


async def test_a_client_leaves(serve: Serve, open_socket: OpenSocket) -> None:
    server = await serve(house())
    socket = await open_socket(server)
    await socket.stop()
    await server.alone()
    assert not server.hub.clients


async def test_an_ack_is_the_reply(serve: Serve, open_socket: OpenSocket) -> None:
    socket = await open_socket(await serve(house()))
    assert await socket.ask("add", 1, 2, 39) == 42
    assert await socket.ask("add", "x", "y") == {
        "error": {"code": 107, "message": "bad request: Expected `int`, got `str` - at `$[0]`"}
    }
    assert await socket.ask("sold_out") == {"error": {"code": 400, "message": "sold out", "data": {"left": 0}}}
    assert await socket.ask("nothing") == {"error": {"code": 104, "message": "method not found"}}


async def test_binary_values_go_both_ways(serve: Serve, open_socket: OpenSocket) -> None:
    socket = await open_socket(await serve(house()), "/chat")
    blob = bytes(range(256)) * 40
    assert await socket.ask("mirror", {"a": [blob, "ä€"]}, blob) == {"value": {"a": [blob, "ä€"]}, "other": blob}


async def test_the_server_asks_and_the_client_answers(serve: Serve, open_socket: OpenSocket) -> None:
    server = await serve(house())
    socket = await open_socket(server, "/chat", connect=False)
    me = (await socket.connected())["id"]
    assert await server.on(server.hub.ask(me, "ready?", {"n": 1}, b"blob")) == [{"n": 1}, b"blob"]
    assert await socket.event("ready?") == [{"n": 1}, b"blob"]


async def test_a_room_is_a_channel(serve: Serve, open_socket: OpenSocket) -> None:
    server = await serve(house())
    one, two = await open_socket(server), await open_socket(server, "/chat")
    assert await one.ask("subscribe", "news") == {}
    assert await one.ask("subscribe", "news") == {}
    await two.ask("subscribe", "news")
    await server.publish("news", {"type": "tick", "payload": {"n": 1}})
    assert await one.event("tick") == [{"n": 1}]
    assert await two.event("tick") == [{"n": 1}]
    await one.ask("unsubscribe", "news")
    assert await two.ask("publish", "news", ["plain"]) == {}
    (publication,) = await two.event("publication")
    assert (publication["channel"], publication["data"], publication["offset"]) == ("news", ["plain"], 2)
    assert not one.has_seen("event")


async def test_binary_values_in_a_channel_reach_everybody(serve: Serve, open_socket: OpenSocket) -> None:
    server = await serve(house())
    socket = await open_socket(server)
    await socket.ask("subscribe", "files")
    file = {"_placeholder": True, "num": 0}
    for _ in range(3):
        await server.publish("files", {"type": "file", "arguments": ["name", file], "attachments": ["YWJj"]})
    for _ in range(3):
        assert await socket.event("file") == ["name", b"abc"]


async def test_presence_and_history_are_there(serve: Serve, open_socket: OpenSocket) -> None:
    server = await serve(house())
    socket = await open_socket(server)
    await socket.ask("subscribe", "news", {"join_leave": True})
    await socket.ask("publish", "news", 1)
    await socket.ask("publish", "news", 2)
    page = await socket.ask("history", "news", {"limit": 1, "since": {"offset": 1, "epoch": ""}})
    assert [publication["data"] for publication in page["publications"]] == [2]
    assert await socket.ask("presence_stats", "news") == {"num_clients": 1, "num_users": 1}
    assert len((await socket.ask("presence", "news"))["presence"]) == 1
    assert (await socket.event("join"))[0]["channel"] == "news"


async def test_what_was_missed_in_a_channel_comes_with_the_ack(serve: Serve, open_socket: OpenSocket) -> None:
    server = await serve(house())
    position = await server.publish_each("news", range(3))
    socket = await open_socket(server)
    wanted = {"recover": True, "epoch": position.epoch, "offset": 1}
    answer = await socket.ask("subscribe", "news", wanted)
    assert answer["recovered"] is True
    assert [publication["data"] for publication in answer["publications"]] == [1, 2]


async def test_a_token_says_who_it_is(serve: Serve, open_socket: OpenSocket) -> None:
    server = await serve(Hub(verifier=verifier()))
    await open_socket(server, auth={"token": token("42")})
    assert [client.identity.user for client in server.hub.clients.values()] == ["42"]


@pytest.mark.parametrize(
    ("shown", "message", "code"), [(EXPIRED, "token expired", 109), (FORGED, "invalid token", 3500)]
)
async def test_a_bad_token_is_refused(
    serve: Serve, open_socket: OpenSocket, shown: str, message: str, code: int
) -> None:
    server = await serve(Hub(verifier=verifier()))
    socket = await open_socket(server, connect=False, auth={"token": shown}, reconnection=False)
    await socket.start()
    assert (await socket.expect("connect_error", message=message))["data"] == {"code": code}
    assert not server.hub.clients


@ONLY_NODE
async def test_a_refused_client_may_try_again_on_the_same_connection(serve: Serve, open_socket: OpenSocket) -> None:
    server = await serve(Hub(verifier=verifier()))
    socket = await open_socket(server, connect=False, auth={"token": EXPIRED})
    await socket.start()
    await socket.expect("connect_error")
    await socket.run("auth", auth={"token": token("42")})
    await socket.connected()


async def test_a_namespace_that_is_none_is_refused(serve: Serve, open_socket: OpenSocket) -> None:
    socket = await open_socket(await serve(house()), "/none", connect=False, reconnection=False)
    await socket.start()
    await socket.expect("connect_error", message="Invalid namespace")


async def test_an_application_may_refuse_with_a_reason(serve: Serve, open_socket: OpenSocket) -> None:
    hub = house()

    @hub.sections["chat"].on_connecting
    async def check(request: ConnectRequest, identity: Identity) -> None:
        assert msgspec.json.decode(request.data) == {"name": "Ada"}
        raise RefusedError.because(401, "not today", data={"until": "tomorrow"})

    socket = await open_socket(await serve(hub), "/chat", connect=False, auth={"name": "Ada"}, reconnection=False)
    await socket.start()
    assert (await socket.expect("connect_error", message="not today"))["data"] == {"until": "tomorrow"}


@ONLY_NODE
async def test_namespaces_share_a_connection(serve: Serve, open_socket: OpenSocket) -> None:
    server = await serve(house())
    one = await open_socket(server)
    two = await open_socket(server, "/chat", beside=one)
    assert server.gate.open_sockets == 1
    assert sorted(client.section for client in server.hub.clients.values()) == ["", "chat"]
    await two.stop()
    assert await one.ask("add", 1, 2) == 3
    assert [client.section for client in server.hub.clients.values()] == [""]


async def test_a_client_that_is_sent_away_stays_away(serve: Serve, open_socket: OpenSocket) -> None:
    server = await serve(house())
    socket = await open_socket(server, connect=False)
    me = (await socket.connected())["id"]
    await server.on(server.hub.disconnect(client=me))
    assert (await socket.expect("disconnect"))["reason"] in ("io server disconnect", "server disconnect")
    assert not server.hub.clients


async def test_a_client_that_is_to_come_back_does(serve: Serve, open_socket: OpenSocket) -> None:
    server = await serve(house())
    socket = await open_socket(server, connect=False)
    me = (await socket.connected())["id"]
    await server.on(server.hub.disconnect(client=me, closure=DisconnectError.because(4000, "move on").closure))
    await socket.expect("disconnect")
    assert (await socket.expect("connect"))["id"] != me


async def test_clients_come_back_when_the_server_was_restarted(serve: Serve, open_socket: OpenSocket) -> None:
    server = await serve(house())
    socket = await open_socket(server)
    await server.stop()
    await socket.expect("disconnect")
    await server.start(house())
    await socket.expect("connect")
    assert await socket.ask("add", 1, 2) == 3


@UPGRADING
async def test_nothing_is_lost_repeated_or_reordered_by_an_upgrade(serve: Serve, open_socket: OpenSocket) -> None:
    server = await serve(house())
    socket = await open_socket(server, "/chat", connect=False)
    number, total = 0, 4_000
    await socket.connected(settled=False)
    await socket.ask("subscribe", "numbers")
    asking = asyncio.create_task(socket.run("flood", event="note", **{"from": 0, "to": 2_000}))
    while number < total:
        await server.publish_each("numbers", range(number, number + 100))
        number += 100
    assert await asking == [1_999]
    seen = [(await socket.event("publication"))[0]["data"] for _ in range(total)]
    assert seen == list(range(total))
    assert server.hub.notes == list(range(2_000))  # type: ignore[attr-defined]
    assert await socket.run("transport") == "websocket"


@ONCE
async def test_both_dialects_see_one_order(serve: Serve, open_socket: OpenSocket) -> None:
    server = await serve(house())
    socket = await open_socket(server)
    native = await RawSocket.opened(server.url)
    await native.ask("connect")
    await native.ask("subscribe", channel="news")
    await socket.ask("subscribe", "news")

    async def from_native() -> None:
        for number in range(50):
            await native.send({"id": 1000 + number, "publish": {"channel": "news", "data": f"n{number}"}})

    async def from_socket() -> None:
        for number in range(50):
            await socket.emit("publish", "news", f"s{number}")

    await asyncio.gather(from_native(), from_socket())
    by_socket = [(await socket.event("publication"))[0]["data"] for _ in range(100)]
    by_native: list[str] = []
    while len(by_native) < 100:
        line = await native.line()
        if "push" in line:
            by_native.append(line["push"]["pub"]["data"])
    assert by_socket == by_native
    await native.close()
