"""A chat that was a Socket.IO server, moved over; docs/moving-from-socketio.md has the lines that these were.

    uvicorn examples.ported_chat:app

Then connect any Socket.IO client to http://127.0.0.1:8000/chat with ``auth: {token: "token-of-ann", room: "lobby"}``.
"""

from typing import Any

from vagus import ConnectRequest, Hub, Identity, RefusedError, asgi_app
from vagus.porting.socketio import ConnectionRefused, Namespace, Socket

hub = Hub()

USERS = {"token-of-ann": "ann", "token-of-ben": "ben", "token-of-eve": "eve"}  # stands for your sessions
BANNED = {"eve": "be kinder"}


@hub.authenticate
async def who(request: ConnectRequest) -> Identity | None:
    user = USERS.get(request.token)
    return Identity(user=user) if user is not None else None


chat = Namespace(hub, "/chat")


@chat.on_connect
async def check(socket: Socket, auth: Any) -> None:
    if socket.user in BANNED:
        raise ConnectionRefused("you are banned", {"reason": BANNED[socket.user]})


@chat.on_connected
async def enter(socket: Socket) -> None:
    socket.data["room"] = str((socket.auth or {}).get("room", "lobby"))
    await socket.join(socket.data["room"])
    await socket.to(socket.data["room"]).emit("joined", socket.user)


@chat.on("message")
async def message(socket: Socket, text: str) -> str:
    await socket.to(socket.data["room"]).emit("message", socket.user, text)
    return "delivered"


@chat.on("photo")
async def photo(socket: Socket, name: str, content: bytes) -> int:
    await socket.to(socket.data["room"]).emit("photo", socket.user, name, content)
    return len(content)


@chat.on("move")
async def move(socket: Socket, room: str) -> str:
    if await socket.call("confirm", f"leave {socket.data['room']}?", timeout_s=10) != "yes":
        raise RefusedError.because(409, "not confirmed")
    await socket.leave(socket.data["room"])
    socket.data["room"] = room
    await socket.join(room)
    return room


@chat.on("who")
async def present(socket: Socket) -> list[str]:
    return await chat.sockets(socket.data["room"])


@chat.on_disconnect
async def leave(socket: Socket, reason: str) -> None:
    await chat.to(socket.data["room"]).emit("left", socket.user, reason)


app = asgi_app(hub)
