"""The collector: asks all sources side by side, and knows of each what it last said.

No source delays the others by more than its own time: one that took too long is asked again, but nobody waits for it
until it has answered in time. What a source says is believed when its fields agree; what fails keeps its last good
values, marked with their age and the reason. The collector neither publishes nor keeps anything.
"""

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import Final

import msgspec
import structlog

from .kinds import Value
from .sources import AbsentError, Source, SourceError
from .values import Reading, SourceState, Terms, checked

log = structlog.get_logger()

SOURCES: Final = 1000
ERROR_CHARACTERS: Final = 500
_EARLY: Final = 0.95
"""Pulses are not quite even, so a source is due a little before its time."""
_LATE_S: Final = 0.1
"""How long past its time a source is waited for that does not let itself be cancelled."""


class Collector:
    """Belongs to one event loop. ``clock`` gives seconds since the epoch."""

    def __init__(self, sources: Iterable[Source] = (), *, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._asked: dict[str, _Asked] = {}
        self.collected_at = 0
        """When all of them were asked last, in milliseconds since 1970; 0 for never."""
        for source in sources:
            self.add(source)

    def add(self, source: Source, *, may_be_absent: bool = False) -> None:
        """Raises ``ValueError`` where its name or one of its fields is another's.

        Of one that ``may_be_absent`` nobody is warned until it has been there.
        """
        terms = source.terms
        if len(self._asked) >= SOURCES:
            raise ValueError(f"there are {SOURCES:,} sources already")
        if terms.name in self._asked:
            raise ValueError(f"name: there is a source {terms.name} already")
        owners = {field.name: asked.terms.name for asked in self._asked.values() for field in asked.terms.fields}
        for field in terms.fields:
            if field.name in owners:
                raise ValueError(f"fields: {field.name} is a value of the source {owners[field.name]} already")
        self._asked[terms.name] = _Asked(source, self._clock, may_be_absent=may_be_absent)

    async def remove(self, name: str) -> None:
        """Forget a source and close it. Raises ``KeyError`` for one that is not there."""
        await self._asked.pop(name).close()

    async def replace(self, source: Source) -> None:
        """Put a source in the place of the one with its name, which is closed. Raises ``ValueError`` as ``add`` does,

        and then nothing has changed.
        """
        before = self._asked.copy()
        old = self._asked.pop(source.terms.name, None)
        try:
            self.add(source)
        except ValueError:
            self._asked = before
            raise
        if old is not None:
            self._asked = {name: self._asked[name] for name in before}
            await old.close()

    def arrange(self, names: Iterable[str]) -> None:
        """Put the sources in this order, which names each of them."""
        self._asked = {name: self._asked[name] for name in names}

    def states(self) -> tuple[SourceState, ...]:
        """What is known now, in the order in which the sources were added or arranged."""
        return tuple(asked.state for asked in self._asked.values())

    async def collect(self) -> tuple[SourceState, ...]:
        """Ask the sources that are due, and say what is known of all. Raises nothing but cancellation.

        Asked again meanwhile, a source that is still at work is not asked twice.
        """
        rows = list(self._asked.values())
        for asked in rows:
            asked.begin()
        loop = asyncio.get_running_loop()
        while waited := [asked for asked in rows if asked.is_waited_for]:
            deadline = min(asked.deadline for asked in waited)
            tasks = [asked.task for asked in waited if asked.task is not None]
            await asyncio.wait(tasks, timeout=deadline + _LATE_S - loop.time())
            for asked in waited:
                if asked.deadline <= deadline:
                    asked.leave_behind()
        if places := [asked.awaited for asked in rows if asked.is_newly_awaited()]:
            log.info("fusion_waits_for_files", files=places)
        self.collected_at = int(self._clock() * 1000)
        return self.states()

    async def close(self) -> None:
        """Close all sources."""
        rows, self._asked = list(self._asked.values()), {}
        await asyncio.gather(*(asked.close() for asked in rows))


async def tried(source: Source) -> dict[str, Value]:
    """What a source says when it is asked once. Raises ``SourceError`` for what would be its error."""
    try:
        async with asyncio.timeout(source.terms.timeout_s):
            reading = await source.collect()
        return checked(source.terms.fields, reading.values)
    except Exception as error:
        raise SourceError(_text_of(error, source.terms)) from None


class _Asked:
    """A source, the call that is under way, and its state."""

    def __init__(self, source: Source, clock: Callable[[], float], *, may_be_absent: bool) -> None:
        self.terms = source.terms
        self.awaited = ""
        """Where it looks in vain, without ever having been warned of."""
        self.state = SourceState(source.terms)
        self.task: asyncio.Task[None] | None = None
        self.deadline = 0.0
        self._source = source
        self._clock = clock
        self._begun = -1e9
        self._last: Reading | None = None
        self._is_slow = False
        self._may_be_absent = may_be_absent
        self._told_of = ""

    def is_newly_awaited(self) -> bool:
        """Whether it is absent and nobody was told so yet. They are told now."""
        is_news = self.awaited != self._told_of
        self._told_of = self.awaited
        return is_news and bool(self.awaited)

    @property
    def is_waited_for(self) -> bool:
        return self.task is not None and not self._is_slow

    def begin(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        if self.task is None and now - self._begun >= self.terms.every_s * _EARLY:
            self._begun = now
            self.deadline = now + self.terms.timeout_s
            self.task = loop.create_task(self._ask())

    def leave_behind(self) -> None:
        """Wait for it no more, if it is still at work."""
        if self.is_waited_for:
            self._is_slow = True
            self._failed("does not stop when its time is over", 0.0)

    async def _ask(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout_at(self.deadline):
                reading = await self._source.collect()
            self._succeeded(reading, (loop.time() - self._begun) * 1000)
            self._is_slow = False
        except Exception as error:
            self._is_slow = loop.time() >= self.deadline
            may_be_absent = self._may_be_absent and not self.state.read_at
            self.awaited = error.place if may_be_absent and isinstance(error, AbsentError) else ""
            self._failed(_text_of(error, self.terms), (loop.time() - self._begun) * 1000)
        finally:
            self.task = None

    def _succeeded(self, reading: Reading, duration_ms: float) -> None:
        state, now = self.state, int(self._clock() * 1000)
        is_news = reading is not self._last
        values = checked(self.terms.fields, reading.values) if is_news else state.values
        if state.error:
            log.info("fusion_source_recovered", source=self.terms.name)
        self._last = reading
        self.awaited = ""
        self.state = SourceState(
            self.terms,
            values,
            as_of=min(reading.as_of, now) or now,
            read_at=now,
            collections=state.collections + 1,
            failures=state.failures,
            duration_ms=duration_ms,
            bytes=reading.bytes if is_news else 0,
            is_demo=reading.is_demo,
        )

    def _failed(self, text: str, duration_ms: float) -> None:
        state = self.state
        if text != state.error and not self.awaited:
            log.warning("fusion_source_failed", source=self.terms.name, error=text)
        self.state = msgspec.structs.replace(
            state,
            error=text,
            failing_since=state.failing_since or int(self._clock() * 1000),
            collections=state.collections + 1,
            failures=state.failures + 1,
            duration_ms=duration_ms,
            bytes=0,
            is_awaited=bool(self.awaited),
        )

    async def close(self) -> None:
        if self.task is not None:
            self.task.cancel()
            await asyncio.wait([self.task], timeout=_LATE_S)
            self.task = None  # one that is cancelled before it began does not do it itself
        try:
            await self._source.close()
        except Exception as error:
            log.warning("fusion_source_not_closed", source=self.terms.name, error=type(error).__name__)


def _text_of(error: Exception, terms: Terms) -> str:
    match error:
        case SourceError():
            text = str(error)
        case TimeoutError():
            text = f"did not answer within {terms.timeout_s:g} s"
        case ValueError():
            text = f"gave what cannot be used: {error}"
        case _:
            text = f"failed: {type(error).__name__}: {error}"
    return text if len(text) <= ERROR_CHARACTERS else f"{text[: ERROR_CHARACTERS - 1]}…"
