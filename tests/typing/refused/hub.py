"""What must not type-check: each line that is marked has the error that its mark names, and no other line has any."""

from vagus import Caller, ChannelRule, Hub, Identity, Last, Limits, Query
from vagus.testing import FakeClock, in_memory

hub = Hub()

Hub(rule=[])  # E: call-arg
Hub(limits=5)  # E: arg-type
ChannelRule()  # E: call-arg
ChannelRule(pattern="a", when_slow="wait")  # E: arg-type
ChannelRule(pattern="a", recovery="all")  # E: arg-type
ChannelRule(pattern="a", subscribe="anyone")  # E: arg-type
ChannelRule("a")  # E: call-arg
Last("5")  # E: arg-type
Limits(ping_interval=3)  # E: call-arg
Identity("ada")  # E: call-arg
Query(since=3)  # E: arg-type


@hub.call("cancel")
async def cancel(caller: Caller, request: int) -> str:
    return str(request)


async def use() -> None:
    await cancel(Caller("c", Identity()), "x")  # E: arg-type
    await hub.publish("news")  # E: call-arg
    await hub.publish("news", 1, tags={"a": 1})  # E: dict-item
    await hub.publish("news", 1, exclude_client="c")  # E: call-arg
    await hub.disconnect("ada")  # E: call-arg
    number: int = await hub.presence("news")  # E: assignment
    async with in_memory(hub) as world:
        await world.connect("ada")  # E: call-arg
        await world.nothing()  # E: attr-defined
    FakeClock(start="now")  # E: arg-type
    assert number
