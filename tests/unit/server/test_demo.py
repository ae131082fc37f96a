"""Demo data says of itself that it is a demo."""

import random

import msgspec

from vagus.apps.admin import install
from vagus.hub.hub import Hub
from vagus.server.demo import admit_demo, broadcast_step, numbers, publish_step


async def test_the_demo_publishes_labelled_events() -> None:
    hub = Hub()
    admit_demo(hub)
    async with hub:
        await publish_step(hub, 0, random.Random(7))
        for channel in ("demo:clock", "demo:numbers"):
            event = msgspec.json.decode((await hub.history(channel)).publications[0].data)
            assert event["type"] == channel.replace(":", ".")
            assert event["payload"]["demo"] is True


async def test_the_demo_tells_admins_that_it_is_one() -> None:
    hub = Hub()
    admin = install(hub)
    async with hub:
        await broadcast_step(admin.broadcasts, 0, random.Random(7))
        for channel in ("admins", "alerts"):
            event = msgspec.json.decode((await hub.history(channel)).publications[0].data)
            assert "demo" in event["payload"]["message"]


def test_the_invented_numbers_are_never_below_zero() -> None:
    chance = random.Random(7)
    for step in range(1200):
        values = numbers(step, chance)
        assert all(isinstance(value, int | float) and value >= 0 for value in values.values())
