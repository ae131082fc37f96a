"""Values in the last line of a log that matches: only what is new is read, from its end backwards.

The file is kept open, so that what was written to it before it was rotated away is read too; a file that shrank is
read from its beginning. A last line without its end is looked at when nobody has written for two seconds. Memory is a
piece of 64 KiB and a line, whatever the size of the file, and no more than ``max_bytes`` are looked through.

Patterns are those of the library ``regex``, which knows what ``re`` knows and stops a search after a given time without
holding up other threads: a pattern such as ``(a+)+$`` costs the source its values and nobody anything else. What would
cost memory is refused: ``(a{1000}){1000}``, and recursion.
"""

import math
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

from vagus.apps.fusion.values import Reading, Terms, checked

from . import SourceError
from .fence import Fence
from .files import MAX_BYTES, ChangingFile, Looks, Stamp, open_regular

PIECE: Final = 65_536
LINE_BYTES: Final = 65_536
"""A longer line is passed over."""
SEARCH_S: Final = 0.25
"""How long matching one line may take."""

REPEATS: Final = 10_000
"""What all counted repeats of a pattern may come to, were they inside each other."""

_ESCAPES: Final = re.compile(r"\\.")
_COUNTS: Final = re.compile(r"\{(\d*)(?:,(\d*))?\}")
_RECURSION: Final = re.compile(r"\(\?(?:R|&|P>|[+-]?\d)")

Interpret = Callable[[str], Mapping[str, object] | None]
"""The values that a line tells; ``None`` for a line that tells none."""


class LogFile:
    """See ``Source``."""

    def __init__(
        self,
        terms: Terms,
        path: Path,
        interpret: Interpret,
        looks: Looks,
        *,
        max_bytes: int = MAX_BYTES,
        fence: Fence | None = None,
    ) -> None:
        self.terms = terms
        self._interpret = interpret
        self._max_bytes = max_bytes
        self._file = ChangingFile(path, looks, fence)
        self._descriptor = -1
        self._offset = 0
        self._last: Reading | None = None

    async def collect(self) -> Reading:
        return await self._file.when_changed(self._read)

    async def close(self) -> None:
        if self._file.is_being_read:
            return  # by a thread that hangs, and the number of a closed file is soon another's
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def _read(self, stamp: Stamp) -> Reading:
        before = self._turn_to(open_regular(self._file.path))
        values, looked_at = self._newest(self._descriptor, is_settled=stamp.is_settled)
        values = values or before
        if values is not None:
            self._last = Reading(self._checked(values), stamp.as_of, looked_at)
        if self._last is None:
            raise SourceError(f"{self._file.path}: no line matches in its last {self._max_bytes:,} bytes")
        return self._last

    def _turn_to(self, descriptor: int) -> Mapping[str, object] | None:
        """Go on with this file, and give what the one before it told at last, if it is another one."""
        if self._descriptor < 0:
            self._descriptor = descriptor
            return None
        if os.path.sameopenfile(self._descriptor, descriptor):
            os.close(descriptor)
            return None
        try:
            return self._newest(self._descriptor, is_settled=True)[0]
        finally:
            os.close(self._descriptor)
            self._descriptor, self._offset = descriptor, 0

    def _newest(self, descriptor: int, *, is_settled: bool) -> tuple[Mapping[str, object] | None, int]:
        """What the last matching line told that was not looked at before, and how many bytes were."""
        size = os.fstat(descriptor).st_size
        if size < self._offset or (self._offset and _read_at(descriptor, self._offset - 1, 1) != b"\n"):
            self._offset = 0  # it was cut, and perhaps has grown since; or its last line was looked at unfinished
        start = max(self._offset, size - self._max_bytes)
        lines = lines_backwards(descriptor, start, size)
        unfinished = b"" if is_settled else next(lines)
        self._offset = size - len(unfinished)
        give_up_at = time.monotonic() + self.terms.timeout_s
        for line in lines:
            if time.monotonic() > give_up_at:
                raise SourceError(f"{self._file.path}: looking for a line that matches took too long: see its pattern")
            values = self._interpret(line.rstrip(b"\r").decode(errors="replace")) if line else None
            if values is not None:
                return values, size - start
        return None, size - start

    def _checked(self, values: Mapping[str, object]) -> Mapping[str, object]:
        try:
            return checked(self.terms.fields, values)
        except ValueError as error:
            raise SourceError(f"{self._file.path}: the last line that matches: {error}") from None


def lines_backwards(descriptor: int, start: int, end: int) -> Iterator[bytes]:
    """The lines from ``start`` to ``end``, the last one first, which is empty where a newline ends the file.

    The first line may lack its beginning. One of more than ``LINE_BYTES`` is left out, unless it is the last.
    """
    tail, is_too_long = b"", False
    while end > start:
        size = min(PIECE, end - start)
        end -= size
        first, *rest = (_read_at(descriptor, end, size) + tail).split(b"\n")
        if rest and is_too_long:
            rest.pop()
            is_too_long = False
        yield from reversed(rest)
        tail = first
        if len(tail) > LINE_BYTES:
            tail, is_too_long = b"", True
    if not is_too_long:
        yield tail


def _read_at(descriptor: int, at: int, size: int) -> bytes:
    os.lseek(descriptor, at, os.SEEK_SET)
    return os.read(descriptor, size)


class Pattern:
    """A regular expression with named groups. Raises ``ValueError`` for what is none, or costs too much."""

    def __init__(self, text: str) -> None:
        import regex  # here, as it takes its time and most servers have no pattern

        bare = "".join(_ESCAPES.sub("", text).split())  # blanks mean nothing with (?x)
        if _RECURSION.search(bare) or math.prod(map(_times, _COUNTS.findall(bare))) > REPEATS:
            raise ValueError(f"pattern: recursion, and repeats of more than {REPEATS:,} times in all, cost too much")
        try:
            self._pattern = regex.compile(text)
        except (regex.error, ValueError, OverflowError, RecursionError) as error:
            raise ValueError(f"pattern: is not a regular expression: {error}") from None
        self.groups = tuple(sorted(self._pattern.groupindex, key=self._pattern.groupindex.__getitem__))
        if not self.groups:
            raise ValueError("pattern: needs a named group for each value, such as (?P<status>OK|ERROR)")

    def __call__(self, line: str) -> Mapping[str, object] | None:
        """The groups of a line, ``None`` for those that took no part. Raises ``SourceError`` if it takes too long."""
        try:
            found = self._pattern.search(line, timeout=SEARCH_S)
        except TimeoutError:
            raise SourceError(
                f"the pattern took longer than {SEARCH_S} s on one line: make it simpler, without repeats in repeats"
            ) from None
        return None if found is None else found.groupdict()


def _times(bounds: tuple[str, str]) -> int:
    """How often a counted repeat repeats at most."""
    return max([1, *(int(bound) for bound in bounds if bound)])
