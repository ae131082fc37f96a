"""Questions to a client, streams of results, streams that a client feeds: in order, bounded, and ended with it."""

import asyncio
from collections.abc import AsyncIterator, MutableMapping
from typing import Any

import msgspec
import pytest

from vagus.hub.exchanges import BUFFER, MAX_QUESTIONS, MAX_STREAMS
from vagus.hub.hub import Hub
from vagus.hub.requests import Caller, ConnectRequest
from vagus.kernel import codes
from vagus.kernel.codes import Closure
from vagus.kernel.commands import Answer, Cancel, Invoke, StreamEnd, StreamItem
from vagus.kernel.errors import AnswerError, DisconnectError, RefusedError, StoreError
from vagus.kernel.events import packed
from vagus.kernel.limits import Limits
from vagus.kernel.rates import Rate
from vagus.testing import World, in_memory

from .talking import Talker

Logs = list[MutableMapping[str, Any]]
OF_ONE = ("anyone",)


def open_hub(**options: Any) -> Hub:
    return Hub(allow_anonymous=True, **options)


async def talker_of(world: World) -> Talker:
    talker = Talker(world.hub)
    talker.connect()
    await world.settle()
    talker.said.clear()
    return talker


# questions


async def test_a_question_is_answered_with_as_many_values_as_the_client_likes() -> None:
    hub = open_hub()
    async with in_memory(hub) as world:
        talker = await talker_of(world)
        asked = asyncio.ensure_future(hub.ask(talker.client.id, "where", 1, b"x"))
        await world.settle()
        assert talker.said == [("question", 1, "where", [1, b"x"])]
        talker.answer(1, "here", b"y")
        assert await asked == ["here", b"y"]


async def test_answers_come_in_any_order() -> None:
    hub = open_hub()
    async with in_memory(hub) as world:
        talker = await talker_of(world)
        asked = [asyncio.ensure_future(hub.ask(talker.client.id, "q", n)) for n in range(3)]
        await world.settle()
        for number in (3, 1, 2):
            talker.answer(number, number * 10)
        assert await asyncio.gather(*asked) == [[10], [20], [30]]


async def test_an_error_of_the_client_is_raised_where_it_was_asked() -> None:
    hub = open_hub()
    async with in_memory(hub) as world:
        talker = await talker_of(world)
        asked = asyncio.ensure_future(hub.ask(talker.client.id, "q"))
        await world.settle()
        talker.answer(1, error="no idea")
        with pytest.raises(AnswerError, match="no idea"):
            await asked


async def test_an_answer_that_cannot_be_read_is_an_error_of_the_client() -> None:
    hub = open_hub()
    async with in_memory(hub) as world:
        talker = await talker_of(world)
        asked = asyncio.ensure_future(hub.ask(talker.client.id, "q"))
        await world.settle()
        depth = 100_000
        talker.take(Answer(1, msgspec.Raw(b"[" * depth + b"]" * depth)))
        with pytest.raises(AnswerError, match="cannot be read"):
            await asked


async def test_who_does_not_answer_in_time_is_waited_for_no_longer() -> None:
    hub = open_hub()
    async with in_memory(hub) as world:
        talker = await talker_of(world)
        with pytest.raises(TimeoutError):
            await hub.ask(talker.client.id, "q", timeout_s=3)
        talker.answer(1, "late")
        talker.answer(99, "never asked")
        assert talker.closure is None


async def test_a_second_answer_changes_nothing() -> None:
    hub = open_hub()
    async with in_memory(hub) as world:
        talker = await talker_of(world)
        asked = asyncio.ensure_future(hub.ask(talker.client.id, "q"))
        await world.settle()
        talker.take(Answer(1, *packed([1])), Answer(1, *packed([2])))
        assert await asked == [1]


