"""The load generator, bench/load, from Python: built with cc, run on its own core, its one line of JSON read."""

import json
import subprocess
from collections.abc import Mapping
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
    words = [str(BINARY), scenario]
    if server is not None:
        options = {"port": server.port, "pid": server.pid, "protocol": server.program.protocol, **options}
    for name, value in options.items():
        flag = f"--{name.replace('_', '-')}"
        words += [flag] if value is True else [flag, str(value)]
    with pinned_to(LOAD_CORE):
        process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    with process:
        try:
            said, errors = process.communicate(timeout=LIMIT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            raise UnavailableError(f"{scenario} took more than {LIMIT_S:.0f} s") from None
    if process.returncode != 0:
        raise UnavailableError(f"{scenario}: {(errors.strip().splitlines() or ['ended by a signal'])[-1]}")
    _keep(said)
    return Outcome(json.loads(said))


def _keep(line: str) -> None:
    with (BUILD / "outcomes.jsonl").open("a") as file:
        file.write(line)
