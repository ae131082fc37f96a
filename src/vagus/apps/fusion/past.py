"""The past of a demo: what its sources would have said in the last day, while nobody asked them.

It is put there behind the first pulse, a piece at a time and the newest first, so that charts fill up from where people
look. Of a metric that is known from an earlier demo the time since then is filled. One of which anything else is kept,
or whose source has real values, stays as it is: what is made up never comes between what is not.

Made-up values hang on the time alone, so a kept one is recognised by being what the demo says of its moment.
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

COMPARED: Final = 200
"""Of the newest points that are kept, so many are looked at, and ``ALIKE`` of them must be what the demo says.

A pulse is later than its values by some milliseconds, so they are alike within ``TOLERANCE``, and a few are not at all.
"""
ALIKE: Final = 0.9
TOLERANCE: Final = 0.001


class Knows(Protocol):
    """What is needed of the collector."""

    def states(self) -> Sequence[SourceState]:
        """What is known of all sources now."""
        ...


async def invent_past(
    history: "History", sources: Knows, demo: Mapping[str, Invent], *, before: int, interval_s: float
) -> int:
    """Fill the day before a pulse, which was at ``before``. How many points that were. Raises ``StoreError``."""
    filled_from = await _filled_from(history, sources, demo, before)
    step_s = max(interval_s, CLOSEST_S)
    moments, count = moments_before(before / 1000, interval_s), 0
    while piece := list(islice(moments, PIECE)):
        due = {metric for metric, start in filled_from.items() if piece[0] > start + step_s}
        if not due:
            break
        made_up = [state for state in sources.states() if state.is_demo and state.name in demo]
        for at in piece:
            values = figures(_at(state, demo[state.name], at) for state in made_up)
            new = {metric: values[metric] for metric in due & values.keys() if at > filled_from[metric] + step_s}
            history.add(int(at * 1000), new)
            count += len(new)
        await history.flush()
    return count


async def _filled_from(history: "History", sources: Knows, demo: Mapping[str, Invent], before: int) -> dict[str, float]:
    """Since when each metric is to be filled, in seconds since 1970: 0 for one of which nothing is kept."""
    known = {row.metric for row in await history.metrics() if row.first_ms < before}
    found: dict[str, float] = {}
    for state in sources.states():
        if not state.is_demo or state.name not in demo:
            continue
        for metric in figures([state]):
            points = await history.newest(metric, before_ms=before, count=COMPARED) if metric in known else []
            if metric not in known:
                found[metric] = 0.0
            elif points and _is_made_up(points, metric, state, demo[state.name]):
                found[metric] = points[0][0] / 1000
    return found


def _is_made_up(points: Sequence[tuple[int, float]], metric: str, state: SourceState, invent: Invent) -> bool:
    alike = 0
    for at_ms, value in points:
        said = figures([_at(state, invent, at_ms / 1000)]).get(metric)
        alike += said is not None and abs(value - said) <= TOLERANCE * abs(said)
    return alike >= ALIKE * len(points)


def moments_before(at: float, interval_s: float) -> Iterator[float]:
    """Backwards: an hour as close together as pulses are, the rest of a day a minute apart."""
    step = min(max(interval_s, CLOSEST_S), MINUTE_S)
    end, day = at - HOUR_S, at - DAY_S
    while at > day:
        at -= step if at > end else MINUTE_S
        yield at


def _at(state: SourceState, invent: Invent, at: float) -> SourceState:
    return msgspec.structs.replace(state, values=checked(state.terms.fields, invent(at)))
