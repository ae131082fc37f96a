"""permessage-deflate (RFC 7692) without context takeover in either direction.

No compressor or decompressor outlives a message: an idle connection costs nothing more, and one compressed message
serves every client. The window of 4 KiB lets us honour `server_max_window_bits` down to 12 (which the Python client
`websockets` asks for by default); on piles of JSON it costs no ratio (measured: 10.2 against 10.6 KB for 60 KB).
"""

import re
import zlib
from typing import Final

from vagus.wire.websocket import codes
from vagus.wire.websocket.errors import FrameError

COMPRESSION_WINDOW_BITS: Final = 12
"""The window of every compressed frame we send, as a power of two."""

_MEMORY_LEVEL: Final = 5  # with this window as good as zlib's 8, and a compressor starts faster
_TAIL: Final = b"\x00\x00\xff\xff"  # section 7.2.1: a sender strips what a sync flush leaves, a receiver puts it back

# Section 7.2.3.5 allows final blocks (BFINAL) inside a message. No known client sends more than one, and each costs a
# decompressor, so that two bytes on the wire would buy microseconds of our time.
_FINAL_BLOCKS_LIMIT: Final = 8

_RESPONSE: Final = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
_WINDOW_BITS: Final = re.compile(r"[89]|1[0-5]")  # section 7.1.2: 8 to 15, no leading zero


def negotiate_deflate(header: str | None) -> str | None:
    """Return the Sec-WebSocket-Extensions value to answer with, or None if no offer can be honoured.

    The first acceptable offer wins. An offer is declined if it is invalid (section 7.1: an unknown, repeated or badly
    valued parameter) or wants our window smaller than it is. Several header lines are to be joined with commas.
    """
    for offer in (header or "").split(","):
        name, *parameters = (part.strip() for part in offer.split(";"))
        if name.lower() == "permessage-deflate":
            response = _answer(parameters)
            if response is not None:
                return response
    return None


def deflate(payload: bytes, level: int) -> bytes:
    """Compress one message, from an empty window. Raises zlib.error for a level outside -1 to 9."""
    compressor = zlib.compressobj(level, zlib.DEFLATED, -COMPRESSION_WINDOW_BITS, _MEMORY_LEVEL)
    return compressor.compress(payload) + compressor.flush(zlib.Z_SYNC_FLUSH)[: -len(_TAIL)]


def inflate(payload: bytes | bytearray, limit: int) -> bytes:
    """Decompress one message, stopping as soon as it is longer than `limit` bytes.

    Raises FrameError: 1009 if it would be longer, 1007 if it is not deflate data.
    """
    message = b""
    rest = b"".join((payload, _TAIL))
    for _ in range(_FINAL_BLOCKS_LIMIT):
        # The widest window reads every client's: client_max_window_bits is only a hint to us (section 7.1.2.2).
        decompressor = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
        try:
            message += decompressor.decompress(rest, limit + 1 - len(message))
        except zlib.error:
            raise FrameError(codes.INVALID_PAYLOAD, "not deflate data") from None
        if len(message) > limit:
            raise FrameError(codes.MESSAGE_TOO_BIG, "decompressed message too big")
        rest = decompressor.unused_data
        if not rest:
            return message
    raise FrameError(codes.MESSAGE_TOO_BIG, "too many final deflate blocks")


def _answer(parameters: list[str]) -> str | None:
    response = _RESPONSE
    seen = set()
    for parameter in parameters:
        name, equals, value = (part.strip() for part in parameter.partition("="))
        name = name.lower()
        value = _unquoted(value)
        if name in seen:
            return None
        seen.add(name)
        match name:
            case "server_no_context_takeover" | "client_no_context_takeover" if not equals:
                pass
            case "client_max_window_bits" if not equals or _WINDOW_BITS.fullmatch(value):
                pass
            case "server_max_window_bits" if _WINDOW_BITS.fullmatch(value) and int(value) >= COMPRESSION_WINDOW_BITS:
                response = f"{_RESPONSE}; server_max_window_bits={COMPRESSION_WINDOW_BITS}"
            case _:
                return None
    return response


def _unquoted(value: str) -> str:
    # RFC 6455 section 9.1: a value is a token or a quoted token. No valid value here has a comma or a backslash.
    quoted = len(value) >= 2 and value[0] == value[-1] == '"'
    return value[1:-1] if quoted else value
