"""Coroutines that run without a task until they wait, and functions with a deadline."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from vagus.hub.steps import begin, call


async def finish(coroutine: Coroutine[Any, Any, None]) -> None:
    rest = begin(coroutine)
    if rest is not None:
        await asyncio.get_running_loop().create_task(rest)


async def test_what_does_not_wait_is_done_at_once() -> None:
    done = []

    async def work() -> None:
        done.append(1)

    assert begin(work()) is None
    assert done == [1]


async def test_what_waits_goes_on_in_a_task() -> None:
    future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    done: list[int] = []

    async def work() -> None:
        done.append(0)
        done.append(await future)
        await asyncio.sleep(1)
        done.append(await asyncio.sleep(0, 2))

    rest = begin(work())
    assert rest is not None
    assert done == [0]
    task = asyncio.get_running_loop().create_task(rest)
    future.set_result(1)
    await task
    assert done == [0, 1, 2]


async def test_an_error_before_the_first_wait_comes_out_at_once() -> None:
    async def work() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        begin(work())


async def test_an_error_after_a_wait_comes_out_of_the_task() -> None:
    async def work() -> None:
        await asyncio.sleep(1)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await finish(work())


async def test_an_error_that_is_waited_for_reaches_the_coroutine() -> None:
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    seen = []

    async def work() -> None:
        try:
            await future
        except ZeroDivisionError as error:
            seen.append(error)
            await asyncio.sleep(0)

    rest = begin(work())
    assert rest is not None
    future.set_exception(ZeroDivisionError())
    await asyncio.get_running_loop().create_task(rest)
    assert len(seen) == 1


async def test_cancelling_the_task_cancels_the_coroutine() -> None:
    ended = []

    async def work() -> None:
        try:
            await asyncio.sleep(100)
        finally:
            ended.append(True)

    rest = begin(work())
    assert rest is not None
    task = asyncio.get_running_loop().create_task(rest)
    await asyncio.sleep(1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended == [True]


async def test_a_plain_function_is_called_at_once() -> None:
    def double(number: int, *, plus: int) -> int:
        return 2 * number + plus

    assert await call(double, 4, plus=1, deadline_s=1) == 9


async def test_an_async_function_runs_in_a_task_of_its_own() -> None:
    async def who() -> object:
        async with asyncio.timeout(1):
            await asyncio.sleep(0)
        return asyncio.current_task()

    found: object = await call(who, deadline_s=1)
    assert found not in (None, asyncio.current_task())


async def test_an_object_that_can_be_awaited_is_awaited() -> None:
    def later() -> Any:
        return asyncio.sleep(1, 5)

    assert await call(later, deadline_s=2) == 5


async def test_what_a_function_raises_comes_through() -> None:
    def plain() -> None:
        raise ZeroDivisionError

    async def waiting() -> None:
        await asyncio.sleep(1)
        raise ZeroDivisionError

    for function in (plain, waiting):
        with pytest.raises(ZeroDivisionError):
            await call(function, deadline_s=5)


async def test_a_function_that_takes_too_long_is_cancelled() -> None:
    ended = []

    async def slow() -> Any:
        try:
            await asyncio.sleep(100)
        finally:
            ended.append(asyncio.get_running_loop().time())

    started = asyncio.get_running_loop().time()
    with pytest.raises(TimeoutError, match=r"slow took longer than 3 s"):
        await call(slow, deadline_s=3)
    await asyncio.sleep(0)
    assert ended[0] == pytest.approx(started + 3)


async def test_who_stops_waiting_cancels_the_function() -> None:
    ended = []

    async def slow() -> Any:
        try:
            await asyncio.sleep(100)
        finally:
            ended.append(True)

    task: asyncio.Task[Any] = asyncio.get_running_loop().create_task(call(slow, deadline_s=50))
    await asyncio.sleep(1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.sleep(0)
    assert ended == [True]


async def test_a_function_can_be_called_without_a_current_task() -> None:
    """As the hub does, within the read that brought a command."""
    results: list[int] = []

    async def work() -> None:
        results.append(await call(asyncio.sleep, 1, 7, deadline_s=5))

    rests: list[Coroutine[Any, Any, None] | None] = []
    asyncio.get_running_loop().call_soon(lambda: rests.append(begin(work())))
    await asyncio.sleep(0)
    assert rests[0] is not None
    await rests[0]
    assert results == [7]
