"""A topic: numbers follow one another, a gap is found once, feeds live as long as their members."""

import asyncio
from typing import Any

import msgspec
import pytest

from tests.unit.hub.peers import ENCODING, Peer, turn
from vagus.hub.feeds import DeltaFeed, ThrottledFeed, WholeFeed, Wishes
from vagus.hub.tick import Tick
from vagus.hub.topic import Topic
from vagus.kernel.channels import ChannelRule
from vagus.kernel.publications import ClientInfo, Position, Publication

WHOLE = Wishes(ENCODING)
POSITIONED = Wishes(ENCODING, is_positioned=True)


def new_topic(gaps: list[Topic]) -> Topic:
    tick = Tick(asyncio.get_running_loop())
    return Topic("news", ChannelRule(pattern="news"), tick, max_delay_s=0, on_gap=gaps.append)


def publish(topic: Topic, offset: int, epoch: str = "e") -> None:
    topic.publish(Publication(msgspec.Raw(b"%d" % offset), offset=offset), epoch if offset else "", "")


def numbers(peer: Peer) -> list[Any]:
    return [msgspec.json.decode(part)["push"]["pub"]["data"] for part in peer.got]


@pytest.mark.parametrize(
    ("start", "published", "heard", "gaps"),
    [
        (None, [(1, "e"), (2, "e")], [1, 2], 0),
        (None, [(7, "e"), (8, "e")], [7, 8], 0),
        (Position(3, "e"), [(4, "e"), (5, "e")], [4, 5], 0),
        (Position(3, "e"), [(2, "e"), (3, "e"), (4, "e")], [4], 0),
        (Position(3, "e"), [(4, "e"), (4, "e"), (5, "e")], [4, 5], 0),
        (Position(3, "e"), [(5, "e"), (6, "e")], [5, 6], 1),
        (Position(3, "e"), [(1, "f"), (2, "f")], [1, 2], 1),
        (Position(0, ""), [(1, "f")], [1], 0),
        (Position(3, "e"), [(0, ""), (4, "e")], [0, 4], 0),
    ],
)
async def test_publications_follow_or_repeat_or_leave_a_gap(
    start: Position | None, published: list[tuple[int, str]], heard: list[int], gaps: int
) -> None:
    found: list[Topic] = []
    topic, peer = new_topic(found), Peer()
    if start is not None:
        topic.start_at(start)
    topic.join(peer, WHOLE)
    for offset, epoch in published:
        publish(topic, offset, epoch)
    await turn(3)
    assert (numbers(peer), len(found)) == (heard, gaps)


async def test_the_live_flow_knows_the_position_better_than_a_history_read_before() -> None:
    topic = new_topic([])
    publish(topic, 5)
    topic.start_at(Position(4, "e"))
    assert topic.position == Position(5, "e")


async def test_those_with_equal_wishes_share_a_feed() -> None:
    topic, one, other, third = new_topic([]), Peer(), Peer(), Peer()
    topic.join(one, WHOLE)
    topic.join(other, WHOLE)
    (feed,) = topic.feeds
    assert feed.members == (one, other)
    topic.leave(one, WHOLE, settle=True)
    topic.leave(other, WHOLE, settle=True)
    assert not topic.feeds
    topic.join(third, WHOLE)
    assert [feed.members for feed in topic.feeds] == [(third,)]


@pytest.mark.parametrize(
    ("wishes", "kind"),
    [
        (WHOLE, WholeFeed),
        (Wishes(ENCODING, has_deltas=True), DeltaFeed),
        (Wishes(ENCODING, rate=1.0), ThrottledFeed),
        (Wishes(ENCODING, has_deltas=True, rate=1.0), ThrottledFeed),
    ],
)
async def test_wishes_choose_the_feed(wishes: Wishes, kind: type) -> None:
    topic = new_topic([])
    topic.join(Peer(), wishes)
    assert [type(feed) for feed in topic.feeds] == [kind]


async def test_those_who_were_promised_a_position_are_known() -> None:
    topic, promised, other = new_topic([]), Peer(), Peer()
    topic.join(promised, POSITIONED)
    topic.join(other, WHOLE)
    assert topic.positioned == [promised]


async def test_who_has_read_further_than_the_flow_joins_it_where_that_ends() -> None:
    topic, first, ahead = new_topic([]), Peer(), Peer()
    topic.start_at(Position(3, "e"))
    topic.join(first, POSITIONED, Position(3, "e"))
    topic.start_at(Position(5, "e"))
    topic.join(ahead, POSITIONED, Position(5, "e"))
    for offset in (4, 5, 6, 7):
        publish(topic, offset)
    await turn(3)
    assert (numbers(first), numbers(ahead)) == ([4, 5, 6, 7], [6, 7])


