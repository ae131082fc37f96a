"""Frames that a server sends: payload in, one finished frame out, unmasked and never fragmented.

This is the fan-out path: a frame is made once and the same bytes go to every subscriber. The heads of short frames are
made at import, so that a frame of up to 125 bytes costs one look-up and one concatenation.
"""

import struct
from typing import Final

from vagus.wire.websocket import codes
from vagus.wire.websocket.deflate import deflate

FIN: Final = 0x80
RSV1: Final = 0x40
CONTINUATION: Final = 0x0
TEXT: Final = 0x1
BINARY: Final = 0x2
CLOSE: Final = 0x8
PING: Final = 0x9
PONG: Final = 0xA

CONTROL_PAYLOAD_LIMIT: Final = 125
"""Section 5.5: a control frame carries at most this much and is not fragmented."""

_CLOSE_REASON_LIMIT: Final = CONTROL_PAYLOAD_LIMIT - 2

_TEXT_HEADS: Final = tuple(bytes((FIN | TEXT, size)) for size in range(126))
_pack_head_16: Final = struct.Struct("!BBH").pack
_pack_head_64: Final = struct.Struct("!BBQ").pack


def text_frame(payload: bytes) -> bytes:
    """One text message. `payload` must be UTF-8, which is not checked again here."""
    size = len(payload)
    if size < 126:
        return _TEXT_HEADS[size] + payload
    if size < 65_536:
        return _pack_head_16(FIN | TEXT, 126, size) + payload
    return _pack_head_64(FIN | TEXT, 127, size) + payload


def binary_frame(payload: bytes) -> bytes:
    """One binary message."""
    return _frame(FIN | BINARY, payload)


def compressed_text_frame(payload: bytes, level: int = 1) -> bytes:
    """One text message for clients that negotiated permessage-deflate; the same bytes serve all of them."""
    return _frame(FIN | RSV1 | TEXT, deflate(payload, level))


def compressed_binary_frame(payload: bytes, level: int = 1) -> bytes:
    """One binary message for clients that negotiated permessage-deflate; the same bytes serve all of them."""
    return _frame(FIN | RSV1 | BINARY, deflate(payload, level))


def ping_frame(payload: bytes = b"") -> bytes:
    """A ping. Raises ValueError if the payload has more than 125 bytes."""
    return _control_frame(FIN | PING, payload)


def pong_frame(payload: bytes = b"") -> bytes:
    """The answer to a ping with this payload. Raises ValueError if it has more than 125 bytes."""
    return _control_frame(FIN | PONG, payload)


def close_frame(code: int = codes.NO_STATUS, reason: str = "") -> bytes:
    """The last frame of a connection; `close_frame(event.code)` answers a Close, also an empty one (1005).

    A reason of more than 123 bytes is cut at a character: a long reason must not keep a connection open.
    Raises ValueError for a code that may not travel.
    """
    if code == codes.NO_STATUS:
        return _control_frame(FIN | CLOSE, b"")
    if not codes.may_travel(code):
        raise ValueError(f"close code {code} may not travel")
    text = reason.encode()
    if len(text) > _CLOSE_REASON_LIMIT:
        text = text[:_CLOSE_REASON_LIMIT].decode(errors="ignore").encode()
    return _control_frame(FIN | CLOSE, code.to_bytes(2, "big") + text)


def _frame(first_byte: int, payload: bytes) -> bytes:
    size = len(payload)
    if size < 126:
        return bytes((first_byte, size)) + payload
    if size < 65_536:
        return _pack_head_16(first_byte, 126, size) + payload
    return _pack_head_64(first_byte, 127, size) + payload


def _control_frame(first_byte: int, payload: bytes) -> bytes:
    if len(payload) > CONTROL_PAYLOAD_LIMIT:
        raise ValueError(f"a control frame carries at most {CONTROL_PAYLOAD_LIMIT} bytes, not {len(payload)}")
    return bytes((first_byte, len(payload))) + payload
