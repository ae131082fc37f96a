"""Namespaces, a hub class and plain channels in one hub on one port: each has its own clients, and they can meet."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.integration.native.peers import Peer, Refused, refusal
from tests.integration.native.serving import Server
from tests.integration.signalr.hubpeer import HubPeer
from tests.integration.socketio.sockets import Socket as Peeker
from tests.patience import DEADLINE_S
from vagus import Caller, ConnectRequest, Hub, Identity, Last
from vagus.porting.signalr import HubContext, SignalRHub, serve
from vagus.porting.socketio import Namespace, Socket

from .conftest import NODE, PYTHON, OpenHub, OpenNative, OpenSocket, Serve

MANY = 50


class House:
    """All of it, and what its functions saw."""

    def __init__(self) -> None:
        self.hub = Hub()
        self.seen: list[tuple[Any, ...]] = []
        self._furnish()
        self.chat = self._chat()
        self.lobby = self._lobby()
        self.board = self._board()

    def _furnish(self) -> None:
        @self.hub.authenticate
        async def who(request: ConnectRequest) -> Identity | None:
            return Identity(user=request.token) if request.token else None

        @self.hub.channel("news", history=Last(10, hours=1))
        async def may_follow(identity: Identity) -> bool:
            return bool(identity.user)

        @self.hub.call("greet")
        async def greet(caller: Caller, name: str) -> str:
            return f"{caller.user} greets {name}"

    def _chat(self) -> Namespace:
        chat = Namespace(self.hub, "/chat", rooms={"subscribe": ("user",), "publish": ("subscriber",)})

        @chat.on_connected
        async def enter(socket: Socket) -> None:
            self.seen.append(("chat", socket.user))
            await socket.join("lobby")

        @chat.on("say")
        async def say(socket: Socket, *words: Any) -> None:
            await chat.to("lobby").emit("said", socket.user, *words)

        @chat.on_disconnect
        async def leave(socket: Socket, reason: str) -> None:
            self.seen.append(("left chat", socket.user))

        return chat

    def _lobby(self) -> Namespace:
        lobby = Namespace(self.hub, "/lobby")

        @lobby.on("say")
        async def say(socket: Socket, text: str) -> str:
            return f"nobody hears {text!r}"

        return lobby

    def _board(self) -> HubContext:
        house = self

        class Board(SignalRHub):
            async def on_connected(self) -> None:
                house.seen.append(("board", self.context.user_identifier))

            async def say(self, text: str) -> None:
                """The same name as in the chat, of another hub."""
                await self.clients.all.send("Pinned", text)

            async def tell_chat(self, text: str) -> None:
                await house.chat.emit("told", self.context.user_identifier, text)

        return serve(self.hub, "board", Board)


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
async def server(serve: Serve, house: House) -> AsyncIterator[Server]:
    yield await serve(house.hub)


async def test_each_name_means_what_it_means_where_it_is_said(
    house: House, server: Server, open_socket: OpenSocket, open_hub: OpenHub, open_native: OpenNative
) -> None:
    ann = await open_socket(server, "/chat", "ann")
    ann_in_lobby = await open_socket(server, "/lobby", "ann", beside=ann)
    ben = await open_socket(server, "/chat", "ben", library=PYTHON)
    eva = await open_hub(server, "board", "eva", methods=("Pinned", "said"))
    joe = await open_hub(server, "board", "joe", "messagepack", methods=("Pinned", "said"))
    kim = await open_native(server, "kim")
    assert sorted(house.seen) == [("board", "eva"), ("board", "joe"), ("chat", "ann"), ("chat", "ben")]

    await ann.ask("say", "hi", b"\x00\xff")
    assert await ann.event("said") == await ben.event("said") == ["ann", "hi", b"\x00\xff"]
    assert await ann_in_lobby.ask("say", "hi") == "nobody hears 'hi'"
    await eva.invoke("Say", "a note")
    assert await eva.called("Pinned") == await joe.called("Pinned") == ["a note"]
    assert await kim.rpc("greet", "all") == "kim greets all"
    assert await eva.invoke("SAY", "more") is None
    assert [peer.has_seen("event") for peer in (ann, ann_in_lobby, ben)] == [[], [], []]


async def test_a_method_of_one_emits_to_the_other(server: Server, open_socket: OpenSocket, open_hub: OpenHub) -> None:
    ann = await open_socket(server, "/chat", "ann")
    eva = await open_hub(server, "board", "eva")
    await eva.invoke("TellChat", "dinner")
    assert await ann.event("told") == ["eva", "dinner"]


async def said_by(peer: Peer | HubPeer | Peeker, number: int) -> list[Any]:
    """The arguments of the next events ``said``, in whatever dialect."""
    if isinstance(peer, HubPeer):
        return [await peer.called("said") for _ in range(number)]
    if isinstance(peer, Peeker):
        return [await peer.event("said") for _ in range(number)]
    return [data["arguments"] for data in await peer.data("chat:lobby", number)]


async def test_clients_of_every_dialect_follow_a_room_in_one_order(
    house: House, server: Server, open_socket: OpenSocket, open_hub: OpenHub, open_native: OpenNative
) -> None:
    ann, ben = [await open_socket(server, "/chat", user, library=lib) for user, lib in (("ann", NODE), ("ben", PYTHON))]
    eva = await open_hub(server, "board", "eva", methods=("said",))
    joe = await open_hub(server, "board", "joe", "messagepack", methods=("said",))
    for peer in (eva, joe):
        await peer.invoke("Subscribe", "chat:lobby")
    kim = await open_native(server, "kim")
    await kim.subscribe("chat:lobby")
    numbers = range(MANY)
    await asyncio.gather(*[peer.emit("say", n) for n in numbers for peer in (ann, ben)])
    async with asyncio.timeout(DEADLINE_S):
        heard = [await said_by(peer, 2 * MANY) for peer in (ann, ben, eva, joe, kim)]
    assert sorted(heard[0]) == sorted([user, n] for user in ("ann", "ben") for n in numbers)
    assert all(each == heard[0] for each in heard)
    for user in ("ann", "ben"):
        assert [n for who, n in heard[0] if who == user] == list(numbers)


async def test_an_event_that_a_native_client_publishes_is_one_in_the_room(
    server: Server, open_socket: OpenSocket, open_native: OpenNative
) -> None:
    ann = await open_socket(server, "/chat", "ann")
    kim = await open_native(server, "kim")
    assert await refusal(kim.publish("chat:lobby", {"type": "said", "payload": 1})) == 103
    await kim.subscribe("chat:lobby")
    await kim.publish("chat:lobby", {"type": "said", "arguments": ["kim", "hello"]})
    assert await ann.event("said") == ["kim", "hello"]


async def test_whoever_calls_in_from_another_section_comes_in_as_all_do(
    house: House, server: Server, open_hub: OpenHub, open_native: OpenNative
) -> None:
    eva = await open_hub(server, "vagus", "eva", methods=("said",))
    await eva.invoke("chat.say", "hi")
    assert await eva.called("said") == ["eva", "hi"]
    kim = await open_native(server, "kim")
    await kim.rpc("chat.say", ["hi"])
    assert house.seen == [("chat", "eva"), ("chat", "kim")]
    await kim.stop()
    await eva.run("stop")
    await server.alone()
    assert sorted(house.seen[2:]) == [("left chat", "eva"), ("left chat", "kim")]
    assert house.chat.members.here == {}


async def test_what_is_no_section_is_refused(server: Server, open_socket: OpenSocket, open_hub: OpenHub) -> None:
    nowhere = await open_socket(server, "/nowhere", "ann", connect=False)
    await nowhere.start()
    assert (await nowhere.expect("connect_error"))["message"] == "Invalid namespace"
    with pytest.raises(Refused, match="404"):
        await open_hub(server, "nowhere", "ann")


async def test_nobody_without_a_name_comes_in(server: Server, open_socket: OpenSocket, open_hub: OpenHub) -> None:
    nobody = await open_socket(server, "/chat", "", connect=False)
    await nobody.start()
    await nobody.expect("connect_error")
    with pytest.raises(Refused):
        await open_hub(server, "board", "")
