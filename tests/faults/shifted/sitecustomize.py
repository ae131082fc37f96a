"""Lets the wall clock of a node jump while it runs: Python's ``time.time`` is off by what a small file says.

The interpreter loads this by its name at its start. The monotonic clock is left alone, as an operating system leaves it
alone when the wall clock is set.
"""

import mmap
import os
import struct
import time

_PATH = os.environ.get("SHIFTED_CLOCK")

if _PATH:
    with open(_PATH, "rb") as file:
        _shift = mmap.mmap(file.fileno(), 8, access=mmap.ACCESS_READ)
    _time = time.time

    def _shifted() -> float:
        offset: float = struct.unpack_from("d", _shift)[0]
        return _time() + offset

    time.time = _shifted
    time.time_ns = lambda: int(_shifted() * 1e9)
