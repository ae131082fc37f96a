"""How a stage measures: which servers run side by side, scenarios in turn on each, and the outcomes by server.

Servers are alternated within a round, so that what else the machine does at a moment hits all of them alike, and
rounds are repeated. What cannot be measured is noted and goes into the results; the rest goes on.
"""

import contextlib
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from bench.figures import Row, Samples, Target
from bench.load_generator import Outcome, load
from bench.machine import SERVER_CORE, UnavailableError
from bench.servers import Program, Server, running

LIMIT = "C loop"  # `load climit`: a loop of send(), which brings its own server


@dataclass(slots=True)
class Bench:
    """What is to be measured and how thoroughly; collects what could not be."""

    ours: Program | None
    peer: Program | None
    others: list[Program]
    originals: dict[Callable[[], Program], Program] = field(default_factory=dict)
    """Of the dialects, by what makes them."""
    quick: bool = False
    unavailable: list[str] = field(default_factory=list)
    facts: list[str] = field(default_factory=list)
    """What else was used, for the head of the results."""
    measured: dict[str, float] = field(default_factory=dict)
    """Figures that bench/scaling derives costs from."""

    @property
    def rounds(self) -> int:
        return 1 if self.quick else 3

    @property
    def seconds(self) -> float:
        return 1.0 if self.quick else 3.0

    @property
    def programs(self) -> list[Program]:
        return [program for program in (self.ours, self.peer) if program is not None]

    @contextlib.contextmanager
    def servers(self, programs: Iterable[Program]) -> Iterator[list[Server]]:
        """Those of the programs that start, running side by side; all but one at a time are idle."""
        with contextlib.ExitStack() as stack:
            started: list[Server] = []
            for program in programs:
                with self.noting(program.name):
                    started.append(stack.enter_context(running(program)))
            yield started

    @contextlib.contextmanager
    def noting(self, what: str) -> Iterator[None]:
        """Turns UnavailableError inside into a line of the results."""
        try:
            yield
        except UnavailableError as error:
            line = f"{what}: {error}"
            say(f"-- {line}")
            if line not in self.unavailable:
                self.unavailable.append(line)


@dataclass(slots=True)
class Found:
    """The outcomes of one scenario by server, over all rounds."""

    outcomes: dict[str, list[Outcome]] = field(default_factory=dict)

    def add(self, name: str, outcome: Outcome) -> None:
        self.outcomes.setdefault(name, []).append(outcome)

    def samples(self, program: Program | str | None, key: str, unit: str, scale: float = 1.0) -> Samples | None:
        """A figure of those outcomes that have it."""
        name = program.name if isinstance(program, Program) else program
        values = tuple(one[key] * scale for one in self.outcomes.get(name or "", []) if key in one.facts)
        return Samples(values, unit) if values else None

    def highest(self, program: Program | None, *keys: str) -> float:
        """The highest value of any of the keys in any round; 0 when nothing was found."""
        outcomes = self.outcomes.get(program.name, []) if program is not None else []
        return max((outcome[key] for outcome in outcomes for key in keys), default=0.0)

    @property
    def warning(self) -> str:
        saturated = [name for name, outcomes in self.outcomes.items() if any(one.saturated for one in outcomes)]
        return f"load generator saturated ({', '.join(saturated)})" if saturated else ""


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def in_turn(
    bench: Bench, servers: list[Server], scenario: str, options: Mapping[str, object], *, with_limit: bool = False
) -> Found:
    """All rounds of a scenario on each server; with the C loop doing the same in each round if so wished."""
    found = Found()
    options = {"seconds": bench.seconds, **options}
    for _ in range(bench.rounds):
        for server in servers:
            with bench.noting(server.program.name):
                found.add(server.program.name, load(scenario, server, **options))
        if with_limit:
            with bench.noting(LIMIT):
                found.add(LIMIT, load("climit", None, cpu=SERVER_CORE, **options))
    return found


def compared(
    bench: Bench,
    found: Found,
    what: str,
    key: str,
    unit: str,
    *,
    scale: float = 1,
    target: Target | None = None,
    note: str = "",
    peer: Program | None = None,
) -> Row:
    """A row of our figure against the peer's of the same name; the peer is the usual one unless another is given."""
    peer = peer or bench.peer
    row = Row(
        what=what,
        ours=found.samples(bench.ours, key, unit, scale),
        peer=found.samples(peer, key, unit, scale),
        peer_name=peer.name if peer is not None else "",
        target=target,
        note="; ".join(text for text in (note, found.warning) if text),
    )
    say(f"   {what}: {row.ours or 'not measured'} | {row.peer or 'not measured'}")
    return row
