"""Engine.IO: a digit before each packet, a separator between those of one body, and what a handshake says.

In WebSockets each packet has a frame of its own and binary ones are binary frames; in bodies of polling requests they
are joined, and binary ones are ``b`` and base64.
"""

import binascii
from base64 import b64decode, b64encode
from typing import Final

import msgspec

from vagus.kernel import codes
from vagus.kernel.errors import DisconnectError

OPEN: Final = b"0"
CLOSE: Final = b"1"
PING: Final = b"2"
PONG: Final = b"3"
MESSAGE: Final = b"4"
UPGRADE: Final = b"5"
NOOP: Final = b"6"
BINARY: Final = b"b"
"""Marks a binary message in a body."""

PROBE: Final = b"2probe"
PROBED: Final = b"3probe"
SEPARATOR: Final = b"\x1e"

MAX_PACKETS: Final = 10_000
"""In one body: more is nothing that a client library sends."""


class Problem(msgspec.Struct, frozen=True):
    """What is answered to a request that cannot be served, with the status 400 or 403."""

    code: int
    message: str

    @property
    def body(self) -> bytes:
        return msgspec.json.encode(self)


UNKNOWN_TRANSPORT: Final = Problem(0, "Transport unknown")
UNKNOWN_SESSION: Final = Problem(1, "Session ID unknown")
BAD_HANDSHAKE_METHOD: Final = Problem(2, "Bad handshake method")
BAD_REQUEST: Final = Problem(3, "Bad request")
FORBIDDEN: Final = Problem(4, "Forbidden")
UNSUPPORTED_VERSION: Final = Problem(5, "Unsupported protocol version")


class Handshake(msgspec.Struct, frozen=True, rename="camel"):
    """What the server says first. Times are in milliseconds; exactly these keys are expected."""

    sid: str
    upgrades: tuple[str, ...]
    ping_interval: int
    ping_timeout: int
    max_payload: int

    @property
    def packet(self) -> bytes:
        return OPEN + msgspec.json.encode(self)


def binary_in_body(payload: bytes) -> bytes:
    return BINARY + b64encode(payload)


def packets_of(body: bytes) -> list[bytes]:
    """The packets of a body that a client sent, in order. Raises ``DisconnectError(MALFORMED)``."""
    try:
        body.decode()
    except UnicodeDecodeError:
        raise DisconnectError(codes.MALFORMED) from None
    packets = body.split(SEPARATOR)
    if len(packets) > MAX_PACKETS or not all(packets):
        raise DisconnectError(codes.MALFORMED)
    return packets


def payload_of(packet: bytes) -> bytes:
    """The payload of a binary message of a body. Raises ``DisconnectError(MALFORMED)``."""
    try:
        return b64decode(packet[1:], validate=True)
    except binascii.Error:
        raise DisconnectError(codes.MALFORMED) from None
