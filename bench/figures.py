"""Figures: repeated measurements, what they are compared with, and whether the target is met."""

import statistics
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Samples:
    """One figure, measured several times. The median counts; the spread says how far it can be trusted."""

    values: tuple[float, ...]
    unit: str

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    def __str__(self) -> str:
        low, high = min(self.values), max(self.values)
        spread = f" ({_rounded(low)} to {_rounded(high)})" if len(self.values) > 1 else ""
        return f"{_rounded(self.median)} {self.unit}{spread}".replace(" /s", "/s")


Target: TypeAlias = tuple[str, Callable[[Samples, Samples | None], bool | None]]


def at_most(limit: float, unit: str) -> Target:
    return f"at most {_rounded(limit)} {unit}".replace(" /s", "/s"), lambda ours, _: ours.median <= limit


def at_least(limit: float, unit: str) -> Target:
    return f"at least {_rounded(limit)} {unit}".replace(" /s", "/s"), lambda ours, _: ours.median >= limit


def times_the_peer(limit: float) -> Target:
    """At most so many times what the peer takes; undecided without the peer."""
    return f"at most {limit} times the peer", lambda ours, peer: None if peer is None else _ratio(ours, peer) <= limit


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the results. A row without a target is for information."""

    what: str
    ours: Samples | None = None
    peer: Samples | None = None
    peer_name: str = ""
    target: Target | None = None
    note: str = ""

    @property
    def met(self) -> bool | None:
        """None where there is nothing to decide: no target, or one side could not be measured."""
        return None if self.target is None or self.ours is None else self.target[1](self.ours, self.peer)

    @property
    def cells(self) -> tuple[str, ...]:
        """The columns: what, ours, peer, ratio, target, verdict, note."""
        ratio = "" if self.ours is None or self.peer is None else f"{_ratio(self.ours, self.peer):.2f}"
        verdict = {True: "met", False: "**missed**", None: "" if self.target is None else "not measured"}[self.met]
        peer = "" if self.peer is None else f"{self.peer_name}: {self.peer}"
        target = "" if self.target is None else self.target[0]
        return self.what, "" if self.ours is None else str(self.ours), peer, ratio, target, verdict, self.note


def table(rows: Iterable[Row]) -> str:
    """The rows as a markdown table with columns as wide as they need."""
    lines = [("what", "Vagus", "peer or limit", "ratio", "target", "", "note"), *(row.cells for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    texts = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines
    ]
    return "\n".join([texts[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *texts[1:]])


def _ratio(ours: Samples, peer: Samples) -> float:
    return ours.median / peer.median if peer.median else float("inf")


def _rounded(value: float) -> str:
    if value >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"
