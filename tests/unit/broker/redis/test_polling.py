import asyncio

import pytest

from vagus.broker.redis.connecting import AccessError
from vagus.broker.redis.polling import answers_of_most
from vagus.kernel.errors import BrokerError


async def answer(name: str) -> str:
    match name:
        case "dead":
            await asyncio.Event().wait()
        case "refusing":
            raise BrokerError("no")
        case "closed":
            raise AccessError("wrong password")
    return name


async def test_who_is_dead_is_not_waited_for_when_most_have_answered() -> None:
    assert sorted(await answers_of_most(["a", "dead", "b"], answer, 60.0)) == ["a", "b"]


async def test_fewer_answers_count_when_the_time_is_over_or_nobody_is_left() -> None:
    assert await answers_of_most(["a", "dead", "dead"], answer, 0.05) == ["a"]
    assert await answers_of_most(["a", "refusing", "closed"], answer, 60.0) == ["a"]


async def test_no_answer_is_an_error_with_every_reason_once() -> None:
    with pytest.raises(BrokerError, match=r"^no$"):
        await answers_of_most(["refusing", "refusing", "dead"], answer, 0.05)
    with pytest.raises(BrokerError, match="nobody answers"):
        await answers_of_most(["dead"], answer, 0.05)


async def test_a_wrong_password_is_told_as_such() -> None:
    with pytest.raises(AccessError, match="no; wrong password"):
        await answers_of_most(["refusing", "closed"], answer, 60.0)


async def test_nothing_goes_on_afterwards() -> None:
    await answers_of_most(["a", "dead"], answer, 0.05)
    assert asyncio.all_tasks() == {asyncio.current_task()}
