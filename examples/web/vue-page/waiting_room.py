"""A waiting room: people take a number, a clerk calls the next one, and every page sees it at once.

npx vite build          in this folder, see docs/recipes.md
uvicorn waiting_room:app
"""

from pathlib import Path

import msgspec
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from vagus import Caller, ChannelRule, Hub, Last, RefusedError, asgi_app

ANYONE = ("anyone",)


class Room(msgspec.Struct):
    called: int = 0
    taken: int = 0


room = Room()  # stands for your database

hub = Hub(
    rules=[ChannelRule(pattern="room", history=Last(1, hours=24), recovery="cache", subscribe=ANYONE)],
    allow_anonymous=True,  # in a real one, hub.authenticate says who calls
)


@hub.call("room.take", allow=ANYONE)
async def take(caller: Caller) -> int:
    """Give the caller a number."""
    room.taken += 1
    number = room.taken
    await hub.publish("room", room)
    return number


@hub.call("room.next", allow=ANYONE)
async def call_next(caller: Caller) -> Room:
    """Call the next number."""
    if room.called == room.taken:
        raise RefusedError.because(404, "nobody is waiting")
    room.called += 1
    await hub.publish("room", room)
    return room


app = Starlette(
    routes=[
        Mount("/connection", asgi_app(hub)),
        Mount("/", StaticFiles(directory=Path(__file__).parent / "dist", html=True, check_dir=False)),
    ],
)
