"""The close codes of RFC 6455 section 7.4 that this layer itself reads or gives, and which codes may travel.

These are the protocol's own numbers. What the hub tells its clients (reasons, reconnect or not) has codes of its own
in the range 3000-4999, which the kernel owns.
"""

from typing import Final

NORMAL: Final = 1000
PROTOCOL_ERROR: Final = 1002
NO_STATUS: Final = 1005
"""Stands for a close frame without a code; it never travels itself."""
INVALID_PAYLOAD: Final = 1007
MESSAGE_TOO_BIG: Final = 1009

# IANA's registry: 1004 is reserved; 1005, 1006 and 1015 are for APIs only; 1016-2999 are not assigned.
_REGISTERED: Final = frozenset((*range(1000, 1004), *range(1007, 1015)))


def may_travel(code: int) -> bool:
    """Whether a close frame may carry this code (section 7.4.2)."""
    return 3000 <= code <= 4999 or code in _REGISTERED
