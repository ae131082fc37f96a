"""The past of a demo: what its sources would have said in the last day, for a history that knows nothing of them yet.

It is put there behind the first pulse, a piece at a time and the newest first, so that charts fill up from where people
look. A metric of which anything is kept from before that pulse stays as it is, and so does that of a source with real
values: what is made up never comes between what is not.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Final, Protocol

import msgspec

from .sources.stand_in import Invent
from .values import SourceState, checked, figures

if TYPE_CHECKING:
    from .history import History

DAY_S: Final = 86_400
HOUR_S: Final = 3_600
MINUTE_S: Final = 60
CLOSEST_S: Final = 5.0

PIECE: Final = 60
"""Moments that are written at once: some milliseconds of work."""


class Knows(Protocol):
    """What is needed of the collector."""

    def states(self) -> Sequence[SourceState]:
        """What is known of all sources now."""
        ...


async def invent_past(
    history: "History", sources: Knows, demo: Mapping[str, Invent], *, before: int, interval_s: float
) -> int:
    """Fill the day before a pulse, which was at ``before``. How many points that were. Raises ``StoreError``."""
    known = {row.metric for row in await history.metrics() if row.first_ms < before}
    moments, count = moments_before(before / 1000, interval_s), 0
    while piece := list(islice(moments, PIECE)):
        made_up = [state for state in sources.states() if state.is_demo and state.name in demo]
        for at in piece:
            values = figures(_at(state, demo[state.name], at) for state in made_up)
            new = {metric: value for metric, value in values.items() if metric not in known}
            history.add(int(at * 1000), new)
            count += len(new)
        await history.flush()
    return count


def moments_before(at: float, interval_s: float) -> Iterator[float]:
    """Backwards: an hour as close together as pulses are, the rest of a day a minute apart."""
    step = min(max(interval_s, CLOSEST_S), MINUTE_S)
    end, day = at - HOUR_S, at - DAY_S
    while at > day:
        at -= step if at > end else MINUTE_S
        yield at


def _at(state: SourceState, invent: Invent, at: float) -> SourceState:
    return msgspec.structs.replace(state, values=checked(state.terms.fields, invent(at)))
