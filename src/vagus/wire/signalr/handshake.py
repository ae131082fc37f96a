"""The first record in each direction: which notation, in which version. It is JSON, whatever the notation.

Clients that follow the specification say version 1, those that resume 2, and some 0; all of it is taken.
"""

from typing import Final

import msgspec

from .records import SEPARATOR

BOUND: Final = 4_096
"""Bytes before the separator must have come."""

NEWEST: Final = 2
RESUMES_FROM: Final = 2
"""The version from which messages have sequence numbers, where that was agreed on."""

ACCEPTED: Final = b"{}" + SEPARATOR


class HandshakeError(Exception):
    """It is refused; the text is for the client."""


class Handshake(msgspec.Struct, frozen=True):
    protocol: str
    version: int


_decode: Final = msgspec.json.Decoder(Handshake).decode


def read(record: bytes) -> Handshake:
    """Raises ``HandshakeError``."""
    try:
        handshake = _decode(record)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise HandshakeError("The handshake is malformed.") from None
    if not 0 <= handshake.version <= NEWEST:
        raise HandshakeError("The server does not support this version of the protocol.")
    return handshake


def refused(reason: str) -> bytes:
    return msgspec.json.encode({"error": reason}) + SEPARATOR
