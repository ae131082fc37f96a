"""The numbers: each has one meaning, lies in its range, and says by its range what a client does."""

import pytest

from vagus.kernel import codes
from vagus.kernel.codes import Closure, Ending, Fault

SHADES = (codes.GIVES_STREAM, codes.GIVES_NO_STREAM)
"""Bad requests with words of their own."""


def named(kind: type) -> list[object]:
    return [
        value
        for name, value in vars(codes).items()
        if name.isupper() and isinstance(value, kind) and value not in SHADES
    ]


@pytest.mark.parametrize(("kind", "table"), [(Fault, codes.FAULTS), (Ending, codes.ENDINGS), (Closure, codes.CLOSURES)])
def test_the_tables_are_whole_and_no_number_has_two_meanings(kind: type, table: tuple[Fault, ...]) -> None:
    assert list(table) == named(kind)
    assert len({entry.code for entry in table}) == len(table)


def test_our_errors_lie_below_those_of_applications() -> None:
    assert all(100 <= fault.code < codes.APPLICATION_FAULTS.start for fault in codes.FAULTS)


def test_our_closures_lie_below_those_of_applications() -> None:
    assert all(3000 <= closure.code < codes.APPLICATION_CLOSURES.start for closure in codes.CLOSURES)


def test_reasons_fit_into_a_close_frame_with_room_to_spare() -> None:
    assert all(0 < len(closure.reason.encode()) <= 32 for closure in codes.CLOSURES)


@pytest.mark.parametrize(
    ("code", "reconnects"),
    [
        (1000, True),
        (3000, True),
        (3499, True),
        (3500, False),
        (3999, False),
        (4000, True),
        (4499, True),
        (4500, False),
        (4999, False),
        (5000, True),
    ],
)
def test_the_range_of_a_closure_says_whether_the_client_comes_back(code: int, reconnects: bool) -> None:
    assert Closure(code, "").reconnects is reconnects


@pytest.mark.parametrize(("code", "resubscribes"), [(2000, False), (2499, False), (2500, True), (2999, True)])
def test_the_range_of_an_ending_says_whether_the_client_subscribes_again(code: int, resubscribes: bool) -> None:
    assert Ending(code, "").resubscribes is resubscribes


def test_what_may_be_tried_again_is_marked() -> None:
    assert {fault.code for fault in codes.FAULTS if fault.temporary} == {100, 111, 113, 120}
