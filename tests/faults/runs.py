"""One run: a town, a swarm and writers, a scenario that does harm, and the verdict of the ledger.

A run is: start everything; let the writers write and the subscribers follow; let the scenario do its worst; heal; wait
until everybody is back and has seen the last publication of each channel; check the books. The seed decides who follows
what, which fault comes when and how long it lasts. What the machine makes of it is its own, so that a seed repeats the
plan of a run and not each of its microseconds.
"""

import asyncio
import json
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Final, TypeVar

import msgspec
import uvloop

from tests.integration.redis.servers import RedisCluster
from tests.integration.store.postgres import Postgres
from vagus.broker.redis.keys import Keys

from .ledger import Ledger, Mark, Tally, Terms, Violation, shortened, violations
from .swarm import Swarm
from .town import Durability, Node, Redis, Town, TownError
from .writers import Chatter, Writer

BACK_S: Final = 20.0
"""How long after the last fault everybody must be subscribed again."""

LAST_S: Final = 10.0
"""How long the last publications may take to reach everybody."""

RECOVERABLE: Final = 2000
"""Publications that one recovery may replay."""

SHORT: Final = 25
"""The history of a channel whose subscribers must now and then be told that they missed something."""

SETTINGS: Final = """
[server]
drain_s = 1.0
shutdown_s = 8.0

[limits]
history = {recoverable}
ping_interval_s = {patience:.1f}
pong_timeout_s = {pong_s:.1f}
queue_bytes = 65536

[broker]
timeout_s = {patience:.1f}
check_s = 2.0

[access]
allow_anonymous = true

[[channels]]
pattern = "deep:{{id}}"
subscribe = ["anyone"]
publish = ["anyone"]
history = {{ size = 10000, minutes = 10 }}

[[channels]]
pattern = "short:{{id}}"
subscribe = ["anyone"]
publish = ["anyone"]
history = {{ size = {short}, minutes = 10 }}
"""
"""Of every node: times are short, so that a run is."""

T = TypeVar("T")


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A scenario and the town that it needs."""

    name: str
    what: str
    """One sentence on what happens."""
    act: "Callable[[Run], Awaitable[None]]"
    nodes: int = 3
    durability: Durability | None = "always"
    """Of Redis; ``None`` for nodes of their own with the memory broker, or with a Cluster."""
    replicas: int | None = None
    """Of each master of a Redis Cluster, if there is one."""
    keeps_history: bool = True
    goes_back: bool = False
    channels: Sequence[str] = ("deep:1", "deep:2", "deep:3", "short:1")
    subscribers: int = 24
    follows: int = 2
    writers: int = 4
    speakers: int = 2
    rate: float = 30.0
    padding: int = 0
    has_store: bool = False
    """Whether there is a PostgreSQL, and publishers need a key that is kept in it."""
    patience: float = 1.0
    """By what everybody waits longer than usual."""
    direct: bool = False
    """Whether clients connect to the nodes themselves, since a proxy in Python is too slow for so many."""
    serve: Sequence[str] = ()
    """Another program than vagus's own."""


class Outcome(msgspec.Struct):
    """What came of a run."""

    scenario: str
    seed: int
    seconds: float
    tally: Tally
    reconnects: int
    violations: list[Violation]
    notes: list[str]
    remarks: list[str]

    def line(self) -> str:
        tally = self.tally
        return (
            f"{self.scenario:<18} seed {self.seed:<5} {self.seconds:5.1f} s  "
            f"{tally.sent:>5} sent {tally.acknowledged:>5} ack {tally.unknown:>4} unknown  "
            f"{tally.subscribers:>5} subs {tally.deliveries:>7} seen  {self.reconnects:>5} reconnects "
            f"{tally.recovered:>5} recovered {tally.told:>5} told  "
            f"{'ok' if not self.violations else f'{len(self.violations)} VIOLATIONS'}"
        )


