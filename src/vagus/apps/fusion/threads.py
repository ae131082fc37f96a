"""Threads for what may block: disks, name servers, other people's functions.

A thread that hangs cannot be stopped, only left alone. So nobody waits for one longer than they want, what hangs holds
at most ``per_group`` threads of its group (a folder, a host, a function), and there are ``limit`` of them in all, which
are not those that the rest of the program uses. They are daemons: one that hangs does not keep the process from ending,
as those of ``concurrent.futures`` would.
"""

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable
from typing import Final, TypeVar

T = TypeVar("T")

LIMIT: Final = 32
PER_GROUP: Final = 4


class Threads:
    """Belongs to one event loop. Threads are made when they are needed and stay until ``close``."""

    def __init__(self, limit: int = LIMIT, per_group: int = PER_GROUP) -> None:
        self._limit = limit
        self._per_group = per_group
        self._free = asyncio.Semaphore(limit)
        self._groups: dict[str, _Group] = {}
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._started = 0
        self.busy = 0
        """How many are at work, those that hang included."""

    async def run(self, group: str, work: Callable[[], T]) -> T:
        """What ``work`` returns or raises. Cancelled while it waits for a thread, it never runs; cancelled later, it

        runs to its end unheard and holds its place in the group until then.
        """
        lane = self._groups.setdefault(group, _Group(self._per_group))
        lane.users += 1
        try:
            await lane.places.acquire()
            try:
                await self._free.acquire()
            except BaseException:
                lane.places.release()
                raise
        except BaseException:
            self._leave(group, lane)
            raise
        return await self._start(group, lane, work)

    def _start(self, group: str, lane: "_Group", work: Callable[[], T]) -> "asyncio.Future[T]":
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()

        def finish(result: T | None, error: BaseException | None) -> None:
            self.busy -= 1
            self._free.release()
            lane.places.release()
            self._leave(group, lane)
            if answer.done():
                return
            if error is not None:
                answer.set_exception(error)
            else:
                answer.set_result(result)  # type: ignore[arg-type]

        def job() -> None:
            result: T | None = None
            error: BaseException | None = None
            try:
                result = work()
            except Exception as raised:
                error = RuntimeError("raised StopIteration") if isinstance(raised, StopIteration) else raised
            except BaseException as raised:  # SystemExit, say, which shall not end the server
                error = RuntimeError(f"raised {type(raised).__name__}")
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody is interested any more
                loop.call_soon_threadsafe(finish, result, error)

        self.busy += 1
        if self.busy > self._started:
            self._started += 1
            threading.Thread(target=_serve, args=(self._jobs,), name="vagus-fusion", daemon=True).start()
        self._jobs.put(job)
        return answer

    def _leave(self, group: str, lane: "_Group") -> None:
        lane.users -= 1
        if not lane.users:
            self._groups.pop(group, None)

    def close(self) -> None:
        """Let the threads end; those that hang end when they can."""
        for _ in range(self._started):
            self._jobs.put(None)
        self._started = 0


class _Group:
    def __init__(self, places: int) -> None:
        self.places = asyncio.Semaphore(places)
        self.users = 0


def _serve(jobs: "queue.SimpleQueue[Callable[[], None] | None]") -> None:
    while (job := jobs.get()) is not None:
        job()
        del job  # what it holds on to shall not stay until the next one
