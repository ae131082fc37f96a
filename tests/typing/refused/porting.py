"""What must not type-check: each line that is marked has the error that its mark names, and no other line has any."""

from vagus import Hub
from vagus.porting.signalr import SignalRHub, serve
from vagus.porting.socketio import ConnectionRefused, Namespace, Socket

hub = Hub()

Namespace("/chat")  # E: arg-type
Namespace(hub, "/chat", allow="user")  # E: arg-type
Namespace(hub, "/chat", rooms={"historie": None})  # E: arg-type
ConnectionRefused(403)  # E: arg-type
serve(hub, "board", Hub)  # E: arg-type
serve(hub, "board", SignalRHub())  # E: arg-type
chat = Namespace(hub)


class Board(SignalRHub):
    async def on_connected(self) -> None:
        self.context.item["n"] = 1  # E: attr-defined
        await self.clients.all.invoke("x")  # E: attr-defined
        await self.groups.add("a")  # E: call-arg

    async def on_disconnected(self) -> None: ...  # E: override


async def use(socket: Socket) -> None:
    await socket.emit()  # E: call-arg
    await socket.call("x", timeout="1")  # E: call-arg
    await socket.to("a").join("b")  # E: attr-defined
    await chat.to(1).emit("x")  # E: arg-type
    socket.id = "other"  # E: misc
