"""Every transcript of transcripts/, in both notations, against a hub with a section ``chat``."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from vagus import Caller, ChannelRule, Hub, Last, Limits
from vagus.kernel.errors import AnswerError, RefusedError

from .playing import TRANSCRIPTS, Player, settle


def furnished_hub() -> Hub:
    anyone = ("anyone",)
    everything = ChannelRule(
        pattern="{name}",
        history=Last(100, hours=1),
        presence=True,
        join_leave=True,
        subscribe=anyone,
        publish=anyone,
        read_presence=anyone,
        read_history=anyone,
    )
    plain = ChannelRule(pattern="plain", subscribe=anyone, publish=anyone)
    limits = Limits(max_delay_s=0)
    hub = Hub(rules=(everything, plain), allow_anonymous=True, limits=limits)
    chat = hub.section("chat", allow=anyone)

    @chat.call("Echo")
    def echo(caller: Caller, value: object) -> object:
        return value

    @chat.call("Nothing")
    def nothing(caller: Caller) -> None:
        return None

    @chat.call("Fail")
    def fail(caller: Caller) -> None:
        raise ValueError("a bug")

    @chat.call("SoldOut")
    def sold_out(caller: Caller) -> None:
        raise RefusedError.because(400, "sold out")

    @chat.call("Slow")
    async def slow(caller: Caller, value: object) -> object:
        await asyncio.sleep(5)
        return value

    @chat.call("Count")
    async def count(caller: Caller, number: int) -> AsyncIterator[int]:
        for each in range(number):
            yield each

    @chat.call("Forever")
    async def forever(caller: Caller) -> AsyncIterator[int]:
        yield 0
        await asyncio.sleep(10**6)

    @chat.call("Broken")
    async def broken(caller: Caller) -> AsyncIterator[int]:
        yield 0
        raise ValueError("a bug")

    @chat.call("Sum")
    async def total(caller: Caller, start: int, numbers: AsyncIterator[int]) -> int:
        async for number in numbers:
            start += number
        return start

    @chat.call("Ask")
    async def ask(caller: Caller, question: str) -> object:
        try:
            return await hub.ask(caller.client, question, 1, timeout_s=20)
        except AnswerError as error:
            return {"error": str(error)}

    return hub


@pytest.mark.parametrize("notation", ["json", "messagepack"])
@pytest.mark.parametrize("name", TRANSCRIPTS)
async def test_a_transcript_holds_to_the_letter(name: str, notation: str) -> None:
    hub = furnished_hub()
    async with hub:
        await Player(hub, notation).play(TRANSCRIPTS[name])
        await settle()
