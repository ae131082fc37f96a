"""The log of the hub and the gateways. structlog is loaded when the hub starts, or with the first line.

It takes half the time of importing the library, and who imports it may only want its types.
"""

import sys
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import structlog


class Journal:
    """A logger that is made when it is needed."""

    def __getattr__(self, name: str) -> Any:
        import structlog

        return getattr(structlog.get_logger(), name)


if TYPE_CHECKING:
    log: "structlog.stdlib.BoundLogger"
else:
    log: Final = Journal()


def load() -> None:
    """Have the log ready, so that its first line does not hold up the event loop."""
    import structlog  # noqa: F401


def is_loaded() -> bool:
    return "structlog" in sys.modules
