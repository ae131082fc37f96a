"""Threads: what runs in them is answered, what hangs holds no more than its share, and nobody waits for it."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable

import pytest

from tests.patience import DEADLINE_S
from vagus.apps.fusion.threads import Threads


class Hanging:
    """Work that hangs until it is let go, and counts how often it runs."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.running = threading.Semaphore(0)
        self.count = 0

    def __call__(self) -> str:
        self.count += 1
        self.running.release()
        assert self.go.wait(10)
        return "late"


@pytest.fixture
async def threads() -> AsyncIterator[Threads]:
    made = Threads(limit=3, per_group=2)
    yield made
    made.close()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not condition():  # noqa: ASYNC110 - what is waited for happens in another thread
            await asyncio.sleep(0)


async def test_what_work_returns_is_returned(threads: Threads) -> None:
    assert await threads.run("a", lambda: 5) == 5


@pytest.mark.parametrize("raised", [KeyError("x"), OSError(2, "gone")])
async def test_what_work_raises_is_raised(threads: Threads, raised: Exception) -> None:
    def work() -> None:
        raise raised

    with pytest.raises(type(raised)):
        await threads.run("a", work)
    assert await threads.run("a", lambda: 5) == 5


@pytest.mark.parametrize("raised", [StopIteration, SystemExit, KeyboardInterrupt])
async def test_what_would_end_the_server_or_its_loop_is_an_error_of_the_work(
    threads: Threads, raised: type[BaseException]
) -> None:
    def work() -> None:
        raise raised

    with pytest.raises(RuntimeError, match=f"raised {raised.__name__}"):
        await threads.run("a", work)


async def test_work_that_hangs_leaves_threads_for_other_groups(threads: Threads) -> None:
    hanging = Hanging()
    waiting = [asyncio.create_task(threads.run("a", hanging)) for _ in range(5)]
    await until(lambda: hanging.count == 2)
    assert await threads.run("b", lambda: 5) == 5
    assert (hanging.count, threads.busy) == (2, 2)
    hanging.go.set()
    assert await asyncio.gather(*waiting) == ["late"] * 5
    assert threads.busy == 0


async def test_who_gives_up_waiting_is_not_run_and_frees_the_way(threads: Threads) -> None:
    hanging = Hanging()
    holding = [asyncio.create_task(threads.run("a", hanging)) for _ in range(2)]
    await until(lambda: hanging.count == 2)
    ran: list[int] = []
    impatient = asyncio.create_task(threads.run("a", lambda: ran.append(1)))
    await asyncio.sleep(0)
    impatient.cancel()
    await asyncio.wait([impatient])
    hanging.go.set()
    await asyncio.gather(*holding)
    assert await threads.run("a", lambda: 5) == 5
    assert not ran


async def test_work_that_nobody_waits_for_any_more_keeps_its_place_until_it_ends(threads: Threads) -> None:
    hanging = Hanging()
    task = asyncio.create_task(threads.run("a", hanging))
    await until(lambda: hanging.count == 1)
    task.cancel()
    await asyncio.wait([task])
    assert threads.busy == 1
    hanging.go.set()
    await until(lambda: threads.busy == 0)


async def test_all_groups_together_have_a_bound(threads: Threads) -> None:
    hanging = Hanging()
    tasks = [asyncio.create_task(threads.run(f"group {index}", hanging)) for index in range(6)]
    await until(lambda: hanging.count == 3)
    assert threads.busy == 3
    hanging.go.set()
    assert await asyncio.gather(*tasks) == ["late"] * 6


async def test_threads_that_hang_do_not_keep_the_process_from_ending(threads: Threads) -> None:
    assert await threads.run("a", lambda: threading.current_thread().daemon)
