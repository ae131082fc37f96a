"""Client bytes to events: the parser of RFC 6455 section 5, made for very many connections that are mostly idle.

Two ways through: whole, unfragmented data frames, which are nearly all that clients send, are read straight from
the bytes of the read; anything else (fragments, control frames, compression, a frame cut by the end of a read, an
error) goes through a PartialMessage, which exists only while something is unfinished.
"""

from typing import Final

from vagus.wire.websocket.errors import FrameError
from vagus.wire.websocket.events import Binary, Close, Event, Text, Violation
from vagus.wire.websocket.frames import BINARY, CONTROL_PAYLOAD_LIMIT, FIN, TEXT
from vagus.wire.websocket.masking import apply_mask
from vagus.wire.websocket.partial import PartialMessage, is_utf8

_SHORTEST_FRAME: Final = 6  # two bytes and a mask
_FINAL_TEXT: Final = FIN | TEXT
_FINAL_BINARY: Final = FIN | BINARY
_ENDED: Final = PartialMessage(0, deflate=False)
"""Stands in a reader that has given its last event; it is never read into."""


class FrameReader:
    """Reads one connection's frames. Idle, it holds three words and no buffer."""

    __slots__ = ("_deflate", "_limit", "_partial")

    def __init__(self, message_size_limit: int = 65_536, *, deflate: bool = False) -> None:
        """Refuse messages of more than `message_size_limit` bytes, on the wire or inflated.

        `deflate` says that permessage-deflate was negotiated. Raises ValueError for a limit under 125.
        """
        if message_size_limit < CONTROL_PAYLOAD_LIMIT:
            raise ValueError(f"message_size_limit must be at least {CONTROL_PAYLOAD_LIMIT}, not {message_size_limit}")
        self._limit = message_size_limit
        self._deflate = deflate
        self._partial: PartialMessage | None = None

    def feed(self, data: bytes) -> list[Event]:
        """Return what `data` completes, in order; however the stream is cut, the events are the same.

        The first error is the last event, a Violation; like a Close it ends the connection, and whatever is fed
        after it is dropped. Nothing is raised for any bytes. An unfinished message holds no more memory than the limit
        (and its buffer's slack); a declared size over the limit is refused before any of the payload is kept.
        """
        events: list[Event] = []
        position = 0
        end = len(data)
        while position < end:
            if self._partial is None:
                # Whatever is not plain and whole leaves this loop unread, for PartialMessage to read or refuse.
                while end - position >= _SHORTEST_FRAME:
                    first_byte = data[position]
                    if first_byte != _FINAL_TEXT and first_byte != _FINAL_BINARY:
                        break
                    size = data[position + 1] - 128
                    if size == 126:
                        start = position + 8
                        size = data[position + 2] << 8 | data[position + 3]
                        if size < 126 or size > self._limit:
                            break
                    elif 0 <= size < 126:
                        start = position + 6
                    else:
                        break
                    stop = start + size
                    if stop > end:
                        break
                    payload = apply_mask(data[start:stop], data[start - 4 : start])
                    if first_byte == _FINAL_BINARY:
                        events.append(Binary(payload))
                    elif payload.isascii() or is_utf8(payload):
                        events.append(Text(payload))
                    else:
                        break
                    if stop == end:
                        return events
                    position = stop
                self._partial = PartialMessage(self._limit, self._deflate)
            position = self._read_on(self._partial, data, position, events)
        return events

    def _read_on(self, partial: PartialMessage, data: bytes, position: int, events: list[Event]) -> int:
        if partial is _ENDED:
            return len(data)
        try:
            position = partial.read(data, position, events)
        except FrameError as error:
            events.append(Violation(error.code, error.reason))
        if events and isinstance(events[-1], (Close, Violation)):
            self._partial = _ENDED
        elif partial.is_idle():
            self._partial = None
        return position