async def test_a_client_that_goes_leaves_no_question_waiting() -> None:
    hub = open_hub()
    async with in_memory(hub) as world:
        talker = await talker_of(world)
        asked = asyncio.ensure_future(hub.ask(talker.client.id, "q"))
        await world.settle()
        talker.client.lost()
        with pytest.raises(RefusedError) as caught:
            await asked
        assert caught.value.fault is codes.NOT_AVAILABLE


async def test_who_is_not_here_or_has_no_words_for_questions_is_not_asked() -> None:
    hub = open_hub()
    async with in_memory(hub) as world:
        for client in ("nobody", (await world.connect()).id):
            with pytest.raises(RefusedError) as caught:
                await hub.ask(client, "q")
            assert caught.value.fault is codes.NOT_AVAILABLE


async def test_no_more_questions_wait_than_are_worth_keeping() -> None:
    hub = open_hub()
    async with in_memory(hub) as world:
        talker = await talker_of(world)
        asked = [asyncio.ensure_future(hub.ask(talker.client.id, "q")) for _ in range(MAX_QUESTIONS)]
        await world.settle()
        with pytest.raises(RefusedError) as caught:
            await hub.ask(talker.client.id, "q")
        assert caught.value.fault is codes.TOO_MANY_REQUESTS
        for task in asked:
            task.cancel()
        await asyncio.gather(*asked, return_exceptions=True)
        again = asyncio.ensure_future(hub.ask(talker.client.id, "q"))
        await world.settle()
        talker.answer(MAX_QUESTIONS + 1, "yes")
        assert await again == ["yes"]


async def test_a_call_may_ask_the_client_that_waits_for_its_result() -> None:
    hub = open_hub()

    @hub.sections[""].call("order", allow=OF_ONE)
    async def order(caller: Caller) -> Any:
        return await hub.ask(caller.client, "sure?")

    async with in_memory(hub) as world:
        talker = await talker_of(world)
        number = talker.invoke("order")
        await world.settle()
        talker.answer(1, "yes")
        await world.settle()
        assert talker.said == [("question", 1, "sure?", []), ("result", number, ["yes"])]


async def test_a_client_is_asked_as_soon_as_it_is_let_in() -> None:
    hub = open_hub()
    names: list[Any] = []

    @hub.sections[""].on_connected
    async def greet(caller: Caller, request: ConnectRequest) -> None:
        names.append(await hub.ask(caller.client, "who?"))

    async with in_memory(hub) as world:
        talker = Talker(hub)
        talker.connect()
        await world.settle()
        talker.answer(1, "ada")
        await world.settle()
        assert (names, talker.closure) == ([["ada"]], None)


# streams of results


def counting_hub(**options: Any) -> tuple[Hub, list[str]]:
    """A hub with streams, and what became of them."""
    hub, ended = open_hub(**options), list[str]()
    root = hub.sections[""]

    @root.call("count", allow=OF_ONE)
    async def count(caller: Caller, to: int) -> AsyncIterator[int]:
        try:
            for number in range(to):
                yield number
        finally:
            ended.append("count")

    @root.call("wait", allow=OF_ONE)
    async def wait(caller: Caller) -> AsyncIterator[bytes]:
        try:
            yield b"first"
            await asyncio.Event().wait()
        finally:
            ended.append("wait")

    @root.call("fail", allow=OF_ONE)
    async def fail(caller: Caller, kind: str) -> AsyncIterator[int]:
        yield 1
        if kind == "refused":
            raise RefusedError.because(410, "gone")
        if kind == "answer":
            raise AnswerError("asked in vain")
        raise KeyError(kind)

    return hub, ended


async def test_a_stream_gives_its_items_and_its_end() -> None:
    hub, ended = counting_hub()
    async with in_memory(hub) as world:
        talker = await talker_of(world)
        number = talker.invoke("count", 2, wants_stream=True)
        await world.settle()
        assert talker.said == [("item", number, 0), ("item", number, 1), ("end", number, None)]
    assert ended == ["count"]


