"""Measures Vagus and its peers: builds what it needs, runs the stages, writes the results.

    python -m bench [--quick] [--only STAGE]

A whole run writes bench/RESULTS.md. One that is quick or partial is for a look: it prints its table, and keeps it in
build/bench.
"""

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from bench import load_generator, peers
from bench.dialects import ORIGINALS
from bench.figures import Row, table
from bench.machine import BUILD, allow_many_files, description
from bench.measuring import Bench, say
from bench.servers import Program, running
from bench.stages import STAGES

RESULTS = Path(__file__).parent / "RESULTS.md"
MISSED = Path(__file__).parent / "MISSED.md"
MEASURED = BUILD / "measured.json"
SECTIONS = {
    "nodes": ("Several nodes on one Redis", Path(__file__).parent / "NODES.md"),
    "dialects": ("Dialects beside their originals", Path(__file__).parent / "DIALECTS.md"),
    "pages": ("Pages in a browser", Path(__file__).parent / "PAGES.md"),
}
"""Stages that have a section of their own in the results: its title, and what is said in front of its table."""
OTHERS = (peers.node_ws, peers.node_socketio, peers.python_socketio, peers.django_channels)


def main(words: Sequence[str] | None = None) -> int:
    """Run the benchmarks; the exit code is 1 only when nothing could be measured."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer and shorter measurements, under 3 minutes")
    parser.add_argument("--only", action="append", choices=sorted(STAGES), metavar="STAGE", help=", ".join(STAGES))
    arguments = parser.parse_args(words)
    names = list(STAGES) if arguments.only is None else arguments.only
    BUILD.mkdir(parents=True, exist_ok=True)
    (BUILD / "outcomes.jsonl").unlink(missing_ok=True)
    allow_many_files()
    load_generator.build()
    bench = prepared(names, quick=arguments.quick)
    rows: dict[str, list[Row]] = {name: [] for name in names}
    for name in names:
        with bench.noting(name):
            rows[name].extend(STAGES[name](bench))
    if not arguments.quick:
        _keep(bench.measured)
    whole = arguments.only is None and not arguments.quick
    text = written(bench, rows, whole=whole)
    (RESULTS if whole else BUILD / "RESULTS.md").write_text(text)
    print(text)
    return 0 if any(rows.values()) else 1


def _keep(measured: Mapping[str, float]) -> None:
    """For bench/scaling, beside what earlier runs of other stages measured."""
    known = json.loads(MEASURED.read_text()) if MEASURED.exists() else {}
    MEASURED.write_text(json.dumps(known | dict(measured), indent=2))


def prepared(stages: Sequence[str], *, quick: bool) -> Bench:
    """The programs that these stages need and this machine can have, built; the rest is noted by name."""
    bench = Bench(ours=None, peer=None, others=[], quick=quick)
    bench.ours = _starting(bench, peers.vagus)
    bench.peer = _starting(bench, peers.centrifugo_or_centrifuge)
    others = OTHERS if "others" in stages and not quick else ()
    originals = (*(ORIGINALS if "dialects" in stages else ()), *((peers.centrifuge,) if "nodes" in stages else ()))
    built = {peers.centrifugo_or_centrifuge: bench.peer}
    for make in (*others, *originals):
        if make not in built:
            built[make] = _starting(bench, make)
    bench.others = [program for make in others if (program := built[make]) is not None]
    bench.originals = {make: program for make in originals if (program := built[make]) is not None}
    return bench


def _starting(bench: Bench, program: Callable[[], Program]) -> Program | None:
    """The program, if it can be built and starts."""
    say(f"== preparing {program.__name__}")
    with bench.noting(program.__name__):
        built = program()
        with running(built):
            return built
    return None


def written(bench: Bench, rows: Mapping[str, list[Row]], *, whole: bool) -> str:
    """The results as a page of markdown."""
    lines = ["# Results", ""]
    lines += ["Written by `python -m bench`; bench/README.md says how it measures."]
    lines += [] if whole else ["", "This run was quick or partial: its figures are for a look, not for the record."]
    lines += ["", *(f"- {fact}" for fact in description())]
    programs = (*bench.programs, *bench.others, *bench.originals.values())
    lines += dict.fromkeys(f"- {program.name}: {program.version}" for program in programs)
    lines += [f"- {fact}" for fact in bench.facts]
    lines += [f"- not measured: {line}" for line in bench.unavailable]
    decided = [row.met for stage in rows.values() for row in stage if row.met is not None]
    lines += ["", f"{sum(decided)} of {len(decided)} targets met.", ""]
    lines += ["A figure is the median of its rounds, with the lowest and the highest in parentheses.", ""]
    if common := [row for name, stage in rows.items() if name not in SECTIONS for row in stage]:
        lines += [table(common), ""]
    for name, (title, preface) in SECTIONS.items():
        lines += [f"## {title}", "", preface.read_text(), table(rows[name]), ""] if rows.get(name) else []
    lines += [MISSED.read_text()] if whole else []
    return "\n".join(lines)
