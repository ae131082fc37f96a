"""Vagus in a Litestar application: routes publish, browsers listen at /connection/websocket.

    uvicorn examples.litestar_app:app
    curl -X POST 127.0.0.1:8000/orders/42/status -H 'content-type: application/json' -d '{"status": "paid"}'

Both speak msgspec, so a struct of a route can be published as it is.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
from litestar import Litestar, asgi, post
from litestar.params import FromPath, JSONBody

from vagus import Caller, ConnectRequest, Hub, Identity, Last, asgi_app

hub = Hub()

USERS = {"sesame": "alice"}  # stands for your sessions
ORDERS = {"alice": {"42"}}  # stands for your database


@hub.authenticate
async def who(request: ConnectRequest) -> Identity | None:
    user = USERS.get(request.token)
    return Identity(user=user) if user is not None else None


@hub.channel("orders:{order_id}", history=Last(100, hours=1))
async def may_follow(identity: Identity, order_id: str) -> bool:
    return order_id in ORDERS.get(identity.user, ())


class Cancel(msgspec.Struct):
    order_id: str


class Cancelled(msgspec.Struct):
    order_id: str
    by: str


@hub.call("orders.cancel")
async def cancel(caller: Caller, request: Cancel) -> Cancelled:
    await hub.publish(f"orders:{request.order_id}", {"status": "cancelled"})
    return Cancelled(order_id=request.order_id, by=caller.user)


class Status(msgspec.Struct):
    status: str


@post("/orders/{order_id:str}/status")
async def change(order_id: FromPath[str], data: JSONBody[Status]) -> dict[str, int]:
    receipt = await hub.publish(f"orders:{order_id}", data)
    return {"offset": receipt.position.offset}


@asynccontextmanager
async def lifespan(_: Litestar) -> AsyncIterator[None]:
    async with hub:
        yield


app = Litestar([change, asgi("/connection", is_mount=True, copy_scope=True)(asgi_app(hub))], lifespan=[lifespan])