async def test_other_commands_do_not_wait_for_a_stream() -> None:
    hub, _ = counting_hub()
    hub.sections[""].call("ping", allow=OF_ONE)(lambda caller: "pong")
    async with in_memory(hub) as world:
        talker = await talker_of(world)
        stream = talker.invoke("wait", wants_stream=True)
        ping = talker.invoke("ping")
        await world.settle()
        assert sorted(talker.said) == [("item", stream, b"first"), ("result", ping, "pong")]


@pytest.mark.parametrize(
    ("kind", "code"),
    [("refused", 410), ("answer", codes.INTERNAL.code), ("bug", codes.INTERNAL.code)],
)
async def test_a_stream_that_breaks_off_says_so(kind: str, code: int) -> None:
    hub, _ = counting_hub()
    async with in_memory(hub) as world:
        talker = await talker_of(world)
        number = talker.invoke("fail", kind, wants_stream=True)
        await world.settle()
        assert talker.said == [("item", number, 1), ("end", number, code)]


async def test_a_stream_may_send_its_client_away() -> None:
    hub, ends = open_hub(), list[str]()

    @hub.sections[""].call("count", allow=OF_ONE)
    async def count(caller: Caller) -> AsyncIterator[int]:
        try:
            yield 1
            raise DisconnectError.because(4500, "enough")
        finally:
            await asyncio.sleep(1)
            ends.append("ended")

    async with in_memory(hub) as world:
        talker = await talker_of(world)
        talker.invoke("count", wants_stream=True)
        await asyncio.sleep(2)
        assert (talker.closure, ends) == (Closure(4500, "enough"), ["ended"])


async def test_what_the_store_says_of_itself_is_not_told_to_clients(logs: Logs) -> None:
    hub = open_hub()

    @hub.sections[""].call("count", allow=OF_ONE)
    async def count(caller: Caller) -> AsyncIterator[int]:
        yield 1
        raise StoreError("/var/lib/vagus/vagus.db is full", retryable=True)

    async with in_memory(hub) as world:
        talker = await talker_of(world)
        number = talker.invoke("count", wants_stream=True)
        await world.settle()
        assert talker.said == [("item", number, 1), ("end", number, codes.INTERNAL.code)]
    assert [entry["event"] for entry in logs] == ["stream_failed"]


async def test_a_cancelled_stream_ends_and_is_closed() -> None:
    hub, ended = counting_hub()
    async with in_memory(hub) as world:
        talker = await talker_of(world)
        number = talker.invoke("wait", wants_stream=True)
        await world.settle()
        talker.cancel(number)
        await world.settle()
        assert talker.said == [("item", number, b"first"), ("end", number, None)]
    assert ended == ["wait"]


async def test_a_cancel_in_the_same_breath_as_the_invocation_is_not_lost() -> None:
    hub, _ = counting_hub()
    async with in_memory(hub) as world:
        talker = await talker_of(world)
        talker.client.take([(7, Invoke("wait", wants_stream=True)), (8, Cancel(7))])
        await world.settle()
        assert talker.said[-1] == ("end", 7, None)
        again = talker.invoke("count", 1, wants_stream=True)
        await world.settle()
        assert talker.said[-2:] == [("item", again, 0), ("end", again, None)]


async def test_a_stream_that_was_cancelled_at_once_takes_its_feeds_along() -> None:
    hub = open_hub()

    @hub.sections[""].call("double", allow=OF_ONE)
    async def double(caller: Caller, numbers: AsyncIterator[int]) -> AsyncIterator[int]:
        async for number in numbers:
            yield number * 2

    async with in_memory(hub) as world:
        talker = await talker_of(world)
        talker.client.take([(7, Invoke("double", streams=(1,), wants_stream=True)), (8, Cancel(7))])
        await world.settle()
        assert talker.said == [("end", 7, None)]
        again = talker.invoke("double", streams=(1,), wants_stream=True)
        talker.feed(1, 4)
        talker.end_feed(1)
        await world.settle()
        assert talker.said[1:] == [("item", again, 8), ("end", again, None)]


