"""The load generator, bench/load, from Python: built with cc, run on its own core, its one line of JSON read."""

import contextlib
import json
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.machine import BUILD, LOAD_CORE, UnavailableError, pinned_to, run_quietly
from bench.servers import Server

SOURCES = Path(__file__).parent / "load"
BINARY = BUILD / "load"
LIMIT_S = 120.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one run of a scenario found."""

    facts: Mapping[str, object]

    def __getitem__(self, key: str) -> float:
        value = self.facts[key]
        if not isinstance(value, (int, float)):
            raise TypeError(f"{key} is {value!r}, not a number")
        return float(value)

    @property
    def saturated(self) -> bool:
        """Whether the load generator took more than 85 % of its core, so that the figures may be its own."""
        return any(value is True for key, value in self.facts.items() if key.endswith("saturated"))


def build() -> None:
    """Compile the load generator unless it is newer than its sources."""
    sources = sorted(SOURCES.glob("*.c"))
    newest = max(path.stat().st_mtime for path in SOURCES.iterdir())
    if BINARY.exists() and BINARY.stat().st_mtime > newest:
        return
    BUILD.mkdir(parents=True, exist_ok=True)
    run_quietly(["cc", "-std=gnu11", "-O2", "-Wall", "-Wextra", "-o", BINARY, *sources])


def load(scenario: str, server: Server | None, **options: object) -> Outcome:
    """Run a scenario against a server (None: the scenario brings its own); options are the flags of bench/load/load.c.

    Raises UnavailableError with what the load generator said when the scenario cannot be run to its end.
    """
    with loading(scenario, server, **options) as run:
        return run.outcome()


@dataclass(frozen=True, slots=True)
class Run:
    """A scenario that is going on."""

    scenario: str
    process: "subprocess.Popen[str]"

    def wait_until_ready(self) -> None:
        """Until a scenario that says so on standard error has opened its connections."""
        assert self.process.stderr is not None
        if "ready" not in self.process.stderr.readline():
            raise UnavailableError(f"{self.scenario} does not begin")

    def outcome(self) -> Outcome:
        """End its standard input, wait for its end, and tell what it found. Raises as ``load`` does."""
        try:
            said, errors = self.process.communicate(timeout=LIMIT_S)
        except subprocess.TimeoutExpired:
            raise UnavailableError(f"{self.scenario} took more than {LIMIT_S:.0f} s") from None
        (BUILD / "load.log").write_text(errors)
        if self.process.returncode != 0:
            raise UnavailableError(f"{self.scenario}: {(errors.strip().splitlines() or ['ended by a signal'])[-1]}")
        _keep(said)
        return Outcome(json.loads(said))


@contextlib.contextmanager
def loading(scenario: str, server: Server | None, **options: object) -> Iterator[Run]:
    """Start a scenario, to do something else while it runs; it is ended with the block."""
    words = [str(BINARY), scenario]
    if server is not None:
        options = {"port": server.port, "pid": server.pid, "protocol": server.program.protocol, **options}
    for name, value in options.items():
        flag = f"--{name.replace('_', '-')}"
        words += [flag] if value is True else [flag, str(value)]
    with pinned_to(LOAD_CORE):
        pipe = subprocess.PIPE
        process = subprocess.Popen(words, stdin=pipe, stdout=pipe, stderr=pipe, text=True)
    with process:
        try:
            yield Run(scenario, process)
        finally:
            if process.poll() is None:
                process.kill()


def _keep(line: str) -> None:
    with (BUILD / "outcomes.jsonl").open("a") as file:
        file.write(line)
