"""The hub's verbs for dialects that have calls by name only: which command such a call is, and its arguments.

``subscribe(channel[, options])``, ``unsubscribe(channel)``, ``publish(channel, data)``, ``presence(channel)``,
``presence_stats(channel)``, ``history(channel[, options])``, ``refresh(token)``; and ``stream(channel[, options])``,
the one that gives a stream, where a dialect has those. Options are the other fields of the command.
"""

from collections.abc import Callable
from typing import Any, Final, TypeVar

import msgspec

from vagus.kernel.commands import (
    Command,
    History,
    Presence,
    PresenceStats,
    Publish,
    Refresh,
    Subscribe,
    Unsubscribe,
)
from vagus.kernel.publications import Json

T = TypeVar("T")

STREAM: Final = "stream"


class ArgumentError(ValueError):
    """The arguments do not fit; the text says how."""


def verb_from(name: str, arguments: Json) -> Command:
    """The command of one of ``VERBS``. Raises ``ArgumentError``."""
    least, most, make = VERBS[name]
    given = msgspec.json.decode(arguments, type=tuple[Json, ...])
    if not least <= len(given) <= most:
        raise ArgumentError(
            f"{least if least == most else f'{least} to {most}'} arguments are needed, not {len(given)}"
        )
    return make(*given)


def _decoded(place: int, text: Json, kind: type[T] | Any) -> T | Any:
    try:
        return msgspec.json.decode(text, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ArgumentError(f"argument {place}: {error}") from None


def _named(text: Json) -> str:
    name: str = _decoded(1, text, str)
    if not name:
        raise ArgumentError("argument 1: must not be empty")
    return name


def _subscribe(channel: Json, options: Json | None = None) -> Subscribe:
    wanted: Subscribe | None = _decoded(2, options, Subscribe | None) if options is not None else None
    if wanted is not None and wanted.delta:
        raise ArgumentError("argument 2: there are no deltas in this protocol")
    return msgspec.structs.replace(wanted or Subscribe(), channel=_named(channel))


def _history(channel: Json, options: Json | None = None) -> History:
    wanted: History | None = _decoded(2, options, History | None) if options is not None else None
    return msgspec.structs.replace(wanted or History(), channel=_named(channel))


VERBS: Final[dict[str, tuple[int, int, Callable[..., Command]]]] = {
    "subscribe": (1, 2, _subscribe),
    STREAM: (1, 2, _subscribe),
    "unsubscribe": (1, 1, lambda channel: Unsubscribe(_named(channel))),
    "publish": (2, 2, lambda channel, data: Publish(_named(channel), msgspec.Raw(bytes(data)))),
    "presence": (1, 1, lambda channel: Presence(_named(channel))),
    "presencestats": (1, 1, lambda channel: PresenceStats(_named(channel))),
    "history": (1, 2, _history),
    "refresh": (1, 1, lambda token: Refresh(_named(token))),
}
"""By name in lower case without underscores: the least and the most arguments, and what makes the command of them."""
