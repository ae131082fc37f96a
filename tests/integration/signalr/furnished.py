"""A hub with a section ``chat`` that has something of every kind."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from vagus import Caller, ChannelRule, Hub, Last
from vagus.kernel.errors import AnswerError, RefusedError

ANYONE = ("anyone",)

EVERYTHING = ChannelRule(
    pattern="{name*}",
    history=Last(10_000, hours=1),
    presence=True,
    join_leave=True,
    subscribe=ANYONE,
    publish=ANYONE,
    read_presence=ANYONE,
    read_history=ANYONE,
)


def furnished_hub(**options: Any) -> Hub:
    hub = Hub(**{"rules": (EVERYTHING,), "allow_anonymous": True, **options})
    chat = hub.section("chat", allow=ANYONE if hub.policies.allow_anonymous else ("user",))

    @chat.call("Echo")
    def echo(caller: Caller, *values: Any) -> list[Any]:
        return list(values)

    @chat.call("Think")
    async def think(caller: Caller, value: int) -> int:
        await asyncio.sleep(0)
        return value

    @chat.call("Fail")
    def fail(caller: Caller) -> None:
        raise ValueError("a bug")

    @chat.call("SoldOut")
    def sold_out(caller: Caller) -> None:
        raise RefusedError.because(400, "sold out")

    @chat.call("WhoAmI")
    def who_am_i(caller: Caller) -> str:
        return caller.user

    @chat.call("Count")
    async def count(caller: Caller, number: int) -> AsyncIterator[int]:
        for each in range(number):
            yield each

    @chat.call("Clock")
    async def clock(caller: Caller) -> AsyncIterator[int]:
        ticks = 0
        while True:
            yield ticks
            ticks += 1
            await asyncio.sleep(0.001)

    @chat.call("Broken")
    async def broken(caller: Caller) -> AsyncIterator[int]:
        yield 1
        raise RefusedError.because(400, "no more")

    @chat.call("Sum")
    async def total(caller: Caller, start: int, numbers: AsyncIterator[int]) -> int:
        async for number in numbers:
            start += number
        return start

    @chat.call("Double")
    async def double(caller: Caller, numbers: AsyncIterator[int]) -> AsyncIterator[int]:
        async for number in numbers:
            yield 2 * number

    @chat.call("Ask")
    async def ask(caller: Caller, question: str, value: Any) -> Any:
        try:
            return await hub.ask(caller.client, question, value, timeout_s=5)
        except AnswerError as error:
            return f"error: {error}"

    return hub
