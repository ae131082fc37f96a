"""When pulses are made: in step, on request, at another pace, and by one node."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from vagus.apps.fusion.channel import CHANNEL, RULE
from vagus.apps.fusion.emitter import Emitter, Pace
from vagus.apps.fusion.values import Field, SourceState, Terms
from vagus.broker.memory import MemoryBroker
from vagus.hub import Hub
from vagus.kernel.channels import Last
from vagus.kernel.errors import BrokerError
from vagus.kernel.publications import Draft, Receipt
from vagus.testing import FakeClock, MemoryClient, Received, World, in_memory

MEMOS = Terms("memoIndex", (Field("memos"),))


class Counting:
    """A collector whose one source counts how often it was asked, and takes its time."""

    def __init__(self, clock: FakeClock, takes_s: float = 0.0) -> None:
        self._clock = clock
        self._takes_s = takes_s
        self.asked = 0

    async def collect(self) -> Sequence[SourceState]:
        self.asked += 1
        await asyncio.sleep(self._takes_s)
        return self.states()

    def states(self) -> Sequence[SourceState]:
        now = int(self._clock() * 1000)
        return (SourceState(MEMOS, {"memos": self.asked}, as_of=now, read_at=now, collections=self.asked),)


class Cut(MemoryBroker):
    """A broker that may be out of reach."""

    is_away = False

    async def publish(self, channel: str, draft: Draft, keep: Last | None) -> Receipt:
        if self.is_away:
            raise BrokerError("away")
        return await super().publish(channel, draft, keep)


@asynccontextmanager
async def world_of(clock: FakeClock, broker: MemoryBroker | None = None) -> AsyncIterator[tuple[World, MemoryClient]]:
    async with in_memory(Hub(rules=[RULE], broker=broker or MemoryBroker(clock), clock=clock)) as world:
        client = await world.connect(user="ada", roles=["viewer"])
        await client.subscribe(CHANNEL)
        yield world, client


@asynccontextmanager
async def running(emitter: Emitter) -> AsyncIterator[Emitter]:
    await emitter.start()
    try:
        yield emitter
    finally:
        await emitter.stop()


async def pulses(client: MemoryClient, seconds: float) -> list[dict[str, Any]]:
    """The pulses of the next seconds."""
    await asyncio.sleep(seconds)
    return [heard.data["payload"] for heard in await client.heard() if isinstance(heard, Received)]


async def test_the_first_pulse_comes_at_once_and_the_others_in_step(clock: FakeClock) -> None:
    async with world_of(clock) as (world, client):
        async with running(Emitter(world.hub, Counting(clock, takes_s=1), pace=Pace(60))):
            assert len(await pulses(client, 5)) == 1
            assert len(await pulses(client, 180)) == 3


async def test_a_pulse_says_what_the_sources_say_and_how_it_was_made(clock: FakeClock) -> None:
    async with world_of(clock) as (world, client), running(Emitter(world.hub, Counting(clock), pace=Pace(60))):
        (pulse,) = await pulses(client, 1)
        assert pulse["ok"] is True
        assert (pulse["data"]["memos"], pulse["data"]["health"]) == (1, {"memoIndexAvailable": True})
        assert (pulse["pulse"]["number"], pulse["pulse"]["intervalSeconds"]) == (1, 60.0)
        assert pulse["pulse"]["sources"]["memoIndex"]["status"] == "ok"


async def test_who_comes_later_is_given_the_newest_pulse_at_once(clock: FakeClock) -> None:
    async with world_of(clock) as (world, client), running(Emitter(world.hub, Counting(clock), pace=Pace(60))):
        await pulses(client, 90)
        late = await world.connect(user="bob", roles=["viewer"])
        subscribed = await late.subscribe(CHANNEL, recoverable=False)
        assert len(subscribed.publications) == 1


async def test_whoever_asks_has_a_pulse_made_that_begins_after_they_asked(clock: FakeClock) -> None:
    async with world_of(clock) as (world, client):
        async with running(Emitter(world.hub, Counting(clock, takes_s=2), pace=Pace(3600))) as emitter:
            await asyncio.sleep(1)  # the first is being made
            asked = [asyncio.create_task(emitter.refresh()) for _ in range(3)]
            updates = await asyncio.gather(*asked)
            assert [update.pulse.number for update in updates] == [2, 2, 2]
            assert len(await pulses(client, 60)) == 2


async def test_a_new_pace_holds_at_once(clock: FakeClock) -> None:
    async with world_of(clock) as (world, client):
        async with running(Emitter(world.hub, Counting(clock), pace=Pace(3600))) as emitter:
            await pulses(client, 1)
            await emitter.set_pace(interval_s=10, by="user:ada")
            assert len(await pulses(client, 30)) == 3
            await emitter.set_pace(interval_s=3600, by="user:ada")
            assert len(await pulses(client, 600)) == 0


async def test_a_paused_emitter_makes_the_pulses_that_are_asked_for(clock: FakeClock) -> None:
    async with world_of(clock) as (world, client):
        async with running(Emitter(world.hub, Counting(clock), pace=Pace(10))) as emitter:
            await pulses(client, 1)
            await emitter.set_pace(paused=True, by="user:ada")
            assert len(await pulses(client, 100)) == 0
            assert (await emitter.refresh()).pulse.paused
            await emitter.set_pace(paused=False, by="user:ada")
            assert len(await pulses(client, 10)) == 2


async def test_changes_that_come_together_share_a_pulse_even_when_pulses_are_paused(clock: FakeClock) -> None:
    async with world_of(clock) as (world, client):
        async with running(Emitter(world.hub, Counting(clock), pace=Pace(10, paused=True))) as emitter:
            await asyncio.sleep(60)
            for _ in range(50):
                emitter.hurry()
                await asyncio.sleep(0.05)
            assert len(await pulses(client, 100)) == 4  # at once, and then one a second


async def test_what_was_missed_while_collecting_took_long_is_not_made_up_for(clock: FakeClock) -> None:
    async with world_of(clock) as (world, client):
        async with running(Emitter(world.hub, Counting(clock, takes_s=25), pace=Pace(10))):
            assert len(await pulses(client, 101)) == 3


async def test_a_pulse_that_cannot_be_published_is_counted_and_the_next_one_comes(clock: FakeClock) -> None:
    broker = Cut(clock)
    async with world_of(clock, broker) as (world, client):
        async with running(Emitter(world.hub, Counting(clock), pace=Pace(10))) as emitter:
            await pulses(client, 1)
            broker.is_away = True
            with pytest.raises(BrokerError):
                await emitter.refresh()
            await pulses(client, 10)
            broker.is_away = False
            assert len(await pulses(client, 10)) == 1
            assert (emitter.figures.total, emitter.figures.failed) == (2, 2)


async def test_a_pulse_hands_its_numbers_on(clock: FakeClock) -> None:
    kept: list[tuple[int, dict[str, float]]] = []
    async with world_of(clock) as (world, client):
        emitter = Emitter(world.hub, Counting(clock), on_pulse=lambda at, values: kept.append((at, dict(values))))
        async with running(emitter):
            await pulses(client, 1)
    assert [values for _, values in kept] == [{"memos": 1.0}]


async def test_whoever_waits_for_a_pulse_when_it_stops_is_told(clock: FakeClock) -> None:
    async with world_of(clock) as (world, _):
        emitter = Emitter(world.hub, Counting(clock, takes_s=5), pace=Pace(10))
        await emitter.start()
        asked = asyncio.create_task(emitter.refresh())
        await asyncio.sleep(1)
        await emitter.stop()
        with pytest.raises(BrokerError):
            await asked
