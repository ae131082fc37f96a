"""Where a client stands in one channel: what it asks for, what it has had, and what it missed. Sans-I/O.

Every publication of the channel goes through ``published`` and every answer to a subscription through ``subscribed``,
so that each message comes out once and in order, and what cannot come any more is said to be missing.
"""

from collections.abc import Callable
from typing import Any, Final, Generic, TypeVar

import msgspec

from vagus.kernel.filters import FilterNode
from vagus.kernel.publications import Json, Position

from .messages import Message, Publication
from .protocol import Subscribed

T = TypeVar("T")

_text: Final = msgspec.json.Decoder(str).decode


class StrayPatchError(Exception):
    """A difference to something else than what came before. Subscribing anew brings it in full."""


class Wishes(msgspec.Struct, frozen=True, kw_only=True):
    """What a subscription asks of the server besides its channel."""

    recover: bool = True
    since: Position | None = None
    tags: FilterNode | None = None
    rate: float | None = None
    delta: bool = False
    data: Json | None = None

    def __post_init__(self) -> None:
        if self.rate is not None and not 0.01 <= self.rate <= 1000:
            raise ValueError("rate: must lie between 0.01 and 1000 messages a second")
        if self.since is not None and not self.recover:
            raise ValueError("since: goes with recover=True alone")
        if self.tags is not None and self.delta:
            raise ValueError("delta: does not go with tags")
        if self.rate is not None and self.data is not None and bytes(self.data)[:1] != b"{":
            raise ValueError("data: must be an object where there is a rate")


class Following(Generic[T]):
    """One channel. ``is_in_gap`` holds from the answer that says so to the next message."""

    __slots__ = (
        "_base",
        "_can_recover",
        "_has_deltas",
        "_was_in",
        "_wishes",
        "channel",
        "decode",
        "epoch",
        "is_in_gap",
        "offset",
        "recovered",
    )

    def __init__(self, channel: str, wishes: Wishes, decode: Callable[[Json], T]) -> None:
        self.channel: Final = channel
        self.decode: Final = decode
        self.is_in_gap = False
        self.recovered: bool | None = None
        """Whether the last subscription brought all that was missed; ``None`` where nothing can have been."""
        self.offset, self.epoch = 0, ""
        self._wishes = wishes
        self._was_in = wishes.since is not None
        self._can_recover = wishes.since is not None
        self._has_deltas = False
        self._base = b""
        if wishes.since is not None:
            self.offset, self.epoch = wishes.since.offset, wishes.since.epoch

    @property
    def position(self) -> Position:
        return Position(self.offset, self.epoch)

    def request(self, token: str = "") -> dict[str, Any]:
        """The body of a subscribe command, or of a position in a connect command."""
        wishes = self._wishes
        body: dict[str, Any] = {"channel": self.channel}
        if token:
            body["token"] = token
        if wishes.recover:
            body["recoverable"] = True
            if self._can_recover:
                body |= {"recover": True, "offset": self.offset, "epoch": self.epoch}
        if wishes.tags is not None:
            body["tf"] = wishes.tags
        if wishes.delta:
            body["delta"] = "fossil"
        if wishes.rate is not None:
            given = msgspec.json.decode(wishes.data or b"{}", type=dict[str, Any])
            body["data"] = given | {"vagus": {"rate": wishes.rate}}
        elif wishes.data is not None:
            body["data"] = wishes.data
        return body

    def subscribed(self, answer: Subscribed) -> list[Message[T]]:
        """Take note of the answer. Returns the messages that were missed and came with it."""
        self._has_deltas, self._base = answer.delta, b""
        self.recovered = answer.recovered if self._was_in else None
        self._was_in, self._can_recover = True, answer.recoverable
        if not answer.recovered:
            if self.recovered is False:
                self.is_in_gap = True
            self.offset = answer.offset
        self.epoch = answer.epoch
        messages = [self.published(publication) for publication in answer.publications]
        return [message for message in messages if message is not None]

    def published(self, publication: Publication) -> Message[T] | None:
        """The message that this is, or nothing if it came before. Raises ``StrayPatchError``."""
        if self._has_deltas:
            publication = self._whole(publication)
        if publication.epoch and publication.epoch != self.epoch:
            self.offset, self.epoch = 0, publication.epoch
        if publication.offset:
            if self._can_recover and publication.offset <= self.offset:
                return None
            self.offset = publication.offset
        is_after_gap, self.is_in_gap = self.is_in_gap, False
        return Message(self.channel, publication, self.decode, self.epoch, is_after_gap)

    def forget(self) -> None:
        """The server says that what is known of the channel's state holds no more: nothing can be recovered."""
        self._can_recover = False

    def _whole(self, publication: Publication) -> Publication:
        """With its data as it was published: here it comes as a string, in full or as a patch of the one before."""
        from vagus.wire.centrifuge import fossil  # here, since few channels have deltas

        try:
            text = _text(publication.data).encode()
            self._base = fossil.apply(self._base, text) if publication.delta else text
        except (msgspec.DecodeError, ValueError) as error:
            raise StrayPatchError(f"{self.channel}: a difference that does not fit: {error}") from None
        return msgspec.structs.replace(publication, data=msgspec.Raw(self._base), delta=False)
