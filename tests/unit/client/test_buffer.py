"""Messages between the one who reads and those who iterate."""

import asyncio
from typing import Any

import msgspec
import pytest

from vagus.client.buffer import Buffer
from vagus.client.messages import Message, Publication, decoder_of

DECODE = decoder_of(Any)


def message(number: int) -> Message[Any]:
    return Message("a", Publication(msgspec.Raw(b"%d" % number), number), DECODE)


def filled(buffer: Buffer[Any], count: int) -> Buffer[Any]:
    for number in range(count):
        buffer.put(message(number))
    return buffer


async def test_messages_come_in_order_and_room_is_told_at_half() -> None:
    told: list[int] = []
    buffer: Buffer[Any] = Buffer(4, "block", lambda: told.append(len(buffer)))
    filled(buffer, 6)
    assert buffer.is_full
    assert [(await buffer.take()).data for _ in range(6)] == list(range(6))
    assert told == [2]


async def test_the_oldest_go_and_the_next_one_follows_a_gap() -> None:
    buffer = filled(Buffer(3, "drop-oldest", lambda: None), 5)
    taken = [await buffer.take() for _ in range(3)]
    assert [(each.data, each.after_gap) for each in taken] == [(2, True), (3, False), (4, False)]
    assert (buffer.dropped, buffer.is_full) == (2, False)


async def test_who_waits_is_woken_and_who_is_cancelled_takes_nothing() -> None:
    buffer: Buffer[Any] = Buffer(3, "block", lambda: None)
    first, second = asyncio.create_task(buffer.take()), asyncio.create_task(buffer.take())
    await asyncio.sleep(0)
    first.cancel()
    buffer.put(message(1))
    assert (await second).data == 1
    assert first.cancelled()


async def test_a_closed_buffer_gives_what_it_has_and_then_ends() -> None:
    quiet, loud = (filled(Buffer(3, "block", lambda: None), 1) for _ in range(2))
    quiet.close()
    loud.close(OSError("over"))
    loud.close()
    for buffer in (quiet, loud):
        buffer.put(message(7))
        assert (await buffer.take()).data == 0
    with pytest.raises(StopAsyncIteration):
        await quiet.take()
    for _ in range(2):
        with pytest.raises(OSError, match="over"):
            await loud.take()


async def test_others_get_a_turn_while_messages_are_taken_at_a_stretch() -> None:
    buffer = filled(Buffer(1_000, "block", lambda: None), 1_000)
    turns: list[int] = []

    async def other() -> None:
        while len(buffer):
            turns.append(len(buffer))
            await asyncio.sleep(0)

    waiting = asyncio.create_task(other())
    for number in range(1_000):
        assert (await buffer.take()).data == number
    await waiting
    assert len(turns) > 10


async def test_closing_wakes_everybody() -> None:
    buffer: Buffer[Any] = Buffer(3, "block", lambda: None)
    waiting = [asyncio.create_task(buffer.take()) for _ in range(3)]
    await asyncio.sleep(0)
    buffer.close(OSError("over"))
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert [str(result) for result in results] == ["over"] * 3
