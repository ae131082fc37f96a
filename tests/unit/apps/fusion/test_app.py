"""Fusion on a hub: what installing it opens, for whom, and what starting and stopping it does."""

import inspect
from pathlib import Path

import pytest

from vagus.apps.fusion import CHANNEL, Field, Fusion, Reading, Terms, install
from vagus.apps.fusion.sources.function import FunctionSource
from vagus.hub import Hub
from vagus.kernel import codes
from vagus.kernel.channels import ChannelRule
from vagus.kernel.errors import RefusedError, RuleError
from vagus.settings.fusion import Fusion as Settings
from vagus.store import Store
from vagus.testing import in_memory

ROLES = ["viewer", "operator", "admin", "auditor", "service"]


@pytest.fixture
def hub() -> Hub:
    return Hub(allow_anonymous=True)


class Broken:
    """A source of an application that does not keep to the contract."""

    terms = Terms("broken", (Field("value"),))

    async def collect(self) -> Reading:
        raise LookupError("no such thing")

    async def close(self) -> None:
        raise LookupError("no such thing")


def test_it_is_installed_once(hub: Hub, tmp_path: Path) -> None:
    assert install(hub, folder=tmp_path) is install(hub, folder=tmp_path)


@pytest.fixture
def app_of_an_application(hub: Hub) -> Fusion:
    return install(hub, sources=[FunctionSource(Terms("stock", (Field("partsInStock"),)), lambda: 1200)])


async def test_an_application_that_brings_sources_leaves_the_rest_to_the_server(
    hub: Hub, app_of_an_application: Fusion, store: Store, tmp_path: Path
) -> None:
    app = app_of_an_application
    (tmp_path / "memo_index.json").write_text("[1]")
    assert install(hub, Settings(interval_s=60), store=store, folder=tmp_path) is app
    async with hub, app:
        pulse = await app.emitter.refresh()
        assert (pulse.data["partsInStock"], pulse.data["memos"], pulse.pulse.interval_seconds) == (1200, 1, 60)
        assert app.keeps_history


async def test_an_application_that_brings_settings_keeps_them(hub: Hub, tmp_path: Path) -> None:
    app = install(hub, Settings(interval_s=7), folder=tmp_path)
    install(hub, Settings(interval_s=60), folder=tmp_path)
    assert app.emitter.pace.interval_s == 7


def test_a_rule_for_its_channel_is_in_its_way(tmp_path: Path) -> None:
    with pytest.raises(RuleError):
        install(Hub(rules=[ChannelRule(pattern=CHANNEL)]), folder=tmp_path)


@pytest.mark.parametrize("role", ROLES)
async def test_whoever_has_a_role_follows_and_asks(hub: Hub, tmp_path: Path, role: str) -> None:
    async with in_memory(hub) as world, install(hub, folder=tmp_path):
        client = await world.connect(user="ada", roles=[role])
        await client.subscribe(CHANNEL)
        assert await client.call("fusionRefresh") == {"ok": True}


@pytest.mark.parametrize("roles", [[], ["neuron"]], ids=str)
async def test_nobody_else_does(hub: Hub, tmp_path: Path, roles: list[str]) -> None:
    async with in_memory(hub) as world, install(hub, folder=tmp_path):
        client = await world.connect(user="ada", roles=roles)
        for ask in (client.subscribe(CHANNEL), client.call("fusionRefresh")):
            with pytest.raises(RefusedError) as refused:
                await ask
            assert refused.value.fault.code == codes.PERMISSION_DENIED.code


async def test_a_demo_is_followed_by_everybody_and_refreshed_by_those_who_may(hub: Hub, tmp_path: Path) -> None:
    async with (
        in_memory(hub) as world,
        install(hub, folder=tmp_path, demo={"memoIndex": lambda at: {"memos": 7}}) as app,
    ):
        client = await world.connect()
        await client.subscribe(CHANNEL)
        pulse = await app.emitter.refresh()
        assert pulse.data["memos"] == 7
        assert (pulse.pulse.sources["memoIndex"].demo, pulse.pulse.sources["revenue"].demo) == (True, False)
        with pytest.raises(RefusedError):
            await client.call("fusionRefresh")


async def test_nobody_publishes_on_the_channel(hub: Hub, tmp_path: Path) -> None:
    async with in_memory(hub) as world, install(hub, folder=tmp_path):
        client = await world.connect(user="ada", roles=["admin"])
        with pytest.raises(RefusedError):
            await client.publish(CHANNEL, {})


@pytest.mark.parametrize(("given", "demo", "interval_s"), [(None, False, 300), (None, True, 5), (300.0, True, 300)])
def test_the_pace_is_that_of_the_settings_or_a_usual_one(
    hub: Hub, tmp_path: Path, given: float | None, demo: bool, interval_s: float
) -> None:
    made_up = {"memoIndex": lambda at: {"memos": 7}} if demo else None
    app = install(hub, Settings(interval_s=given), folder=tmp_path, demo=made_up)
    assert app.emitter.pace.interval_s == interval_s


async def test_a_source_of_the_application_that_breaks_harms_nobody(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "memo_index.json").write_text("[1]")
    async with hub, install(hub, folder=tmp_path, sources=[Broken()]) as app:
        pulse = await app.emitter.refresh()
    assert pulse.data["memos"] == 1
    assert pulse.pulse.sources["broken"].error == "failed: LookupError: no such thing"


async def test_what_was_added_and_paced_is_there_when_it_starts_again(store: Store, tmp_path: Path) -> None:
    async def started() -> tuple[Hub, Fusion]:
        hub = Hub()
        return hub, install(hub, store=store, folder=tmp_path)

    (tmp_path / "orders.json").write_text("[1, 2]")
    hub, app = await started()
    async with hub, app:
        await app.book.add({"kind": "json_file", "name": "orders", "path": "orders.json"}, by="user:ada")
        await app.set_pace(interval_s=60, by="user:ada")
    hub, app = await started()
    async with hub, app:
        pulse = await app.emitter.refresh()
        assert (pulse.data["orders"], pulse.pulse.interval_seconds) == (2, 60)


def test_nothing_on_the_way_of_every_connection_costs_it_a_task() -> None:
    hub = Hub()
    install(hub)
    greetings = hub.sections[""].connected
    assert greetings
    assert not any(map(inspect.iscoroutinefunction, greetings))
