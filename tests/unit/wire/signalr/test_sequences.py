import pytest

from vagus.kernel.errors import DisconnectError
from vagus.wire.signalr.messages import CancelInvocation, Message, Ping, Sequence
from vagus.wire.signalr.sequences import Heard, Unacked

COUNTED = CancelInvocation("1")


def test_what_is_confirmed_is_forgotten() -> None:
    unacked = Unacked()
    for payload in (b"a", b"b", b"c"):
        unacked.put(payload, 1)
    unacked.ack(2)
    assert (unacked.payloads, unacked.first, unacked.size) == ([b"c"], 3, 1)


def test_a_payload_of_several_messages_goes_with_its_last_one() -> None:
    unacked = Unacked()
    unacked.put(b"abc", 3)
    unacked.put(b"d", 1)
    unacked.ack(2)
    assert (unacked.payloads, unacked.first) == ([b"abc", b"d"], 1)
    unacked.ack(3)
    assert (unacked.payloads, unacked.first) == ([b"d"], 4)


def test_where_nothing_waits_the_next_message_is_first() -> None:
    unacked = Unacked()
    assert unacked.first == 1
    unacked.put(b"ab", 2)
    unacked.ack(2)
    assert (unacked.first, unacked.size) == (3, 0)


def test_a_payload_without_messages_is_not_kept() -> None:
    unacked = Unacked()
    unacked.put(b"", 0)
    assert (unacked.payloads, unacked.first) == ([], 1)


def test_confirming_what_was_never_sent_does_no_harm() -> None:
    unacked = Unacked()
    unacked.put(b"a", 1)
    unacked.ack(10**9)
    unacked.ack(0)
    assert (unacked.first, unacked.size) == (2, 0)


def test_it_is_full_at_the_bound_and_not_any_more_when_enough_is_confirmed() -> None:
    unacked = Unacked(bound=3)
    unacked.put(b"aa", 1)
    assert not unacked.is_full
    unacked.put(b"b", 1)
    assert unacked.is_full
    unacked.ack(1)
    assert not unacked.is_full


def taken(heard: Heard, *messages: Message) -> list[bool]:
    return [heard.takes(message) for message in messages]


def test_messages_are_counted_and_pings_are_not() -> None:
    heard = Heard()
    assert taken(heard, COUNTED, Ping(), COUNTED) == [True, True, True]
    assert heard.latest == 2


def test_after_another_socket_nothing_is_taken_before_the_sequence() -> None:
    heard = Heard()
    heard.takes(COUNTED)
    heard.wait()
    assert taken(heard, COUNTED, Ping(), Sequence(2), COUNTED) == [False, False, False, True]
    assert heard.latest == 2


def test_what_was_seen_before_is_not_taken_again() -> None:
    heard = Heard()
    taken(heard, COUNTED, COUNTED, COUNTED)
    heard.wait()
    assert taken(heard, Sequence(2), COUNTED, COUNTED, COUNTED) == [False, False, False, True]
    assert heard.latest == 4


@pytest.mark.parametrize("number", [0, 5])
def test_a_sequence_that_leaves_a_gap_ends_the_connection(number: int) -> None:
    heard = Heard()
    taken(heard, COUNTED, COUNTED, COUNTED)
    with pytest.raises(DisconnectError):
        heard.takes(Sequence(number))
