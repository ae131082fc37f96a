"""The stage that measures each dialect beside a server of its own kind: CPU for a delivery, and memory when idle.

Each pairing is one protocol of the load generator, spoken to Vagus and to an original. The originals run side by side
with Vagus, all but one idle. bench/DIALECTS.md says what the originals are, and what is only published of others.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from bench import peers
from bench.figures import Row, Samples, at_most, times_the_peer
from bench.load_generator import Outcome, load
from bench.measuring import Bench, Found, compared, in_turn, say
from bench.servers import Program, Server, running

Original = Callable[[], Program]

SECONDS = {50: 1.0, 150: 0.6, 600: 0.3}  # so that the whole stage takes less than four minutes
WARMUP_S = 0.2
BELOW = times_the_peer(1.0)
MIXED = ("centrifuge", "socketio", "signalr", "signalr-messagepack", "eventsource")
ASTRAY = ("lost", "duplicated", "disordered")
KILOBYTE = 1024


@dataclass(frozen=True, slots=True)
class Pairing:
    """A protocol, and what Vagus is compared with that speaks it."""

    title: str
    protocol: str
    original: Original
    clients: int = 500
    rates: tuple[int, ...] = (50, 150, 600)
    measures_memory: bool = True


PAIRINGS = (
    Pairing("Socket.IO", "socketio", peers.node_socketio),
    Pairing("Socket.IO polling", "socketio-polling", peers.node_socketio, 100, rates=(50,), measures_memory=False),
    Pairing("SignalR JSON", "signalr", peers.python_signalr),
    Pairing("SignalR MessagePack", "signalr-messagepack", peers.python_signalr),
    Pairing("EventSource", "eventsource", peers.node_eventsource),
    Pairing("native http_stream", "http-stream", peers.centrifugo_or_centrifuge),
    Pairing("native sse", "sse", peers.centrifugo_or_centrifuge, rates=(150,)),
)
ORIGINALS: tuple[Original, ...] = tuple(dict.fromkeys(pairing.original for pairing in PAIRINGS))


def dialects(bench: Bench) -> Iterator[Row]:
    """Every dialect beside its original, several of them in one channel, and memory."""
    programs = {program.name: program for program in (bench.ours, *bench.originals.values()) if program is not None}
    astray: list[float] = []
    with bench.servers(programs.values()) as servers:
        for pairing in PAIRINGS:
            yield from _deliveries(bench, pairing, _taking_part(bench, pairing, servers), astray)
        ours = [server for server in servers if server.program is bench.ours]
        yield from _mixed(bench, ours, astray)
        yield _large(bench, ours)
    if astray:
        highest = Samples((max(astray),), "")
        yield Row("lost, doubled or out of order, any dialect at any rate", highest, target=at_most(0, ""))
    for pairing in PAIRINGS:
        if pairing.measures_memory:
            yield _memory(bench, pairing)


def _taking_part(bench: Bench, pairing: Pairing, servers: list[Server]) -> list[Server]:
    return [server for server in servers if server.program in (bench.ours, bench.originals.get(pairing.original))]


def _options(rate: int, **options: object) -> Mapping[str, object]:
    return {"rate": rate, "seconds": SECONDS[rate], "warmup": WARMUP_S, "key": peers.API_KEY, **options}


def _deliveries(bench: Bench, pairing: Pairing, servers: list[Server], astray: list[float]) -> Iterator[Row]:
    """A row for each rate; what became of our deliveries is added to ``astray``."""
    original = bench.originals.get(pairing.original)
    for rate in pairing.rates[-1:] if bench.quick else pairing.rates:
        say(f"== {pairing.title}, {rate} publications a second to {pairing.clients}")
        options = _options(rate, protocol=pairing.protocol, clients=pairing.clients)
        found = in_turn(bench, servers, "fanout", options)
        astray.append(found.highest(bench.ours, *ASTRAY))
        what = f"{pairing.title}: CPU for a delivery, {pairing.clients} subscribers, {rate}/s"
        note = "; ".join(text for program in (bench.ours, original) if (text := _mishaps(found, program)))
        yield compared(bench, found, what, "us_per_delivery", "µs", target=BELOW, note=note, peer=original)


def _mishaps(found: Found, program: Program | None) -> str:
    """What a server lost, doubled, disordered or held up, if anything."""
    if program is None:
        return ""
    told = [f"{highest:,.0f} {key}" for key in ASTRAY if (highest := found.highest(program, key))]
    latest = found.highest(program, "p99_ms")
    told += [f"p99 {latest:,.0f} ms"] if latest > 100 else []
    return f"{program.name}: {', '.join(told)}" if told else ""


def _mixed(bench: Bench, servers: list[Server], astray: list[float]) -> Iterator[Row]:
    """Five dialects in one channel cost what one does, if each encodes a publication once."""
    for rate in (150,) if bench.quick else tuple(SECONDS):
        say(f"== {len(MIXED)} dialects in one channel, {rate} publications a second to 500")
        mixed = in_turn(bench, servers, "fanout", _options(rate, protocol=",".join(MIXED)))
        native = in_turn(bench, servers, "fanout", _options(rate, protocol="centrifuge"))
        astray.append(mixed.highest(bench.ours, *ASTRAY))
        row = Row(
            what=f"100 each of {len(MIXED)} dialects in one channel: CPU for a delivery, {rate}/s",
            ours=mixed.samples(bench.ours, "us_per_delivery", "µs"),
            peer=native.samples(bench.ours, "us_per_delivery", "µs"),
            peer_name="500 native ones",
            note="; ".join(text for text in (_mishaps(mixed, bench.ours), mixed.warning) if text),
        )
        say(f"   {row.what}: {row.ours} | {row.peer}")
        yield row


def _large(bench: Bench, servers: list[Server]) -> Row:
    """What one core delivers of the size that Azure SignalR's units are stated in."""
    found = in_turn(bench, servers, "fanout", _options(150, protocol="signalr", size=2000))
    outcomes: list[Outcome] = found.outcomes.get(bench.ours.name, []) if bench.ours is not None else []
    rates = tuple(outcome["delivered"] / outcome["server_cpu_s"] for outcome in outcomes)
    return Row(
        what="SignalR JSON: deliveries of 2,000 bytes a second of one core, 500 subscribers, 150/s",
        ours=Samples(rates, "/s") if rates else None,
        note=found.warning,
    )


def _memory(bench: Bench, pairing: Pairing) -> Row:
    """Idle subscribed connections, on a fresh server each."""
    clients = 500 if bench.quick else 2000
    original = bench.originals.get(pairing.original)
    found = Found()
    for program in (bench.ours, original):
        if program is not None:
            with bench.noting(program.name), running(program) as server:
                found.add(program.name, load("idle", server, clients=clients, protocol=pairing.protocol))
    what = f"{pairing.title}: memory of an idle subscribed connection, {clients:,} of them"
    key = "bytes_per_connection"
    return compared(bench, found, what, key, "KB", scale=1 / KILOBYTE, target=BELOW, peer=original)