async def test_a_cancel_of_what_is_over_is_ignored() -> None:
    hub, _ = counting_hub()
    async with in_memory(hub) as world:
        talker = await talker_of(world)
        number = talker.invoke("count", 0, wants_stream=True)
        await world.settle()
        talker.cancel(number)
        talker.cancel(99)
        await world.settle()
        assert talker.said == [("end", number, None)]


async def test_an_invocation_that_waits_is_withdrawn_by_a_cancel() -> None:
    hub, ended = counting_hub()
    gate = asyncio.Event()

    @hub.sections[""].call("slow", allow=OF_ONE)
    async def slow(caller: Caller) -> None:
        await gate.wait()

    async with in_memory(hub) as world:
        talker = await talker_of(world)
        first = talker.invoke("slow")
        waiting = talker.invoke("count", 3, wants_stream=True)
        talker.cancel(waiting)
        gate.set()
        await world.settle()
        assert talker.said == [("end", waiting, None), ("result", first, None)]
    assert ended == []


async def test_a_slow_client_is_sent_no_items_until_it_takes_more() -> None:
    hub, ended = counting_hub()
    async with in_memory(hub) as world:
        talker = await talker_of(world)
        talker.client.pause()
        number = talker.invoke("count", 1000, wants_stream=True)
        await world.settle()
        assert (talker.said, ended) == ([], [])
        assert talker.client.queue_bytes < 100
        talker.client.resume()
        for _ in range(300):
            await world.settle()
        assert talker.said[-1] == ("end", number, None)
        assert [said[2] for said in talker.said[:-1]] == list(range(1000))


async def test_a_client_that_goes_ends_its_streams() -> None:
    hub, ended = counting_hub()
    async with in_memory(hub) as world:
        talker = await talker_of(world)
        talker.invoke("wait", wants_stream=True)
        talker.invoke("count", 10_000, wants_stream=True)
        await world.settle()
        talker.client.pause()
        await world.settle()
        talker.client.lost()
        await world.settle()
    assert sorted(ended) == ["count", "wait"]


async def test_no_more_streams_are_sent_than_are_worth_keeping() -> None:
    hub, ended = counting_hub()
    async with in_memory(hub) as world:
        talker = await talker_of(world)
        for _ in range(MAX_STREAMS):
            talker.invoke("wait", wants_stream=True)
        number = talker.invoke("wait", wants_stream=True)
        await world.settle()
        refused = [said for said in talker.said if said[0] == "fault"]
        assert refused == [("fault", number, codes.LIMIT_EXCEEDED.code, codes.LIMIT_EXCEEDED.message)]
    assert len(ended) == MAX_STREAMS


async def test_a_stream_and_a_result_are_asked_for_as_what_they_are() -> None:
    hub, _ = counting_hub()
    hub.sections[""].call("ping", allow=OF_ONE)(lambda caller: "pong")
    async with in_memory(hub) as world:
        talker = await talker_of(world)
        first, second = talker.invoke("count", 1), talker.invoke("ping", wants_stream=True)
        await world.settle()
        assert talker.said == [
            ("fault", first, codes.GIVES_STREAM.code, codes.GIVES_STREAM.message),
            ("fault", second, codes.GIVES_NO_STREAM.code, codes.GIVES_NO_STREAM.message),
        ]


async def test_what_closes_badly_is_logged_and_harms_nobody(logs: Logs) -> None:
    hub = open_hub()

    @hub.sections[""].call("stubborn", allow=OF_ONE)
    async def stubborn(caller: Caller) -> AsyncIterator[int]:
        try:
            yield 1
            await asyncio.Event().wait()
        finally:
            raise KeyError("while it closed")

    async with in_memory(hub) as world:
        talker = await talker_of(world)
        number = talker.invoke("stubborn", wants_stream=True)
        await world.settle()
        talker.cancel(number)
        await world.settle()
        assert talker.said[-1][:2] == ("end", number)
    assert "stream_failed" in [entry["event"] for entry in logs]


