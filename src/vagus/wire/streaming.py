"""How messages travel in an HTTP response that goes on: as lines, as they are, or as events of an EventSource.

Each framing is there twice: as it is, for servers that cut a response into chunks themselves and for HTTP/1.0, which
has none, and with the chunks of HTTP/1.1 (RFC 9112, 7.1), so that a message is wrapped once for all who get it.
"""

from typing import Final

from .encoding import Frame, Framing

LAST_CHUNK: Final = b"0\r\n\r\n"


def line(message: bytes) -> bytes:
    return message + b"\n"


def data_event(message: bytes) -> bytes:
    """An event that is nothing but its data, which must be one line."""
    return b"data: %b\n\n" % message


def chunk(content: bytes) -> bytes:
    """A chunk; nothing for nothing, since an empty chunk would end the response."""
    return b"%x\r\n%b\r\n" % (len(content), content) if content else b""


def chunked(frame: Frame) -> Frame:
    return lambda message: chunk(frame(message))


LINES: Final = Framing(line, bytes)
"""Texts end in a newline; binary messages say how long they are themselves."""

CHUNKED_LINES: Final = Framing(chunked(line), chunk)

EVENTS: Final = Framing(data_event, data_event, is_each=True)

CHUNKED_EVENTS: Final = Framing(chunked(data_event), chunked(data_event), is_each=True)
