"""The stage with several nodes on one Redis: what publications, subscriptions and presence cost through it, how long
a publication takes to a subscriber of another node, and what becomes of clients whose node is killed or restarted.

Nodes run on the servers' core, Redis beside the load generator on the other one; bench/NODES.md says what that means.
"""

import contextlib
import statistics
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from bench import peers
from bench.figures import Row, Samples, at_least, at_most
from bench.load_generator import Outcome, load, loading
from bench.measuring import Bench, Found, compared, say
from bench.redis_server import Redis, redis_running, version
from bench.servers import Program, Server, free_port, running

KEPT, MET, BARE = "kept:", "met:", "bare:"
"""How the names of channels begin that have history, presence, or neither: bench/application.py."""

CHANNELS = 100
HISTORY = 100
DATA_BYTES = 100
NODES = 4
ASTRAY = ("lost", "duplicated", "disordered", "told_lost")
DRAIN_S = 3
REST_S = 26  # longer than from ping to ping


def nodes(bench: Bench) -> Iterator[Row]:
    """Publishing, latency, loss of a node, rolling restart, subscriptions: all through Redis."""
    with bench.noting("nodes"):
        bench.facts.append(f"redis: {version()}")
        yield from _publishing(bench)
        yield from _commands(bench)
        yield from _latency(bench)
        yield from _killed(bench)
        yield from _restarted(bench)
        yield from _subscribing(bench)


def _peer(bench: Bench) -> Program | None:
    return bench.originals.get(peers.centrifuge)


def _programs(bench: Bench) -> list[Program]:
    return [program for program in (bench.ours, _peer(bench)) if program is not None]


def on_redis(program: Program, redis: Redis, *, presence: bool = False, history: bool = True) -> Program:
    """A node of those on this Redis; presence and history are for the peer, where they hold for all channels."""
    if program.name == "centrifuge":
        flags = [*(("-presence",) if presence else ()), *(("-history", str(HISTORY)) if history else ())]
        return replace(program, command=(*program.command, "-redis", redis.address, *flags))
    settings = {"VAGUS_BROKER__URL": f"redis://{redis.address}/0", "VAGUS_SERVER__DRAIN_S": str(DRAIN_S)}
    return replace(program, environment={**program.environment, **settings})


@contextlib.contextmanager
def _fleet(program: Program, count: int, *, channel: str = KEPT) -> Iterator[tuple[Redis, list[Server]]]:
    """So many nodes of a program on a Redis of their own."""
    with contextlib.ExitStack() as stack:
        redis = stack.enter_context(redis_running())
        node = on_redis(program, redis, presence=channel == MET, history=channel == KEPT)
        yield redis, [stack.enter_context(running(node)) for _ in range(count)]


def _each(outcomes: Iterable[Outcome], key: str, of: str) -> Samples:
    """CPU time in µs for one of something."""
    return Samples(tuple(one[key] * 1e6 / max(one[of], 1) for one in outcomes), "µs")


# publishing


def _publishing(bench: Bench) -> Iterator[Row]:
    """Publications with history by the HTTP API, with subscribers who get them all: here, elsewhere, everywhere."""
    if bench.ours is None:
        return
    found = {
        "`POST /api/publish`, one node": _published(bench, bench.ours, nodes=1, batch=1),
        "`POST /api/batch` of 100, one node": _published(bench, bench.ours, nodes=1),
        "`POST /api/batch` of 100, subscribers at another node": _published(bench, bench.ours, nodes=2),
        f"`POST /api/batch` of 100, subscribers at each of {NODES} nodes": _published(bench, bench.ours, nodes=NODES),
    }
    for how, outcomes in found.items():
        yield from _publishing_rows(outcomes, how, is_target=outcomes is found["`POST /api/batch` of 100, one node"])
    astray = max(one["lost"] + one["errors"] for outcomes in found.values() for one in outcomes)
    yield Row("lost or failed, publishing through Redis", Samples((astray,), ""), target=at_most(0, ""))
    _, here, elsewhere, everywhere = found.values()
    bench.measured |= {
        "publish_us": _median(1e6 / one["publications_per_server_cpu_s"] for one in elsewhere),
        "hear_us": _each(elsewhere, "watched_2_cpu_s", "publications").median,
        "redis_us": _each(here, "watched_1_cpu_s", "publications").median,
        "redis_many_us": _each(everywhere, "watched_1_cpu_s", "publications").median,
        "redis_many": NODES,
        "redis_publication_bytes": here[0]["redis_bytes"] / (CHANNELS * HISTORY) - DATA_BYTES,
    }


