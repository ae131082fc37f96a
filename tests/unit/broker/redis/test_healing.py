import pytest

from vagus.broker.redis.healing import Flow
from vagus.broker.redis.keys import Keys
from vagus.kernel.publications import Position


@pytest.fixture
def flow() -> Flow:
    return Flow("orders", Keys("vagus").names("orders"), lambda *_: None, lambda _: None)


def test_a_flow_knows_nothing_at_first(flow: Flow) -> None:
    assert flow.position == Position()


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        (Position(9, "e"), Position(9, "e")),
        (Position(3, "e"), Position(5, "e")),
        (Position(2, "other"), Position(2, "other")),
    ],
)
def test_a_flow_takes_over_a_position_that_is_ahead_or_in_another_stream(
    flow: Flow, told: Position, kept: Position
) -> None:
    flow.stands_at(Position(5, "e"))
    flow.adopt(told)
    assert flow.position == kept


def test_a_flow_that_is_being_mended_takes_over_nothing(flow: Flow) -> None:
    flow.stands_at(Position(5, "e"))
    flow.held = []
    flow.adopt(Position(9, "e"))
    assert flow.position == Position(5, "e")
