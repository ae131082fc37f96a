"""Rates are what happened between two looks."""

import io
from typing import Any

from rich.console import Console

from vagus.cli.top import Sample, figures_from, table_of


def node_of(published: float, uid: str) -> dict[str, Any]:
    return {
        "uid": uid,
        "name": "host",
        "version": "1",
        "num_clients": 1200,
        "num_users": 2,
        "num_subs": 3,
        "num_channels": 4,
        "uptime": 100,
        "metrics": {"interval": 100, "items": {"published": published}},
        "process": {"cpu": 12.34, "rss": 50 * 2**20},
    }


def sample(at: float, published: float, *uids: str) -> Sample:
    nodes = [node_of(published, uid) for uid in uids or ("node",)]
    return Sample(at, nodes, {"status": "ok", "loop_lag_ms": {"median": 0.5, "max": 1}})


def test_rates_count_what_came_since_the_look_before() -> None:
    figures = figures_from("u", sample(10, 100), sample(12, 150))
    assert figures.rates["published"] == 25


def test_the_first_look_shows_averages_since_the_start() -> None:
    assert figures_from("u", None, sample(10, 500)).rates["published"] == 5


def test_a_server_that_began_anew_has_no_rates_below_zero() -> None:
    assert figures_from("u", sample(10, 1000, "old"), sample(11, 200)).rates["published"] == 2


def test_several_nodes_are_added_up_and_a_new_one_begins_with_its_averages() -> None:
    figures = figures_from("u", sample(10, 100, "old"), sample(12, 150, "old", "new"))
    assert (figures.clients, figures.rates["published"]) == (2400, 25 + 1.5)
    assert [(line.name, line.clients) for line in figures.nodes] == [("host old", 1200), ("host new", 1200)]


def shown(*uids: str) -> str:
    console = Console(file=io.StringIO(), width=100)
    with console.capture() as captured:
        console.print(table_of(figures_from("http://h", None, sample(10, 500, *uids))))
    return captured.get()


def test_the_table_shows_the_figures() -> None:
    for text in ("http://h", "1,200", "12.3 %", "50.0 MiB", "0.5 ms", "0:01:40"):
        assert text in shown()


def test_the_table_of_several_nodes_has_a_line_for_each() -> None:
    text = shown("first", "other")
    for part in ("2,400", "24.6 %", "100.0 MiB", "host first", "host other", "1,200"):
        assert part in text
