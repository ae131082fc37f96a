"""What the demo makes up for the four sources that come ready, while their files are not there.

Values wander as real ones do, and hang on the time alone: so what is made up for yesterday, by another node or after a
restart joins what is made up now. Only recommendations have words: those say that they are made up, and fusion marks
all of it as a demo.
"""

import math
from collections.abc import Mapping
from functools import lru_cache
from hashlib import blake2b
from typing import Final

from vagus.apps.fusion.sources.stand_in import Invent

SYNC_S: Final = 60
"""How often the invented drive is synchronised, and how long that takes."""
SYNC_TAKES_S: Final = 8

WAVES: Final = ((86_400, 1.0), (10_800, 0.35), (1_200, 0.12), (180, 0.05), (20, 0.015), (0.001, 0.001))
"""Periods in seconds and sizes of what a wandering value is the sum of: about what chance makes of many small steps.

With the last one hardly two readings are alike.
"""

ADVICE: Final = (
    "Demo: call the five customers whose contracts end next month",
    "Demo: two memos say the opposite of each other about pricing",
    "Demo: the sync was slow three times today; look at the large folder",
    "Demo: revenue rose after the newsletter; send the next one earlier",
    "Demo: nobody has read the security memo yet",
)


def memos(at: float) -> Mapping[str, object]:
    return {"memos": round(1_240 * (1 + 0.1 * wandering("memos", at)))}


def revenue(at: float) -> Mapping[str, object]:
    return {"revenue": round(48_200 * (1 + 0.05 * wandering("revenue", at)), 2)}


def drive_sync(at: float) -> Mapping[str, object]:
    round_began = math.floor(at / SYNC_S) * SYNC_S
    is_running = at - round_began < SYNC_TAKES_S
    ended = round_began + SYNC_TAKES_S - (SYNC_S if is_running else 0)
    return {"driveSync": "RUNNING" if is_running else "OK", "driveSyncLastSync": ended * 1000}


def recommendations(at: float) -> Mapping[str, object]:
    first = math.floor(at / SYNC_S)
    count = 1 + max(0, min(round(2 + 3 * wandering("recommendations", at)), len(ADVICE) - 1))
    shown = [ADVICE[(first + index) % len(ADVICE)] for index in range(count)]
    return {"recommendations": [{"title": title, "demo": True} for title in shown]}


DEMO_SOURCES: Final[Mapping[str, Invent]] = {
    "memoIndex": memos,
    "revenue": revenue,
    "driveSyncLog": drive_sync,
    "recommendations": recommendations,
}
"""What each source says at a moment, in seconds since 1970, by its name."""


def wandering(name: str, at: float) -> float:
    """Between about -1.5 and 1.5, the same whenever it is asked for the same moment."""
    return sum(size * _between(f"{name} {period}", at / period) for period, size in WAVES)


def _between(name: str, place: float) -> float:
    """On a smooth line through a level at every whole number."""
    first = math.floor(place)
    part = place - first
    low, high = _level(name, first), _level(name, first + 1)
    return low + (high - low) * part * part * (3 - 2 * part)


@lru_cache(maxsize=256)
def _level(name: str, number: int) -> float:
    """From -1 to 1, by chance that is always the same."""
    digest = blake2b(f"{name} {number}".encode(), digest_size=4).digest()
    return int.from_bytes(digest) / 2**31 - 1
