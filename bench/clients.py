"""The stage that measures client libraries in Python: messages that one core takes as a subscriber.

Each library runs in a process of its own on the load's core and measures its own CPU time (``subscriber.py``). The
server publishes as fast as it can, once with many messages in a frame and once with few.
"""

import json
import sys
from collections.abc import Iterator
from typing import Final

from bench.figures import Row, Samples, at_least
from bench.machine import LOAD_CORE, pinned_to, run_quietly
from bench.measuring import Bench, say
from bench.servers import Server, running

LIBRARIES: Final = ("vagus", "centrifuge")
PEER: Final = "centrifuge-python"
FLOWS: Final = {"rush": "many to a frame", "walk": "few to a frame"}
TARGET: Final = at_least(50_000, "/s")


def clients(bench: Bench) -> Iterator[Row]:
    """``vagus.client`` beside centrifuge-python, both on asyncio's own loop."""
    if bench.ours is None:
        return
    for flow, how in FLOWS.items():
        say(f"== clients in Python, {how}")
        figures: dict[str, list[float]] = {library: [] for library in LIBRARIES}
        facts: dict[str, dict[str, float | str]] = {}
        with bench.noting("clients"), running(bench.ours) as server:
            for _ in range(bench.rounds):
                for library in LIBRARIES:
                    with bench.noting(f"client {library}"):
                        facts[library] = found = _measured(bench, server, library, flow)
                        figures[library].append(float(found["per_cpu_s"]))
        yield _row(how, figures, facts)


def _measured(bench: Bench, server: Server, library: str, flow: str) -> dict[str, float | str]:
    bursts = 4 if bench.quick else 20
    url = f"ws://127.0.0.1:{server.port}/connection/websocket"
    with pinned_to(LOAD_CORE):
        told = run_quietly([sys.executable, "-m", "bench.subscriber", library, url, flow, str(bursts)])
    found: dict[str, float | str] = json.loads(told)
    return found


def _row(how: str, figures: dict[str, list[float]], facts: dict[str, dict[str, float | str]]) -> Row:
    ours, peer = (Samples(tuple(figures[library]), "/s") if figures[library] else None for library in LIBRARIES)
    told = [f"{facts[library]['version']}: {facts[library]['per_frame']:.1f} to a frame" for library in facts]
    told += [f"{library} lost {lost:,.0f}" for library in facts if (lost := float(facts[library]["lost"]))]
    row = Row(
        what=f"messages a second of one core, subscriber in Python, {how}",
        ours=ours,
        peer=peer,
        peer_name=PEER,
        target=TARGET,
        note="; ".join(told),
    )
    say(f"   {row.what}: {row.ours or 'not measured'} | {row.peer or 'not measured'}")
    return row
