"""``vagus top``: figures of all nodes on the terminal, asked for once a second through a server's API and health."""

import time
from typing import TYPE_CHECKING, Any

import click
import msgspec

from .arguments import json_option, server_options
from .asking import get, post
from .surroundings import Surroundings

if TYPE_CHECKING:
    from rich.table import Table

RATES = ("connections", "published", "delivered", "dropped", "received_bytes")


class Sample(msgspec.Struct, frozen=True):
    """What the nodes said of themselves at one time, and one of them of its health."""

    at: float
    nodes: list[dict[str, Any]]
    health: dict[str, Any]


class NodeLine(msgspec.Struct, frozen=True):
    """One node among several."""

    name: str
    version: str
    uptime_s: int
    clients: int
    delivered: float
    cpu_percent: float
    memory_bytes: int


class Figures(msgspec.Struct, frozen=True):
    """What is shown: how much there is now on all nodes, and how much a second since the sample before.

    ``status`` and ``loop_lag_ms`` are of the node that was asked, ``users`` and ``channels`` count once for each node.
    """

    url: str
    status: str
    version: str
    uptime_s: int
    clients: int
    users: int
    subscriptions: int
    channels: int
    cpu_percent: float
    memory_bytes: int
    loop_lag_ms: float
    rates: dict[str, float]
    nodes: list[NodeLine]


@click.command()
@server_options
@click.option("--key", metavar="KEY", envvar="VAGUS_API_KEY", help="The API key, if not the one in the data folder.")
@click.option("--interval", type=click.FloatRange(0.1), default=1.0, show_default=True, help="Seconds between looks.")
@click.option("--count", type=click.IntRange(1), metavar="N", help="Stop after N looks.")
@json_option
def top(
    config: str | None,
    data_dir: str | None,
    url: str | None,
    key: str | None,
    interval: float,
    count: int | None,
    as_json: bool,
) -> None:
    """Watch a server with all nodes that share its broker: clients, subscriptions, channels, rates, processor, memory,
    how late its loop runs.

    \b
    vagus top
    vagus top --json --count 1
    """
    found = Surroundings.found(config, data_dir)
    place, secret = found.url(url), found.key(key, url)
    looks = _looks(place, secret, interval, count)
    if as_json:
        for figures in looks:
            click.echo(msgspec.json.encode(figures))
        return
    from rich.console import Console
    from rich.live import Live

    console = Console()
    if not console.is_terminal or console.is_dumb_terminal:
        for figures in looks:
            console.print(table_of(figures))
        return
    with Live(console=console, auto_refresh=False) as live:
        for figures in looks:
            live.update(table_of(figures), refresh=True)


def _looks(url: str, key: str, interval: float, count: int | None) -> Any:
    before = None
    while count is None or count > 0:
        now = sample(url, key)
        yield figures_from(url, before, now)
        before = now
        count = None if count is None else count - 1
        if count != 0:
            time.sleep(interval)


def sample(url: str, key: str) -> Sample:
    return Sample(time.monotonic(), post(url, "info", {}, key)["nodes"], get(url, "/health"))


def figures_from(url: str, before: Sample | None, now: Sample) -> Figures:
    """Without a sample before, or after a restart in between, a node's rates are averages since its start."""
    earlier = {node["uid"]: node for node in before.nodes} if before is not None else {}
    elapsed = now.at - before.at if before is not None else 0.0
    rates = [_rates(earlier.get(node["uid"]), node, elapsed) for node in now.nodes]
    lines = [
        NodeLine(
            name=f"{node['name']} {node['uid'][:6]}",
            version=node["version"],
            uptime_s=node["uptime"],
            clients=node["num_clients"],
            delivered=rate["delivered"],
            cpu_percent=round(node["process"]["cpu"], 1),
            memory_bytes=node["process"]["rss"],
        )
        for node, rate in zip(now.nodes, rates, strict=True)
    ]
    return Figures(
        url=url,
        status=now.health["status"],
        version=", ".join(sorted({line.version for line in lines})),
        uptime_s=max((line.uptime_s for line in lines), default=0),
        clients=_sum(now, "num_clients"),
        users=_sum(now, "num_users"),
        subscriptions=_sum(now, "num_subs"),
        channels=_sum(now, "num_channels"),
        cpu_percent=round(sum(line.cpu_percent for line in lines), 1),
        memory_bytes=sum(line.memory_bytes for line in lines),
        loop_lag_ms=now.health["loop_lag_ms"]["median"],
        rates={name: round(sum(rate[name] for rate in rates), 1) for name in RATES},
        nodes=lines,
    )


def _rates(before: dict[str, Any] | None, node: dict[str, Any], elapsed: float) -> dict[str, float]:
    totals, since = _totals(node), _totals(before) if before is not None else {}
    seconds = max(elapsed, 0.001) if before is not None else max(float(node["uptime"]), 1.0)
    return {name: round((totals.get(name, 0) - since.get(name, 0)) / seconds, 1) for name in RATES}


def _totals(node: dict[str, Any]) -> dict[str, float]:
    items: dict[str, float] = node.get("metrics", {}).get("items", {})
    return items


def _sum(sample: Sample, name: str) -> int:
    return sum(node[name] for node in sample.nodes)


def table_of(figures: Figures) -> "Table":
    """All nodes together, and below that each of them, if they are several."""
    from rich.table import Table

    color = "green" if figures.status == "ok" else "red"
    title = f"vagus {figures.version} at {figures.url}  [{color}]{figures.status}[/]  up {_span(figures.uptime_s)}"
    table = Table(title=title, title_justify="left", show_header=False, min_width=60)
    for _ in range(2):
        table.add_column(style="dim")
        table.add_column(justify="right")
    rates = figures.rates
    rows = (
        ("clients", f"{figures.clients:,}", "connecting", f"{rates['connections']:,.1f}/s"),
        ("users", f"{figures.users:,}", "published", f"{rates['published']:,.1f}/s"),
        ("subscriptions", f"{figures.subscriptions:,}", "delivered", f"{rates['delivered']:,.1f}/s"),
        ("channels", f"{figures.channels:,}", "dropped", f"{rates['dropped']:,.1f}/s"),
        ("processor", f"{figures.cpu_percent:.1f} %", "received", f"{rates['received_bytes'] / 1024:,.1f} KiB/s"),
        ("memory", f"{figures.memory_bytes / 2**20:,.1f} MiB", "loop late by", f"{figures.loop_lag_ms:.1f} ms"),
    )
    for row in rows:
        table.add_row(*row)
    if len(figures.nodes) < 2:
        return table
    both = Table.grid()
    both.add_row(table)
    both.add_row(_nodes_table(figures))
    return both


def _nodes_table(figures: Figures) -> "Table":
    from rich.table import Table

    table = Table(min_width=60)
    table.add_column("node")
    for name in ("up", "clients", "delivered/s", "processor", "memory"):
        table.add_column(name, justify="right")
    for line in figures.nodes:
        table.add_row(
            line.name,
            _span(line.uptime_s),
            f"{line.clients:,}",
            f"{line.delivered:,.1f}",
            f"{line.cpu_percent:.1f} %",
            f"{line.memory_bytes / 2**20:,.1f} MiB",
        )
    return table


def _span(seconds: int) -> str:
    days, rest = divmod(seconds, 86400)
    return f"{days} d {rest // 3600} h" if days else f"{rest // 3600}:{rest // 60 % 60:02}:{rest % 60:02}"
