"""``vagus top``: a server's figures on the terminal, asked for once a second through its API and its health."""

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
    """What a server said of itself at one time. ``totals`` count from its start."""

    at: float
    node: dict[str, Any]
    health: dict[str, Any]

    @property
    def totals(self) -> dict[str, float]:
        items: dict[str, float] = self.node.get("metrics", {}).get("items", {})
        return items


class Figures(msgspec.Struct, frozen=True):
    """What is shown: how much there is now, and how much a second since the sample before."""

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
    """Watch a server: clients, subscriptions, channels, rates, processor, memory, how late its loop runs.

    \b
    vagus top
    vagus top --json --count 1
    """
    found = Surroundings.found(config, data_dir)
    place, secret = found.url(url), found.key(key)
    looks = _looks(place, secret, interval, count)
    if as_json:
        for figures in looks:
            click.echo(msgspec.json.encode(figures))
        return
    from rich.console import Console
    from rich.live import Live

    with Live(console=Console(), auto_refresh=False) as live:
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
    return Sample(time.monotonic(), post(url, "info", {}, key)["nodes"][0], get(url, "/health"))


def figures_from(url: str, before: Sample | None, now: Sample) -> Figures:
    """Without a sample before, or after a restart in between, the rates are averages since the server's start."""
    node, health = now.node, now.health
    since, elapsed = {}, max(float(node["uptime"]), 1.0)
    if before is not None and before.node["uid"] == node["uid"]:
        since, elapsed = before.totals, max(now.at - before.at, 0.001)
    rates = {name: round((now.totals.get(name, 0) - since.get(name, 0)) / elapsed, 1) for name in RATES}
    return Figures(
        url=url,
        status=health["status"],
        version=node["version"],
        uptime_s=node["uptime"],
        clients=node["num_clients"],
        users=node["num_users"],
        subscriptions=node["num_subs"],
        channels=node["num_channels"],
        cpu_percent=round(node["process"]["cpu"], 1),
        memory_bytes=node["process"]["rss"],
        loop_lag_ms=health["loop_lag_ms"]["median"],
        rates=rates,
    )


def table_of(figures: Figures) -> "Table":
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
    return table


def _span(seconds: int) -> str:
    days, rest = divmod(seconds, 86400)
    return f"{days} d {rest // 3600} h" if days else f"{rest // 3600}:{rest // 60 % 60:02}:{rest % 60:02}"
