"""The text/event-stream format: names, data, ids that are added last, and nothing that breaks out of its field."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vagus.kernel.codes import SHUTDOWN, Ending
from vagus.kernel.publications import ClientInfo, Position, Publication
from vagus.kernel.replies import Attached, Ended, Farewell, Joined, Message, Renewed, Subscribed
from vagus.wire.encoding import Encoding
from vagus.wire.eventsource import (
    MARK,
    MUTE,
    PLAIN,
    Epochs,
    EventSourceDialect,
    Progress,
    entry,
    framing_of_one,
)


def raw(value: object) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))


class House:
    """Both dialects over the same epochs, of which one is known."""

    def __init__(self) -> None:
        self.epochs = Epochs()
        self.epochs.enter("a", "E1")
        self.one = EventSourceDialect(self.epochs, of_several=False)
        self.several = EventSourceDialect(self.epochs, of_several=True)
        self.encoding = framing_of_one(self.epochs, chunked=False).encoding(self.one)

    def published(self, value: object, offset: int = 0, channel: str = "a", **fields: Any) -> bytes:
        """As the readers of one channel see it."""
        part = self.one.publication(self.one.opening(channel), Publication(raw(value), offset=offset, **fields))
        return b"".join(self.encoding.messages([part]))

    def due(self, value: object, offset: int, channel: str) -> bytes:
        """A part for readers of several channels."""
        part = self.several.publication(self.several.opening(channel), Publication(raw(value), offset=offset))
        return PLAIN.encoding(self.several).messages([part])[0]


@pytest.fixture
def house() -> House:
    return House()


def id_of(**positions: int) -> bytes:
    return b"~".join(entry(channel, Position(offset, "E1")) for channel, offset in positions.items())


def test_data_is_a_message_with_its_position(house: House) -> None:
    assert house.published({"n": 1}, 7) == b'data: {"n":1}\nid: %b\n\n' % id_of(a=7)


def test_without_history_there_is_no_id(house: House) -> None:
    assert house.published("x") == b'data: "x"\n\n'


def test_an_envelope_is_an_event(house: House) -> None:
    assert house.published({"type": "paid", "payload": [1]}) == b"event: paid\ndata: [1]\n\n"
    assert house.published({"type": "paid", "arguments": [1, 2]}) == b"event: paid\ndata: [1,2]\n\n"
    assert house.published({"type": "paid"}) == b"event: paid\ndata: null\n\n"


def test_attachments_stay_in_their_envelope(house: House) -> None:
    envelope = {"type": "file", "arguments": [{"_placeholder": True, "num": 0}], "attachments": ["AAA="]}
    assert house.published(envelope) == b"event: file\ndata: %b\n\n" % msgspec.json.encode(envelope)


@pytest.mark.parametrize("name", ["message", "open", "error", "join", "unrecovered", "a\nb", "a\rb", "\0"])
def test_names_that_mean_something_else_are_no_names(house: House, name: str) -> None:
    envelope = {"type": name, "payload": 1}
    assert house.published(envelope) == b"data: %b\n\n" % msgspec.json.encode(envelope)


@given(st.text(min_size=1, max_size=20), st.text(max_size=20))
def test_no_name_and_no_data_breaks_out_of_its_field(name: str, text: str) -> None:
    lines = House().published({"type": name, "payload": text}, 1).split(b"\n")
    assert [line.partition(b":")[0] for line in lines] in (
        [b"event", b"data", b"id", b"", b""],
        [b"data", b"id", b"", b""],
    )


def test_the_epoch_of_the_first_reader_is_learned_in_time(house: House) -> None:
    """A publication that is encoded while the first reader's reply is being made gets its id with that reply."""
    part = house.one.publication(house.one.opening("new"), Publication(raw(1), offset=3))
    house.epochs.enter("new", "E9")
    assert house.encoding.messages([part]) == [b"data: 1\nid: %b\n\n" % entry("new", Position(3, "E9"))]


def test_what_was_encoded_keeps_its_epoch(house: House) -> None:
    part = house.one.publication(house.one.opening("a"), Publication(raw(1), offset=3))
    house.epochs.enter("a", "E2")
    assert entry("a", Position(3, "E1")) in house.encoding.messages([part])[0]


def test_epochs_are_forgotten_with_their_last_reader(house: House) -> None:
    house.epochs.enter("a", "E1")
    house.epochs.leave("a")
    assert house.epochs.of("a") == "E1"
    house.epochs.leave("a")
    assert (house.epochs.of("a"), len(house.epochs)) == ("", 0)


