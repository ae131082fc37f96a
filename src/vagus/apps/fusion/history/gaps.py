"""Gaps: where a line may not be drawn through, because nothing was measured meanwhile.

There is no fixed interval to compare with: people change the pace while it runs. So a distance is compared with those
around it. It is a gap if it is more than three times as long as is usual before it and as is usual after it; the first
distance of a slower pace is therefore none.
"""

import itertools
import statistics
from collections.abc import Sequence
from typing import Final

GAP: Final = 3
"""How many times the usual distance is a gap: one or two missed measurements are none."""

NEIGHBOURS: Final = 3
"""Distances on either side that say what is usual, by their median: a point alone between two gaps has little say."""


def gaps(at: Sequence[int], step: int) -> list[int]:
    """The positions in ``at``, ascending, before which there is a gap. ``step`` is how close points could be."""
    distances = [later - earlier for earlier, later in itertools.pairwise(at)]
    if not distances or max(distances) <= GAP * step:
        return []
    return [
        position + 1
        for position, distance in enumerate(distances)
        if distance > GAP * step and _is_unusual(distances, position)
    ]


def _is_unusual(distances: Sequence[int], position: int) -> bool:
    sides = distances[max(position - NEIGHBOURS, 0) : position], distances[position + 1 : position + 1 + NEIGHBOURS]
    usual = [statistics.median(side) for side in sides if side]
    return bool(usual) and distances[position] > GAP * max(usual)
