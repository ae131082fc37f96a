"""A function that speaks for a source while there is nothing where that looks: for demos. Its values are marked."""

from collections.abc import Callable, Mapping

from vagus.apps.fusion.values import Reading

from . import AbsentError, Source

Invent = Callable[[float], Mapping[str, object]]
"""Gives a made-up value for each field of a source at a moment, in seconds since 1970; at once."""


class StandIn:
    """See ``Source``. The real one is asked first each time: what it says, and what is wrong with it, counts."""

    def __init__(self, real: Source, invent: Invent, clock: Callable[[], float]) -> None:
        self.terms = real.terms
        self._real = real
        self._invent = invent
        self._clock = clock

    async def collect(self) -> Reading:
        try:
            return await self._real.collect()
        except AbsentError:
            return Reading(self._invent(self._clock()), is_demo=True)

    async def close(self) -> None:
        await self._real.close()
