"""Files that are read again only when they changed.

One look in a thread gives the stamps (time, size, inode) of all files of a folder that are asked about in the same
tick, so that two hundred files cost one hop and not two hundred. A folder whose disk hangs holds one thread for looking
and few for reading, and delays the sources in it alone.

A file is opened so that nothing but a regular file is waited for: a named pipe or a device is refused at once.
"""

import asyncio
import os
import stat
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

from vagus.apps.fusion.threads import Threads

from . import AbsentError, SourceError
from .fence import Fence

T = TypeVar("T")

MAX_BYTES: Final = 16 * 1024 * 1024
SETTLED_NS: Final = 2_000_000_000
"""Clocks of file systems are as coarse as two seconds: a file that changed just now may change again unnoticed."""

_PIECE: Final = 1_048_576


class Stamp(NamedTuple):
    """What changes with a file. ``is_settled`` if it did not change just now."""

    mtime_ns: int
    size: int
    inode: int

    @property
    def as_of(self) -> int:
        return self.mtime_ns // 1_000_000

    @property
    def is_settled(self) -> bool:
        return abs(time.time_ns() - self.mtime_ns) > SETTLED_NS


class Looks:
    """Stamps of files, folder by folder. Belongs to one event loop."""

    def __init__(self, threads: Threads) -> None:
        self.threads = threads
        self._asked: dict[str, dict[asyncio.Future[Stamp], str]] = {}
        self._under_way: dict[str, asyncio.Task[None]] = {}

    async def stamp(self, path: Path) -> Stamp:
        """Raises ``SourceError`` for a file that is not there or may not be read."""
        folder = str(path.parent)
        answer: asyncio.Future[Stamp] = asyncio.get_running_loop().create_future()
        self._asked.setdefault(folder, {})[answer] = str(path)
        if folder not in self._under_way:
            self._under_way[folder] = asyncio.create_task(self._look(folder))
        try:
            return await answer
        finally:
            self._asked.get(folder, {}).pop(answer, None)  # who gave up is not kept while the disk hangs

    async def _look(self, folder: str) -> None:
        try:
            while asked := self._asked.pop(folder, None):
                found = await self.threads.run(f"look {folder}", partial(_stamps, list(asked.values())))
                for (answer, path), result in zip(asked.items(), found, strict=True):
                    if answer.done():
                        continue
                    if isinstance(result, OSError):
                        answer.set_exception(cannot_read(Path(path), result))
                    else:
                        answer.set_result(result)
        finally:
            del self._under_way[folder]

    async def close(self) -> None:
        tasks = list(self._under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _stamps(paths: list[str]) -> list[Stamp | OSError]:
    found: list[Stamp | OSError] = []
    for path in paths:
        try:
            status = os.stat(path)
        except OSError as error:
            found.append(error)
        else:
            found.append(Stamp(status.st_mtime_ns, status.st_size, status.st_ino))
    return found


class ChangingFile:
    """A file and what it came to when it was read last, be it a value or an error. It stays within the fence."""

    def __init__(self, path: Path, looks: Looks, fence: Fence | None = None) -> None:
        self.path = path
        self._looks = looks
        self._fence = fence
        self._stamp: Stamp | None = None
        self._outcome: object = None
        self._reading = threading.Lock()

    @property
    def is_being_read(self) -> bool:
        return self._reading.locked()

    async def when_changed(self, read: Callable[[Stamp], T]) -> T:
        """What ``read`` returns, or returned or raised when it read this same state of the file. It runs in a thread

        and never twice at a time.
        """
        stamp = await self._looks.stamp(self.path)
        if stamp != self._stamp:
            self._stamp = None
            self._outcome = await self._looks.threads.run(str(self.path.parent), partial(self._read, read, stamp))
            if stamp.is_settled:
                self._stamp = stamp
        if isinstance(self._outcome, SourceError):
            raise self._outcome.with_traceback(None)
        return self._outcome  # type: ignore[return-value]  # of the only function that reads this file

    def _read(self, read: Callable[[Stamp], T], stamp: Stamp) -> T | SourceError:
        """What is returned holds as long as the file is the same; what is raised may be otherwise the next time."""
        if not self._reading.acquire(blocking=False):
            raise SourceError(f"{self.path} is still being read since the last time: is its disk slow?")
        try:
            if self._fence is not None:
                self._fence.check_target(self.path)
            return read(stamp)
        except SourceError as error:
            return error
        except OSError as error:
            raise cannot_read(self.path, error) from None
        finally:
            self._reading.release()


def open_regular(path: Path) -> int:
    """A descriptor for reading. Raises ``SourceError`` for what is no regular file, and never waits for a writer."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    raise SourceError(f"{path} is not a file but a folder, a pipe or a device: name a regular file")


def content(path: Path, max_bytes: int) -> bytes:
    """All of a file. Raises ``SourceError`` for one that is larger than ``max_bytes``, and ``OSError``."""
    descriptor = open_regular(path)
    try:
        size = os.fstat(descriptor).st_size
        if size > max_bytes:
            raise SourceError(
                f"{path} has {size:,} bytes, more than the {max_bytes:,} that are read: raise max_bytes, or shorten it"
            )
        body = bytearray()
        while piece := os.read(descriptor, _PIECE):
            body += piece
            if len(body) > max_bytes:
                raise SourceError(f"{path} grew beyond {max_bytes:,} bytes while it was read")
        return bytes(body)
    finally:
        os.close(descriptor)


def cannot_read(path: Path, error: OSError) -> SourceError:
    match error:
        case FileNotFoundError():
            return AbsentError(str(path), f"{path} is not there: check its path, and that something writes it")
        case PermissionError():
            return SourceError(f"{path} may not be read by the user that the server runs as: change its permissions")
        case IsADirectoryError():
            return SourceError(f"{path} is a folder: name a file in it")
    return SourceError(f"{path} cannot be read: {error.strerror or error}")
