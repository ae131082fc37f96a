"""Tokens at hand, and the next ones."""

import pytest

from vagus.client.errors import RefusedError
from vagus.client.tokens import TokenError, Tokens, renewal_s


async def test_the_one_at_hand_comes_first_and_a_new_one_after_it_was_dropped() -> None:
    tokens = Tokens("old", lambda: "new")
    assert await tokens.current() == "old"
    tokens.drop()
    assert await tokens.current() == "new"


async def test_an_async_function_will_do() -> None:
    async def fetch() -> str:
        return "new"

    assert await Tokens("", fetch).current() == "new"


async def test_without_tokens_there_is_none_and_no_other() -> None:
    assert await Tokens("", None).current() == ""
    with pytest.raises(RefusedError, match="token expired"):
        Tokens("old", None).drop()


async def test_a_function_that_fails_may_do_better_later_and_one_that_gives_nothing_will_not() -> None:
    def fail() -> str:
        raise OSError("no route")

    with pytest.raises(TokenError, match="get_token: OSError: no route"):
        await Tokens("", fail).current()
    with pytest.raises(RefusedError, match="unauthorized"):
        await Tokens("", lambda: "").current()


@pytest.mark.parametrize(("ttl_s", "after_s"), [(3600, 3590), (60, 54), (1, 0.9)])
def test_a_token_is_renewed_a_little_early(ttl_s: int, after_s: float) -> None:
    assert renewal_s(ttl_s) == after_s