def test_several_events_are_one_message(house: House) -> None:
    parts = [house.one.publication(b"a", Publication(raw(n), offset=n)) for n in (1, 2)]
    (message,) = house.encoding.messages(parts)
    assert message.count(b"\n\n") == 2


def test_chunks_are_made_where_they_are_wanted(house: House) -> None:
    encoding = framing_of_one(house.epochs, chunked=True).encoding(house.one)
    part = house.one.publication(b"x", Publication(raw(1)))
    assert encoding.messages([part]) == [b"9\r\ndata: 1\n\n\r\n"]
    assert encoding.messages([MUTE.publication(b"", Publication(raw(1)))]) == [b""]


def test_the_past_is_told_in_order(house: House) -> None:
    missed = tuple(Publication(raw(n), offset=n) for n in (4, 5))
    past = house.one.past(
        "a", Subscribed(epoch="E1", offset=3, recovered=True, was_recovering=True, publications=missed)
    )
    assert b"".join(house.encoding.messages([past])) == (
        b"data: 4\nid: %b\n\ndata: 5\nid: %b\n\n" % (id_of(a=4), id_of(a=5))
    )


def test_who_missed_something_is_told_and_where_it_stands_now(house: House) -> None:
    past = house.one.past("a", Subscribed(epoch="E1", offset=9, was_recovering=True))
    assert b"".join(house.encoding.messages([past])) == (
        b'event: unrecovered\ndata: {"channel":"a"}\n\n:\nid: %b\n\n' % id_of(a=9)
    )


def test_the_id_of_several_channels_follows_what_is_written(house: House) -> None:
    house.epochs.enter("b", "E1")
    progress = Progress(house.epochs)
    first, second, urgent = house.due(1, 1, "a"), house.due(2, 2, "a"), house.due(3, 7, "b")
    written = [progress.finished(part) for part in (first, urgent, second)]
    assert [text.split(b"id: ")[1].strip() for text in written] == [id_of(a=1), id_of(a=1, b=7), id_of(a=2, b=7)]
    assert written[1].startswith(b'data: {"channel":"b","data":3}\n')


def test_where_a_reader_of_several_stands_is_said_once(house: House) -> None:
    house.epochs.enter("b", "E1")
    progress = Progress(house.epochs)
    for channel, offset in (("a", 3), ("b", 4)):
        assert progress.finished(house.several.past(channel, Subscribed(epoch="E1", offset=offset))) == b""
    assert progress.finished(MARK) == b":\nid: %b\n\n" % id_of(a=3, b=4)


def test_no_id_lacks_a_channel_of_which_nothing_was_written_yet(house: House) -> None:
    progress = Progress(house.epochs)
    for channel in "ab":
        progress.begin_at(channel, Position(3, "E1"))
    assert progress.finished(house.due(1, 4, "a")).endswith(b"id: %b\n\n" % id_of(a=4, b=3))


def test_without_any_history_several_have_no_id(house: House) -> None:
    progress = Progress(house.epochs)
    assert progress.finished(house.due(1, 0, "c")) == b'data: {"channel":"c","data":1}\n\n'
    assert progress.finished(MARK) == b":\n\n"


def test_pushes_have_names_of_their_own(house: House) -> None:
    info = ClientInfo("7", "c")
    assert house.one.push(Joined("a", info)) == (
        b'event: join\ndata: {"channel":"a","info":{"user":"7","client":"c"}}\n\n'
    )
    assert house.one.push(Ended("a", Ending(2000, "over"))).startswith(b"event: unsubscribed\n")
    assert house.one.push(Farewell(SHUTDOWN)) == (
        b'event: disconnect\ndata: {"code":3001,"reason":"shutdown","reconnect":true}\n\n'
    )
    assert house.one.push(Message(raw({"type": "x", "payload": 1}))) == b"event: x\ndata: 1\n\n"
    assert house.several.push(Message(raw(1))) == b'data: {"data":1}\n\n'
    assert house.one.push(Attached("a", Subscribed())) == house.one.push(Renewed(expires=False, ttl=0)) == b""


def test_an_encoding_is_shared_by_all_readers(house: House) -> None:
    assert isinstance(house.encoding, Encoding)
    assert house.encoding is house.encoding.framing.encoding(house.one)
    assert house.encoding.ping == b""
