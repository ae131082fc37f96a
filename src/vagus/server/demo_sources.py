"""What the demo makes up for the four sources that come ready, while their files are not there.

Values move by a little each time they are asked for, as real ones do. Only recommendations have words: those say that
they are made up, and fusion marks all of it as a demo.
"""

import math
import random
from collections.abc import Callable, Mapping
from typing import Final

Invent = Callable[[], Mapping[str, object]]

SYNC_S: Final = 60
"""How often the invented drive is synchronised, and how long that takes."""
SYNC_TAKES_S: Final = 8

ADVICE: Final = (
    "Demo: call the five customers whose contracts end next month",
    "Demo: two memos say the opposite of each other about pricing",
    "Demo: the sync was slow three times today; look at the large folder",
    "Demo: revenue rose after the newsletter; send the next one earlier",
    "Demo: nobody has read the security memo yet",
)


def demo_sources(clock: Callable[[], float], chance: random.Random) -> Mapping[str, Invent]:
    """A function for each source, by its name. ``clock`` gives seconds since 1970."""
    count, amount = 1_240, 48_200.0

    def memos() -> Mapping[str, object]:
        nonlocal count
        count += chance.choice((0, 0, 0, 1, 2))
        return {"memos": count}

    def revenue() -> Mapping[str, object]:
        nonlocal amount
        amount = max(1_000.0, amount * (1 + chance.gauss(0.0001, 0.001)))
        return {"revenue": round(amount, 2)}

    def drive_sync() -> Mapping[str, object]:
        round_began = math.floor(clock() / SYNC_S) * SYNC_S
        is_running = clock() - round_began < SYNC_TAKES_S
        ended = round_began + SYNC_TAKES_S - (SYNC_S if is_running else 0)
        return {"driveSync": "RUNNING" if is_running else "OK", "driveSyncLastSync": ended * 1000}

    def recommendations() -> Mapping[str, object]:
        first = math.floor(clock() / SYNC_S)
        shown = [ADVICE[(first + index) % len(ADVICE)] for index in range(2 + first % 3)]
        return {"recommendations": [{"title": title, "demo": True} for title in shown]}

    return {"memoIndex": memos, "revenue": revenue, "driveSyncLog": drive_sync, "recommendations": recommendations}