class Run:
    """What a scenario has in its hands: the town, the swarm, the writers, and chance."""

    def __init__(self, plan: Plan, seed: int, folder: Path, *, pace: float = 1.0) -> None:
        self.plan = plan
        self.seed = seed
        self.folder = folder
        self.ledger = Ledger()
        self.rng = random.Random(f"{plan.name} {seed}")
        self.notes: list[str] = []
        self.remarks: list[str] = []
        """Figures of a scenario that are worth a line."""
        self.found: list[Violation] = []
        """What a scenario itself finds wrong."""
        self.swarm: Swarm
        self._pace = pace
        self._begun = time.monotonic()
        self.town = Town(
            folder,
            self._chance("town"),
            nodes=plan.nodes,
            durability=plan.durability,
            settings=_settings(plan.patience),
            replicas=plan.replicas,
            has_store=plan.has_store,
            direct=plan.direct,
            serve=plan.serve,
        )
        self.writers: list[Writer] = []
        self._chatters: list[Chatter] = []
        self._writing: list[asyncio.Task[None]] = []

    # for scenarios

    @property
    def redis(self) -> Redis:
        assert self.town.redis is not None
        return self.town.redis

    @property
    def cluster(self) -> RedisCluster:
        assert self.town.cluster is not None
        return self.town.cluster

    @property
    def store(self) -> Postgres:
        assert self.town.store is not None
        return self.town.store

    def node(self) -> Node:
        return self.rng.choice(self.town.nodes)

    def meta(self) -> bytes:
        """The key in Redis that says where the stream of one of the channels stands."""
        return Keys("vagus").names(self.rng.choice(self.plan.channels)).meta

    async def pause(self, at_least_s: float, at_most_s: float) -> None:
        """Let life go on for a while."""
        await asyncio.sleep(self.rng.uniform(at_least_s, at_most_s) * self._pace)

    def some(self, several: Sequence[T], share: float) -> list[T]:
        """A part of them, at least one."""
        return self.rng.sample(several, max(1, round(len(several) * share)))

    def blame(self, rule: str, text: str, subscriber: str = "") -> None:
        """Note a violation that the ledger cannot see."""
        self.found.append(Violation(rule, "", subscriber, text))

    async def expect_health(self, *, is_well: bool) -> None:
        """Wait until every node says that it is well, or that it is not, in ``/health`` and in its metrics."""
        status, line = (200, "vagus_broker_up 1.0") if is_well else (503, "vagus_broker_up 0.0")
        end = time.monotonic() + BACK_S * self.plan.patience
        for node in self.town.nodes:
            while (await node.ask("/health"))[0] != status or line not in (await node.ask("/metrics"))[1]:
                if time.monotonic() > end:
                    self.blame("health", f"{node.name} does not say {status} and {line}")
                    return
                await asyncio.sleep(0.02)

    # the run

    async def go(self) -> Outcome:
        try:
            await self.town.open()
            self._people()
            self.swarm.start()
            await self.act()
        except (TownError, AssertionError) as error:  # which the servers of a Cluster raise
            self.blame("process", str(error))
        finally:
            for task in self._writing:
                task.cancel()
            await asyncio.gather(*self._writing, return_exceptions=True)
            if hasattr(self, "swarm"):
                self.swarm.end()
            await self.town.close()
        return self._outcome()

    async def act(self) -> None:
        await self.swarm.until(lambda: self.swarm.is_all_on, BACK_S * self.plan.patience)
        self._writing = [asyncio.ensure_future(publisher.run()) for publisher in self._publishers]
        await self.pause(0.3, 0.8)
        await self.plan.act(self)
        await self.town.heal()
        for client in self.swarm.clients:
            client.wake()
        await self.pause(0.2, 0.4)
        await self.swarm.until(lambda: self.swarm.is_all_on, BACK_S * self.plan.patience)
        await self._finish()

    async def _finish(self) -> None:
        for publisher in self._publishers:
            publisher.stop()
        await asyncio.gather(*self._writing)
        last = self._writer("end", insists=True)
        self.ledger.finals = dict.fromkeys(self.plan.channels, Mark(last.name, 1))
        for channel in self.plan.channels:
            await last.publish(channel)
        last.close()
        self.swarm.changed.set()
        await self.swarm.until(lambda: self.swarm.is_all_on and self.swarm.has_all_finals, LAST_S * self.plan.patience)

    @property
    def _publishers(self) -> list[Writer | Chatter]:
        return [*self.writers, *self._chatters]

    def _people(self) -> None:
        plan = self.plan
        self.swarm = Swarm(self.town.addresses, self.ledger, time.monotonic, patience=plan.patience)
        for number in range(plan.subscribers):
            rng = self._chance(f"subscriber {number}")
            subscriber = self.swarm.subscriber(f"s{number}", rng.sample(plan.channels, plan.follows), rng)
            subscriber.client.start()
        self.writers = [self._writer(f"w{number}", insists=number % 2 == 0) for number in range(plan.writers)]
        for number in range(plan.speakers):
            rng = self._chance(f"speaker {number}")
            speaker = self.swarm.speaker(f"t{number}", rng)
            self._chatters.append(Chatter(speaker, self.swarm, plan.channels, rng, plan.rate / 2))

    def _writer(self, name: str, *, insists: bool) -> Writer:
        return Writer(
            name,
            self.plan.channels,
            addresses=self.town.addresses,
            key=self.town.key,
            ledger=self.ledger,
            clock=time.monotonic,
            rng=self._chance(f"writer {name}"),
            rate=self.plan.rate,
            insists=insists,
            padding=self.plan.padding,
        )

    def _chance(self, what: str) -> random.Random:
        """Chance of its own for each part, so that one part's use of it does not change another's."""
        return random.Random(f"{self.plan.name} {self.seed} {what}")

    def _outcome(self) -> Outcome:
        windows = {c: SHORT if c.startswith("short") else RECOVERABLE for c in self.plan.channels}
        found = self.found + violations(self.ledger, Terms(windows, self.plan.keeps_history, self.plan.goes_back))
        if hasattr(self, "swarm"):
            found += [Violation("protocol", "", "", oddity) for oddity in self.swarm.oddities]
        found += [Violation("logged error", "", "", error) for error in self.town.errors()]
        for writer in self.writers:
            self.notes += [f"{writer.name}: {reason}: {count}" for reason, count in writer.told.items()]
        reconnects = self.swarm.reconnects if hasattr(self, "swarm") else 0
        seconds = time.monotonic() - self._begun
        outcome = Outcome(
            self.plan.name, self.seed, seconds, self.ledger.tally(), reconnects, found, self.notes, self.remarks
        )
        if found:
            self._keep(outcome)
        return outcome

    def _keep(self, outcome: Outcome) -> None:
        """Write the books and the verdict beside the logs of the processes."""
        lines = [outcome.line(), *shortened(found=outcome.violations, most=50), *outcome.notes]
        (self.folder / "verdict.txt").write_text("\n".join(lines) + "\n")
        with (self.folder / "books.jsonl").open("wb") as file:
            for channel, logs in self.ledger.logs.items():
                for subscriber, log in logs.items():
                    for entry in log:
                        row = {"channel": channel, "subscriber": subscriber, "kind": type(entry).__name__}
                        file.write(json.dumps(row | msgspec.to_builtins(entry)).encode() + b"\n")
            for book in self.ledger.sent.values():
                for sent in book.values():
                    row = {"kind": "Sent"} | msgspec.to_builtins(sent)
                    file.write(json.dumps(row, default=str).encode() + b"\n")


def _settings(patience: float) -> str:
    return SETTINGS.format(recoverable=RECOVERABLE, short=SHORT, patience=patience, pong_s=0.9 * patience)


def run_once(plan: Plan, seed: int, folder: Path, *, pace: float = 1.0) -> Outcome:
    """Run a plan on a loop of its own."""

    async def go() -> Outcome:
        return await Run(plan, seed, folder, pace=pace).go()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(go())