async def test_a_result_that_cannot_be_sent_ends_its_stream(logs: Logs) -> None:
    hub = open_hub()

    @hub.sections[""].call("odd", allow=OF_ONE)
    async def odd(caller: Caller) -> AsyncIterator[object]:
        try:
            yield object()
        finally:
            raise KeyError("while it closed")

    async with in_memory(hub) as world:
        talker = await talker_of(world)
        number = talker.invoke("odd", wants_stream=True)
        await world.settle()
        assert talker.said == [("end", number, codes.INTERNAL.code)]
    assert [entry["event"] for entry in logs] == ["stream_failed", "stream_failed"]


async def test_results_may_come_from_an_iterator_that_cannot_be_closed() -> None:
    class Ones:
        def __init__(self) -> None:
            self.left = 2

        def __aiter__(self) -> "Ones":
            return self

        async def __anext__(self) -> int:
            self.left -= 1
            if self.left < 0:
                raise StopAsyncIteration
            return 1

    hub = open_hub()
    async with in_memory(hub) as world:
        talker = await talker_of(world)
        talker.client.exchanges.start(7, Ones(), ())
        await world.settle()
        assert talker.said == [("item", 7, 1), ("item", 7, 1), ("end", 7, None)]


# streams that the client feeds


def summing_hub(**options: Any) -> tuple[Hub, asyncio.Event]:
    """A hub whose call ``total`` begins to read when the event is set."""
    hub, gate = open_hub(**options), asyncio.Event()

    @hub.sections[""].call("total", allow=OF_ONE)
    async def total(caller: Caller, numbers: AsyncIterator[int]) -> int:
        await gate.wait()
        return sum([number async for number in numbers])

    return hub, gate


async def test_a_stream_is_fed_while_its_call_runs() -> None:
    hub, gate = summing_hub()
    gate.set()
    async with in_memory(hub) as world:
        talker = await talker_of(world)
        number = talker.invoke("total", streams=(5,))
        talker.feed(5, 1, 2)
        await world.settle()
        talker.feed(5, 3)
        talker.end_feed(5)
        await world.settle()
        assert talker.said == [("result", number, 6)]


async def test_items_that_come_before_the_call_begins_are_not_lost() -> None:
    hub, gate = summing_hub()
    gate.set()
    async with in_memory(hub) as world:
        talker = await talker_of(world)
        items = [StreamItem(5, msgspec.Raw(b"%d" % n)) for n in range(4)]
        talker.take(Invoke("total", streams=(5,)), *items, StreamEnd(5))
        await world.settle()
        assert [said[2] for said in talker.said] == [6]


async def test_a_client_is_not_read_from_while_the_application_lags_behind() -> None:
    hub, gate = summing_hub()
    async with in_memory(hub) as world:
        talker = await talker_of(world)
        talker.invoke("total", streams=(5,))
        talker.feed(5, *range(BUFFER - 1))
        assert talker.is_read
        talker.feed(5, 0)
        assert not talker.is_read
        gate.set()
        await world.settle()
        assert talker.is_read


async def test_a_stream_that_the_client_breaks_off_breaks_off_for_the_application(logs: Logs) -> None:
    hub = open_hub()
    ends: list[str] = []

    @hub.sections[""].call("total", allow=OF_ONE)
    async def total(caller: Caller, numbers: AsyncIterator[int]) -> None:
        try:
            async for _ in numbers:
                pass
        except AnswerError as error:
            ends.append(str(error))

    async with in_memory(hub) as world:
        talker = await talker_of(world)
        talker.invoke("total", streams=(5,))
        talker.end_feed(5, "out of numbers")
        await world.settle()
        talker.invoke("total", streams=(6,))
        await world.settle()
        talker.client.lost()
        await world.settle()
    assert ends == ["out of numbers", "the client is gone"]


