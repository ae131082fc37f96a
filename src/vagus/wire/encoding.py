"""An encoding is a dialect and the frame that carries its messages: what two clients must share to get equal bytes.

Encodings are made once when a gateway starts and compared by identity; fan-out works by encoding, never by client.
"""

from collections.abc import Callable, Sequence
from typing import Final

from . import Dialect

MESSAGE_BYTES: Final = 65_536
"""Parts are joined up to this size: client libraries refuse larger messages by default."""


class Encoding:
    """A dialect in its frame. ``message`` makes finished bytes, ready for a transport, of a dialect's parts."""

    __slots__ = ("dialect", "frame", "ping", "pings_natively")

    def __init__(self, dialect: Dialect, frame: Callable[[bytes], bytes], *, native_ping: bytes = b"") -> None:
        """``native_ping`` is a finished message of the transport's own that replaces the dialect's ping."""
        self.dialect = dialect
        self.frame = frame
        self.ping = native_ping or frame(dialect.ping)
        self.pings_natively = bool(native_ping)

    def message(self, parts: Sequence[bytes]) -> bytes:
        return self.frame(parts[0] if len(parts) == 1 else self.dialect.join(parts))

    def messages(self, parts: Sequence[bytes]) -> list[bytes]:
        """As few messages as the parts fit into. A part that is larger by itself has one of its own."""
        if len(parts) == 1 or sum(map(len, parts)) <= MESSAGE_BYTES:
            return [self.message(parts)]
        messages: list[bytes] = []
        pile: list[bytes] = []
        size = 0
        for part in parts:
            if pile and size + len(part) > MESSAGE_BYTES:
                messages.append(self.message(pile))
                pile, size = [], 0
            pile.append(part)
            size += len(part)
        return [*messages, self.message(pile)]

    def __repr__(self) -> str:
        return f"<Encoding {self.dialect.name}>"
