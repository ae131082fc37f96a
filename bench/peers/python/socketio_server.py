"""The python-socketio peer, over WebSocket alone: `subscribe` joins a room and acknowledges, `publish` emits to it."""

import socketio
from serving import serve

server = socketio.AsyncServer(async_mode="asgi", transports=["websocket"], cors_allowed_origins="*")


@server.event
async def subscribe(sid: str, channel: str) -> None:
    await server.enter_room(sid, channel)


@server.event
async def publish(sid: str, channel: str, data: object) -> None:
    await server.emit("message", data, room=channel)


serve(socketio.ASGIApp(server), lifespan="off")
