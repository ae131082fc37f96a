"""The stage that measures the collector: 200 sources in one `vagus serve`, all asked every second.

What is asked moves in this process, on the load's core (``moving.py``). A subscriber there says how late pulses come.
"""

import asyncio
import os
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from bench import moving
from bench.figures import Row, Samples, at_most
from bench.machine import BUILD, LOAD_CORE, UnavailableError, pinned_to
from bench.measuring import Bench, say
from bench.servers import PORT, Program, running
from vagus.client import Client

WATCHED: Final = 20
"""Pulses of a round."""
PATIENCE_S: Final = 30.0
IN_A_ROW: Final = 5
BEAT_MS: Final = 1000
WAY_MS: Final = 20
"""By how much the quickest ways to the subscriber may differ."""


class Pulse(NamedTuple):
    """What a subscriber sees of a pulse. When it came is in milliseconds of a clock that nobody sets."""

    came: float
    collect_ms: float
    answered: int
    oldest_ms: float
    """The age of its oldest value, of those that are new every second."""


def sources(bench: Bench) -> Iterator[Row]:
    """200 sources at once a second: what they cost, and whether pulses keep the beat."""
    BUILD.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="sources-", dir=BUILD))
    say(f"== {moving.ALL} sources, once a second")
    try:
        shares, pulses = asyncio.run(_watched(folder, rounds=bench.rounds))
    finally:
        shutil.rmtree(folder)
    yield from _rows(shares, pulses)


async def _watched(folder: Path, rounds: int) -> tuple[list[float], list[Pulse]]:
    """The share of one core that the process takes, round by round, and all pulses of that time."""
    shares, pulses = list[float](), list[Pulse]()
    async with moving.moving(folder) as settings:
        with running(_server(folder, settings)) as server, pinned_to(LOAD_CORE):
            client = Client(f"ws://127.0.0.1:{server.port}/connection/websocket")
            async with client, client.subscribe("fusion") as messages:
                arriving = (_pulse(message.data["at"], message.data["payload"]) async for message in messages)
                await _settled(arriving)
                for _ in range(rounds):
                    cpu, began = _cpu_s(server.pid), time.monotonic()
                    pulses += [await anext(arriving) for _ in range(WATCHED)]
                    shares.append((_cpu_s(server.pid) - cpu) / (time.monotonic() - began) * 100)
    return shares, pulses


def _server(folder: Path, settings: str) -> Program:
    config = folder / "vagus.toml"
    config.write_text(f"[fusion]\ninterval_s = 1\ndefault_sources = false\n\n{settings}")
    return Program(
        name="vagus-sources",
        version=f"Vagus on Python {sys.version.split()[0]}",
        protocol="centrifuge",
        command=(sys.executable, "-m", "vagus", "serve", "--config", str(config), "--insecure", "--port", PORT),
        environment={"VAGUS_SERVER__DATA_DIR": str(folder), "VAGUS_SERVER__LOG_LEVEL": "error"},
    )


def _pulse(at: int, update: dict[str, Any]) -> Pulse:
    made = [value for name, value in update["data"].items() if name.startswith(moving.NEW)]
    collect_ms, marks = update["pulse"]["collectMs"], update["pulse"]["sources"].values()
    answered = sum(mark["status"] == "ok" for mark in marks)
    oldest_ms = at - min(value or 0 for value in made) * 1000
    return Pulse(time.monotonic() * 1000, collect_ms, answered, oldest_ms)


async def _settled(arriving: AsyncIterator[Pulse]) -> None:
    """Wait until all sources have answered several times. Raises ``UnavailableError`` if they do not."""
    in_a_row, deadline = 0, time.monotonic() + PATIENCE_S
    while in_a_row < IN_A_ROW:
        pulse = await anext(arriving)
        in_a_row = in_a_row + 1 if pulse.answered == moving.ALL else 0
        if time.monotonic() > deadline:
            raise UnavailableError(f"{pulse.answered} of {moving.ALL} sources answer")


def _cpu_s(pid: int) -> float:
    """What a process has used, with all its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _rows(shares: Sequence[float], pulses: Sequence[Pulse]) -> Iterator[Row]:
    files = f"{moving.FILES} JSON files, of which {moving.FILES // moving.PARTS} change each second"
    answering = f"{moving.ENDPOINTS} of JSON over HTTP, {moving.EXPORTERS} of Prometheus"
    note = f"{files}, {answering}, {moving.LOGS} growing logs, {moving.QUERIES} queries to SQLite"
    what = f"share of a core to collect, publish and keep {moving.ALL} sources every second"
    yield Row(what, Samples(tuple(shares), "%"), target=at_most(20, "%"), note=note)
    late, missed = _against_the_beat(pulses)
    collecting = Samples(tuple(pulse.collect_ms for pulse in pulses), "ms")
    oldest_s = max(pulse.oldest_ms for pulse in pulses) / 1000
    note = (
        f"of which collecting takes {collecting}; what is new every second is at most {oldest_s:.1f} s old in a pulse"
    )
    yield Row("from the beat of a pulse until its subscriber has it", Samples(tuple(late), "ms"), note=note)
    missed += sum(pulse.answered < moving.ALL for pulse in pulses)
    what = f"pulses that were missed or lacked a source, of {len(pulses)}"
    yield Row(what, Samples((missed,), ""), target=at_most(0, ""))


def _against_the_beat(pulses: Sequence[Pulse]) -> tuple[list[float], int]:
    """How late each pulse came, and how many beats had none.

    Beats are a second apart and the quickest pulse says when; none begins before its beat. After a beat that was missed
    all others come a second later than their number says.
    """
    began = [pulse.came - pulse.collect_ms - BEAT_MS * number for number, pulse in enumerate(pulses)]
    missed = [int((min(began[number:]) - min(began) + WAY_MS) // BEAT_MS) for number in range(len(began))]
    beats = [min(began) + BEAT_MS * (number + before) for number, before in enumerate(missed)]
    return [pulse.came - beat for pulse, beat in zip(pulses, beats, strict=True)], missed[-1]
