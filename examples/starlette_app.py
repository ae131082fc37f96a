"""Vagus in a Starlette application: routes publish, browsers listen at /connection/websocket.

uvicorn examples.starlette_app:app
curl -X POST 127.0.0.1:8000/orders/42/status -H 'content-type: application/json' -d '{"status": "paid"}'
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route

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


async def change(request: Request) -> JSONResponse:
    receipt = await hub.publish(f"orders:{request.path_params['order_id']}", await request.json())
    return JSONResponse({"offset": receipt.position.offset})


@asynccontextmanager
async def lifespan(_: Starlette) -> AsyncIterator[None]:
    async with hub:
        yield


app = Starlette(
    lifespan=lifespan,
    routes=[
        Route("/orders/{order_id}/status", change, methods=["POST"]),
        Mount("/connection", asgi_app(hub)),
    ],
)
