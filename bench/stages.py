"""The stages of a benchmark, one for each family of targets: each yields the rows of the results that it measured.

CPU time is what is compared, because other work on the machine does not change it much; wall-clock figures stand where
the target is one (latencies, starting), and as notes.
"""

import statistics
import sys
import time
from collections.abc import Callable, Iterator
from typing import TypeAlias

from bench.clients import clients
from bench.console import console
from bench.dialects import dialects
from bench.figures import Row, Samples, Target, at_least, at_most, times_the_peer
from bench.history import history
from bench.load_generator import load
from bench.machine import SERVER_CORE, pinned_to, run_quietly
from bench.measuring import LIMIT, Bench, Found, compared, in_turn, say
from bench.nodes import nodes
from bench.pages import pages
from bench.peers import API_KEY
from bench.servers import Program, running
from bench.sources import sources

RATES = (50, 150, 300, 600, 1200)
KILOBYTE = 1024
IMPORT = "from vagus import Hub"

Stage: TypeAlias = Callable[[Bench], Iterator[Row]]


def start(bench: Bench) -> Iterator[Row]:
    """How long `vagus serve` takes until /health answers, and the import of the library."""
    if bench.ours is None:
        return
    rounds = 1 if bench.quick else 5
    ready: list[float] = []
    for _ in range(rounds):
        with bench.noting("start"), running(bench.ours) as server:
            ready.append(server.ready_s)
    if ready:
        yield Row("`vagus serve` ready", Samples(tuple(ready), "s"), target=at_most(1.5, "s"))
    _python_s(IMPORT)  # the first time compiles it
    interpreter = statistics.median(_python_s("pass") for _ in range(rounds))
    alone = Samples(tuple(_python_s(IMPORT) - interpreter for _ in range(rounds)), "s")
    yield Row(f"`{IMPORT}`", alone, target=at_most(0.3, "s"), note=f"Python itself: {interpreter:.3f} s")


def _python_s(statement: str) -> float:
    started = time.monotonic()
    with pinned_to(SERVER_CORE):
        run_quietly([sys.executable, "-c", statement])
    return time.monotonic() - started


def fanout(bench: Bench) -> Iterator[Row]:
    """One channel, 500 subscribers: CPU for a delivery and what became of each, at five rates."""
    with bench.servers(bench.programs) as servers:
        for rate in (50, 300, 1200) if bench.quick else RATES:
            say(f"== fan-out, {rate} publications a second to 500")
            found = in_turn(bench, servers, "fanout", {"rate": rate, "clients": 500}, with_limit=rate == 50)
            what = f"CPU for a delivery, 500 subscribers, {rate}/s"
            if (figure := found.samples(bench.ours, "us_per_delivery", "")) is not None:
                bench.measured[f"us_per_delivery_{rate}"] = figure.median
            target = times_the_peer(0.45 if rate == 50 else 0.8)
            yield compared(bench, found, what, "us_per_delivery", "µs", target=target)
            if rate == 50:
                yield _against_the_limit(bench, found, what, "us_per_delivery", "µs", times_the_peer(1.5))
            lost = Samples((found.highest(bench.ours, "lost", "duplicated", "disordered"),), "")
            if bench.ours is not None and bench.ours.name in found.outcomes:
                yield Row(f"lost, doubled or out of order, {rate}/s", lost, target=at_most(0, ""))
            target = at_most(50, "ms")
            yield compared(bench, found, f"p99 of a delivery, {rate}/s", "p99_ms", "ms", target=target)


def _against_the_limit(bench: Bench, found: Found, what: str, key: str, unit: str, target: Target | None) -> Row:
    """A row of our figure against that of the C loop, which no server can beat that writes to clients one by one."""
    ours, floor = found.samples(bench.ours, key, unit), found.samples(LIMIT, key, unit)
    say(f"   {LIMIT}: {floor}")
    return Row(what, ours, floor, LIMIT, target, found.warning)


