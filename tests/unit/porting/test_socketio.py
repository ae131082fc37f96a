"""Namespaces, sockets and acks, as those who have a Socket.IO server write them."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from weakref import ref

import msgspec
import pytest

from tests.unit.porting.guests import Guest, guest_of, trusting_hub
from vagus.hub.hub import Hub
from vagus.kernel import codes
from vagus.kernel.errors import RefusedError
from vagus.kernel.identity import Identity
from vagus.porting.socketio import Broadcast, ConnectionRefused, Namespace, RemoteSocket, Socket
from vagus.testing import World, in_memory


def chat_of(**options: Any) -> Namespace:
    """A namespace whose sockets may do a few things."""
    chat = Namespace(trusting_hub(), "/chat", **options)

    @chat.on("join")
    async def join(socket: Socket, *rooms: str) -> list[str]:
        for room in rooms:
            await socket.join(room)
        return sorted(socket.rooms)

    @chat.on("leave")
    async def leave(socket: Socket, room: str) -> list[str]:
        await socket.leave(room)
        return sorted(socket.rooms)

    @chat.on("say")
    async def say(socket: Socket, room: str, *words: Any) -> None:
        await socket.to(room).emit("said", socket.user, *words)

    @chat.on("shout")
    async def shout(socket: Socket, word: str) -> None:
        await socket.broadcast.emit("shouted", word)

    return chat


async def crowd(world: World, *users: str) -> list[Guest]:
    return [await guest_of(world, "chat", user) for user in users]


@pytest.mark.parametrize("name", ["chat", "", "/a/b", "/a b", "/vagus"])
def test_a_namespace_has_a_name_that_an_address_can_hold(name: str) -> None:
    with pytest.raises(ValueError, match=r"named like '/chat'|section"):
        Namespace(Hub(), name)


def test_a_name_is_given_once() -> None:
    hub = Hub()
    Namespace(hub, "/chat")
    with pytest.raises(ValueError, match="there is a section 'chat' already"):
        Namespace(hub, "/chat")


@pytest.mark.parametrize("type", ["connect", "disconnect", "newListener", ""])
async def test_names_that_clients_keep_for_themselves_are_refused(type: str) -> None:
    chat = Namespace(trusting_hub(), "/chat")
    with pytest.raises(ValueError, match="cannot be named"):
        chat.on(type)
    async with in_memory(chat.hub):
        for refused in (chat.emit(type), chat.socket("x").emit(type), Socket(chat, "x", Identity(), None).call(type)):  # type: ignore[arg-type]  # no origin is looked at
            with pytest.raises(ValueError, match="cannot be named"):
                await refused


def test_a_handler_gives_one_ack() -> None:
    chat = Namespace(Hub(), "/chat")

    async def count(socket: Socket) -> AsyncIterator[int]:
        yield 1

    with pytest.raises(TypeError, match="an ack is given once"):
        chat.on("count")(count)


# handlers


async def test_what_a_handler_returns_is_the_ack() -> None:
    chat = chat_of()

    @chat.on("plain")
    def plain(socket: Socket, first: int, second: int = 2) -> list[int]:
        return [first, second]

    @chat.on("async")
    async def later(socket: Socket, content: bytes) -> dict[str, bytes]:
        await asyncio.sleep(0)
        return {"turned": content[::-1]}

    async with in_memory(chat.hub) as world:
        (ada,) = await crowd(world, "ada")
        ada.invoke("chat.plain", 1)
        ada.invoke("chat.async", b"abc")
        ada.invoke("chat.shout", "hi")
        await asyncio.sleep(1)
        assert ada.answers() == [([1, 2],), ({"turned": b"cba"},), (None,)]


async def test_arguments_that_do_not_fit_and_errors_are_told_in_the_ack() -> None:
    chat = chat_of()

    @chat.on("buy")
    def buy(socket: Socket, count: int) -> None:
        if count > 10:
            raise RefusedError.because(409, "sold out")
        raise KeyError(count)

    async with in_memory(chat.hub) as world:
        (ada,) = await crowd(world, "ada")
        for arguments in (["two"], [11], [1]):
            ada.invoke("chat.buy", *arguments)
        await world.settle()
        assert ada.answers() == [
            (107, "bad request: argument 1: Expected `int`, got `str`"),
            (409, "sold out"),
            (100, "internal server error"),
        ]


async def test_events_of_a_socket_are_handled_one_after_the_other() -> None:
    chat = chat_of()
    order: list[str] = []

    @chat.on("slow")
    async def slow(socket: Socket) -> None:
        await asyncio.sleep(1)
        order.append("slow")

    @chat.on("fast")
    def fast(socket: Socket) -> None:
        order.append("fast")

    async with in_memory(chat.hub) as world:
        (ada,) = await crowd(world, "ada")
        ada.invoke("chat.slow")
        ada.invoke("chat.fast")
        await asyncio.sleep(2)
    assert order == ["slow", "fast"]


async def test_a_socket_is_the_same_for_as_long_as_it_is_connected() -> None:
    chat = chat_of()

    @chat.on("count")
    def count(socket: Socket) -> int:
        socket.data["count"] = socket.data.get("count", 0) + 1
        return int(socket.data["count"])

    async with in_memory(chat.hub) as world:
        (ada,) = await crowd(world, "ada")
        for _ in range(2):
            ada.invoke("chat.count")
        await world.settle()
        assert ada.answers() == [(1,), (2,)]
        kept = ref(chat.socket(ada.id))
        ada.client.lost()
        (again,) = await crowd(world, "ada")
        again.invoke("chat.count")
        await world.settle()
        assert again.answers() == [(1,)]
    assert kept() is None


async def test_handlers_may_be_for_some_only() -> None:
    chat = Namespace(trusting_hub(), "/chat", allow=("anyone",))
    chat.on("open")(lambda socket: socket.user)
    chat.on("closed", allow=("user",))(lambda socket: socket.user)
    async with in_memory(chat.hub) as world:
        (nobody,) = await crowd(world, "")
        nobody.invoke("chat.open")
        nobody.invoke("chat.closed")
        await world.settle()
        assert nobody.answers() == [("",), (103, "permission denied")]


async def test_a_native_client_emits_events_too() -> None:
    chat = chat_of()
    async with in_memory(chat.hub) as world:
        ben = await world.connect(user="ben")
        assert await ben.call("chat.join", "lobby") == ["lobby"]
        (ada,) = await crowd(world, "ada")
        ada.invoke("chat.say", "lobby", "hi")
        await world.settle()
        heard = [entry.data for entry in await ben.heard() if hasattr(entry, "data")]
        assert heard == [{"type": "said", "arguments": ["ada", "hi"]}]


# connecting


async def test_who_is_refused_is_told_why() -> None:
    chat = chat_of()

    @chat.on_connect
    async def check(socket: Socket, auth: Any) -> None:
        if auth != {"word": "sesame"}:
            raise ConnectionRefused("who are you?", {"hint": "it opens"})

    async with in_memory(chat.hub) as world:
        eve = await guest_of(world, "chat", data={"word": "please"})
        assert eve.answers() == [(403, "who are you?")]
        assert await chat.sockets() == []
        ada = await guest_of(world, "chat", data={"word": "sesame"})
        assert await chat.sockets() == [ada.id]
        native = await world.connect(user="ada")
        with pytest.raises(RefusedError, match="who are you"):
            await native.call("chat.shout", "open")


def test_a_refusal_carries_details_or_none() -> None:
    assert ConnectionRefused("no", [1]).fault.data == msgspec.Raw(b"[1]")
    assert ConnectionRefused().fault == codes.Fault(403, "not authorized")


async def test_what_a_socket_is_told_before_it_is_let_in_is_done_when_it_is() -> None:
    chat = chat_of()

    @chat.on_connect
    async def prepare(socket: Socket, auth: Any) -> None:
        await socket.join("lobby")
        await socket.emit("welcome", socket.user, auth)
        assert socket.rooms == set()

    @chat.on_connected
    async def enter(socket: Socket) -> None:
        await chat.to("lobby").emit("came", socket.user, socket.auth)

    async with in_memory(chat.hub) as world:
        ada = await guest_of(world, "chat", data={"a": 1})
        assert sorted(ada.heard()) == [("came", ["ada", {"a": 1}]), ("welcome", ["ada", {"a": 1}])]


async def test_a_socket_that_is_disconnected_before_it_is_let_in_is_sent_away() -> None:
    chat = chat_of()

    @chat.on_connect
    async def refuse(socket: Socket, auth: Any) -> None:
        await socket.disconnect()

    async with in_memory(chat.hub) as world:
        assert (await guest_of(world, "chat")).closure is codes.FORCE_DISCONNECT


@pytest.mark.parametrize(
    ("closure", "reason"),
    [
        (codes.CONNECTION_CLOSED, "transport close"),
        (codes.NO_PONG, "ping timeout"),
        (codes.FORCE_DISCONNECT, "server namespace disconnect"),
        (codes.SHUTDOWN, "server shutting down"),
        (codes.SLOW, "slow"),
    ],
)
async def test_a_namespace_is_told_why_a_socket_is_gone(closure: codes.Closure, reason: str) -> None:
    chat = chat_of()
    gone: list[Any] = []

    @chat.on_disconnect
    async def leave(socket: Socket, reason: str) -> None:
        gone.append((socket.user, reason, socket.rooms))

    async with in_memory(chat.hub) as world:
        (ada,) = await crowd(world, "ada")
        ada.client.disconnect(closure)
        await world.settle()
        assert gone == [("ada", reason, set())]


async def test_a_namespace_without_a_word_for_its_ends_has_none() -> None:
    chat = chat_of()
    async with in_memory(chat.hub) as world:
        (ada,) = await crowd(world, "ada")
        ada.client.lost()
        assert await chat.sockets() == []


async def test_a_socket_knows_who_and_where_it_is() -> None:
    chat = chat_of()
    async with in_memory(chat.hub) as world:
        (ada,) = await crowd(world, "ada")
        socket = chat.socket(ada.id)
        assert isinstance(socket, Socket)
        assert (socket.id, socket.user, socket.identity) == (ada.id, "ada", Identity(user="ada"))
        assert socket.origin.address == "127.0.0.1"
        ada.client.lost()
        assert socket.user == "ada"


async def test_the_root_namespace_is_for_whoever_connects() -> None:
    root = Namespace(trusting_hub(), "/")
    root.on("ping")(lambda socket: "pong")
    async with in_memory(root.hub) as world:
        ada = await world.connect(user="ada")
        assert await ada.call("ping") == "pong"
        assert await root.sockets() == [ada.id]
        await root.emit("news", 1)
        assert [entry.data for entry in await ada.heard() if hasattr(entry, "data")][-1] == {
            "type": "news",
            "payload": 1,
        }


# rooms


async def test_an_event_reaches_a_room_but_for_its_sender() -> None:
    chat = chat_of()
    async with in_memory(chat.hub) as world:
        ada, ben, eve = await crowd(world, "ada", "ben", "eve")
        for guest in (ada, ben):
            guest.invoke("chat.join", "lobby")
        ada.invoke("chat.say", "lobby", "hi", b"\x00")
        await world.settle()
        assert (ada.heard(), ben.heard(), eve.heard()) == ([], [("said", ["ada", "hi", b"\x00"])], [])
        ada.invoke("chat.shout", "hey")
        await world.settle()
        assert (ada.heard(), ben.heard(), eve.heard()) == ([], [("shouted", ["hey"])], [("shouted", ["hey"])])


async def test_a_socket_that_left_a_room_hears_no_more_of_it() -> None:
    chat = chat_of()
    async with in_memory(chat.hub) as world:
        (ada,) = await crowd(world, "ada")
        ada.invoke("chat.join", "a", "b")
        ada.invoke("chat.leave", "a")
        await world.settle()
        assert ada.answers() == [(["a", "b"],), (["b"],)]
        await chat.to("a").emit("x")
        await chat.to("a", "b").emit("y")
        await world.settle()
        assert ada.heard() == [("y", [])]


async def test_events_go_to_rooms_everybody_or_one_from_outside_of_handlers() -> None:
    chat = chat_of()
    async with in_memory(chat.hub) as world:
        ada, ben, eve = await crowd(world, "ada", "ben", "eve")
        for guest, room in ((ada, "a"), (ben, "b")):
            await chat.socket(guest.id).join(room)
        await chat.emit("all")
        await chat.except_(ada.id).emit("most")
        await chat.to("a").to("b").except_(ben.id).emit("some")
        await world.settle()
        assert ada.heard() == [("all", []), ("some", [])]
        assert ben.heard() == eve.heard() == [("all", []), ("most", [])]
        await chat.socket(eve.id).emit("one", 1)
        await world.settle()
        assert (ada.heard(), ben.heard(), eve.heard()) == ([], [], [("one", [1])])
        assert await chat.sockets("a") == [ada.id]


async def test_a_socket_on_another_node_is_addressed_by_its_id() -> None:
    chat = chat_of()
    async with in_memory(chat.hub):
        far = chat.socket("elsewhere")
        assert type(far) is RemoteSocket
        for act in (far.emit("x"), far.join("a"), far.leave("a"), far.disconnect()):
            await act


async def test_the_id_of_a_socket_is_no_room() -> None:
    chat = chat_of()
    async with in_memory(chat.hub) as world:
        (ada,) = await crowd(world, "ada")
        with pytest.raises(ValueError, match="is the id of a socket"):
            chat.to(ada.id)


async def test_a_room_without_a_name_is_refused() -> None:
    chat = chat_of()
    async with in_memory(chat.hub) as world:
        (ada,) = await crowd(world, "ada")
        ada.invoke("chat.join", "")
        await world.settle()
        assert ada.answers() == [(107, "bad request")]


def test_whom_an_event_goes_to_is_a_value() -> None:
    chat = chat_of()
    lobby = chat.to("lobby")
    assert lobby.to("hall") is not lobby
    assert isinstance(lobby.except_("x"), Broadcast)


# asking


@pytest.mark.parametrize(("values", "result"), [([], None), ([1], 1), ([1, b"x"], (1, b"x"))])
async def test_an_ack_of_the_client_is_the_result_of_a_call(values: list[Any], result: Any) -> None:
    chat = chat_of()
    results: list[Any] = []

    @chat.on("start")
    async def start(socket: Socket) -> None:
        results.append(await socket.call("question", "?", timeout_s=5))

    async with in_memory(chat.hub) as world:
        (ada,) = await crowd(world, "ada")
        ada.invoke("chat.start")
        await world.settle()
        assert ada.said[-1] == ("question", 1, "question", ["?"])
        ada.answer(1, *values)
        await world.settle()
    assert results == [result]


async def test_an_ack_that_never_comes_is_a_timeout() -> None:
    chat = chat_of()
    async with in_memory(chat.hub) as world:
        (ada,) = await crowd(world, "ada")
        socket = chat.socket(ada.id)
        assert isinstance(socket, Socket)
        with pytest.raises(TimeoutError):
            await socket.call("question", timeout_s=1)
