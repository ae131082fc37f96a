"""The values of fusion: fields with kinds, readings of sources, their states, and what is shown of all of them.

Everything here is pure and frozen. A value is believed only after ``checked`` has made it what its field says; what
``snapshot``, ``health`` and ``figures`` make of states depends on nothing but them and the time they are given.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Final, Literal

import msgspec

from vagus.settings.fusion import NAME, Kind

from .kinds import Value, converted

Status = Literal["waiting", "ok", "stale", "failed"]

_NAMED: Final = 10
"""Of the names that came instead of the one that is wanted, no more are told."""
RESERVED: Final = frozenset({"timestamp", "health"})


class Field(msgspec.Struct, frozen=True):
    """One value that a source gives. Its name is that of the value in snapshots and of the metric in the history."""

    name: str
    kind: Kind = "number"
    unit: str = ""

    def __post_init__(self) -> None:
        if not re.fullmatch(NAME, self.name):
            raise ValueError("name: must be letters and digits in camelCase, such as openOrders, 64 at most")
        if self.name in RESERVED:
            raise ValueError(f"name: must be another one, since {self.name} has a meaning of its own in snapshots")
        if len(self.unit) > 32:
            raise ValueError("unit: has at most 32 characters")


class Terms(msgspec.Struct, frozen=True):
    """What a source is called, what it gives, and when. Raises ``ValueError`` for what makes no sense."""

    name: str
    """In camelCase; ``<name>Available`` says in snapshots how the source does."""
    fields: tuple[Field, ...]
    timeout_s: float = 5.0
    """How long one collection may take."""
    freshness_s: float | None = None
    """From which age on the values count as stale; ``None`` for never."""
    every_s: float = 0.0
    """It is asked at most this often, however often everything is collected; 0 is each time."""

    def __post_init__(self) -> None:
        Field(self.name)
        if not self.fields:
            raise ValueError("fields: a source has at least one")
        if len({field.name for field in self.fields}) < len(self.fields):
            raise ValueError("fields: two have the same name")
        if not self.timeout_s > 0:
            raise ValueError("timeout_s: must be above 0")


class Reading(msgspec.Struct, frozen=True):
    """What a source gave. ``as_of`` is when that was written where it was read, 0 for just now; ``bytes`` were read.

    ``is_demo`` says that it is made up.
    """

    values: Mapping[str, object]
    as_of: int = 0
    bytes: int = 0
    is_demo: bool = False


class SourceState(msgspec.Struct, frozen=True):
    """A source and how it does. ``values`` are the last good ones, whatever happened since."""

    terms: Terms
    values: Mapping[str, Value] = msgspec.field(default_factory=dict)
    as_of: int = 0
    """When the values were true, in milliseconds since 1970; 0 before the first good reading."""
    read_at: int = 0
    """When they were last read or found unchanged."""
    error: str = ""
    """Why the last collection gave nothing; empty if it was good."""
    failing_since: int = 0
    collections: int = 0
    failures: int = 0
    duration_ms: float = 0.0
    bytes: int = 0
    is_demo: bool = False
    is_awaited: bool = False
    """It is not there, and has never been."""

    @property
    def name(self) -> str:
        return self.terms.name

    @property
    def is_available(self) -> bool:
        return self.read_at > 0 and not self.error

    def age_s(self, now: int) -> float | None:
        return max(0, now - self.as_of) / 1000 if self.as_of else None

    def status(self, now: int) -> Status:
        if self.error:
            return "waiting" if self.is_awaited else "failed"
        age_s, freshness_s = self.age_s(now), self.terms.freshness_s
        if age_s is None:
            return "waiting"
        return "stale" if freshness_s is not None and age_s > freshness_s else "ok"


def checked(fields: Iterable[Field], given: Mapping[str, object]) -> dict[str, Value]:
    """The values as their fields want them. Raises ``ValueError``, which names the field, for what they cannot be."""
    values: dict[str, Value] = {}
    for field in fields:
        if field.name not in given:
            came = ", ".join(sorted(map(str, given))[:_NAMED]) or "nothing"
            raise ValueError(f"{field.name}: the source did not give it, but {came}")
        try:
            values[field.name] = converted(field.kind, given[field.name])
        except ValueError as error:
            raise ValueError(f"{field.name}: {error}") from None
    return values


# what is shown


def iso(at: int) -> str:
    """A moment as programs and people read it: 2026-11-21T18:00:00.000Z."""
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def snapshot(states: Iterable[SourceState], at: int) -> dict[str, object]:
    """All values by name, and under ``health`` which sources answered; moments as text."""
    data: dict[str, object] = {"timestamp": iso(at)}
    available: dict[str, bool] = {}
    for state in states:
        for field in state.terms.fields:
            data[field.name] = _shown(field, state.values.get(field.name))
        available[f"{state.name}Available"] = state.is_available
    return {"ok": True, "data": {**data, "health": available}}


def _shown(field: Field, value: Value) -> Value:
    return iso(value) if field.kind == "moment" and isinstance(value, int) else value


def figures(states: Iterable[SourceState]) -> dict[str, float]:
    """What can be drawn and kept: numbers, flags as 1 and 0, and how many elements a list has.

    Only of sources that answered: what is merely remembered is a gap in a chart, and not a flat line.
    """
    found: dict[str, float] = {}
    for state in states:
        if not state.is_available:
            continue
        for field in state.terms.fields:
            match state.values.get(field.name):
                case bool() | int() | float() as value if field.kind != "moment":
                    found[field.name] = float(value)
                case list() as elements:
                    found[field.name] = float(len(elements))
    return found


def health(states: Iterable[SourceState], at: int) -> dict[str, object]:
    """How the sources do: ``ok`` if all answered in time with fresh values, ``down`` if none did, else ``degraded``."""
    rows = {state.name: _health_of(state, at) for state in states}
    well = [row["status"] == "ok" for row in rows.values()]
    status = "ok" if all(well) else "degraded" if any(row["available"] for row in rows.values()) else "down"
    return {"ok": status == "ok", "status": status, "sources": rows, "timestamp": iso(at)}


def _health_of(state: SourceState, at: int) -> dict[str, object]:
    age_s = state.age_s(at)
    return {
        "available": state.is_available,
        "status": state.status(at),
        "ageSeconds": None if age_s is None else round(age_s, 3),
        "asOf": iso(state.as_of) if state.as_of else None,
        "error": state.error or None,
        "failingSince": iso(state.failing_since) if state.failing_since else None,
        "collections": state.collections,
        "failures": state.failures,
        "durationMs": round(state.duration_ms, 3),
        "bytes": state.bytes,
        "demo": state.is_demo,
        "fields": [{"name": field.name, "kind": field.kind, "unit": field.unit} for field in state.terms.fields],
    }
