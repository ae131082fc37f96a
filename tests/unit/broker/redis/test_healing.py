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


@pytest.mark.parametrize(
    ("mark", "offset", "before", "goes_on"),
    [
        (7, 6, 7, True),
        (7, 6, 8, False),
        (7, 6, None, True),
        (None, 6, 8, True),
        (7, 7, 7, False),
        (7, 5, 7, False),
    ],
)
def test_what_comes_next_names_what_was_heard_last(
    flow: Flow, mark: int | None, offset: int, before: int | None, goes_on: bool
) -> None:
    """Unless one of the two is not known."""
    flow.stands_at(Position(5, "e"))
    flow.mark = mark
    assert flow.goes_on(offset, before) is goes_on