async def test_who_still_waits_for_the_flow_may_leave_and_come_back_where_it_was() -> None:
    topic, ahead = new_topic([]), Peer()
    topic.start_at(Position(3, "e"))
    topic.join(ahead, POSITIONED, Position(5, "e"))
    assert topic.withheld(ahead, POSITIONED) == b""
    start = topic.leave(ahead, POSITIONED, settle=True)
    publish(topic, 4)
    topic.join(ahead, POSITIONED, start)
    for offset in (5, 6):
        publish(topic, offset)
    await turn(3)
    assert numbers(ahead) == [6]
    assert topic.leave(ahead, POSITIONED, settle=True) is None


@pytest.mark.parametrize(("comes_next", "told"), [(6, ["behind"]), (7, ["behind", "ahead"])])
async def test_a_gap_is_one_only_for_those_who_miss_something_in_it(comes_next: int, told: list[str]) -> None:
    missing: list[list[Peer]] = []
    tick = Tick(asyncio.get_running_loop())
    topic = Topic(
        "news",
        ChannelRule(pattern="news"),
        tick,
        max_delay_s=0,
        on_gap=lambda t: missing.append([*t.positioned]),  # type: ignore[list-item]
    )
    behind, ahead = Peer(), Peer()
    topic.start_at(Position(3, "e"))
    topic.join(behind, POSITIONED, Position(3, "e"))
    topic.join(ahead, POSITIONED, Position(5, "e"))
    publish(topic, comes_next)
    await turn(3)
    assert missing == [[{"behind": behind, "ahead": ahead}[name] for name in told]]
    assert numbers(ahead) == [comes_next]


@pytest.mark.parametrize(
    ("top", "told", "joins_at"),
    [
        (Position(3, "e"), 0, 6),
        (Position(2, "e"), 0, 6),
        (Position(5, "e"), 1, 6),
        (Position(9, "e"), 2, 10),
        (Position(1, "f"), 2, 2),
    ],
)
async def test_what_is_lost_is_skipped_and_told_to_those_who_miss_it(top: Position, told: int, joins_at: int) -> None:
    missing: list[int] = []
    tick = Tick(asyncio.get_running_loop())
    topic = Topic(
        "news", ChannelRule(pattern="news"), tick, max_delay_s=0, on_gap=lambda t: missing.append(len(t.positioned))
    )
    behind, ahead = Peer(), Peer()
    topic.start_at(Position(3, "e"))
    topic.join(behind, POSITIONED, Position(3, "e"))
    topic.join(ahead, POSITIONED, Position(5, "e"))
    topic.skip_to(top)
    assert topic.position == (top if told else Position(3, "e"))
    assert sum(missing) == told
    at = topic.position
    assert at is not None
    for offset in range(at.offset + 1, at.offset + 6):
        publish(topic, offset, at.epoch)
    await turn(3)
    assert numbers(ahead)[0] == joins_at


async def test_a_history_of_another_stream_means_that_the_one_that_flowed_is_lost() -> None:
    gaps: list[Topic] = []
    topic, peer = new_topic(gaps), Peer()
    topic.start_at(Position(3, "e"))
    topic.join(peer, POSITIONED)
    topic.start_at(Position(0, "f"))
    assert (gaps, topic.position) == ([topic], Position(0, "f"))


async def test_what_is_held_is_what_was_published_meanwhile() -> None:
    topic = new_topic([])
    publish(topic, 1)
    held, other = topic.hold(), topic.hold()
    publish(topic, 2)
    topic.release(held)
    publish(topic, 3)
    assert [publication.offset for publication, _ in held] == [2]
    assert [publication.offset for publication, _ in other] == [2, 3]


async def test_news_of_members_go_to_those_who_want_them() -> None:
    topic, curious, other = new_topic([]), Peer(), Peer()
    topic.join_notices(curious, ENCODING)
    topic.join(other, WHOLE)
    topic.announce(ClientInfo("ada", "c1"), joined=True)
    topic.announce(ClientInfo("ada", "c1"), joined=False)
    await turn(3)
    assert [list(msgspec.json.decode(part)["push"]) for part in curious.got] == [
        ["channel", "join"],
        ["channel", "leave"],
    ]
    assert other.got == []
    topic.leave_notices(curious, ENCODING, settle=False)
    topic.announce(ClientInfo("bob", "c2"), joined=True)
    await turn(3)
    assert len(curious.got) == 2
