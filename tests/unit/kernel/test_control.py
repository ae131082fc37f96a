"""Orders between nodes: whom they mean, and that they survive the way."""

import msgspec
import pytest

from vagus.kernel import codes
from vagus.kernel.control import Attach, Deliver, Detach, Disconnect, Order, Renew, Target
from vagus.kernel.identity import Grant
from vagus.kernel.publications import Position


def test_an_order_that_means_nobody_is_a_bug() -> None:
    with pytest.raises(ValueError, match="a user, a client or a session"):
        Target()


@pytest.mark.parametrize(
    "target", [Target(user=""), Target(user="42"), Target(client="c"), Target("42", "c"), Target(session="s")]
)
def test_an_order_means_a_user_a_client_or_a_session(target: Target) -> None:
    assert target.user is not None or target.client or target.session


ADA = Target("ada", except_clients=("c1",))
ORDERS: list[Order] = [
    Disconnect(ADA, codes.FORCE_DISCONNECT),
    Attach(ADA, "news", Grant(), None),
    Attach(ADA, "news", Grant(data=msgspec.Raw(b"1"), presence=False), Position(3, "e")),
    Detach(Target(session="secret"), "news", codes.UNSUBSCRIBED),
    Renew(ADA, expires_at=5.0),
    Deliver(ADA, msgspec.Raw(b'{"a":1}')),
]


@pytest.mark.parametrize("order", ORDERS)
def test_an_order_comes_out_of_a_message_as_it_went_in(order: Order) -> None:
    assert msgspec.json.decode(msgspec.json.encode(order), type=Order) == order
