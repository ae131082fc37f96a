"""What a reader of an EventSource asks for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vagus.kernel.filters import FilterNode
from vagus.kernel.publications import Position
from vagus.wire.eventsource import UNKNOWN, entry, positions_in
from vagus.wire.listening import ListeningError, listening


def test_channels_are_named_once_in_their_order() -> None:
    assert listening("channel=b&channel=a%3A1&channel=b", {}, 9).channels == ("b", "a:1")


def test_what_is_not_ascii_may_come_as_it_is_or_escaped() -> None:
    raw = "channel=Größe".encode().decode("latin-1")
    assert listening(raw, {}, 9).channels == listening("channel=Gr%C3%B6%C3%9Fe", {}, 9).channels == ("Größe",)


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        ("&token=t", {}),
        ("&access_token=t", {}),
        ("&token=other", {"authorization": "Bearer t"}),
        ("&token=t", {"authorization": "Basic eA=="}),
        ("&token=t", {"authorization": "Bearer "}),
    ],
)
def test_the_token_is_found(query: str, headers: dict[str, str]) -> None:
    assert listening(f"channel=a{query}", headers, 9).token == "t"


def test_tags_and_a_filter_must_all_hold() -> None:
    wanted = listening('channel=a&tag=x:1&filter={"key":"y","cmp":"ex"}', {}, 9)
    assert wanted.filter == FilterNode(
        op="and", nodes=(FilterNode(key="x", cmp="eq", val="1"), FilterNode(key="y", cmp="ex"))
    )
    assert listening("channel=a&tag=x:1", {}, 9).filter == FilterNode(key="x", cmp="eq", val="1")


def test_a_command_says_it_all() -> None:
    at = entry("a", Position(42, "epoch")).decode()
    wanted = listening("channel=a&channel=b&rate=0.5&join_leave=true", {"last-event-id": at}, 9)
    command = wanted.subscribe("a")
    assert (command.recover, command.offset, command.epoch, command.join_leave) == (True, 42, "epoch", True)
    assert bytes(command.data) == b'{"vagus":{"rate":0.5}}'
    assert not wanted.subscribe("b").recover
    assert set(wanted.connect.subs or ()) == {"a"}


def test_an_id_that_is_none_of_ours_stands_nowhere() -> None:
    for text in ("x", "~", "00000000.1", f"{entry('a', Position(2**63, 'e')).decode()}"):
        assert positions_in(text, ["a"]) == {"a": UNKNOWN}


@pytest.mark.parametrize(
    "query",
    ["", "channel=", "channel=%ff", "channel=a&tag=b", "channel=a&rate=inf", "channel=a&filter=1", "a=1&" * 600],
)
def test_what_makes_no_sense_is_refused(query: str) -> None:
    with pytest.raises(ListeningError):
        listening(query, {}, 9)


@given(st.text(max_size=80), st.text(max_size=60))
def test_any_request_is_read_or_refused(query: str, last_id: str) -> None:
    try:
        wanted = listening(f"channel=a&{query}", {"last-event-id": last_id}, 9)
    except ListeningError:
        return
    assert wanted.channels[0] == "a" and wanted.is_resumed is bool(last_id or "last" in query.lower())


@given(st.dictionaries(st.text(min_size=1, max_size=20), st.integers(0, 2**63 - 1), min_size=1, max_size=5))
def test_positions_are_read_as_they_were_written(offsets: dict[str, int]) -> None:
    positions = {channel: Position(offset, "abcDEF12") for channel, offset in offsets.items()}
    text = "~".join(entry(channel, position).decode() for channel, position in positions.items())
    assert positions_in(text, positions) == positions
