"""A record of events against what it promises: everything after an offset, or an honest no."""

from hypothesis import given
from hypothesis import strategies as st

from vagus.gateway.socketio.recovery import RECORD_BYTES, RECORD_EVENTS, Record


def event(number: int, size: int = 5) -> tuple[bytes, bytes]:
    return b"%d" % number, b"%d" % number + b"." * size


def test_a_record_gives_what_follows_an_offset_once() -> None:
    record = Record()
    record.add((event(1), event(2), event(3)))
    assert record.take_after(b"1") == [event(2)[1], event(3)[1]]
    assert record.take_after(b"1") == []


def test_a_whole_record_serves_who_got_nothing_of_it() -> None:
    record = Record()
    record.add((event(1), event(2)))
    assert record.take_after(b"") == [event(1)[1], event(2)[1]]


def test_an_offset_that_was_dropped_is_not_served() -> None:
    record = Record()
    record.add(tuple(event(number) for number in range(1, RECORD_EVENTS + 3)))
    assert record.take_after(b"1") is None
    assert record.take_after(b"") is None
    assert len(record.take_after(b"2") or ()) == RECORD_EVENTS


def test_large_events_are_dropped_earlier() -> None:
    record = Record()
    record.add(tuple(event(number, RECORD_BYTES // 4) for number in range(1, 6)))
    assert record.take_after(b"1") is None
    assert len(record.take_after(b"2") or ()) == 3


def test_an_event_larger_than_the_record_leaves_nothing_but_its_place() -> None:
    record = Record()
    record.add((event(1, RECORD_BYTES + 1),))
    assert record.take_after(b"") is None
    assert record.take_after(b"1") == []


@given(st.lists(st.integers(0, 700) | st.none(), max_size=8), st.data())
def test_whoever_is_served_gets_exactly_what_it_missed(steps: list[int | None], data: st.DataObject) -> None:
    record, sent, seen = Record(), list[int](), 0
    for step in steps:
        if step is not None:
            record.add(tuple(event(len(sent) + 1 + number) for number in range(step)))
            sent += range(len(sent) + 1, len(sent) + 1 + step)
            continue
        seen = data.draw(st.integers(seen, len(sent)))
        missed = record.take_after(b"%d" % seen if seen else b"")
        if missed is None:
            assert len(sent) - seen > RECORD_EVENTS
            return
        assert missed == [event(number)[1] for number in range(seen + 1, len(sent) + 1)]
        record.add(tuple(event(number) for number in range(seen + 1, len(sent) + 1)))  # it is written again
