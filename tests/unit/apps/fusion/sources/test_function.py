"""Python functions as sources; those that hang are in the integration tests."""

import threading
from functools import partial

import pytest

from vagus.apps.fusion.collector import tried
from vagus.apps.fusion.sources import Source, SourceError
from vagus.apps.fusion.sources.function import Function, FunctionSource
from vagus.apps.fusion.values import Field, Terms

ONE = Terms("queue", (Field("waiting", unit="jobs"),))
TWO = Terms("queue", (Field("waiting"), Field("isOpen", "flag")))


async def values_of(terms: Terms, function: Function) -> object:
    source: Source = FunctionSource(terms, function)
    try:
        return await tried(source)
    finally:
        await source.close()


async def test_a_plain_function_runs_in_a_thread_and_a_coroutine_function_does_not() -> None:
    here = threading.get_ident()

    async def awaited() -> bool:
        return threading.get_ident() == here

    flag = Terms("here", (Field("here", "flag"),))
    assert await values_of(flag, lambda: threading.get_ident() == here) == {"here": False}
    assert await values_of(flag, awaited) == {"here": True}
    assert await values_of(flag, partial(awaited)) == {"here": True}


async def test_a_function_gives_its_only_value_or_all_of_them_by_name() -> None:
    assert await values_of(ONE, lambda: 5) == {"waiting": 5}
    assert await values_of(TWO, lambda: {"waiting": 5, "isOpen": True, "more": 1}) == {"waiting": 5, "isOpen": True}


def fail() -> None:
    raise LookupError("no queue")


@pytest.mark.parametrize(
    ("terms", "function", "reason"),
    [
        (TWO, lambda: 5, "returns int, and the values of 2 fields are wanted"),
        (TWO, lambda: {"waiting": 5}, "isOpen: the source did not give it"),
        (ONE, lambda: "many", "waiting: must be a number"),
        (ONE, fail, "failed: LookupError: no queue"),
        (ONE, exit, "failed: RuntimeError: raised SystemExit"),
    ],
)
async def test_a_function_that_fails_or_lies_says_so(terms: Terms, function: Function, reason: str) -> None:
    with pytest.raises(SourceError, match=reason):
        await values_of(terms, function)
