"""What a value of each kind is: numbers, texts, flags, moments and lists, made of what sources give.

Sources give what they have, such as a number as text or a date as a log writes it. It becomes what its kind says in one
way everywhere, or is a ``ValueError`` that says why it cannot; nothing is guessed, and everything is bounded.
"""

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Final

import msgspec

from vagus.settings.fusion import Combine, Kind

Value = int | float | str | bool | list[object] | None
"""``None`` is a value that a source says is unknown, or has not given yet. A moment is milliseconds since 1970."""

TEXT_CHARACTERS: Final = 4096
LIST_BYTES: Final = 262_144
"""Values go to every client with every pulse, so they are short."""

_EXACT: Final = 2**53
_MILLISECONDS_FROM: Final = 10**11
"""As seconds this is the year 5138, as milliseconds 1973: what is larger counts milliseconds."""
_LATEST: Final = 253_402_300_799_999  # the end of the year 9999

_FLAGS: Final = dict.fromkeys(("true", "yes", "on", "1"), True) | dict.fromkeys(("false", "no", "off", "0"), False)


def converted(kind: Kind, raw: object) -> Value:
    """Raises ``ValueError`` for what it cannot be. ``None`` stays: a source may say that a value is unknown."""
    if raw is None:
        return None
    match kind:
        case "number":
            return number(raw)
        case "text":
            return _text(raw)
        case "flag":
            return _flag(raw)
        case "moment":
            return moment(raw)
        case "list":
            return _list(raw)


def number(raw: object) -> int | float:
    """A finite number, also from text; whole ones stay whole as far as every reader of JSON keeps them exactly."""
    if isinstance(raw, bool) or not isinstance(raw, int | float | Decimal | str):
        raise ValueError(f"must be a number, not {_named(raw)}")
    if isinstance(raw, int) and abs(raw) <= _EXACT:
        return raw
    try:
        value = float(raw)
    except (ValueError, OverflowError):
        raise ValueError(
            "must be a number, and this text is none" if isinstance(raw, str) else "is too large"
        ) from None
    if not math.isfinite(value):
        raise ValueError("must be a finite number")
    return int(value) if isinstance(raw, str) and value.is_integer() and abs(value) <= _EXACT else value


def combine(values: Sequence[float], how: Combine) -> float | None:
    """One number of several. Of none there is a count and a sum, and nothing else."""
    match how:
        case "count":
            return len(values)
        case "sum":
            return sum(values)
        case "min":
            return min(values, default=None)
        case "max":
            return max(values, default=None)
        case "average":
            return sum(values) / len(values) if values else None


def _text(raw: object) -> str:
    if isinstance(raw, bool) or not isinstance(raw, str | int | float):
        raise ValueError(f"must be text, not {_named(raw)}")
    text = str(raw)
    if len(text) > TEXT_CHARACTERS:
        raise ValueError(f"has more than {TEXT_CHARACTERS:,} characters")
    return text


def _flag(raw: object) -> bool:
    found = _FLAGS.get(str(raw).strip().lower()) if isinstance(raw, bool | int | str) else None
    if found is None:
        raise ValueError("must be true or false")
    return found


def moment(raw: object) -> int:
    """Milliseconds since 1970 from a number of seconds or milliseconds, ISO 8601, or a date as mails and HTTP have it.

    A time without a zone is UTC.
    """
    match raw:
        case bool():
            raise ValueError("must be a moment, not true or false")
        case datetime():
            found = _milliseconds(raw)
        case int() | float():
            found = raw if abs(raw) >= _MILLISECONDS_FROM else raw * 1000
        case str():
            found = _moment_in(raw.strip())
        case _:
            raise ValueError(f"must be a moment, not {_named(raw)}")
    if not 0 <= found <= _LATEST:
        raise ValueError("is a moment before 1970 or after 9999")
    return int(found)


def _moment_in(text: str) -> float:
    if len(text) > 64:
        raise ValueError("is too long for a moment")
    try:
        seconds = float(text)
    except ValueError:
        pass
    else:
        return seconds if abs(seconds) >= _MILLISECONDS_FROM else seconds * 1000
    try:
        return _milliseconds(datetime.fromisoformat(text.replace("/", "-")))
    except ValueError:
        pass
    try:
        return _milliseconds(parsedate_to_datetime(text))
    except (ValueError, IndexError, OverflowError):
        raise ValueError("is not a moment such as 2026-11-21T18:00:00Z") from None


def _milliseconds(value: datetime) -> float:
    try:
        return (value if value.tzinfo is not None else value.replace(tzinfo=UTC)).timestamp() * 1000
    except OverflowError:
        raise ValueError("is a moment before 1970 or after 9999") from None


def _list(raw: object) -> list[object]:
    if not isinstance(raw, list | tuple):
        raise ValueError(f"must be a list, not {_named(raw)}")
    try:
        text = msgspec.json.encode(raw)
    except (TypeError, ValueError, RecursionError):
        raise ValueError("holds what is not JSON") from None
    if len(text) > LIST_BYTES:
        raise ValueError(f"is larger than {LIST_BYTES // 1024} KiB: select fewer elements, such as $.items[:50]")
    plain: list[object] = msgspec.json.decode(text)
    return plain


def _named(raw: object) -> str:
    match raw:
        case bool():
            return "true or false"
        case str():
            return "text"
        case int() | float():
            return "a number"
        case list() | tuple():
            return "a list"
        case dict():
            return "an object"
    return f"a {type(raw).__name__}"
