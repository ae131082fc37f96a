"""The version of the whole: package, server, and what clients are told."""

from typing import Final

VERSION: Final = "0.1.0"
