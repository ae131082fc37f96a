"""``vagus bench``: a quick look at what this machine can do. Both sides run on it, and both are counted.

A server of its own is started on a free port, clients connect and follow one channel, and publications go out. The
clients are plain Python too and usually the slower side, so the figures are a lower bound and good for comparing
machines, not servers.
"""

import asyncio
import contextlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec

from .arguments import json_option
from .faults import CommandError
from .session import Conversation

CHANNEL = "bench"
BATCH = 50
"""How many clients connect at a time: fewer than a listening socket queues."""


class Outcome(msgspec.Struct, frozen=True):
    """Rates a second and latencies, as the clients saw them."""

    clients: int
    publications: int
    connections_per_s: float
    deliveries: int
    deliveries_per_s: float
    latency_p50_ms: float
    latency_p99_ms: float
    note: str = "server and clients share this machine; the clients are Python and usually the slower side"


@click.command()
@click.option("--clients", type=click.IntRange(1, 5000), default=200, show_default=True, help="How many connect.")
@click.option("--publications", type=click.IntRange(1), default=300, show_default=True, help="How many are published.")
@click.option("--rate", type=click.FloatRange(1), default=100.0, show_default=True, help="Publications a second.")
@json_option
def bench(clients: int, publications: int, rate: float, as_json: bool) -> None:
    """Try how fast this machine is, server and clients together.

    \b
    vagus bench
    vagus bench --clients 1000 --rate 50
    """
    with _server() as url:
        outcome = asyncio.run(_measure(url, clients, publications, rate, quiet=as_json or not sys.stderr.isatty()))
    click.echo(msgspec.json.encode(outcome) if as_json else _report(outcome))


@contextlib.contextmanager
def _server() -> Iterator[str]:
    """An insecure server of our own on a free port; it ends with the block."""
    with tempfile.TemporaryDirectory() as folder:
        options = ("--insecure", "--port", "0", "--data-dir", str(Path(folder) / "data"), "--log-level", "error")
        command = [sys.executable, "-m", "vagus", "serve", *options]
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=folder, env=_environment()
        )
        try:
            assert process.stdout is not None
            first = process.stdout.readline()
            if " ready at " not in first:
                raise CommandError("bench: the server did not start; vagus serve --insecure --port 0 says why")
            yield first.split()[-1]
        finally:
            process.terminate()
            process.wait(10)


def _environment() -> dict[str, str]:
    """Ours, without what would change the server that is measured."""
    import os

    return {name: value for name, value in os.environ.items() if not name.startswith(("VAGUS_", "WEBSOCKET_"))}


async def _measure(url: str, clients: int, publications: int, rate: float, *, quiet: bool) -> Outcome:
    began = time.perf_counter()
    followers: list[Conversation] = []
    with click.progressbar(length=clients, label="connecting", hidden=quiet, file=sys.stderr) as progress:
        while len(followers) < clients:
            batch = min(BATCH, clients - len(followers))
            followers += await asyncio.gather(*(_follower(url) for _ in range(batch)))
            progress.update(batch)
    connecting_s = time.perf_counter() - began
    latencies: list[float] = []
    tasks = [asyncio.create_task(_receive(follower, publications, latencies)) for follower in followers]
    began = time.perf_counter()
    await _publish(url, publications, rate, quiet=quiet)
    done, pending = await asyncio.wait(tasks, timeout=30)
    elapsed_s = time.perf_counter() - began
    for task in pending:
        task.cancel()
    await asyncio.gather(*(follower.close() for follower in followers))
    failed = [error for task in done if (error := task.exception()) is not None]
    if failed or not latencies:
        raise CommandError(f"bench: {len(failed) or clients} clients lost their connection")
    latencies.sort()
    return Outcome(
        clients=clients,
        publications=publications,
        connections_per_s=round(clients / connecting_s, 1),
        deliveries=len(latencies),
        deliveries_per_s=round(len(latencies) / elapsed_s, 1),
        latency_p50_ms=round(latencies[len(latencies) // 2] * 1000, 2),
        latency_p99_ms=round(latencies[int(len(latencies) * 0.99)] * 1000, 2),
    )


async def _follower(url: str) -> Conversation:
    conversation = await Conversation.open(url, "", "vagus bench")
    await conversation.ask("subscribe", {"channel": CHANNEL})
    return conversation


async def _receive(follower: Conversation, count: int, latencies: list[float]) -> None:
    while count:
        push = await follower.push()
        if "pub" in push:
            latencies.append(time.perf_counter() - push["pub"]["data"]["at"])
            count -= 1


async def _publish(url: str, count: int, rate: float, *, quiet: bool) -> None:
    """Publish at a steady pace. The clock is the one that the clients read: they are this process."""
    publisher = await Conversation.open(url, "", "vagus bench")
    began = time.perf_counter()
    with click.progressbar(range(count), label="publishing", hidden=quiet, file=sys.stderr) as numbers:
        for number in numbers:
            await asyncio.sleep(max(0.0, began + number / rate - time.perf_counter()))
            data = {"at": time.perf_counter(), "filler": "x" * 64}
            await publisher.ask("publish", {"channel": CHANNEL, "data": data})
    await publisher.close()


def _report(outcome: Outcome) -> str:
    lines = (
        f"{outcome.clients:,} clients, {outcome.publications:,} publications",
        f"  connected   {outcome.connections_per_s:>12,.1f} a second",
        f"  delivered   {outcome.deliveries_per_s:>12,.1f} a second, {outcome.deliveries:,} in all",
        f"  latency     {outcome.latency_p50_ms:>12,.2f} ms half, {outcome.latency_p99_ms:,.2f} ms for 99 of 100",
        f"({outcome.note})",
    )
    return "\n".join(lines)
