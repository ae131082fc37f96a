"""A function that speaks for a source while there is nothing where that looks: for demos. Its values are marked."""

from collections.abc import Callable, Mapping

from vagus.apps.fusion.values import Reading

from . import AbsentError, Source

Invent = Callable[[], Mapping[str, object]]
"""Gives a made-up value for each field of a source, at once."""


class StandIn:
    """See ``Source``. The real one is asked first each time: what it says, and what is wrong with it, counts."""

    def __init__(self, real: Source, invent: Invent) -> None:
        self.terms = real.terms
        self._real = real
        self._invent = invent

    async def collect(self) -> Reading:
        try:
            return await self._real.collect()
        except AbsentError:
            return Reading(self._invent(), is_demo=True)

    async def close(self) -> None:
        await self._real.close()
