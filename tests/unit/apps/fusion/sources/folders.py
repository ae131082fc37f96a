"""For tests of sources of files: files whose time is set, since nobody waits here for clocks of file systems."""

import os
import time
from pathlib import Path
from typing import Final

import msgspec

from vagus.apps.fusion.sources import Source
from vagus.apps.fusion.sources.files import SETTLED_NS
from vagus.apps.fusion.sources.making import Surroundings, source_of
from vagus.settings.fusion import SourceSettings

LONG_AGO_NS: Final = 1_700_000_000_000_000_000


class Folder:
    """Writes files as if that had been long ago, each write a second after the last."""

    def __init__(self, path: Path, around: Surroundings) -> None:
        self.path = path
        self.around = around
        self._seconds = 0

    def write(self, name: str, content: bytes | str, mode: str = "wb") -> Path:
        file = self.path / name
        with file.open(mode) as opened:
            opened.write(content.encode() if isinstance(content, str) else content)
        self.settle(file)
        return file

    def append(self, name: str, content: bytes | str) -> Path:
        return self.write(name, content, "ab")

    def settle(self, file: Path) -> None:
        self._seconds += 1
        at = LONG_AGO_NS + self._seconds * 1_000_000_000
        os.utime(file, ns=(at, at))

    def source(self, **options: object) -> Source:
        """From a table of settings."""
        return source_of(msgspec.convert(options, SourceSettings), self.around)


def is_recent(file: Path) -> None:
    """Let a file be one that changed this moment, for as long as a date can say so to a machine that stands still."""
    changed_at = time.time_ns() + SETTLED_NS - 100_000_000
    os.utime(file, ns=(changed_at, changed_at))
