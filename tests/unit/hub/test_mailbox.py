"""A mailbox never holds more than its limit; what goes when it is full is the channel's choice."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vagus.hub.mailbox import Mailbox
from vagus.kernel.channels import WhenSlow


def contents(mailbox: Mailbox) -> list[bytes]:
    return [mailbox.take() for _ in range(len(mailbox))]


def test_messages_come_out_as_they_went_in() -> None:
    mailbox = Mailbox(10)
    assert all(mailbox.put(message) for message in (b"1", b"2", b"3"))
    assert contents(mailbox) == [b"1", b"2", b"3"]
    assert (mailbox.size, mailbox.dropped) == (0, 0)


def test_an_empty_mailbox_has_nothing_to_take() -> None:
    with pytest.raises(IndexError):
        Mailbox(1).take()


def test_urgent_messages_go_first() -> None:
    mailbox = Mailbox(10)
    for message, urgent in [(b"1", False), (b"a", True), (b"2", False), (b"b", True)]:
        mailbox.put(message, urgent=urgent)
    assert contents(mailbox) == [b"a", b"b", b"1", b"2"]


def test_a_full_mailbox_says_that_the_client_must_go() -> None:
    mailbox = Mailbox(3)
    assert mailbox.put(b"12")
    assert not mailbox.put(b"34")
    assert mailbox.put(b"3")
    assert contents(mailbox) == [b"12", b"3"]


def test_drop_oldest_drops_no_more_than_it_must() -> None:
    mailbox = Mailbox(4)
    for message in (b"1", b"2", b"3", b"4"):
        mailbox.put(message, source="a", when_slow="drop-oldest")
    assert mailbox.put(b"56", source="a", when_slow="drop-oldest")
    assert mailbox.dropped == 2
    assert contents(mailbox) == [b"3", b"4", b"56"]


def test_drop_oldest_spares_what_others_are_promised() -> None:
    mailbox = Mailbox(4)
    mailbox.put(b"R")
    mailbox.put(b"K", source="k", when_slow="keep-latest")
    mailbox.put(b"1", source="a", when_slow="drop-oldest")
    mailbox.put(b"2", source="b", when_slow="drop-oldest")
    assert mailbox.put(b"34", source="a", when_slow="drop-oldest")
    assert contents(mailbox) == [b"R", b"K", b"34"]


def test_keep_latest_replaces_what_its_own_channel_left() -> None:
    mailbox = Mailbox(4)
    a, b = object(), object()
    for message, source in [(b"1", a), (b"2", a), (b"x", b), (b"3", a)]:
        mailbox.put(message, source=source, when_slow="keep-latest")
    assert mailbox.put(b"4", source=a, when_slow="keep-latest")
    assert mailbox.dropped == 3
    assert contents(mailbox) == [b"x", b"4"]


@pytest.mark.parametrize("when_slow", ["drop-oldest", "keep-latest"])
def test_where_nothing_may_be_dropped_the_client_must_go(when_slow: WhenSlow) -> None:
    mailbox = Mailbox(3)
    mailbox.put(b"RRR")
    assert not mailbox.put(b"1", source="a", when_slow=when_slow)
    assert contents(mailbox) == [b"RRR"]


@pytest.mark.parametrize("when_slow", ["disconnect", "drop-oldest", "keep-latest"])
def test_a_message_above_the_limit_never_enters(when_slow: WhenSlow) -> None:
    mailbox = Mailbox(3)
    assert not mailbox.put(b"1234", source="a", when_slow=when_slow)
    assert len(mailbox) == 0


PUTS = st.lists(
    st.tuples(
        st.integers(0, 12),
        st.sampled_from("abc"),
        st.sampled_from(["disconnect", "drop-oldest", "keep-latest"]),
        st.booleans(),
        st.booleans(),
    ),
    max_size=50,
)


@given(PUTS)
def test_a_mailbox_holds_its_limit_at_most_and_keeps_count(puts: list[tuple[int, str, WhenSlow, bool, bool]]) -> None:
    mailbox, taken, given_out = Mailbox(20), 0, 0
    for length, source, when_slow, urgent, takes in puts:
        taken += mailbox.put(b"x" * length, source=source, when_slow=when_slow, urgent=urgent)
        if takes and len(mailbox):
            mailbox.take()
            given_out += 1
        assert mailbox.size <= 20
        assert len(mailbox) == taken - given_out - mailbox.dropped
    assert mailbox.size == sum(map(len, contents(mailbox))) or mailbox.size == 0


@given(PUTS)
def test_of_each_channel_what_is_left_is_in_order(puts: list[tuple[int, str, WhenSlow, bool, bool]]) -> None:
    mailbox = Mailbox(40)
    for number, (_, source, when_slow, _, _) in enumerate(puts):
        mailbox.put(b"%b%03d" % (source.encode(), number), source=source, when_slow=when_slow)
    left = contents(mailbox)
    for name in (b"a", b"b", b"c"):
        own = [message for message in left if message.startswith(name)]
        assert own == sorted(own)
