"""Orders, patterns and cursors: what is not valid is refused with the reason."""

import pytest

from vagus.apps.connections.choosing import CLIENT_ORDERS, cursor_of, key_in, matching, ordering


@pytest.mark.parametrize("order", CLIENT_ORDERS)
def test_a_minus_turns_every_order_round(order: str) -> None:
    assert ordering(order, CLIENT_ORDERS) == (order, False)
    assert ordering(f"-{order}", CLIENT_ORDERS) == (order, True)


@pytest.mark.parametrize("sort", ["", "-", "--user", "User", "password", "user,node"])
def test_what_rows_do_not_have_is_no_order(sort: str) -> None:
    with pytest.raises(ValueError, match="sort is one of"):
        ordering(sort, CLIENT_ORDERS)


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        ("", "anything", True),
        ("ada", "ada", True),
        ("ada", "adam", False),
        ("ada*", "adam", True),
        ("?da", "ada", True),
        ("a.a", "aba", False),
        ("*" * 250, "x" * 250, True),
        ("*a" * 120, "a" * 119 + "b", False),
    ],
)
def test_patterns_are_globs(pattern: str, text: str, *, matches: bool) -> None:
    assert bool(matching(pattern)(text)) is matches


def test_a_cursor_brings_back_where_it_stood() -> None:
    cursor = cursor_of("user", ("ada", "id-1"), descending=False)
    assert key_in(cursor, "user", descending=False) == ("ada", "id-1")


@pytest.mark.parametrize("order", ["node", "channels"])
def test_a_cursor_of_another_order_is_refused(order: str) -> None:
    cursor = cursor_of("user", ("ada", "id-1"), descending=False)
    with pytest.raises(ValueError, match="another sort"):
        key_in(cursor, order, descending=False)


@pytest.mark.parametrize(
    "cursor", ["x", "zzzz", "é", "\ud800", "W10", "a" * 5000, "WyJ1c2VyIixmYWxzZSxudWxsXQ", "W1tb" * 500]
)
def test_a_cursor_that_nobody_gave_out_is_refused(cursor: str) -> None:
    with pytest.raises(ValueError, match="cursor is none"):
        key_in(cursor, "user", descending=False)


def test_a_cursor_with_a_text_where_a_number_belongs_is_refused() -> None:
    with pytest.raises(ValueError, match="cursor is none"):
        key_in(cursor_of("channels", ("many", "id-1"), descending=True), "channels", descending=True)
