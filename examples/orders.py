"""A shop's orders, live: customers follow their own orders and may cancel them, the shop follows all.

    uvicorn examples.orders:app

Who connects, who may follow what, and what a call takes and gives are plain typed functions; messages that were missed
while a phone was in a tunnel are replayed, since the channel keeps a history.
"""

import msgspec

from vagus import Caller, ConnectRequest, Hub, Identity, Last, RefusedError, Role, asgi_app

hub = Hub()

CUSTOMERS = {"token-of-ann": "ann", "token-of-ben": "ben"}  # stands for your sessions
SHOP = "token-of-the-shop"
OWNERS = {"1": "ann", "2": "ann", "3": "ben"}  # stands for your database
SHIPPED = {"2"}


class CancelOrder(msgspec.Struct):
    order_id: str
    reason: str = ""


class Cancelled(msgspec.Struct):
    order_id: str
    refund_cents: int


@hub.authenticate
async def who(request: ConnectRequest) -> Identity | None:
    if request.token == SHOP:
        return Identity(user="shop", roles=frozenset({Role.OPERATOR}))
    customer = CUSTOMERS.get(request.token)
    return Identity(user=customer) if customer is not None else None


@hub.channel("orders:{order_id}", history=Last(100, hours=1), presence=True, subscribe=("@operator",))
async def may_follow(identity: Identity, order_id: str) -> bool:
    return OWNERS.get(order_id) == identity.user


@hub.call("orders.cancel")
async def cancel(caller: Caller, request: CancelOrder) -> Cancelled:
    if OWNERS.get(request.order_id) != caller.user:
        raise RefusedError.because(404, "no such order")
    if request.order_id in SHIPPED:
        raise RefusedError.because(409, "already shipped")
    await hub.publish(
        f"orders:{request.order_id}", {"status": "cancelled", "reason": request.reason}, tags={"kind": "status"}
    )
    return Cancelled(order_id=request.order_id, refund_cents=1250)


app = asgi_app(hub)
