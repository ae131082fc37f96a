"""Running coroutines that mostly do not wait, without a task for each.

A command whose answer needs no waiting is answered within the read that brought it. Only when a coroutine really waits
does it become a task.
"""

import asyncio
import inspect
import sys
import types
from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterable
from functools import partial
from typing import Any, TypeVar

T = TypeVar("T")


def begin(coroutine: Coroutine[Any, Any, None]) -> Coroutine[Any, Any, None] | None:
    """Run a coroutine up to where it first waits. Returns what is left to run in a task, ``None`` if nothing is.

    Until then no task is current, so the coroutine must not use what needs one (``asyncio.timeout``, for instance);
    ``call`` gives an application's functions a task of their own.
    """
    try:
        awaited = coroutine.send(None)
    except StopIteration:
        return None
    return _finish(coroutine, awaited)


async def together(works: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """The results in order. All of it begins in this step and in order; only what really waits becomes a task."""
    results: dict[int, T] = {}

    async def keep(place: int, work: Coroutine[Any, Any, T]) -> None:
        results[place] = await work

    waiting = [rest for place, work in enumerate(works) if (rest := begin(keep(place, work))) is not None]
    if waiting:
        await asyncio.gather(*waiting)
    return [results[place] for place in sorted(results)]


async def _finish(coroutine: Coroutine[Any, Any, None], awaited: Any) -> None:
    """What a task can run: since Python 3.12 that must be a native coroutine."""
    await _rest(coroutine, awaited)


@types.coroutine
def _rest(coroutine: Coroutine[Any, Any, None], awaited: Any) -> Generator[Any, Any, None]:
    while True:
        try:
            sent = yield awaited
        except BaseException as error:
            step = partial(coroutine.throw, error)
        else:
            step = partial(coroutine.send, sent)
        try:
            awaited = step()
        except StopIteration:
            return


async def call(function: Callable[..., T | Awaitable[T]], *args: Any, deadline_s: float | None, **kwargs: Any) -> T:
    """Call an application's function, plain or async, the latter in a task of its own.

    Raises ``TimeoutError`` when it takes longer than ``deadline_s``, if there is one; it is cancelled then, and when
    its caller is.
    """
    result = function(*args, **kwargs)
    if not inspect.isawaitable(result):
        return result
    task = _task(_awaiting(result))
    if not task.done():
        try:
            await asyncio.wait({task}, timeout=deadline_s)
        finally:
            late = not task.done()
            if late:
                task.cancel()
        if late:
            raise TimeoutError(f"{getattr(function, '__qualname__', function)} took longer than {deadline_s} s")
    value: T = task.result()
    return value


async def _awaiting(awaitable: Awaitable[T]) -> T:
    return await awaitable


if sys.version_info >= (3, 12):

    def _task(coroutine: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        return asyncio.Task(coroutine, loop=asyncio.get_running_loop(), eager_start=True)

else:

    def _task(coroutine: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        return asyncio.get_running_loop().create_task(coroutine)
