"""Where fusion's values come from. This is the contract; each file beside it is a kind of source, and ``making`` makes

them from settings. A source of one's own is any object like this one::

    class Queue:
        terms = Terms("queue", (Field("waiting", unit="jobs"),), timeout_s=2)

        async def collect(self) -> Reading:
            return Reading({"waiting": await queue.length()})

        async def close(self) -> None: ...

What every source promises, and what the collector sees to where it does not:

* ``collect`` gives a value for each of its fields, or raises; a ``SourceError`` says to a person what happened and what
  to do. A reading that is returned again, the same object, says that nothing has changed.
* It may be cancelled at any time, and is when its time is over. The next call works all the same.
* It never blocks the event loop: what may block runs in ``Threads``, and what is large is parsed there too.
* It takes a bounded amount of memory, whatever is at the other end.
* It is called again only when the last call has ended.
"""

from typing import Protocol

from vagus.apps.fusion.values import Reading, Terms

__all__ = ["AbsentError", "Source", "SourceError"]


class SourceError(Exception):
    """The source gave nothing. The text says what happened and what helps, and holds no secret."""


class AbsentError(SourceError):
    """There is nothing at the place where it looks. Of a source that comes ready this may be so for ever."""

    def __init__(self, place: str, text: str) -> None:
        super().__init__(text)
        self.place = place


class Source(Protocol):
    """See the module."""

    @property
    def terms(self) -> Terms: ...

    async def collect(self) -> Reading: ...

    async def close(self) -> None:
        """Let go of files and connections."""
        ...
