"""The WebSocket protocol (RFC 6455, RFC 7692), server side, without I/O: bytes in, events out; payloads in, frames out.

    request = check_upgrade("GET", "1.1", headers)          # Upgrade, or Refusal -> refusal_response(request)
    deflate = negotiate_deflate(request.extensions)
    transport.write(upgrade_response(request, extensions=deflate))
    reader = FrameReader(message_size_limit=65_536, deflate=deflate is not None)
    for event in reader.feed(data): ...                     # Text, Binary, Ping, Pong, Close, Violation

The owner of the socket answers: a Ping with `pong_frame`, a Close with `close_frame(event.code)`, a Violation with
`close_frame(event.code, event.reason)`; after the last two it closes the transport. No state is shared between
connections and no compressor is kept, so one finished frame may be sent to every client.
"""

from vagus.wire.websocket.deflate import COMPRESSION_WINDOW_BITS, negotiate_deflate
from vagus.wire.websocket.events import Binary, Close, Event, Ping, Pong, Text, Violation
from vagus.wire.websocket.frames import (
    binary_frame,
    close_frame,
    compressed_binary_frame,
    compressed_text_frame,
    ping_frame,
    pong_frame,
    text_frame,
)
from vagus.wire.websocket.handshake import (
    Refusal,
    Upgrade,
    accept_key,
    check_upgrade,
    refusal_response,
    upgrade_response,
)
from vagus.wire.websocket.reader import FrameReader

__all__ = [
    "COMPRESSION_WINDOW_BITS",
    "Binary",
    "Close",
    "Event",
    "FrameReader",
    "Ping",
    "Pong",
    "Refusal",
    "Text",
    "Upgrade",
    "Violation",
    "accept_key",
    "binary_frame",
    "check_upgrade",
    "close_frame",
    "compressed_binary_frame",
    "compressed_text_frame",
    "negotiate_deflate",
    "ping_frame",
    "pong_frame",
    "refusal_response",
    "text_frame",
    "upgrade_response",
]
