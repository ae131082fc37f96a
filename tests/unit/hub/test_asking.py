"""Clients of other nodes are asked as if they were here: with the same answers, errors and deadlines."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from tests.neighbours import Neighbour
from vagus.hub import asking
from vagus.hub.hub import Hub
from vagus.kernel import codes
from vagus.kernel.commands import Answer
from vagus.kernel.control import Question
from vagus.kernel.errors import AnswerError, BrokerError, RefusedError
from vagus.testing import World, in_memory

from .talking import Talker

Pair = tuple[World, World]


@pytest.fixture
async def pair() -> AsyncIterator[Pair]:
    circle: list[Neighbour] = []
    here, there = (Hub(allow_anonymous=True, broker=Neighbour(circle)) for _ in range(2))
    async with in_memory(here) as one, in_memory(there) as other:
        yield one, other


async def ask(pair: Pair, *arguments: object, timeout_s: float = 5.0) -> "tuple[Talker, asyncio.Task[list[Any]]]":
    """Ask a client of the second node from the first one, until the client has the question."""
    one, other = pair
    talker = Talker(other.hub)
    talker.connect()
    await other.settle()
    talker.said.clear()
    asked = asyncio.create_task(one.hub.ask(talker.client.id, "where", *arguments, timeout_s=timeout_s))
    while not talker.said and not asked.done():  # noqa: ASYNC110 - it is a matter of a few steps, all of this process
        await asyncio.sleep(0)
    return talker, asked


async def test_a_client_of_another_node_answers_with_binary_values_too(pair: Pair) -> None:
    talker, asked = await ask(pair, 1, {"a": [b"x"]})
    assert talker.said == [("question", 1, "where", [1, {"a": [b"x"]}])]
    talker.answer(1, "here", {"b": [b"y", None]}, b"z")
    assert await asked == ["here", {"b": [b"y", None]}, b"z"]


async def test_its_error_is_told(pair: Pair) -> None:
    talker, asked = await ask(pair)
    talker.answer(1, error="nowhere")
    with pytest.raises(AnswerError, match="nowhere"):
        await asked


async def test_an_answer_that_cannot_be_passed_on_is_an_error(pair: Pair) -> None:
    talker, asked = await ask(pair)
    ambiguous = b'[{"_placeholder":true,"num":7},{"_placeholder":true,"num":0}]'
    talker.take(Answer(1, msgspec.Raw(ambiguous), (b"x",)))
    with pytest.raises(AnswerError, match="cannot be passed on"):
        await asked


async def test_what_is_too_long_for_the_way_between_nodes_is_an_error(pair: Pair) -> None:
    talker, asked = await ask(pair)
    talker.answer(1, b"x" * asking.MAX_BYTES)
    with pytest.raises(AnswerError, match="too long"):
        await asked
    with pytest.raises(ValueError, match="at most"):
        await pair[0].hub.ask(talker.client.id, "where", "x" * asking.MAX_BYTES)


async def test_who_leaves_before_it_answers_is_not_available(pair: Pair) -> None:
    talker, asked = await ask(pair)
    talker.client.lost()
    with pytest.raises(RefusedError) as refused:
        await asked
    assert refused.value.fault == codes.NOT_AVAILABLE


async def test_who_is_nowhere_is_not_available_at_once(pair: Pair) -> None:
    with pytest.raises(RefusedError) as refused:
        await pair[0].hub.ask("nobody", "where")
    assert refused.value.fault == codes.NOT_AVAILABLE


async def test_a_dialect_without_questions_is_not_available(pair: Pair) -> None:
    one, other = pair
    client = await other.connect()
    with pytest.raises(RefusedError) as refused:
        await one.hub.ask(client.id, "where")
    assert refused.value.fault == codes.NOT_AVAILABLE


async def test_who_does_not_answer_in_time_is_late_and_may_answer_afterwards(pair: Pair) -> None:
    talker, asked = await ask(pair, timeout_s=3.0)
    with pytest.raises(TimeoutError):
        await asked
    talker.answer(1, "here")
    await pair[1].settle()


async def test_answers_of_several_come_in_any_order(pair: Pair) -> None:
    talkers = [await ask(pair, number) for number in range(5)]
    for number, (talker, _) in reversed(list(enumerate(talkers))):
        talker.answer(1, number)
    assert [await asked for _, asked in talkers] == [[number] for number in range(5)]


async def test_an_answer_may_overtake_the_word_that_the_client_was_found(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, _ = pair
    found = asyncio.Event()
    ask_nodes = one.hub.ask_nodes

    async def slowly(question: Question, **options: Any) -> Any:
        answers = await ask_nodes(question, **options)
        await found.wait()
        return answers

    monkeypatch.setattr(one.hub, "ask_nodes", slowly)
    talker, asked = await ask(pair)
    talker.answer(1, "early")
    assert await asked == ["early"]


async def test_a_hub_that_cannot_ask_the_others_says_so(pair: Pair) -> None:
    broker = pair[0].hub.broker
    assert isinstance(broker, Neighbour)
    broker.is_cut_off = True
    with pytest.raises(BrokerError):
        await pair[0].hub.ask("nobody", "where")


async def test_an_answer_that_cannot_be_sent_is_late(pair: Pair) -> None:
    talker, asked = await ask(pair, timeout_s=3.0)
    broker = pair[1].hub.broker
    assert isinstance(broker, Neighbour)
    broker.is_cut_off = True
    talker.answer(1, "here")
    with pytest.raises(TimeoutError):
        await asked


async def test_what_other_nodes_ask_is_bounded(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "MAX_ASKED", 1)
    _, first = await ask(pair)
    _, second = await ask(pair)
    with pytest.raises(RefusedError) as refused:
        await second
    assert refused.value.fault == codes.TOO_MANY_REQUESTS
    first.cancel()