@pytest.mark.parametrize("wants_stream", [False, True])
async def test_a_stream_that_the_client_breaks_off_is_no_error_of_the_server(wants_stream: bool, logs: Logs) -> None:
    hub = open_hub()

    @hub.sections[""].call("double", allow=OF_ONE)
    async def double(caller: Caller, numbers: AsyncIterator[int]) -> AsyncIterator[int]:
        async for number in numbers:
            yield 2 * number

    @hub.sections[""].call("sum", allow=OF_ONE)
    async def total(caller: Caller, numbers: AsyncIterator[int]) -> int:
        return sum([number async for number in numbers])

    async with in_memory(hub) as world:
        talker = await talker_of(world)
        target = "double" if wants_stream else "sum"
        broken = talker.invoke(target, streams=(5,), wants_stream=wants_stream)
        talker.end_feed(5, "out of numbers")
        await world.settle()
        assert [said[1:3] for said in talker.said] == [(broken, codes.BAD_REQUEST.code)]
        talker.invoke(target, streams=(6,), wants_stream=wants_stream)
        await world.settle()
        talker.client.lost()
        await world.settle()
    assert logs == []


@pytest.mark.parametrize("target", ["nothing", "ping"])
async def test_streams_of_a_call_that_is_refused_are_forgotten(target: str) -> None:
    hub, gate = summing_hub()
    gate.set()
    hub.sections[""].call("ping", allow=OF_ONE)(lambda caller: "pong")
    async with in_memory(hub) as world:
        talker = await talker_of(world)
        talker.invoke(target, streams=(5,))
        talker.feed(5, *range(2 * BUFFER))
        talker.end_feed(5)
        assert talker.is_read
        number = talker.invoke("total", streams=(5,))
        talker.feed(5, 3)
        talker.end_feed(5)
        await world.settle()
        assert talker.said[-1] == ("result", number, 3)


async def test_streams_of_a_call_that_came_too_fast_are_forgotten() -> None:
    hub, gate = summing_hub(limits=Limits(commands=Rate(per_s=1, burst=1)))
    gate.set()
    async with in_memory(hub) as world:
        talker = await talker_of(world)
        refused = talker.invoke("total", streams=(5,))
        await world.settle()
        assert [said[:3] for said in talker.said] == [("fault", refused, codes.TOO_MANY_REQUESTS.code)]
        await asyncio.sleep(2)
        number = talker.invoke("total", streams=(5,))
        talker.end_feed(5)
        await world.settle()
        assert talker.said[-1] == ("result", number, 0)


async def test_streams_of_a_call_that_was_withdrawn_are_forgotten() -> None:
    hub, gate = summing_hub()
    hub.sections[""].call("hold", allow=OF_ONE)(_held_by(gate))
    async with in_memory(hub) as world:
        talker = await talker_of(world)
        talker.invoke("hold")
        waiting = talker.invoke("total", streams=(6,))
        talker.cancel(waiting)
        again = talker.invoke("total", streams=(6,))
        talker.feed(6, 4)
        talker.end_feed(6)
        gate.set()
        await world.settle()
        assert talker.closure is None
        assert talker.said[-1] == ("result", again, 4)


def _held_by(gate: asyncio.Event) -> Any:
    async def hold(caller: Caller) -> None:
        await gate.wait()

    return hold


async def test_a_call_that_streams_feed_holds_up_nothing() -> None:
    hub, gate = summing_hub(limits=Limits(ping_interval_s=0))
    gate.set()
    hub.sections[""].call("ping", allow=OF_ONE)(lambda caller: "pong")
    async with in_memory(hub) as world:
        talker = await talker_of(world)
        summing = talker.invoke("total", streams=(5,))
        ping = talker.invoke("ping")
        await world.settle()
        assert list(talker.said[-1]) == ["result", ping, "pong"]
        await asyncio.sleep(hub.limits.answer_s + 1)
        talker.feed(5, 3, 4)
        talker.end_feed(5)
        await world.settle()
        assert talker.said[-1] == ("result", summing, 7)


