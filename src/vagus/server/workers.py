"""Workers: processes that share a port, each a node of its own, and the parent that looks after them.

The parent binds the port and serves nobody. It starts each worker as a fresh interpreter, with a socket to listen on
and a leash: a socket pair on which the worker says that it is ready and hears what to do; when the parent is gone, it
stops. The parent keeps the workers' sockets, so that who comes while a worker is replaced waits in the kernel's queue;
the socket of one that dies again and again is closed until the next try.
"""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator
from typing import Final

import structlog

from vagus.settings import Server, Settings
from vagus.version import VERSION

from .addresses import url_of
from .folder import DataFolder
from .leash import CUT_SHORT, RELOAD, RETIRE, STOP, Post, Worker
from .listening import SharedListener, listeners_of
from .logs import configure_logs

log = structlog.get_logger()

LATE_S: Final = 5.0
"""How much longer than ``server.shutdown_s`` a worker may take to stop before it is killed."""

STEADY_S: Final = 10.0
"""A worker that served this long died for another reason than the one before it."""

TRIES: Final = 5
"""How often in a row workers may die early, with none left that serves, before the parent gives up."""

BACKOFF_S: Final = (0.2, 30.0)
"""How long it waits before it starts a worker again that died early: twice as long each time."""


class Slot:
    """One worker's place: whoever has it listens on its socket."""

    def __init__(self, number: int, listener: socket.socket) -> None:
        self.number: Final = number
        self.listener: Final = SharedListener(listener)
        self.worker: Worker | None = None
        """Who serves there."""


