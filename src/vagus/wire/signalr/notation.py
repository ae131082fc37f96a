"""A notation: how messages are written in records and read from them. ``json`` and ``messagepack`` are the two."""

from typing import Protocol

from vagus.kernel.publications import Json

from .messages import Message
from .records import Records


class Notation(Protocol):
    """What the methods return are whole records, which may be joined as they are."""

    @property
    def name(self) -> str:
        """As the handshake has it."""
        ...

    @property
    def binary(self) -> bool: ...

    @property
    def ping(self) -> bytes: ...

    def records(self, bound: int) -> Records:
        """What cuts a client's stream of bytes into records."""
        ...

    def read(self, record: bytes) -> Message | None:
        """What a record says; ``None`` for kinds that nobody knows yet, which are ignored.

        Raises ``DisconnectError(MALFORMED)``.
        """
        ...

    def count(self, payload: bytes) -> int:
        """How many records these are."""
        ...

    def invocation(self, target: str, arguments: Json, attachments: tuple[bytes, ...] = (), id: str = "") -> bytes: ...

    def item_opening(self, id: str) -> bytes:
        """What begins each item of a stream; made once and handed to ``item``."""
        ...

    def item(self, opening: bytes, item: Json, attachments: tuple[bytes, ...] = ()) -> bytes: ...

    def completion(self, id: str, result: Json, attachments: tuple[bytes, ...] = ()) -> bytes:
        """The end of a call or a stream; without a result, if that is nothing."""
        ...

    def failure(self, id: str, error: str) -> bytes: ...

    def close(self, error: str, *, reconnects: bool) -> bytes: ...

    def ack(self, sequence: int) -> bytes: ...

    def sequence(self, sequence: int) -> bytes: ...
