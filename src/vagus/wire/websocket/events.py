"""What a client's bytes mean: the closed union of events that a FrameReader gives.

Every event is valid by construction: texts are UTF-8, close codes may travel, sizes are within the limit.
Payloads stay bytes, because the dialects decode JSON from bytes.
"""

from typing import TypeAlias

import msgspec

# gc=False: an event holds only bytes, int and str, which cannot form a cycle; the collector need not count it.


class Text(msgspec.Struct, frozen=True, gc=False):
    """A whole text message; `payload` is valid UTF-8."""

    payload: bytes


class Binary(msgspec.Struct, frozen=True, gc=False):
    """A whole binary message."""

    payload: bytes


class Ping(msgspec.Struct, frozen=True, gc=False):
    """The client wants a pong with the same payload (at most 125 bytes)."""

    payload: bytes


class Pong(msgspec.Struct, frozen=True, gc=False):
    """An answer to a ping, or an unasked heartbeat."""

    payload: bytes


class Close(msgspec.Struct, frozen=True, gc=False):
    """The client closes; nothing follows. `code` is 1005 when the frame had none."""

    code: int
    reason: str


class Violation(msgspec.Struct, frozen=True, gc=False):
    """The client broke the protocol; nothing follows. Close with this code and reason."""

    code: int
    reason: str


Event: TypeAlias = Text | Binary | Ping | Pong | Close | Violation
