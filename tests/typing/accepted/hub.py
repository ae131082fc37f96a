"""What an application writes, and must type-check as it stands."""

from typing import assert_type

import msgspec

from vagus import Caller, ChannelRule, ConnectRequest, Grant, Hub, Identity, Last, Position, Query, Rate, Role
from vagus import Limits as Bounds
from vagus.kernel.history import Page
from vagus.kernel.publications import ClientInfo, Receipt
from vagus.testing import FakeClock, MemoryClient, Received, in_memory

hub = Hub(
    rules=[ChannelRule(pattern="news", history=Last(10, hours=1), subscribe=("anyone",))],
    limits=Bounds(commands=Rate(5, 10)),
)


class CancelOrder(msgspec.Struct):
    id: int


class Cancelled(msgspec.Struct):
    at: float


@hub.authenticate
async def who(request: ConnectRequest) -> Identity | None:
    return Identity(user=request.token, roles=frozenset({Role.ADMIN}))


@hub.channel("orders:{order_id}", history=Last(100, hours=1), presence=True)
async def may_follow(identity: Identity, order_id: int) -> bool:
    return identity.user == "ada" and order_id > 0


@hub.channel("lobby")
def may_enter(identity: Identity) -> Grant | bool:
    return Grant() if identity.user else False


@hub.may_publish("lobby")
def may_speak(caller: Caller) -> bool:
    return caller.user != ""


@hub.call("orders.cancel")
async def cancel(caller: Caller, request: CancelOrder) -> Cancelled:
    return Cancelled(at=float(request.id))


async def use() -> None:
    # Decorators leave a function what it was.
    assert_type(await may_follow(Identity(), 5), bool)
    assert_type(may_enter(Identity()), Grant | bool)
    assert_type(await cancel(Caller("c", Identity()), CancelOrder(1)), Cancelled)
    async with hub as running:
        assert_type(running, Hub)
        assert_type(await hub.publish("news", {"a": [1, None]}, tags={"region": "eu"}), Receipt)
        assert_type(await hub.history("news", Query(None, Position(3, "e"))), Page)
        assert_type(await hub.presence("news"), dict[str, ClientInfo])


async def test() -> None:
    clock = FakeClock()
    async with in_memory(Hub(clock=clock)) as world:
        client = await world.connect(user="ada", roles=[Role.OPERATOR, "viewer"])
        assert_type(client, MemoryClient)
        assert_type(await client.call("orders.cancel", CancelOrder(1), returns=Cancelled), Cancelled)
        assert_type(await client.next_publication(), Received)
