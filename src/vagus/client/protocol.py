"""The native dialect in JSON, from the client's side: requests out, replies in. Sans-I/O, and without memory.

A frame is one or more JSON objects, a line each. Fields that are unknown are passed over, as the protocol asks.
``data`` stays as it came until somebody wants it: see ``messages``.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from vagus.kernel.codes import Closure, Ending, Fault
from vagus.kernel.publications import NOTHING, Json

from .errors import ProtocolError
from .messages import Member, Publication

PONG: Final = "{}"
SUBPROTOCOL: Final = "centrifuge-json"


class Subscribed(msgspec.Struct, frozen=True):
    """The subscription stands, from ``offset`` of ``epoch`` on. ``ttl`` counts seconds where it ``expires``."""

    expires: bool = False
    ttl: int = 0
    recoverable: bool = False
    epoch: str = ""
    offset: int = 0
    publications: tuple[Publication, ...] = ()
    recovered: bool = False
    delta: bool = False


class Welcome(msgspec.Struct, frozen=True):
    """The connection stands. ``subs`` are the channels that the server put the client into."""

    client: str = ""
    expires: bool = False
    ttl: int = 0
    ping: int = 0
    pong: bool = False
    subs: dict[str, Subscribed] = {}


class Renewed(msgspec.Struct, frozen=True):
    """A token was taken."""

    expires: bool = False
    ttl: int = 0


class Answer(msgspec.Struct, frozen=True):
    """What a call gave; also what a message carries."""

    data: Json = NOTHING


class History(msgspec.Struct, frozen=True):
    publications: tuple[Publication, ...] = ()
    epoch: str = ""
    offset: int = 0


class Present(msgspec.Struct, frozen=True):
    presence: dict[str, Member] = {}


class Counted(msgspec.Struct, frozen=True):
    num_clients: int = 0
    num_users: int = 0


class Push(msgspec.Struct, frozen=True):
    """What came unasked: one of the fields besides the channel."""

    channel: str = ""
    pub: Publication | None = None
    unsubscribe: Ending | None = None
    subscribe: Subscribed | None = None
    message: Answer | None = None
    disconnect: Closure | None = None


class Reply(msgspec.Struct, frozen=True):
    """A line from the server: the answer to the request of this number, a push, or, when empty, a ping."""

    id: int = 0
    push: Push | None = None
    error: Fault | None = None
    connect: Welcome | None = None
    subscribe: Subscribed | None = None
    rpc: Answer | None = None
    history: History | None = None
    presence: Present | None = None
    presence_stats: Counted | None = None
    refresh: Renewed | None = None
    sub_refresh: Renewed | None = None


_decode_lines: Final = msgspec.json.Decoder(Reply).decode_lines
_encode: Final = msgspec.json.Encoder().encode


def replies_from(frame: bytes) -> list[Reply]:
    """The lines of a frame. Raises ``ProtocolError`` for one that is none."""
    try:
        return _decode_lines(frame)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ProtocolError(f"the server does not speak the protocol: {error}") from None


def request(number: int, name: str, body: Mapping[str, Any]) -> str:
    """A command as a frame; without a number where nobody answers it."""
    return _encode({"id": number, name: body} if number else {name: body}).decode()


def json_from(value: object) -> Json:
    """A value as JSON on one line. Raises ``TypeError`` for what JSON cannot hold."""
    text = bytes(value) if isinstance(value, msgspec.Raw) else _encode(value)
    return msgspec.Raw(msgspec.json.format(text, indent=-1) if b"\n" in text else text)
