"""The smallest hub of one's own: who connects, who may follow what, and a call; no framework around it.

    uvicorn examples.hub:app

Then connect any Centrifuge client to ws://127.0.0.1:8000/connection/websocket with the token "sesame", subscribe to
"chat:lobby" and call "say" with {"room": "lobby", "text": "hello"}.
"""

import msgspec

from vagus import Caller, ConnectRequest, Hub, Identity, Last, asgi_app

hub = Hub()

USERS = {"sesame": "alice"}  # stands for your sessions


class Say(msgspec.Struct):
    room: str
    text: str


class Said(msgspec.Struct):
    offset: int


@hub.authenticate
async def who(request: ConnectRequest) -> Identity | None:
    user = USERS.get(request.token)
    return Identity(user=user) if user is not None else None


@hub.channel("chat:{room}", history=Last(100, minutes=10))
async def may_follow(identity: Identity, room: str) -> bool:
    return bool(identity.user) and room != "secret"


@hub.call("say")
async def say(caller: Caller, request: Say) -> Said:
    receipt = await hub.publish(f"chat:{request.room}", {"from": caller.user, "text": request.text})
    return Said(offset=receipt.position.offset)


app = asgi_app(hub)  # starts and stops the hub with the server
