"""What fusion tells: at the node that emits from what it knows, elsewhere from that node, and if there is none, so."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.patience import DEADLINE_S
from vagus.apps.fusion import Field, Fusion, Reading, Terms, emitter, install
from vagus.apps.fusion.kinds import moment
from vagus.apps.fusion.views import SUBJECT, NobodyEmitsError, Topic
from vagus.broker.memory import MemoryBroker
from vagus.hub import Hub
from vagus.kernel.channels import Last
from vagus.kernel.errors import BrokerError, StoreError
from vagus.kernel.publications import Draft, Receipt
from vagus.settings.fusion import Fusion as Settings
from vagus.store import Store, leases, settings
from vagus.store.leases import Lease


class Counting:
    """A source that says how often it was asked."""

    terms = Terms("asked", (Field("times"),))

    def __init__(self) -> None:
        self.times = 0

    async def collect(self) -> Reading:
        self.times += 1
        return Reading({"times": self.times})

    async def close(self) -> None: ...


class Away(MemoryBroker):
    is_away = False

    async def publish(self, channel: str, draft: Draft, keep: Last | None) -> Receipt:
        if self.is_away:
            raise BrokerError("out of reach")
        return await super().publish(channel, draft, keep)


@pytest.fixture
def broker() -> Away:
    return Away()


@pytest.fixture
def source() -> Counting:
    return Counting()


@pytest.fixture
def hub(broker: Away) -> Hub:
    return Hub(broker=broker)


@pytest.fixture
async def fusion(hub: Hub, source: Counting, tmp_path: Path) -> AsyncIterator[Fusion]:
    """One that emits only when it is asked."""
    daily = Settings(default_sources=False, interval_s=86_400)
    fusion = install(hub, daily, folder=tmp_path, sources=[source])
    async with hub, fusion:
        await fusion.emitter.refresh()
        yield fusion


async def told(fusion: Fusion, topic: Topic) -> Any:
    return msgspec.json.decode(await fusion.views.ask(topic))


async def test_a_snapshot_is_collected_for_who_asks_and_shared_by_who_asks_at_once(
    fusion: Fusion, source: Counting
) -> None:
    before = source.times
    snapshots = [await told(fusion, "snapshot") for _ in range(3)]
    assert [snapshot["data"]["times"] for snapshot in snapshots] == [before + 1] * 3


async def test_health_and_figures_ask_no_source(fusion: Fusion, source: Counting) -> None:
    before = source.times
    assert (await told(fusion, "health"))["status"] == "ok"
    assert (await told(fusion, "emitter"))["metrics"]["totalEmissions"] == fusion.emitter.figures.total
    assert (await told(fusion, "performance"))["intervalSeconds"] == 86_400
    assert source.times == before


async def test_a_refresh_tells_the_pulse_that_it_made(fusion: Fusion, source: Counting) -> None:
    pulse = await told(fusion, "refresh")
    assert (pulse["data"]["times"], pulse["pulse"]["number"]) == (source.times, fusion.emitter.figures.total)


async def test_a_pulse_that_cannot_be_published_is_told_so(fusion: Fusion, broker: Away) -> None:
    broker.is_away = True
    with pytest.raises(BrokerError, match="out of reach"):
        await fusion.views.ask("refresh")


async def test_another_node_is_answered_by_the_one_that_emits(fusion: Fusion, hub: Hub) -> None:
    answer = await hub.answers[SUBJECT](b'{"topic": "health"}')
    assert answer is not None
    assert msgspec.json.decode(answer)["content"]["status"] == "ok"


async def test_while_nobody_emits_who_asks_waits_and_is_then_told(store: Store, tmp_path: Path) -> None:
    loop = asyncio.get_running_loop()
    gone = Lease(store, "fusion", "a-node-that-is-gone", loop.time)
    assert await gone.hold()
    hub = Hub()
    fusion = install(hub, store=store, folder=tmp_path, shared=True)
    async with hub, fusion:
        assert SUBJECT in hub.answers
        assert not fusion.emitter.leads
        assert fusion.emitter.emitting_node == "a-node-that-is-gone"
        with pytest.raises(NobodyEmitsError):
            await fusion.views.ask("health", within_s=0.3)


async def test_who_asks_is_answered_as_soon_as_this_node_takes_over(store: Store, tmp_path: Path) -> None:
    loop = asyncio.get_running_loop()
    leaving = Lease(store, "fusion", "a-node-that-stops", loop.time)
    assert await leaving.hold()
    hub = Hub()
    fusion = install(hub, store=store, folder=tmp_path, shared=True)
    async with hub, fusion:
        asked = asyncio.create_task(told(fusion, "health"))
        await leaving.give_back()
        assert (await asked).keys() == {"ok", "status", "sources", "timestamp"}
        assert fusion.emitter.emitting_node == hub.node_id


async def renewals(store: Store) -> int:
    async with store.reading() as transaction:
        lease = await settings.get(transaction, "lease.fusion")
    return lease.version if lease is not None else 0


@pytest.fixture
async def cut_off(
    hub: Hub, store: Store, source: Counting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Fusion]:
    """A node that emitted until the store, which others share, went away."""
    monkeypatch.setattr(emitter, "RENEWAL_S", 0.1)
    monkeypatch.setattr(emitter, "CUT_OFF_S", 0.2)
    daily = Settings(default_sources=False, interval_s=86_400)
    fusion = install(hub, daily, store=store, folder=tmp_path, sources=[source], shared=True)
    async with hub, fusion:
        await fusion.emitter.refresh()
        monkeypatch.setattr(leases, "_TRUST_S", 0.3)  # not before: it is lost while the machine stands still
        async with asyncio.timeout(DEADLINE_S):
            before = await renewals(store)
            while await renewals(store) < before + 2:
                pass
            await store.close()
            while fusion.emitter.leads:  # noqa: ASYNC110 - there is no event for time that passes
                await asyncio.sleep(0.01)
        yield fusion


async def test_a_node_that_the_store_went_away_from_tells_what_it_knew_and_when(
    cut_off: Fusion, source: Counting
) -> None:
    before = source.times
    known = await told(cut_off, "snapshot")
    assert known["data"]["times"] == source.times == before
    assert moment(known["data"]["timestamp"]) == cut_off.collector.collected_at
    assert (await told(cut_off, "health"))["sources"]["asked"]["status"] == "ok"
    assert (await told(cut_off, "performance"))["totalEmissions"] == cut_off.emitter.figures.total >= 1


async def test_it_says_that_it_does_not_emit(cut_off: Fusion) -> None:
    said = await told(cut_off, "emitter")
    assert (said["ok"], said["status"], said["metrics"]["isActive"]) == (False, "waiting", False)


async def test_it_tells_other_nodes_what_it_knew_and_does_nothing_for_them(cut_off: Fusion, hub: Hub) -> None:
    assert await hub.answers[SUBJECT](b'{"topic": "health"}') is not None
    assert await hub.answers[SUBJECT](b'{"topic": "refresh"}') is None


@pytest.mark.parametrize("topic", ["refresh", "reload"])
async def test_what_needs_one_that_emits_is_refused_while_the_store_is_away(cut_off: Fusion, topic: Topic) -> None:
    with pytest.raises(StoreError, match="no node emits"):
        await cut_off.views.ask(topic, within_s=3600)


async def test_a_node_that_waits_for_another_to_take_over_is_not_cut_off(store: Store, tmp_path: Path) -> None:
    assert await Lease(store, "fusion", "a-node-that-is-gone", asyncio.get_running_loop().time).hold()
    hub = Hub()
    fusion = install(hub, store=store, folder=tmp_path, shared=True)
    async with hub, fusion:
        assert not (fusion.emitter.is_cut_off or fusion.emitter.speaks)