def others(bench: Bench) -> Iterator[Row]:
    """The other peers, one after the other: CPU for a delivery and memory, for information."""
    if not bench.others:
        return
    ours = _two_figures(bench, bench.ours) if bench.ours is not None else Found()
    for program in bench.others:
        theirs = _two_figures(bench, program)
        for what, key, unit, scale in (
            ("CPU for a delivery, 500 subscribers, 50/s", "us_per_delivery", "µs", 1.0),
            ("memory of an idle subscribed connection, 1,000 of them", "bytes_per_connection", "KB", 1 / KILOBYTE),
        ):
            mine, peer = ours.samples(key, key, unit, scale), theirs.samples(key, key, unit, scale)
            note = _keeping_up(theirs) if key == "us_per_delivery" else ""
            yield Row(what, mine, peer, program.name, note=note)


def _two_figures(bench: Bench, program: Program) -> Found:
    """A fan-out and idle connections, each on a fresh server; filed under the key of their figure."""
    say(f"== {program.name}")
    found = Found()
    with bench.noting(program.name), running(program) as server:
        found.add("us_per_delivery", load("fanout", server, rate=50, seconds=min(bench.seconds, 2), warmup=0.5))
    with bench.noting(program.name), running(program) as server:
        found.add("bytes_per_connection", load("idle", server, clients=1000))
    return found


def _keeping_up(found: Found) -> str:
    """What a peer lost, or how far behind it was; nothing to say of one that kept up."""
    outcome = next(iter(found.outcomes.get("us_per_delivery", [])), None)
    if outcome is None or (outcome["lost"] == 0 and outcome["p99_ms"] < 1000):
        return ""
    return f"{outcome['lost']:,.0f} of {outcome['expected']:,.0f} deliveries lost; p99 {outcome['p99_ms']:,.0f} ms"


def idle(bench: Bench) -> Iterator[Row]:
    """9,000 connections that subscribe and rest: memory of each, and how fast they are taken in."""
    clients = 2000 if bench.quick else 9000
    found = Found()
    for _ in range(1 if bench.quick else 2):
        for program in bench.programs:
            say(f"== {clients:,} idle connections, {program.name}")
            with bench.noting(program.name), running(program) as server:
                found.add(program.name, load("idle", server, clients=clients))
    what = f"memory of an idle subscribed connection, {clients:,} of them"
    target = at_most(6, "KB")
    yield compared(bench, found, what, "bytes_per_connection", "KB", scale=1 / KILOBYTE, target=target)
    wall = found.samples(bench.ours, "connections_per_s", "/s")
    note = f"by the clock: {wall}" if wall is not None else ""
    what = "connections taken, with connect and subscribe, a second of one core"
    target = at_least(3000, "/s")
    yield compared(bench, found, what, "connections_per_server_cpu_s", "/s", target=target, note=note)
    for key in ("us_per_connection", "bytes_per_connection"):
        if (figure := found.samples(bench.ours, key, "")) is not None:
            bench.measured[key] = figure.median


def direct(bench: Bench) -> Iterator[Row]:
    """Direct messages among 5,000 that are busy with those of the others, and with a broadcast each second."""
    clients = 1000 if bench.quick else 5000
    with bench.servers(bench.programs) as servers:
        for busy_rate, with_what in ((0, ""), (1, ", a broadcast to all each second")):
            say(f"== direct messages among {clients:,}{with_what}")
            options = {"clients": clients, "rate": 1000, "busy_rate": busy_rate}
            found = in_turn(bench, servers, "direct", options)
            what = f"p99 of a direct message, {clients:,} clients, 1,000/s{with_what}"
            lost = found.highest(bench.ours, "lost", "broadcast_lost")
            note = f"{lost:,.0f} lost" if lost else ""
            yield compared(bench, found, what, "p99_ms", "ms", target=at_most(10, "ms"), note=note)


def broadcast(bench: Bench) -> Iterator[Row]:
    """A broadcast to 5,000, and the C loop doing the same."""
    clients = 1000 if bench.quick else 5000
    say(f"== broadcast to {clients:,}")
    with bench.servers(bench.programs) as servers:
        found = in_turn(bench, servers, "broadcast", {"rate": 2, "clients": clients}, with_limit=True)
    what = f"p99 of a broadcast to {clients:,}"
    yield compared(bench, found, what, "p99_ms", "ms", target=at_most(100, "ms"))
    yield _against_the_limit(bench, found, what, "p99_ms", "ms", None)