class Crew:
    """All workers. ``command`` makes the command line of one; ``on_ready`` is awaited when all serve."""

    def __init__(
        self,
        server: Server,
        listeners: list[socket.socket],
        command: Callable[[Post], list[str]],
        on_ready: Callable[[], Awaitable[None]],
    ) -> None:
        self._stopping_s = server.shutdown_s + LATE_S
        self._slots = [Slot(number, listener) for number, listener in enumerate(listeners, 1)]
        self._command = command
        self._on_ready = on_ready
        self._alive: set[Worker] = set()
        self._goes_on = asyncio.Event()
        """Whether one worker was ready, so that it makes sense to start others; or it is over."""
        self._is_over = asyncio.Event()
        self._announcing: asyncio.Task[None] | None = None
        self._restarting: asyncio.Task[None] | None = None
        self._code = 0

    async def run(self) -> int:
        """Keep all at work until a signal. The exit code: not 0 if one could not start, or not stop.

        Raises what ``on_ready`` raises.
        """
        with self._signals():
            keepers = [asyncio.create_task(self._keep(slot)) for slot in self._slots]
            await self._is_over.wait()
            for slot in self._slots:
                slot.listener.close()
            await self._see_off(keepers)
        if self._announcing is not None:
            await self._announcing
        return self._code

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        handlers: dict[signal.Signals, Callable[[], object]] = {
            signal.SIGTERM: self.stop,
            signal.SIGINT: self.stop,
            signal.SIGHUP: lambda: self._tell_all(RELOAD),
            signal.SIGUSR2: self.restart,
        }
        for number, handler in handlers.items():
            loop.add_signal_handler(number, handler)
        try:
            yield
        finally:
            for number in handlers:
                loop.remove_signal_handler(number)

    def stop(self) -> None:
        """End all workers; with the second call, soon."""
        self._tell_all(CUT_SHORT if self._is_over.is_set() else STOP)
        self._is_over.set()
        self._goes_on.set()

    def _give_up(self, code: int) -> None:
        self._code = max(1, code)
        self.stop()

    def _tell_all(self, order: bytes) -> None:
        for worker in self._alive:
            worker.tell(order)

    async def _see_off(self, keepers: list[asyncio.Task[None]]) -> None:
        """Wait until all have stopped; who takes too long is killed."""
        log.info("workers_stopping", workers=len(self._alive))
        tasks = [*keepers, *([self._restarting] if self._restarting is not None else [])]
        _, late = await asyncio.wait(tasks, timeout=self._stopping_s)
        if late:
            self._code = self._code or 1
            log.error("workers_killed", workers=len(self._alive))
            for worker in self._alive:
                worker.kill()
            await asyncio.wait(late)
        log.info("workers_stopped")

    # one worker

    async def _keep(self, slot: Slot) -> None:
        """Have a worker in a slot, when it dies another one, until it is over. The first one shows if any can be."""
        loop, failures = asyncio.get_running_loop(), 0
        if slot.number > 1:
            await self._goes_on.wait()
        while not self._is_over.is_set():
            begun = loop.time()
            worker = await self._start(slot)
            if await worker.is_ready():
                self._welcome(slot, worker)
            code = await self._last_of(slot, worker)
            if self._is_over.is_set():
                self._code = self._code or min(1, abs(code))
                return
            failures = failures + 1 if loop.time() - begun < STEADY_S else 0
            await self._consider(slot, code, failures)

    async def _consider(self, slot: Slot, code: int, failures: int) -> None:
        """A worker has died: wait a moment before the next one, or give up."""
        delay = min(BACKOFF_S[0] * 2 ** max(0, failures - 1), BACKOFF_S[1]) if failures else 0.0
        log.error("worker_died", worker=slot.number, code=code, again_in_s=delay)
        is_anyone_left = any(other.worker for other in self._slots)
        if not self._goes_on.is_set() or (failures >= TRIES and not is_anyone_left):
            self._give_up(code)
        elif failures > 1 and is_anyone_left:
            slot.listener.give_up()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._is_over.wait(), delay)

    async def _start(self, slot: Slot) -> Worker:
        slot.listener.open()
        ours, theirs = socket.socketpair()
        with theirs:
            post = Post(slot.number, len(self._slots), slot.listener.socket.fileno(), theirs.fileno())
            worker = await Worker.start(self._command(post), post, ours)
        self._alive.add(worker)
        if self._is_over.is_set():
            worker.tell(STOP)
        return worker

    def _welcome(self, slot: Slot, worker: Worker) -> None:
        slot.worker = worker
        self._goes_on.set()
        if self._announcing is None and all(slot.worker is not None for slot in self._slots):
            self._announcing = asyncio.create_task(self._announce())

    async def _announce(self) -> None:
        try:
            await self._on_ready()
        except BaseException:
            self._give_up(1)
            raise

    async def _last_of(self, slot: Slot, worker: Worker) -> int:
        """Wait until a worker has ended, and whoever took its place; the exit code of the last one."""
        code = await self._end(worker)
        while slot.worker not in (None, worker):
            worker = slot.worker
            code = await self._end(worker)
        slot.worker = None
        return code

    async def _end(self, worker: Worker) -> int:
        code = await worker.end()
        self._alive.discard(worker)
        return code

    # all of them, one after the other

    def restart(self) -> None:
        """Replace the workers by new ones, unless that is being done."""
        if self._restarting is None or self._restarting.done():
            self._restarting = asyncio.create_task(self._restart())

    async def _restart(self) -> None:
        log.info("restart_began", workers=len(self._slots))
        for slot in self._slots:
            if slot.worker is not None and not self._is_over.is_set() and not await self._replace(slot, slot.worker):
                log.error("restart_failed", worker=slot.number, hint="the others go on as they are")
                return
        log.info("restart_done")

    async def _replace(self, slot: Slot, before: Worker) -> bool:
        """Let another worker take the place of one that serves, which leaves when the new one is ready."""
        successor = await self._start(slot)
        if not await successor.is_ready() or slot.worker is not before or self._is_over.is_set():
            successor.tell(STOP)
            await self._end(successor)
            return slot.worker is not before
        slot.worker = successor
        before.tell(RETIRE)
        try:
            async with asyncio.timeout(self._stopping_s):
                await before.process.wait()
        except TimeoutError:
            before.kill()
        return True


def serve_workers(
    settings: Settings, folder: DataFolder, command: Callable[[Post], list[str]], on_ready: Callable[[str], None]
) -> int:
    """Serve with ``server.workers`` processes until a signal; the exit code. ``on_ready`` is called with the address.

    Raises ``SettingsError``, ``CannotListenError``, or ``OSError`` for a data folder that cannot be used.
    """
    configure_logs(settings.server)
    listeners = listeners_of(settings.server, settings.server.workers)
    url = url_of(settings.server.host, listeners[0].getsockname()[1])

    def announce() -> None:
        folder.announce(url)
        log.info("server_started", url=url, version=VERSION, workers=settings.server.workers)
        on_ready(url)

    async def keep() -> int:
        return await Crew(settings.server, listeners, command, lambda: asyncio.to_thread(announce)).run()

    with folder.held(alone=False):
        try:
            return asyncio.run(keep())
        finally:
            folder.withdraw(url)