async def test_a_call_whose_client_is_gone_ends_in_the_time_of_an_answer() -> None:
    hub, ends = open_hub(), list[str]()

    @hub.sections[""].call("wait", allow=OF_ONE)
    async def wait(caller: Caller, numbers: AsyncIterator[int]) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ends.append("ended")

    async with in_memory(hub) as world:
        talker = await talker_of(world)
        talker.invoke("wait", streams=(5,))
        await world.settle()
        talker.client.lost()
        await asyncio.sleep(hub.limits.answer_s - 1)
        assert ends == []
        await asyncio.sleep(2)
        assert ends == ["ended"]


async def test_a_stream_that_outlives_its_call_ends_there() -> None:
    hub = open_hub()
    kept: list[AsyncIterator[int]] = []
    hub.sections[""].call("keep", allow=OF_ONE)(_keeping(kept))
    async with in_memory(hub) as world:
        talker = await talker_of(world)
        talker.invoke("keep", streams=(5,))
        talker.feed(5, 1)
        await world.settle()
        with pytest.raises(AnswerError, match="the call that it was for is over"):
            await anext(kept[0])


def _keeping(kept: list[AsyncIterator[int]]) -> Any:
    def keep(caller: Caller, numbers: AsyncIterator[int]) -> None:
        kept.append(numbers)

    return keep


async def test_a_stream_that_is_there_already_is_not_announced_again() -> None:
    hub, _ = summing_hub()
    async with in_memory(hub) as world:
        talker = await talker_of(world)
        talker.invoke("total", streams=(5,))
        talker.invoke("total", streams=(5,))
        assert talker.closure is codes.MALFORMED


async def test_no_more_streams_are_fed_than_are_worth_keeping() -> None:
    hub, _ = summing_hub(limits=Limits(waiting_commands=100))
    async with in_memory(hub) as world:
        talker = await talker_of(world)
        for number in range(1, MAX_STREAMS + 1):
            talker.invoke("total", streams=(number,))
        assert talker.closure is None
        talker.invoke("total", streams=(MAX_STREAMS + 1,))
        assert talker.closure is codes.TOO_MANY


async def test_items_of_no_stream_are_ignored() -> None:
    hub, _ = summing_hub()
    async with in_memory(hub) as world:
        talker = await talker_of(world)
        talker.feed(5, *range(2 * BUFFER))
        talker.end_feed(5)
        await world.settle()
        assert (talker.said, talker.closure, talker.is_read) == ([], None, True)


async def test_an_item_that_cannot_be_read_breaks_the_stream_off() -> None:
    hub, gate = summing_hub()
    gate.set()
    async with in_memory(hub) as world:
        talker = await talker_of(world)
        number = talker.invoke("total", streams=(5,))
        depth = 100_000
        talker.take(StreamItem(5, msgspec.Raw(b"[" * depth + b"]" * depth)))
        await world.settle()
        assert talker.said[0][:3] == ("fault", number, codes.BAD_REQUEST.code)


async def test_a_stream_feeds_a_stream() -> None:
    hub = open_hub()

    @hub.sections[""].call("double", allow=OF_ONE)
    async def double(caller: Caller, numbers: AsyncIterator[int]) -> AsyncIterator[int]:
        async for number in numbers:
            yield number * 2

    async with in_memory(hub) as world:
        talker = await talker_of(world)
        number = talker.invoke("double", streams=(5,), wants_stream=True)
        talker.feed(5, 1, 2)
        talker.end_feed(5)
        await world.settle()
        assert talker.said == [("item", number, 2), ("item", number, 4), ("end", number, None)]
