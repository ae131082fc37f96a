"""How long a test waits for what should come, and how long it may take. Neither says anything about speed: a machine of
CI may be busy with other work, or stall, so that everything has several times as long there.
"""

import os
from typing import Final

PATIENCE: Final = 6 if os.environ.get("CI") else 1
"""How many times as long as on a quiet machine."""

LEISURE: Final = 2 if os.environ.get("CI") else 1
"""The same for what a test has to sit through, such as a time-out that is to pass: all of it is added to each run."""

DEADLINE_S: Final = 15.0 * PATIENCE
