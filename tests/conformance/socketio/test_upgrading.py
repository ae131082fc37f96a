"""Upgrades at an awkward moment."""

import asyncio
from typing import Any, Final

from vagus.gateway.socketio.polling import HIGH_WATER
from vagus.hub.hub import Hub
from vagus.kernel.channels import ChannelRule
from vagus.kernel.limits import Limits

from .sockets import Visitor

ANYTHING: Final = ChannelRule(pattern="{name}", subscribe=("anyone",))
QUEUE_BYTES: Final = 1_000


async def test_what_is_due_in_the_step_of_an_upgrade_is_handed_on_whatever_its_size() -> None:
    hub = Hub(rules=[ANYTHING], allow_anonymous=True, limits=Limits(max_delay_s=0, queue_bytes=QUEUE_BYTES))
    sizes = (HIGH_WATER, QUEUE_BYTES - 200, QUEUE_BYTES - 300)
    async with hub:
        visitor = Visitor(hub)
        sid = visitor.session()
        visitor.request("POST", sid, b'40\x1e42["subscribe","news"]\x1e42["subscribe","more"]')
        await _tick()
        for size in sizes[:2]:  # the first one waits for a GET that never comes, the second one in the queue
            await hub.publish("news", "x" * size)
            await _tick()
        socket = visitor.socket(sid)
        socket.peer.receive(b"2probe")
        await hub.publish("news", "x" * sizes[2])  # not in the queue yet, and too much for it
        socket.peer.receive(b"5")
        assert [part.count(b"x") for part in socket.heard if b"publication" in part] == list(sizes)
        assert (socket.closures, len(hub.clients)) == ([], 1)


async def _tick() -> Any:
    for _ in range(5):
        await asyncio.sleep(0)
