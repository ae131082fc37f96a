"""Metrics: the hub's figures in Prometheus' form, and who may read them."""

from collections.abc import Callable

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from vagus.api.app import api_app
from vagus.api.metrics import CODED, TOTALS, registry_of
from vagus.auth.keys import KeyRing
from vagus.hub.figures import Figures
from vagus.testing import World

HttpTo = Callable[..., httpx.AsyncClient]


def test_every_figure_of_the_hub_is_shown() -> None:
    assert {*TOTALS, *CODED} == set(Figures.__slots__)


async def test_figures_are_read_in_the_moment_of_asking(world: World) -> None:
    figures, registry = world.hub.figures, registry_of(world.hub)
    figures.published += 3
    figures.closures[3008] += 2
    figures.commands["Publish"] += 5
    assert registry.get_sample_value("vagus_published_total") == 3
    assert registry.get_sample_value("vagus_closures_total", {"code": "3008"}) == 2
    assert registry.get_sample_value("vagus_commands_total", {"command": "Publish"}) == 5
    figures.published += 1
    assert registry.get_sample_value("vagus_published_total") == 4


async def test_what_is_here_now_is_a_gauge(world: World, http_to: HttpTo) -> None:
    await (await world.connect(user="ada")).subscribe("orders:1")
    async with http_to(api_app(world.hub, keys=None, metrics="public")) as http:
        text = (await http.get("/metrics")).text
    families = {family.name: family for family in text_string_to_metric_families(text)}
    for name in ("clients", "users", "active_subscriptions", "channels"):
        assert families[f"vagus_{name}"].samples[0].value == 1
    assert all(family.name.startswith("vagus_") and family.documentation for family in families.values())


async def test_clients_are_counted_by_what_they_speak(world: World, http_to: HttpTo) -> None:
    await world.connect(user="ada")
    async with http_to(api_app(world.hub, keys=None, metrics="public")) as http:
        text = (await http.get("/metrics")).text
    assert 'vagus_clients_by_dialect{dialect="centrifuge-json",transport="memory"} 1.0' in text


async def test_the_text_form_is_chosen_by_who_asks(world: World, http_to: HttpTo) -> None:
    async with http_to(api_app(world.hub, keys=None, metrics="public")) as http:
        plain = await http.get("/metrics")
        openmetrics = await http.get("/metrics", headers={"accept": "application/openmetrics-text; version=1.0.0"})
    assert plain.headers["content-type"].startswith("text/plain")
    assert openmetrics.headers["content-type"].startswith("application/openmetrics-text")
    assert openmetrics.text.endswith("# EOF\n")


@pytest.mark.parametrize(
    ("access", "peer", "headers", "status"),
    [
        ("public", "192.0.2.7", {}, 200),
        ("local", "127.0.0.1", {}, 200),
        ("local", "::1", {}, 200),
        ("local", "192.0.2.7", {}, 401),
        ("local", "testclient", {}, 401),
        ("local", "127.0.0.1", {"x-forwarded-for": "192.0.2.7"}, 401),
        ("local", "127.0.0.1", {"forwarded": "for=192.0.2.7"}, 401),
        ("local", "192.0.2.7", {"x-api-key": "prometheus"}, 200),
        ("local", "192.0.2.7", {"x-api-key": "publisher"}, 401),
        ("key", "127.0.0.1", {}, 401),
        ("key", "127.0.0.1", {"x-api-key": "all"}, 200),
    ],
)
async def test_metrics_are_for_whom_the_setting_names(
    world: World, keys: KeyRing, http_to: HttpTo, access: str, peer: str, headers: dict[str, str], status: int
) -> None:
    async with http_to(api_app(world.hub, keys=keys, metrics=access), peer) as http:  # type: ignore[arg-type]  # from the table
        assert (await http.get("/metrics", headers=headers)).status_code == status
