"""Where a client stands in a channel, over every kind of loss; against a model of what a server may say."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vagus.client.following import Following, StrayPatchError, Wishes
from vagus.client.messages import Message, Publication, decoder_of
from vagus.client.protocol import Subscribed
from vagus.kernel.publications import Position
from vagus.wire.centrifuge import fossil


def following(**wishes: Any) -> Following[Any]:
    return Following("a", Wishes(**wishes), decoder_of(Any))


def publication(offset: int, **facts: Any) -> Publication:
    return Publication(msgspec.Raw(b"%d" % offset), offset, **facts)


def test_the_first_request_recovers_nothing_and_the_next_one_from_where_it_stood() -> None:
    channel = following()
    assert channel.request("t") == {"channel": "a", "token": "t", "recoverable": True}
    channel.subscribed(Subscribed(recoverable=True, epoch="e", offset=4))
    channel.published(publication(5))
    assert channel.request() == {"channel": "a", "recoverable": True, "recover": True, "offset": 5, "epoch": "e"}


def test_a_channel_without_history_is_not_asked_to_recover() -> None:
    channel = following()
    channel.subscribed(Subscribed())
    assert channel.request() == {"channel": "a", "recoverable": True}
    channel.subscribed(Subscribed())
    assert channel.is_in_gap and channel.recovered is False


def test_who_does_not_want_recovery_is_still_told_of_the_gap() -> None:
    channel = following(recover=False)
    channel.subscribed(Subscribed(recoverable=True, epoch="e", offset=4))
    assert channel.request() == {"channel": "a"}
    channel.subscribed(Subscribed(recoverable=True, epoch="e", offset=9))
    message = channel.published(publication(10))
    assert message is not None and message.after_gap


def test_since_recovers_from_the_first_time_on() -> None:
    channel = following(since=Position(3, "e"))
    assert channel.request()["recover"]
    missed = channel.subscribed(
        Subscribed(recoverable=True, recovered=True, epoch="e", publications=(publication(4), publication(5)))
    )
    assert [message.offset for message in missed] == [4, 5]
    assert channel.recovered


def test_wishes_become_fields() -> None:
    channel = following(rate=2, delta=True, data=msgspec.Raw(b'{"mine":1}'))
    assert channel.request() == {
        "channel": "a",
        "recoverable": True,
        "delta": "fossil",
        "data": {"mine": 1, "vagus": {"rate": 2}},
    }


def test_the_first_publication_of_a_stream_names_its_epoch() -> None:
    channel = following()
    channel.subscribed(Subscribed(recoverable=True))
    message = channel.published(publication(1, epoch="new"))
    assert message is not None and message.position == Position(1, "new")
    assert channel.position == message.position


def test_a_stream_that_began_anew_is_followed_from_its_first_number() -> None:
    channel = following(recover=False)
    channel.subscribed(Subscribed())
    numbers = [channel.published(publication(number, epoch=epoch)) for number, epoch in ((7, ""), (1, "new"), (2, ""))]
    assert [message.position for message in numbers if message is not None] == [
        Position(7, ""),
        Position(1, "new"),
        Position(2, "new"),
    ]


def test_data_of_any_kind_goes_along_but_with_a_rate_it_is_an_object() -> None:
    assert following(data=msgspec.Raw(b"[1]")).request()["data"] == msgspec.Raw(b"[1]")
    with pytest.raises(ValueError, match="must be an object"):
        following(rate=1, data=msgspec.Raw(b"[1]"))


def test_what_was_declared_void_is_not_recovered() -> None:
    channel = following()
    channel.subscribed(Subscribed(recoverable=True, epoch="e", offset=4))
    channel.forget()
    assert "recover" not in channel.request()
    channel.subscribed(Subscribed(recoverable=True, epoch="e", offset=6))
    assert (channel.recovered, channel.is_in_gap, channel.offset) == (False, True, 6)


def quoted(data: bytes) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(data.decode()))


def test_differences_are_put_together_and_stray_ones_noticed() -> None:
    channel, one, two = following(delta=True), b'{"words":"the same"}', b'{"words":"the very same"}'
    channel.subscribed(Subscribed(delta=True))
    patch = Publication(quoted(fossil.create(one, two)), delta=True)
    with pytest.raises(StrayPatchError, match="does not fit"):
        channel.published(patch)
    messages = [channel.published(Publication(quoted(one))), channel.published(patch)]
    assert [message.raw for message in messages if message is not None] == [one, two]


Step = tuple[str, int]

STEPS = st.lists(
    st.tuples(st.sampled_from(("live", "again", "lost")), st.integers(0, 5)),
    max_size=40,
)


@given(STEPS, st.integers(1, 4))
def test_each_message_comes_once_in_order_or_is_said_to_be_missing(steps: list[Step], kept: int) -> None:
    """A server that keeps the newest ``kept``, repeats what it sent, and is lost while more is published."""
    channel, top = following(), 0
    came: list[Message[Any]] = []

    def take(number: int) -> None:
        message = channel.published(publication(number))
        if message is not None:
            came.append(message)

    channel.subscribed(Subscribed(recoverable=True, epoch="e"))
    for kind, count in steps:
        if kind == "again":
            for number in range(max(1, top - count), top + 1):
                take(number)
        elif kind == "live":
            for _ in range(count):
                top += 1
                take(top)
        else:
            top += count
            missed = tuple(publication(number) for number in range(channel.offset + 1, top + 1))
            if len(missed) <= kept:
                answer = Subscribed(recoverable=True, epoch="e", recovered=True, publications=missed)
            else:
                answer = Subscribed(recoverable=True, epoch="e", offset=top)
            came += channel.subscribed(answer)
    last = 0
    for message in came:
        assert message.offset > last
        assert message.after_gap == (message.offset > last + 1)
        last = message.offset
    assert channel.is_in_gap == (last < top)