def _median(values: Iterable[float]) -> float:
    return statistics.median(values)


def _published(bench: Bench, program: Program, *, nodes: int, batch: int = 100) -> list[Outcome]:
    """With two nodes the first publishes and the other has the subscribers, with more of them all have some."""
    say(f"== publishing through Redis, {nodes} nodes, {batch} in a request")
    found = []
    with _fleet(program, nodes) as (redis, servers):
        options = {
            "clients": 64,
            "batch": batch,
            "others": 1 if batch == 1 else CHANNELS,
            "channel": KEPT,
            "key": peers.API_KEY,
            "publish_port": servers[0].port,
            "pid": servers[0].pid,
            "ports": ",".join(str(server.port) for server in (servers if nodes > 2 else servers[-1:])),
            "watch": f"{redis.pid},{servers[-1].pid}",
            "seconds": bench.seconds,
        }
        for _ in range(bench.rounds):
            calls, memory = redis.calls, redis.memory
            outcome = load("http", servers[-1], **options)
            shares = {"redis_calls": _calls_each(calls, redis.calls), "redis_bytes": redis.memory - memory}
            found.append(Outcome({**outcome.facts, **shares}))
    return found


def _calls_each(before: Mapping[str, int], after: Mapping[str, int]) -> float:
    """All that Redis carried out for one publication, what scripts call included."""
    published = sum(after.get(name, 0) - before.get(name, 0) for name in ("publish", "spublish"))
    return (sum(after.values()) - sum(before.values())) / max(published, 1)


def _publishing_rows(found: list[Outcome], how: str, *, is_target: bool) -> Iterator[Row]:
    rates = Samples(tuple(one["publications_per_server_cpu_s"] for one in found), "/s")
    clock = Samples(tuple(one["publications_per_s"] for one in found), "/s")
    target = at_least(15_000, "/s") if is_target else None
    say(f"   {how}: {rates}, by the clock {clock}")
    yield Row(
        f"publications with history a second of one core, {how}", rates, target=target, note=f"by the clock: {clock}"
    )
    note = f"{max(one['redis_calls'] for one in found):.1f} commands, those in scripts included"
    yield Row(f"Redis' CPU for each, {how}", _each(found, "watched_1_cpu_s", "publications"), note=note)
    if "another" in how:
        heard = _each(found, "watched_2_cpu_s", "publications")
        yield Row("CPU of the other node for each, with its delivery to one client", heard)


def _commands(bench: Bench) -> Iterator[Row]:
    """The same by clients, which the peer can be asked as well; nobody subscribes but who publishes."""
    found = Found()
    for program in _programs(bench):
        say(f"== publishing by clients through Redis, {program.name}")
        with bench.noting(program.name), _fleet(program, 1) as (_, servers):
            for _ in range(bench.rounds):
                options = {"mix": "publish", "clients": 50, "in_flight": 32, "channel": KEPT, "seconds": bench.seconds}
                found.add(program.name, load("commands", servers[0], **options))
    wall = found.samples(bench.ours, "replies_per_s", "/s")
    note = f"by the clock: {wall}" if wall is not None else ""
    what = "client publications with history a second of one core, one subscriber each"
    yield compared(bench, found, what, "replies_per_server_cpu_s", "/s", note=note, peer=_peer(bench))


def _latency(bench: Bench) -> Iterator[Row]:
    """From publishing at one node to the subscribers of another."""
    found = Found()
    for program in _programs(bench):
        say(f"== from node to node, {program.name}")
        with bench.noting(program.name), _fleet(program, 2) as (_, (first, second)):
            for _ in range(bench.rounds):
                options = {"rate": 100, "clients": 100, "channel": KEPT + "news", "publish_port": first.port}
                found.add(program.name, load("fanout", second, seconds=bench.seconds, **options))
    for key in ("p50_ms", "p99_ms"):
        what = f"{key[:3]} from publishing at one node to delivery at another, 100 subscribers, 100/s"
        yield compared(bench, found, what, key, "ms", peer=_peer(bench))
    yield Row("lost, doubled or out of order from node to node", _astray(bench, found), target=at_most(0, ""))


