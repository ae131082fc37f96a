"""What a program is handed: messages, who sent them, and what was missed. Values; nothing here does anything by itself.

A message's data is decoded when it is asked for and not before: a program that looks at one in ten pays for one.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, Generic, TypeVar

import msgspec

from vagus.kernel.publications import NOTHING, Json, Position

from .errors import DataError

T = TypeVar("T")
V = TypeVar("V")

_NO_TAGS: Final[Mapping[str, str]] = MappingProxyType({})
_NOT_YET: Final = object()


class Member(msgspec.Struct, frozen=True):
    """Somebody in a channel, as others see them."""

    client: str
    user: str
    conn_info: Any = None
    chan_info: Any = None


class Publication(msgspec.Struct, frozen=True):
    """One publication as it is on the wire."""

    data: Json = NOTHING
    offset: int = 0
    info: Member | None = None
    tags: dict[str, str] | None = None
    time: int = 0
    epoch: str = ""
    delta: bool = False


class Message(Generic[T]):
    """One publication, or what the server sent to this client alone (then ``channel`` is empty)."""

    __slots__ = ("_data", "_decode", "_publication", "after_gap", "channel", "epoch")

    def __init__(
        self,
        channel: str,
        publication: Publication,
        decode: Callable[[Json], T],
        epoch: str = "",
        after_gap: bool = False,
    ) -> None:
        self.channel = channel
        self.epoch = epoch
        self.after_gap = after_gap
        """Messages before this one were missed and will not come: load the state anew."""
        self._publication = publication
        self._decode = decode
        self._data: Any = _NOT_YET

    @property
    def data(self) -> T:
        """Raises ``DataError`` if it is not of the subscription's type."""
        if self._data is _NOT_YET:
            self._data = decoded(self._decode, self._publication.data)
        return self._data  # type: ignore[no-any-return]  # what the decoder gave

    def decode(self, type: type[V]) -> V:
        """The data as another type. Raises ``DataError``."""
        return decoded(decoder_of(type), self._publication.data)

    @property
    def raw(self) -> bytes:
        """The data as JSON, as it was published."""
        return bytes(self._publication.data)

    @property
    def offset(self) -> int:
        """Its place in the channel's history; 0 where there is none."""
        return self._publication.offset

    @property
    def position(self) -> Position:
        """Where it stands: a later subscription goes on after it with ``since=message.position``."""
        return Position(self._publication.offset, self.epoch)

    @property
    def tags(self) -> Mapping[str, str]:
        return self._publication.tags or _NO_TAGS

    @property
    def publisher(self) -> Member | None:
        """Who published it, if it was a client."""
        return self._publication.info

    @property
    def time_ms(self) -> int:
        """When it was published, where it was recovered or read from history; 0 in the live flow, where that is now."""
        return self._publication.time

    def __repr__(self) -> str:
        return f"<Message {self.channel} #{self.offset} {len(bytes(self._publication.data))} bytes>"


class Gap(msgspec.Struct, frozen=True):
    """Messages of a channel were missed and will not come. ``position`` is where its flow goes on."""

    channel: str
    position: Position


class Receipt(msgspec.Struct, frozen=True):
    """What became of a publication: where it stands, and whether one with its key was there already."""

    offset: int = 0
    epoch: str = ""
    repeated: bool = False

    @property
    def position(self) -> Position:
        return Position(self.offset, self.epoch)


class HistoryPage(msgspec.Struct, Generic[T], frozen=True):
    """Messages of a channel's history in the order asked for, and where the channel stands."""

    messages: tuple[Message[T], ...]
    position: Position


class PresenceStats(msgspec.Struct, frozen=True):
    clients: int
    users: int


def decoder_of(type: type[V]) -> Callable[[Json], V]:
    """How data of this type is read. Raises ``TypeError`` for a type that JSON cannot hold."""
    return msgspec.json.Decoder(type).decode


def decoded(decode: Callable[[Json], V], data: Json) -> V:
    """The value of some data, ``null`` where there is none. Raises ``DataError``."""
    try:
        return decode(data or msgspec.Raw(b"null"))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DataError(str(error)) from None
