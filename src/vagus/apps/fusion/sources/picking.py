"""Values out of a JSON document: for each field, how it is found there.

A list where a number is wanted is counted, unless the field says how else to combine its elements.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

import msgspec
from msgspec import Raw

from vagus.apps.fusion.kinds import LIST_BYTES, combine, number
from vagus.apps.fusion.values import Field
from vagus.settings.fusion import Combine, JsonField

from .selecting import Path, begins, elements
from .shapes import amount_in, count_in, list_in

BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


class Pick(NamedTuple):
    """A field and what finds its value in a document; it raises ``ValueError`` where there is none."""

    field: Field
    find: Callable[[Raw], object]


def pick_of(spec: JsonField) -> Pick:
    """Raises ``ValueError`` for a path that cannot be understood, and for what makes no sense together."""
    field = Field(spec.name, spec.kind, spec.unit)
    if spec.look_for and (spec.select or spec.kind != "number"):
        raise ValueError("look_for: is for a number without select")
    if spec.select:
        try:
            path = Path(spec.select)
        except ValueError as error:
            raise ValueError(f"select: {error}") from None
        return Pick(field, lambda document: _at(path, document, field, spec.combine))
    match spec.kind:
        case "number":
            return Pick(field, amount_in if spec.look_for == "amount" else count_in)
        case "list":
            return Pick(field, lambda document: plain(list_in(document)))
    return Pick(field, plain)


def hints_of(specs: Sequence[JsonField], values: Mapping[str, object]) -> list[str]:
    """What who tries such a source may not expect: several values were counted, since nobody said otherwise."""
    hints = []
    for spec in specs:
        if spec.kind == "number" and spec.select and spec.combine is None and not Path(spec.select).is_single:
            count = values[spec.name]
            found = f"{spec.name}: {count} value{'' if count == 1 else 's'} matched {spec.select}"
            hints.append(f"{found}; without combine they are counted: set it to sum, min, max or average for their own")
    return hints


def picked(picks: Sequence[Pick], document: bytes) -> dict[str, object]:
    """All values. Raises ``ValueError`` for what is no JSON and for a field that is not found."""
    body = document.removeprefix(BYTE_ORDER_MARK)
    if not body.strip():
        raise ValueError("is empty: is it being written?")
    values: dict[str, object] = {}
    for pick in picks:
        try:
            values[pick.field.name] = pick.find(Raw(body))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ValueError(f"is not JSON, or was cut in mid-write: {error}") from None
        except RecursionError:
            raise ValueError("is nested too deeply") from None
        except ValueError as error:
            raise ValueError(f"{pick.field.name}: {error}") from None
    return values


def _at(path: Path, document: Raw, field: Field, how: Combine | None) -> object:
    found = path(document)
    if path.is_single:
        if not found:
            raise ValueError(f"there is nothing at {path.text}")
        if field.kind != "number" or not begins(found[0], b"["):
            return plain(found[0])
        found = elements(found[0])
    if field.kind == "number":
        return combined(found, how)
    if field.kind == "list":
        return [plain(node) for node in found]
    if len(found) != 1:
        raise ValueError(f"{path.text} leads to {len(found)} values, and one is wanted")
    return plain(found[0])


def plain(node: Raw) -> object:
    """A value decoded, if it is small enough to be one."""
    if len(memoryview(node)) > 4 * LIST_BYTES:
        raise ValueError("is too large to be shown: select less of it, such as $.items[:50]")
    return msgspec.json.decode(node)


def combined(nodes: Sequence[Raw], how: Combine | None) -> int | float | None:
    if how is None or how == "count":
        return len(nodes)
    return combine([number(plain(node)) for node in nodes], how)
