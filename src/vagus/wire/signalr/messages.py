"""What a record says, whatever its notation. Ids are the client's own texts; here is no meaning given to any of it.

Arguments, items and results are JSON with placeholders for binary values, as in ``vagus.kernel.events``.
"""

from typing import Final

import msgspec

from vagus.kernel import codes
from vagus.kernel.errors import DisconnectError
from vagus.kernel.events import NO_ARGUMENTS
from vagus.kernel.publications import NOTHING, Json

ID_LENGTH: Final = 255
"""Characters in an id; clients count."""


class Invocation(msgspec.Struct, frozen=True):
    """Call ``target``. Without an id no answer is wanted. ``unfit`` says why its arguments cannot be taken, if so."""

    target: str
    arguments: Json = NO_ARGUMENTS
    attachments: tuple[bytes, ...] = ()
    id: str = ""
    streams: tuple[str, ...] = ()
    wants_stream: bool = False
    unfit: str = ""


class Item(msgspec.Struct, frozen=True):
    """One item more of a stream."""

    id: str
    item: Json
    attachments: tuple[bytes, ...] = ()


class Completion(msgspec.Struct, frozen=True):
    """The end of a call or a stream, with a result, with an error, or with neither."""

    id: str
    result: Json = NOTHING
    attachments: tuple[bytes, ...] = ()
    error: str | None = None


class CancelInvocation(msgspec.Struct, frozen=True):
    """Want no more items."""

    id: str


class Ping(msgspec.Struct, frozen=True):
    """I am there."""


class Close(msgspec.Struct, frozen=True):
    """I go, and come back over no other socket."""

    error: str | None = None


class Ack(msgspec.Struct, frozen=True):
    """The messages up to this one have come."""

    sequence: int


class Sequence(msgspec.Struct, frozen=True):
    """The next message has this number."""

    sequence: int


Message = Invocation | Item | Completion | CancelInvocation | Ping | Close | Ack | Sequence

COUNTED: Final = frozenset({Invocation, Item, Completion, CancelInvocation})
"""What has a number where sequences are kept."""


def checked_id(value: object) -> str:
    """An id that an answer can refer to. Raises ``DisconnectError`` for anything else."""
    if type(value) is not str or not 0 < len(value) <= ID_LENGTH:
        raise DisconnectError(codes.MALFORMED)
    return value


def checked_number(value: object) -> int:
    """A sequence number."""
    if type(value) is not int or not 0 <= value < 2**63:
        raise DisconnectError(codes.MALFORMED)
    return value
