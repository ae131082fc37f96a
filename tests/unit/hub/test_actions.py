"""Functions that take their arguments in order: their signatures, what fits them, and what they give."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec
import pytest

from vagus.hub.functions import Action, Given, Method, Result
from vagus.hub.requests import Caller
from vagus.kernel import codes
from vagus.kernel.errors import AnswerError, RefusedError, RuleError
from vagus.kernel.events import packed, unpacked
from vagus.kernel.identity import Identity

ADA = Caller("c1", Identity(user="ada"))


class Point(msgspec.Struct):
    x: int
    y: int = 0


async def feed(*values: Any) -> AsyncIterator[Any]:
    for value in values:
        yield value


async def applied(function: Callable[..., Any], *arguments: Any, streams: tuple[AsyncIterator[Any], ...] = ()) -> Any:
    result = await Action("a", function).apply(ADA, Given(*packed(arguments), streams), 1.0)
    return unpacked(result.data, result.attachments) if result.data else None


async def refusal(function: Callable[..., Any], *arguments: Any, streams: tuple[AsyncIterator[Any], ...] = ()) -> str:
    with pytest.raises(RefusedError) as caught:
        await applied(function, *arguments, streams=streams)
    assert caught.value.fault.code == codes.BAD_REQUEST.code
    return caught.value.fault.message


async def test_arguments_come_in_their_order_and_their_types() -> None:
    async def place(caller: Caller, at: Point, label: str, weight: float) -> Any:
        return [caller.user, at.x, at.y, label, weight]

    assert await applied(place, {"x": 1}, "here", 2) == ["ada", 1, 0, "here", 2.0]


async def test_missing_arguments_take_their_defaults() -> None:
    def say(caller: Caller, text: str, times: int = 2) -> str:
        return text * times

    assert await applied(say, "a") == "aa"
    assert await applied(say, "a", 1) == "a"


async def test_any_number_of_arguments_is_taken_where_the_function_takes_them() -> None:
    def total(caller: Caller, first: int, *others: int) -> int:
        return first + sum(others)

    assert await applied(total, 1) == 1
    assert await applied(total, 1, 2, 3) == 6
    assert await refusal(total, 1, 2, "3") == "bad request: argument 3: Expected `int`, got `str`"


async def test_binary_values_come_and_go_as_bytes() -> None:
    def turn(caller: Caller, name: str, content: bytes) -> dict[str, Any]:
        return {"name": name, "content": content[::-1]}

    assert await applied(turn, "a", b"xyz") == {"name": "a", "content": b"zyx"}


async def test_binary_values_are_found_in_typed_arguments() -> None:
    class Picture(msgspec.Struct):
        pixels: bytes

    def size(caller: Caller, pictures: list[Picture]) -> int:
        return sum(len(picture.pixels) for picture in pictures)

    assert await applied(size, [{"pixels": b"12"}, {"pixels": b"345"}]) == 5


async def test_arguments_that_do_not_fit_are_refused_with_their_place() -> None:
    def place(caller: Caller, label: str, at: Point) -> None: ...

    assert await refusal(place, "a", {"x": "1"}) == "bad request: argument 2: Expected `int`, got `str` - at `$.x`"
    assert await refusal(place, "a") == "bad request: 2 arguments are needed, not 1"
    assert await refusal(place, "a", {"x": 1}, 3) == "bad request: 2 arguments are taken, not 3"


@pytest.mark.parametrize("text", [b"[", b'["\xff"]', b"[" * 100_000])
async def test_arguments_that_are_no_json_are_refused(text: bytes) -> None:
    def take(caller: Caller, value: Any) -> None: ...

    with pytest.raises(RefusedError) as caught:
        await Action("a", take).apply(ADA, Given(msgspec.Raw(text)), 1.0)
    assert caught.value.fault.code == codes.BAD_REQUEST.code


@pytest.mark.parametrize("callee", [Action("a", lambda caller, value: None), Method("m", lambda caller, value: None)])
async def test_arguments_that_are_nested_too_deep_for_their_binary_values_are_refused(callee: Action | Method) -> None:
    depth = 100_000
    text = b'[{"_placeholder":true,"num":0},' + b"[" * depth + b"]" * depth + b"]"
    with pytest.raises(RefusedError) as caught:
        await callee.apply(ADA, Given(msgspec.Raw(text), (b"x",)), 1.0)
    assert caught.value.fault.code == codes.BAD_REQUEST.code


async def test_none_is_no_result() -> None:
    assert await Action("a", lambda caller: None).apply(ADA, Given(msgspec.Raw(b"[]")), 1.0) == Result()


async def test_one_value_is_the_only_argument_and_a_list_is_all_of_them() -> None:
    action = Action("a", lambda caller, *values: list(values))
    for data, result in ((b"", b"[]"), (b"[1,2]", b"[1,2]"), (b"7", b"[7]"), (b'{"a":1}', b'[{"a":1}]')):
        assert bytes(await action.invoke(ADA, msgspec.Raw(data), 1.0)) == result


async def test_null_is_an_argument_unless_none_is_taken() -> None:
    """Libraries of the native protocol always send something."""
    none, one = Action("a", lambda caller: "none"), Action("a", lambda caller, value: [value])
    assert bytes(await none.invoke(ADA, msgspec.Raw(b"null"), 1.0)) == b'"none"'
    assert bytes(await one.invoke(ADA, msgspec.Raw(b"null"), 1.0)) == b"[null]"
    with pytest.raises(RefusedError, match="0 arguments are taken, not 1"):
        await none.invoke(ADA, msgspec.Raw(b"7"), 1.0)


async def test_who_knows_json_alone_is_given_binary_results_in_base64() -> None:
    action = Action("a", lambda caller: b"hello")
    assert bytes(await action.invoke(ADA, msgspec.Raw(b""), 1.0)) == b'"aGVsbG8="'


async def test_who_knows_json_alone_sends_bytes_in_base64() -> None:
    def size(caller: Caller, content: bytes) -> int:
        return len(content)

    assert bytes(await Action("a", size).invoke(ADA, msgspec.Raw(b'"aGVsbG8="'), 1.0)) == b"5"


async def count(caller: Caller, to: int) -> AsyncIterator[int]:
    for number in range(to):
        yield number


async def test_an_async_generator_gives_a_stream_of_results() -> None:
    action = Action("count", count)
    assert action.gives_stream
    assert [item async for item in action.stream(ADA, Given(msgspec.Raw(b"[3]")))] == [0, 1, 2]


async def test_a_stream_is_not_asked_for_as_one_result() -> None:
    with pytest.raises(RefusedError) as caught:
        await Action("count", count).invoke(ADA, msgspec.Raw(b"3"), 1.0)
    assert caught.value.fault is codes.GIVES_STREAM


@pytest.mark.parametrize("callee", [Action("a", lambda caller: 1), Method("m", lambda caller: 1)])
def test_one_result_is_not_asked_for_as_a_stream(callee: Action | Method) -> None:
    with pytest.raises(RefusedError) as caught:
        callee.stream(ADA, Given(msgspec.Raw(b"[]")))
    assert caught.value.fault is codes.GIVES_NO_STREAM


async def add(caller: Caller, start: int, numbers: AsyncIterator[int]) -> int:
    return start + sum([number async for number in numbers])


async def test_streams_come_after_the_other_arguments() -> None:
    assert await applied(add, 10, streams=(feed(1, 2),)) == 13


async def test_as_many_streams_come_as_are_taken() -> None:
    assert await refusal(add, 10) == "bad request: 1 streams are taken, not 0"
    assert await refusal(add, 10, streams=(feed(), feed())) == "bad request: 1 streams are taken, not 2"


async def test_an_item_that_does_not_fit_is_refused_where_it_is_taken() -> None:
    assert await refusal(add, 10, streams=(feed(1, "2"),)) == (
        "bad request: an item of the stream: Expected `int`, got `str`"
    )


async def test_items_without_a_type_are_whatever_comes() -> None:
    async def collect(caller: Caller, items: AsyncIterator[Any]) -> list[Any]:
        return [item async for item in items]

    assert await applied(collect, streams=(feed(1, "2", None),)) == [1, "2", None]


async def test_a_stream_that_broke_off_breaks_off_where_it_is_taken() -> None:
    async def broken() -> AsyncIterator[int]:
        yield 1
        raise AnswerError("gone")

    with pytest.raises(AnswerError, match="gone"):
        await applied(add, 10, streams=(broken(),))


def keyword_only(caller: Caller, *, text: str) -> None: ...
def keywords(caller: Caller, **options: Any) -> None: ...
def after_a_stream(caller: Caller, numbers: AsyncIterator[int], text: str) -> None: ...
def more_after_a_stream(caller: Caller, numbers: AsyncIterator[int], *texts: str) -> None: ...
def left_out_before_a_stream(caller: Caller, text: str = "", numbers: AsyncIterator[int] = feed()) -> None: ...  # noqa: B008 - refused


@pytest.mark.parametrize(
    "function",
    [lambda: None, keyword_only, keywords, after_a_stream, more_after_a_stream, left_out_before_a_stream],
)
def test_a_signature_that_cannot_be_called_by_place_is_refused_at_once(function: Callable[..., Any]) -> None:
    with pytest.raises(TypeError):
        Action("a", function)


def test_an_action_says_who_may_call_it_in_known_words() -> None:
    with pytest.raises(RuleError, match="call 'a': allow: 'friends'"):
        Action("a", lambda caller: None, allow=("friends",))


def test_an_action_describes_itself() -> None:
    async def say(caller: Caller) -> None:
        """Say it."""

    action = Action("chat.say", say)
    assert (action.name, action.doc, action.gives_stream) == ("chat.say", "Say it.", False)


async def test_a_method_takes_one_argument_as_its_request_and_several_as_a_list() -> None:
    method = Method("m", lambda caller, request: [request])
    for text, result in ((b"[]", b"[null]"), (b"[7]", b"[7]"), (b"[1,2]", b"[[1,2]]")):
        assert bytes((await method.apply(ADA, Given(msgspec.Raw(text)), 1.0)).data) == result
