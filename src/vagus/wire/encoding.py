"""An encoding is a dialect in its frames: what two clients must share to get equal bytes.

A ``Framing`` is how one kind of transport wraps messages. It makes one encoding for each dialect; they are compared by
identity, and fan-out works by encoding, never by client.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final
from weakref import WeakValueDictionary

from . import Dialect

MESSAGE_BYTES: Final = 65_536
"""Parts are joined up to this size: client libraries refuse larger messages by default."""

Frame = Callable[[bytes], bytes]


class Packet(bytes):
    """A part with binary attachments, each of which follows it in a frame of its own."""

    attachments: tuple[bytes, ...] = ()

    @classmethod
    def of(cls, text: bytes, attachments: tuple[bytes, ...]) -> "Packet":
        packet = cls(text)
        packet.attachments = attachments
        return packet


class Binary(bytes):
    """A message for a transport that makes the frames itself and must be told which are binary."""


class Framing:
    """How a transport wraps messages, in text and in binary.

    * ``separator`` stands between frames that are written together; with ``None`` each message is written by itself,
      since somebody else makes the frames;
    * ``is_each`` says that each part gets a frame of its own, whatever the dialect;
    * ``native_ping`` is a finished message of the transport's own that replaces the dialect's ping.
    """

    __slots__ = ("_encodings", "binary", "is_each", "native_ping", "separator", "text")

    def __init__(
        self,
        text: Frame,
        binary: Frame,
        *,
        separator: bytes | None = b"",
        is_each: bool = False,
        native_ping: bytes = b"",
    ) -> None:
        self.text = text
        self.binary = binary
        self.separator = separator
        self.is_each = is_each
        self.native_ping = native_ping
        self._encodings: WeakValueDictionary[Dialect, Encoding] = WeakValueDictionary()

    def encoding(self, dialect: Dialect) -> "Encoding":
        """The one encoding of a dialect, for as long as somebody uses it."""
        encoding = self._encodings.get(dialect)
        if encoding is None:
            encoding = self._encodings[dialect] = Encoding(dialect, self)
        return encoding


class Encoding:
    """A dialect in its frames. ``messages`` makes finished bytes, ready for a transport, of a dialect's parts."""

    __slots__ = ("__weakref__", "_frame", "_is_each", "dialect", "framing", "ping", "pings_natively")

    def __init__(self, dialect: Dialect, framing: Framing) -> None:
        self.dialect = dialect
        self.framing = framing
        self._frame = framing.binary if dialect.binary else framing.text
        self._is_each = dialect.is_packets or framing.is_each
        self.pings_natively = bool(framing.native_ping)
        self.ping = framing.native_ping or (self._frame(dialect.ping) if dialect.ping else b"")

    def messages(self, parts: Sequence[bytes]) -> list[bytes]:
        """As few messages as the parts fit into. A part that is larger by itself has one of its own."""
        if self._is_each:
            return self._frames(parts)
        if len(parts) == 1:
            return [self._frame(parts[0])]
        return [self._frame(self.dialect.join(pile)) for pile in _piles(parts)]

    def _frames(self, parts: Sequence[bytes]) -> list[bytes]:
        separator = self.framing.separator
        if separator is None:
            return [frame for part in parts for frame in self._frames_of(part)]
        return [separator.join(pile) for pile in _piles([separator.join(self._frames_of(part)) for part in parts])]

    def _frames_of(self, part: bytes) -> Iterable[bytes]:
        if type(part) is Packet:
            return (self.framing.text(bytes(part)), *map(self.framing.binary, part.attachments))
        return (self._frame(part),)

    def __repr__(self) -> str:
        return f"<Encoding {self.dialect.name}>"


def _piles(parts: Sequence[bytes]) -> list[Sequence[bytes]]:
    """The parts in piles that stay below the bound; most often one."""
    if sum(map(len, parts)) <= MESSAGE_BYTES:
        return [parts]
    piles: list[Sequence[bytes]] = []
    pile: list[bytes] = []
    size = 0
    for part in parts:
        if pile and size + len(part) > MESSAGE_BYTES:
            piles.append(pile)
            pile, size = [], 0
        pile.append(part)
        size += len(part)
    return [*piles, pile]
