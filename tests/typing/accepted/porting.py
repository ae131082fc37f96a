"""What those write who move a Socket.IO server or a SignalR hub over: all of it type-checks in strict mode."""

from collections.abc import AsyncIterator
from typing import Any, assert_type

import msgspec

from vagus import Hub, Identity, Last
from vagus.porting.signalr import ClientProxy, HubContext, HubError, SignalRHub, authorize, serve
from vagus.porting.socketio import Broadcast, ConnectionRefused, Namespace, RemoteSocket, Socket

hub = Hub()
chat = Namespace(hub, "/chat", allow=("anyone",), rooms={"history": Last(10, hours=1), "subscribe": ("user",)})


@chat.on_connect
async def check(socket: Socket, auth: Any) -> None:
    raise ConnectionRefused("no", {"why": auth})


@chat.on_connected
def enter(socket: Socket) -> None:
    socket.data["n"] = 1


@chat.on("say", allow=("@speaker",))
async def say(socket: Socket, text: str, times: int = 1) -> int:
    await socket.to("a", "b").except_("id").emit("said", text, b"\x00")
    return times


@chat.on_disconnect
async def leave(socket: Socket, reason: str) -> None:
    await chat.emit("left", reason)


class Card(msgspec.Struct):
    title: str


class Board(SignalRHub):
    async def on_connected(self) -> None:
        self.context.items["n"] = 1

    @authorize("@editor")
    async def move(self, card: Card) -> bool:
        if not card.title:
            raise HubError("no title")
        return bool(await self.clients.caller.invoke("Sure", timeout_s=1))

    async def count(self, to: int) -> AsyncIterator[int]:
        yield to


board = serve(hub, "board", Board, allow=("user",), groups={"presence": False})


async def use(socket: Socket) -> None:
    # Decorators leave a function what it was.
    assert_type(await say(socket, "a", times=2), int)
    assert_type(await Board().move(Card("a")), bool)
    assert_type(enter(socket), None)
    assert_type(board, HubContext)
    assert_type(board.clients.group("a"), ClientProxy)
    assert_type(chat.to("a"), Broadcast)
    assert_type(chat.socket("id"), RemoteSocket)
    assert_type(await chat.sockets("a"), list[str])
    assert_type(socket.identity, Identity)
    assert_type(socket.rooms, frozenset[str])
    await board.clients.all_except(["a"]).send("x", 1)
    await board.groups.add("id", "a")
