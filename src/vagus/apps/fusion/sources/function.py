"""A Python function as a source: an ``async def`` is awaited, any other runs in a thread."""

import inspect
from collections.abc import Awaitable, Callable, Mapping
from typing import cast

from vagus.apps.fusion.threads import Threads
from vagus.apps.fusion.values import Reading, Terms

from . import SourceError

Function = Callable[[], object] | Callable[[], Awaitable[object]]


class FunctionSource:
    """See ``Source``. The function returns the values by name, or the value itself where there is one field alone.

    It has a thread of its own. While it hangs there it is not called again, and nobody else is held up.
    """

    def __init__(self, terms: Terms, function: Function) -> None:
        self.terms = terms
        self._function = function
        self._threads = Threads(limit=1, per_group=1)

    async def collect(self) -> Reading:
        if inspect.iscoroutinefunction(self._function):
            return self._reading(await cast("Callable[[], Awaitable[object]]", self._function)())
        if self._threads.busy:
            raise SourceError("the function has not returned since it was called last")
        return self._reading(await self._threads.run("", self._function))

    async def close(self) -> None:
        self._threads.close()

    def _reading(self, found: object) -> Reading:
        if isinstance(found, Mapping):
            return Reading(found)
        if len(self.terms.fields) != 1:
            raise TypeError(
                f"returns {type(found).__name__}, and the values of {len(self.terms.fields)} fields are wanted"
            )
        return Reading({self.terms.fields[0].name: found})