def _astray(bench: Bench, found: Found) -> Samples | None:
    if bench.ours is None or bench.ours.name not in found.outcomes:
        return None
    keys = [key for key in ASTRAY if key in found.outcomes[bench.ours.name][0].facts]
    return Samples((found.highest(bench.ours, *keys),), "")


# losing a node


def _killed(bench: Bench) -> Iterator[Row]:
    """A node is killed with all clients on it; another takes them, while 100 publications a second go on."""
    clients = 2000 if bench.quick else 10_000
    policies = {"backoff": "each waiting 0.5 to 1 s first", "immediate": "all at once"}
    for mix, how in policies.items():
        found = Found()
        for _ in range(1 if bench.quick else 2):
            for program in _programs(bench):
                say(f"== {clients:,} clients of a killed node, {mix}, {program.name}")
                with bench.noting(program.name), _fleet(program, 2) as (redis, (first, second)):
                    found.add(program.name, _kill(redis, first, second, clients=clients, mix=mix))
        yield from _killed_rows(bench, found, f"{clients:,} clients of a killed node, {how}")
        if bench.ours is not None and (outcomes := found.outcomes.get(bench.ours.name)) and mix == "immediate":
            bench.measured["return_us"] = _median(one["us_per_return"] for one in outcomes)
            bench.measured["redis_recover_us"] = _each(outcomes, "watched_1_cpu_s", "back").median


def _killed_rows(bench: Bench, found: Found, what: str) -> Iterator[Row]:
    half, peer = found.samples(bench.ours, "away_p50_ms", "s", scale=1 / 1000), _peer(bench)
    share = found.samples(bench.ours, "server_cpu_share", "%", scale=100)
    note = f"half of them after {half}; the node had {share} of its core" if half is not None else ""
    title = f"{what}: until all are back at another"
    yield compared(bench, found, title, "last_back_s", "s", target=at_most(10, "s"), note=note, peer=peer)
    outcomes = found.outcomes.get(bench.ours.name, []) if bench.ours is not None else []
    note = f"Redis' CPU for each: {_each(outcomes, 'watched_1_cpu_s', 'back')}" if outcomes else ""
    title = f"{what}: CPU of the other node for each"
    yield compared(bench, found, title, "us_per_return", "µs", note=note, peer=peer)
    yield Row(f"{what}: lost, doubled, disordered, unrecovered", _astray(bench, found), target=at_most(0, ""))


def _kill(redis: Redis, first: Server, second: Server, *, clients: int, mix: str) -> Outcome:
    options = {"clients": clients, "channel": KEPT, "channels": CHANNELS, "rate": 100, "warmup": 1, "seconds": 3}
    ports = f"{first.port},{second.port}"
    return load("recover", second, ports=ports, victim=first.pid, mix=mix, watch=redis.pid, **options)


@dataclass(slots=True)
class _Node:
    """One that can be restarted in its place."""

    program: Program
    port: int
    stack: contextlib.ExitStack

    def start(self) -> Server:
        return self.stack.enter_context(running(self.program, port=self.port, patience_s=DRAIN_S + 20))

    def restart(self) -> None:
        self.stack.close()
        self.start()


def _restarted(bench: Bench) -> Iterator[Row]:
    """Three nodes are restarted one after the other, with clients that go to the next, while publications go on."""
    if bench.ours is None:
        return
    clients = 600 if bench.quick else 3000
    say(f"== rolling restart of 3 nodes with {clients:,} clients")
    with contextlib.ExitStack() as stack, bench.noting("rolling restart"):
        redis = stack.enter_context(redis_running())
        program = on_redis(bench.ours, redis)
        fleet = [_Node(program, free_port(), stack.enter_context(contextlib.ExitStack())) for _ in range(3)]
        servers = [node.start() for node in fleet]
        options = {"clients": clients, "rate": 200, "channel": KEPT, "channels": CHANNELS, "key": peers.API_KEY}
        ports = ",".join(str(node.port) for node in fleet)
        with loading("recover", servers[0], ports=ports, via_http=True, **options) as run:
            run.wait_until_ready()
            started = time.monotonic()
            for node in fleet:
                node.restart()
            took_s = time.monotonic() - started
            outcome = run.outcome()
        yield from _restarted_rows(outcome, took_s, clients)


