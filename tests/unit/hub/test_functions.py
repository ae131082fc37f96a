"""An application's functions: a wrong signature fails when it is registered, a wrong request when it comes."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from vagus.hub.functions import Guard, Method
from vagus.hub.requests import Caller
from vagus.kernel import codes
from vagus.kernel.errors import RefusedError, RuleError
from vagus.kernel.identity import Identity
from vagus.kernel.publications import NOTHING

ADA = Caller("c1", Identity(user="ada"))


class Order(msgspec.Struct):
    id: int


async def decided(function: Callable[..., Any], **places: str) -> Any:
    return await Guard(function, tuple(places)).decide(ADA, "request", places, 1.0)


async def test_a_guard_is_given_what_it_names() -> None:
    async def may(identity: Identity, order_id: str, request: object, caller: Caller) -> object:
        return identity.user, order_id, request, caller.client

    assert await decided(may, order_id="42", other="x") == ("ada", "42", "request", "c1")


async def test_a_guard_may_be_plain_and_name_nothing() -> None:
    assert await decided(lambda: True) is True


async def test_a_place_is_converted_to_its_type() -> None:
    def may(order_id: int, day: float, flag: bool) -> object:
        return order_id, day, flag

    assert await decided(may, order_id="42", day="1.5", flag="true") == (42, 1.5, True)


async def test_a_place_that_does_not_fit_is_an_unknown_channel() -> None:
    def may(order_id: int) -> bool:
        raise AssertionError("must not be asked")

    with pytest.raises(RefusedError) as caught:
        await decided(may, order_id="forty-two")
    assert caught.value.fault is codes.UNKNOWN_CHANNEL


def test_a_guard_that_wants_what_there_is_not_is_refused_at_once() -> None:
    def may(order: str) -> bool:
        return bool(order)

    with pytest.raises(TypeError, match="'order' is none of"):
        Guard(may, ("order_id",))


async def invoke(function: Callable[..., Any], data: bytes = b"") -> bytes:
    return bytes(await Method("m", function).invoke(ADA, msgspec.Raw(data), 1.0))


async def test_a_method_decodes_its_request_and_encodes_its_result() -> None:
    async def cancel(caller: Caller, request: Order) -> dict[str, object]:
        return {"by": caller.user, "id": request.id}

    assert await invoke(cancel, b'{"id":7}') == b'{"by":"ada","id":7}'


async def test_a_method_may_take_the_caller_alone() -> None:
    def who(caller: Caller) -> str:
        return caller.user

    assert await invoke(who, b"[1]") == b'"ada"'


async def test_none_is_no_result() -> None:
    async def nothing(caller: Caller) -> None:
        return None

    assert await Method("m", nothing).invoke(ADA, NOTHING, 1.0) == NOTHING


async def test_a_method_without_a_type_takes_any_json_and_nothing_as_null() -> None:
    def echo(caller: Caller, request: Any) -> Any:
        return [request]

    assert await invoke(echo, b'{"a":[1,null]}') == b'[{"a":[1,null]}]'
    assert await invoke(echo) == b"[null]"


@pytest.mark.parametrize(
    ("data", "complaint"), [(b'{"id":"x"}', r"\$\.id"), (b"{}", "`id`"), (b"", "Expected"), (b'{"id":', "truncated")]
)
async def test_a_request_that_does_not_fit_is_refused_with_the_path(data: bytes, complaint: str) -> None:
    def cancel(caller: Caller, request: Order) -> None: ...

    with pytest.raises(RefusedError, match=complaint) as caught:
        await invoke(cancel, data)
    assert caught.value.fault.code == codes.BAD_REQUEST.code


@pytest.mark.parametrize("kind", [str, Any])
async def test_data_that_is_no_text_is_refused_like_any_bad_request(kind: Any) -> None:
    """A binary dialect carries whatever a client sends."""

    def take(caller: Caller, request: Any) -> None: ...

    take.__annotations__["request"] = kind
    with pytest.raises(RefusedError) as caught:
        await invoke(take, b'"\xff"')
    assert caught.value.fault.code == codes.BAD_REQUEST.code


def test_a_method_of_another_shape_is_refused_at_once() -> None:
    for function in (lambda: None, lambda a, b, c: None):
        with pytest.raises(TypeError, match="takes"):
            Method("m", function)


def test_a_method_says_who_may_call_it_in_known_words() -> None:
    with pytest.raises(RuleError, match="call 'm': allow: 'friends'"):
        Method("m", lambda caller: None, allow=("friends",))


def test_a_method_describes_itself() -> None:
    def cancel(caller: Caller, request: Order) -> bool:
        """Cancel an order."""
        return True

    method = Method("orders.cancel", cancel)
    assert (method.name, method.doc, method.request, method.result) == (
        "orders.cancel",
        "Cancel an order.",
        Order,
        bool,
    )
