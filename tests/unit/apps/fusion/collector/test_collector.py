"""The collector: all sources side by side, none delays or harms another, and what was known is kept."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import pytest

from vagus.apps.fusion.collector import Collector, tried
from vagus.apps.fusion.sources import AbsentError, SourceError
from vagus.apps.fusion.values import Field, Reading, SourceState, Terms


class Told:
    """A source that does what it is told: a value, an error, or something to wait for."""

    def __init__(self, name: str, answer: object = 1, **terms: float) -> None:
        self.terms = Terms(name, (Field(f"{name}Value"),), **({"timeout_s": 2.0} | terms))
        self.answer = answer
        self.calls = 0
        self.is_closed = False

    async def collect(self) -> Reading:
        self.calls += 1
        answer = self.answer
        if callable(answer):
            answer = await answer()
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, Reading) else Reading({f"{self.terms.name}Value": answer})

    async def close(self) -> None:
        self.is_closed = True


async def for_ever() -> object:
    return await asyncio.get_running_loop().create_future()


def after(seconds: float, value: object) -> Callable[[], Awaitable[object]]:
    async def answer() -> object:
        await asyncio.sleep(seconds)
        return value

    return answer


async def states_of(collector: Collector) -> dict[str, SourceState]:
    return {state.name: state for state in await collector.collect()}


async def test_all_sources_are_asked_side_by_side() -> None:
    collector = Collector([Told(f"s{index}", after(1, index)) for index in range(50)])
    began = asyncio.get_running_loop().time()
    states = await states_of(collector)
    assert asyncio.get_running_loop().time() - began == pytest.approx(1)
    assert [state.values[f"s{index}Value"] for index, state in enumerate(states.values())] == list(range(50))


async def test_a_source_that_hangs_delays_one_collection_by_its_time_and_no_further_ones() -> None:
    loop = asyncio.get_running_loop()
    hanging = Told("hanging", for_ever)
    collector = Collector([hanging, Told("well")])
    took, states = [], dict[str, SourceState]()
    for _ in range(3):
        began = loop.time()
        states = await states_of(collector)
        took.append(loop.time() - began)
    assert took == [pytest.approx(2), pytest.approx(0), pytest.approx(0)]
    assert states["hanging"].error == "did not answer within 2 s"
    assert states["well"].is_available
    await collector.close()


async def test_a_source_that_was_slow_is_waited_for_again_when_it_has_answered_in_time() -> None:
    source = Told("slow", for_ever)
    collector = Collector([source])
    await collector.collect()
    source.answer = after(1, 7)
    assert (await states_of(collector))["slow"].error
    await asyncio.sleep(1.5)
    state = collector.states()[0]
    assert (state.error, state.values) == ("", {"slowValue": 7})
    source.answer = after(1, 8)
    assert (await states_of(collector))["slow"].values == {"slowValue": 8}


async def test_a_source_that_cannot_be_cancelled_is_left_behind() -> None:
    loop = asyncio.get_running_loop()
    release = loop.create_future()

    async def stubborn() -> object:
        while not release.done():
            try:
                await asyncio.shield(release)
            except asyncio.CancelledError:
                continue
        return 5

    source = Told("stubborn", stubborn)
    collector = Collector([source, Told("well")])
    began = loop.time()
    states = await states_of(collector)
    assert loop.time() - began == pytest.approx(2.1)
    assert states["stubborn"].error == "does not stop when its time is over"
    await collector.collect()
    assert source.calls == 1
    release.set_result(None)
    await collector.close()


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (SourceError("the file is gone"), "the file is gone"),
        (KeyError("x"), "failed: KeyError: 'x'"),
        ("many", "gave what cannot be used: aValue: must be a number, and this text is none"),
        (Reading({}), "gave what cannot be used: aValue: the source did not give it, but nothing"),
        (SourceError("x" * 9000), "x" * 499 + "…"),
    ],
)
async def test_a_source_that_fails_or_lies_keeps_its_last_values_with_their_age(answer: object, error: str) -> None:
    now = 1000.0
    source = Told("a", 5)
    collector = Collector([source, Told("b", 6)], clock=lambda: now)
    await collector.collect()
    now, source.answer = 1010.0, answer
    await collector.collect()
    now = 1020.0
    states = await states_of(collector)
    state = states["a"]
    assert (state.error, state.values, state.age_s(1_020_000)) == (error, {"aValue": 5}, 20.0)
    assert (state.failing_since, state.collections, state.failures) == (1_010_000, 3, 2)
    assert states["b"].is_available


async def test_a_source_that_comes_back_is_available_again() -> None:
    source = Told("a", OSError("gone"))
    collector = Collector([source])
    assert not (await states_of(collector))["a"].is_available
    source.answer = 5
    state = (await states_of(collector))["a"]
    assert (state.is_available, state.failing_since, state.failures) == (True, 0, 1)


async def test_a_failure_is_logged_when_it_begins_and_ends_and_not_each_time(
    logs: list[MutableMapping[str, Any]],
) -> None:
    source = Told("a", SourceError("gone"))
    collector = Collector([source])
    for answer in (SourceError("gone"), SourceError("gone"), 5, 5):
        source.answer = answer
        await collector.collect()
    assert [entry["event"] for entry in logs] == ["fusion_source_failed", "fusion_source_recovered"]


async def test_an_unchanged_reading_is_as_old_as_what_it_was_read_from() -> None:
    now = 1000.0
    reading = Reading({"aValue": 5}, as_of=400_000, bytes=10)
    collector = Collector([Told("a", reading)], clock=lambda: now)
    assert (await states_of(collector))["a"].bytes == 10
    now = 1060.0
    state = (await states_of(collector))["a"]
    assert (state.as_of, state.read_at, state.bytes) == (400_000, 1_060_000, 0)


async def test_what_was_read_from_the_future_is_true_now() -> None:
    collector = Collector([Told("a", Reading({"aValue": 5}, as_of=9_000_000))], clock=lambda: 1000.0)
    assert (await states_of(collector))["a"].as_of == 1_000_000


async def test_a_source_is_asked_no_more_often_than_it_says() -> None:
    source = Told("rare", every_s=60)
    collector = Collector([source])
    for _ in range(7):
        await collector.collect()
        await asyncio.sleep(20)
    assert source.calls == 3


async def test_a_source_at_work_is_not_asked_again_by_who_comes_meanwhile() -> None:
    source = Told("a", after(1, 5))
    collector = Collector([source])
    first, second = await asyncio.gather(collector.collect(), collector.collect())
    assert first == second
    assert source.calls == 1


async def test_who_gives_up_waiting_does_not_stop_the_sources() -> None:
    collector = Collector([Told("a", after(1, 5))])
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await collector.collect()
    await asyncio.sleep(1)
    assert collector.states()[0].values == {"aValue": 5}


@pytest.mark.parametrize(
    ("added", "reason"),
    [
        (Told("a"), "name: there is a source a already"),
        (Told("b"), "fields: bValue is a value of the source a already"),
    ],
)
def test_names_of_sources_and_of_their_values_are_each_there_once(added: Told, reason: str) -> None:
    there = Told("a")
    there.terms = Terms("a", (Field("bValue"),))
    with pytest.raises(ValueError, match=f"^{reason}"):
        Collector([there]).add(added)


async def test_a_source_is_replaced_in_its_place_and_closed() -> None:
    old, new = Told("a", 1), Told("a", 2)
    collector = Collector([old, Told("b")])
    await collector.collect()
    await collector.replace(new)
    assert old.is_closed
    assert [(state.name, state.values.get("aValue")) for state in await collector.collect()] == [("a", 2), ("b", None)]


async def test_a_source_that_may_not_take_a_place_leaves_the_old_one_there() -> None:
    old, new = Told("a"), Told("a")
    new.terms = Terms("a", (Field("bValue"),))
    collector = Collector([old, Told("b")])
    with pytest.raises(ValueError, match="bValue is a value of the source b"):
        await collector.replace(new)
    assert not old.is_closed
    assert (await states_of(collector))["a"].values == {"aValue": 1}


async def test_a_source_is_removed_and_closed_also_while_it_hangs() -> None:
    source = Told("a", for_ever, timeout_s=5)
    collector = Collector([source, Told("b")])
    collecting = asyncio.create_task(collector.collect())
    await asyncio.sleep(1)
    await collector.remove("a")
    assert [state.name for state in await collecting] == ["b"]
    assert source.is_closed
    with pytest.raises(KeyError):
        await collector.remove("a")


async def test_a_source_is_tried_once_without_being_added() -> None:
    assert await tried(Told("a", "5")) == {"aValue": 5}
    with pytest.raises(SourceError, match="did not answer within 2 s"):
        await tried(Told("a", for_ever))
    with pytest.raises(SourceError, match="aValue: must be a number"):
        await tried(Told("a", [1]))


def absent(name: str) -> AbsentError:
    return AbsentError(f"/data/{name}.json", f"/data/{name}.json is not there")


async def test_sources_that_may_be_absent_are_waited_for_in_one_line_and_without_a_warning(
    logs: list[MutableMapping[str, Any]],
) -> None:
    collector = Collector()
    for name in ("one", "two"):
        collector.add(Told(name, absent(name)), may_be_absent=True)
    await collector.collect()
    states = await states_of(collector)
    assert [state.error for state in states.values()] == ["/data/one.json is not there", "/data/two.json is not there"]
    assert [(line["event"], line["log_level"]) for line in logs] == [("fusion_waits_for_files", "info")]
    assert logs[0]["files"] == ["/data/one.json", "/data/two.json"]
    assert {state.status(0) for state in states.values()} == {"waiting"}


async def test_one_that_was_there_and_vanishes_is_warned_of(logs: list[MutableMapping[str, Any]]) -> None:
    collector, source = Collector(), Told("one", 1)
    collector.add(source, may_be_absent=True)
    await collector.collect()
    source.answer = absent("one")
    (state,) = await collector.collect()
    assert state.status(0) == "failed"
    assert [(line["event"], line["log_level"]) for line in logs] == [("fusion_source_failed", "warning")]


async def test_one_that_must_be_there_is_warned_of_from_the_start(logs: list[MutableMapping[str, Any]]) -> None:
    (state,) = await Collector([Told("one", absent("one"))]).collect()
    assert state.status(0) == "failed"
    assert [(line["event"], line["log_level"]) for line in logs] == [("fusion_source_failed", "warning")]