def _restarted_rows(outcome: Outcome, took_s: float, clients: int) -> Iterator[Row]:
    what = f"rolling restart of 3 nodes, {clients:,} clients, 200 publications/s"
    note = f"each is drained over {DRAIN_S} s; {outcome['closures']:,.0f} moves of clients"
    yield Row(f"{what}: the whole of it", Samples((took_s,), "s"), note=note)
    away = Samples((outcome["away_p99_ms"] / 1000,), "s")
    yield Row(f"{what}: p99 of how long a client is away", away, note="each waiting 0.5 to 1 s first")
    lost = Samples((max(outcome[key] for key in ASTRAY),), "")
    note = f"of {outcome['sent']:,.0f} publications, {outcome['expected']:,.0f} deliveries"
    yield Row(f"{what}: lost, doubled, disordered, unrecovered", lost, target=at_most(0, ""), note=note)


# subscriptions


def _subscribing(bench: Bench) -> Iterator[Row]:
    """A channel of its own for each client, which is the dearest case: each is followed in Redis."""
    clients = 1000 if bench.quick else 5000
    kinds = {BARE: "followed", KEPT: "with history", MET: "with presence"}
    found = {channel: Found() for channel in kinds}
    for turn in range(bench.rounds):
        rest_s = 2 if bench.quick else REST_S if turn == 0 else 0
        for channel, what in kinds.items():
            for program in _programs(bench):
                say(f"== {clients:,} channels {what} through Redis, {program.name}")
                with bench.noting(program.name), _fleet(program, 1, channel=channel) as (redis, servers):
                    found[channel].add(program.name, _subscribed(redis, servers[0], clients, channel, rest_s))
    for channel, what in kinds.items():
        yield from _subscribing_rows(bench, found[channel], f"connection with a channel of its own, {what}")
        if bench.ours is not None and (outcomes := found[channel].outcomes.get(bench.ours.name)):
            for key in FIGURES:
                figure = _median(one[key] for one in outcomes if key in one.facts)
                bench.measured[f"{channel.rstrip(':')}_{key}"] = figure


FIGURES = ("us_per_connection", "bytes_per_connection", "rest_us", "redis_us", "redis_rest_us", "redis_bytes")
"""What is learnt from connections with channels of their own: each for one of them."""


def _subscribed(redis: Redis, server: Server, clients: int, channel: str, rest_s: float) -> Outcome:
    calls, memory = redis.calls, redis.memory
    options = {"clients": clients, "channel": channel, "own_channels": True, "rest": rest_s, "watch": redis.pid}
    one = load("idle", server, **options, **({"positioned": True} if channel == KEPT else {}))
    shares = {
        "redis_us": one["watched_1_cpu_s"] * 1e6 / one["ready"],
        "redis_calls": (sum(redis.calls.values()) - sum(calls.values())) / one["ready"],
        "redis_bytes": (redis.memory - memory) / one["ready"],
    }
    if rest_s > 0:
        shares["rest_us"] = one["rest_us_per_connection_s"]
        shares["redis_rest_us"] = one["rest_watched_1_cpu_s"] * 1e6 / one["ready"] / one["rest_wall_s"]
    return Outcome({**one.facts, **shares})


def _subscribing_rows(bench: Bench, found: Found, what: str) -> Iterator[Row]:
    outcomes = found.outcomes.get(bench.ours.name, []) if bench.ours is not None else []
    told = [f"{one['redis_calls']:.1f} commands, {one['redis_bytes']:,.0f} bytes in Redis" for one in outcomes]
    note = told[0] if told else ""
    for title, key, text in (
        ("CPU of the node to take a", "us_per_connection", ""),
        ("CPU of the node a second for a resting", "rest_us", ""),
        ("Redis' CPU to take a", "redis_us", note),
        ("Redis' CPU a second for a resting", "redis_rest_us", ""),
    ):
        yield compared(bench, found, f"{title} {what}", key, "µs", note=text, peer=_peer(bench))