def commands(bench: Bench) -> Iterator[Row]:
    """Commands in, 50 connections with 32 in flight each."""
    with bench.servers(bench.programs) as servers:
        for mix in ("mixed",) if bench.quick else ("mixed", "publish", "rpc"):
            say(f"== commands, {mix}")
            found = in_turn(bench, servers, "commands", {"mix": mix, "clients": 50, "in_flight": 32})
            target = at_least(40_000, "/s") if mix == "mixed" else None
            kinds = "publish, history, presence_stats, rpc" if mix == "mixed" else f"{mix} alone"
            errors = found.highest(bench.ours, "errors")
            wall = found.samples(bench.ours, "replies_per_s", "/s")
            note = f"by the clock: {wall}" if wall is not None else ""
            note += f"; {errors:,.0f} errors" if errors else ""
            what = f"client commands a second of one core ({kinds})"
            yield compared(bench, found, what, "replies_per_server_cpu_s", "/s", target=target, note=note)


def http(bench: Bench) -> Iterator[Row]:
    """The HTTP API: publications one at a time, and in batches of 100."""
    programs = [program for program in bench.programs if program.api_key]
    with bench.servers(programs) as servers:
        for batch, path, least in ((1, "/api/publish", 5_000), (100, "/api/batch", 100_000)):
            say(f"== {path}")
            found = in_turn(bench, servers, "http", {"clients": 64, "batch": batch, "key": API_KEY})
            errors = found.highest(bench.ours, "errors")
            wall = found.samples(bench.ours, "publications_per_s", "/s")
            note = f"by the clock: {wall}" if wall is not None else ""
            note += f"; {errors:,.0f} requests failed" if errors else ""
            what = f"publications a second of one core, `POST {path}`" + (f" of {batch}" if batch > 1 else "")
            target = at_least(least, "/s")
            yield compared(bench, found, what, "publications_per_server_cpu_s", "/s", target=target, note=note)


def slow(bench: Bench) -> Iterator[Row]:
    """One client in ten reads 1 KB a second, or nothing: what that changes for the others, and what becomes of it."""
    with bench.servers(bench.programs) as servers:
        for mix, how in (("trickle", "reads 1 KB/s"), ("silent", "reads nothing")):
            say(f"== slow clients, {mix}")
            seconds = 2 if bench.quick else 5
            options = {"others": 50, "rate": 100, "mix": mix, "warmup": 0.5, "seconds": seconds}
            found = in_turn(bench, servers, "slow", options)
            what = f"p99 of 500 clients with 50 more of whom each {how}, over p99 without"
            yield _change(bench, found, what, note=_fates(found, bench.ours))


def _change(bench: Bench, found: Found, what: str, note: str) -> Row:
    """A row on how a disturbance changes the p99 of the others; each round measures without it and then with it."""
    before = found.samples(bench.ours, "without_p99_ms", "ms")
    note = "; ".join(text for text in (f"p99 without: {before}" if before is not None else "", note) if text)
    return compared(bench, found, what, "p99_change", "times", target=at_most(1.1, "times"), note=note)


def _fates(found: Found, program: Program | None) -> str:
    outcomes = found.outcomes.get(program.name, []) if program is not None else []
    if not outcomes:
        return ""
    last = outcomes[-1]
    coded, code = last["slow_closed_with_code"], last["slow_close_code"]
    return (
        f"the slow ones: {coded:.0f} closed with {code:.0f}, {last['slow_closed_without_code']:.0f} without a code, "
        f"{last['slow_open']:.0f} open"
    )


def halfopen(bench: Bench) -> Iterator[Row]:
    """10,000 sockets that never finish their handshake."""
    count = 2000 if bench.quick else 10_000
    with bench.servers(bench.programs) as servers:
        say(f"== {count:,} half-open sockets")
        found = in_turn(bench, servers, "halfopen", {"others": count, "rate": 50})
    memory = found.samples(bench.ours, "bytes_per_half_open", "KB", 1 / KILOBYTE)
    note = f"memory of one: {memory}" if memory is not None else ""
    yield _change(bench, found, f"p99 of 500 clients beside {count:,} half-open sockets, over p99 without", note)


STAGES: dict[str, Stage] = {
    stage.__name__: stage
    for stage in (
        start,
        fanout,
        idle,
        direct,
        broadcast,
        commands,
        http,
        slow,
        halfopen,
        nodes,
        others,
        dialects,
        pages,
        console,
        history,
        sources,
        clients,
    )
}
