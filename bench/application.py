"""The hub that is measured: what `vagus serve --insecure` serves, with one call that echoes, as the peer has it, and
two that publish for subscribers who measure themselves.

Channels whose names begin with `kept:` have history, those with `met:` presence, and those with `bare:` neither.
"""

import asyncio
from typing import Any

from vagus import Caller, ChannelRule, Hub, Last

RULES = (
    ChannelRule(pattern="kept:{name}", history=Last(100, minutes=1)),
    ChannelRule(pattern="met:{name}", presence=True),
    ChannelRule(pattern="bare:{name}"),
)

hub = Hub(open_to_all=True, rules=RULES)


@hub.call("echo", allow=("anyone",))
async def echo(caller: Caller, request: Any) -> Any:
    return request


PAD = "x" * 80


@hub.call("rush", allow=("anyone",))
async def rush(caller: Caller, request: dict[str, Any]) -> None:
    """Publish as fast as it goes, so that many messages share a frame."""
    await publish_numbers(**request, pause_s=0, together=16)


@hub.call("walk", allow=("anyone",))
async def walk(caller: Caller, request: dict[str, Any]) -> None:
    """Publish with a turn of the loop after each message, so that few share a frame."""
    await publish_numbers(**request, pause_s=0.00002, together=1)


async def publish_numbers(channel: str, count: int, *, pause_s: float, together: int) -> None:
    for number in range(count):
        await hub.publish(channel, {"n": number, "pad": PAD})
        if number % together == 0:
            await asyncio.sleep(pause_s)
