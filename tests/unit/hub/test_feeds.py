"""Feeds: patches that apply, rates where the newest wins, and filters that are asked once."""

import asyncio
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.hub.peers import ENCODING, Peer, new_audience, turn
from vagus.hub.feeds import DeltaFeed, Feed, ThrottledFeed, WholeFeed
from vagus.hub.tick import Tick
from vagus.kernel.filters import FilterNode, compile_filter
from vagus.kernel.publications import Publication
from vagus.testing import FakeClock
from vagus.wire.centrifuge import fossil

OPENING = ENCODING.dialect.opening("news")
EVEN = compile_filter(FilterNode(key="parity", cmp="eq", val="even"))


def publication(data: object, **tags: str) -> Publication:
    return Publication(msgspec.Raw(msgspec.json.encode(data)), tags=tags or None)


def data_of(part: bytes) -> Any:
    return msgspec.json.decode(part)["push"]["pub"]["data"]


def publish(feed: Feed, data: object, exclude: str = "", **tags: str) -> None:
    feed.publish(publication(data, **tags), exclude, {})


def payload(n: int) -> dict[str, object]:
    return {"a constant part of some length": "x" * 50, "n": n}


class DeltaReader(Peer):
    """Applies patches as a client does."""

    def __init__(self, name: str = "peer") -> None:
        super().__init__(name)
        self.patches = 0

    @property
    def payloads(self) -> list[Any]:
        """What the parts say. Raises ``DeltaError`` if a patch has not the base that it was made for."""
        found, base = list[Any](), b""
        self.patches = 0
        for part in self.got:
            pub = msgspec.json.decode(part)["push"]["pub"]
            sent = pub["data"].encode()
            self.patches += bool(pub.get("delta"))
            base = fossil.apply(base, sent) if pub.get("delta") else sent
            found.append(msgspec.json.decode(base)["n"])
        return found


async def test_a_filter_lets_through_what_matches() -> None:
    feed, peer = WholeFeed(new_audience(), OPENING, EVEN), Peer()
    feed.join(peer)
    for n in range(4):
        publish(feed, n, parity="odd" if n % 2 else "even")
    publish(feed, 4)
    await turn(3)
    assert [data_of(part) for part in peer.got] == [0, 2]


async def test_feeds_of_one_dialect_share_what_was_encoded() -> None:
    feeds, peers = [WholeFeed(new_audience(), OPENING) for _ in range(2)], [Peer(), Peer()]
    encoded: dict[Any, bytes] = {}
    for feed, peer in zip(feeds, peers, strict=True):
        feed.join(peer)
        feed.publish(publication(1), "", encoded)
    await turn(3)
    assert len(encoded) == 1
    assert peers[0].got == peers[1].got


async def test_the_first_publication_is_whole_and_the_next_are_patches() -> None:
    feed, peer = DeltaFeed(new_audience(), OPENING), DeltaReader()
    feed.join(peer)
    for n in range(3):
        publish(feed, payload(n))
        await turn(3)
    assert (peer.payloads, peer.patches) == ([0, 1, 2], 2)


async def test_who_comes_later_starts_with_a_whole_one() -> None:
    feed, early, late = DeltaFeed(new_audience(), OPENING), DeltaReader(), DeltaReader()
    feed.join(early)
    publish(feed, payload(0))
    feed.join(late)
    for n in (1, 2):
        publish(feed, payload(n))
    await turn(3)
    assert (early.payloads, early.patches) == ([0, 1, 2], 2)
    assert (late.payloads, late.patches) == ([1, 2], 1)


async def test_an_excluded_sender_starts_anew_with_a_whole_one() -> None:
    feed, sender, other = DeltaFeed(new_audience(), OPENING), DeltaReader("sender"), DeltaReader("other")
    for peer in (sender, other):
        feed.join(peer)
    for n, exclude in [(0, ""), (1, "sender"), (2, ""), (3, "")]:
        publish(feed, payload(n), exclude)
    await turn(3)
    assert (sender.payloads, sender.patches) == ([0, 2, 3], 1)
    assert (other.payloads, other.patches) == ([0, 1, 2, 3], 3)


DELTA_STEPS = st.lists(
    st.tuples(st.sampled_from(["join", "leave", "publish", "publish", "exclude", "turn"]), st.integers(0, 3)),
    max_size=40,
)


@given(DELTA_STEPS)
def test_a_chain_of_patches_says_what_was_published(steps: list[tuple[str, int]]) -> None:
    async def play() -> None:
        feed, peers = DeltaFeed(new_audience(), OPENING), [DeltaReader(str(n)) for n in range(4)]
        expected: list[list[int]] = [[] for _ in peers]
        members = set[int]()
        for number, (step, n) in enumerate(steps):
            match step:
                case "join" if n not in members:
                    members.add(n)
                    feed.join(peers[n])
                case "leave" if n in members:
                    members.discard(n)
                    feed.leave(peers[n], settle=True)
                case "publish" | "exclude":
                    publish(feed, payload(number), str(n) if step == "exclude" else "")
                    for m in members - ({n} if step == "exclude" else set()):
                        expected[m].append(number)
                case "turn":
                    await turn(3)
        await turn(5)
        assert [peer.payloads for peer in peers] == expected
        assert {peer.id for peer in feed.members} == {str(n) for n in members}
        assert len(feed) == len(members)

    FakeClock().run(play())


def throttled(rate: float = 1.0, *, filtered: bool = False) -> ThrottledFeed:
    tick = Tick(asyncio.get_running_loop())
    return ThrottledFeed(new_audience(), OPENING, tick, rate, EVEN if filtered else None)


def received(peer: Peer) -> list[Any]:
    return [data_of(part) for part in peer.got]


async def test_a_rate_sends_the_first_at_once_and_the_newest_when_its_time_comes() -> None:
    feed, peer = throttled(2.0), Peer()
    feed.join(peer)
    for n in range(5):
        publish(feed, n)
    await turn(3)
    assert received(peer) == [0]
    await asyncio.sleep(0.49)
    assert received(peer) == [0]
    await asyncio.sleep(0.02)
    assert received(peer) == [0, 4]
    await asyncio.sleep(5)
    publish(feed, 5)
    await turn(3)
    assert received(peer) == [0, 4, 5]


async def test_no_more_is_sent_in_any_second_than_was_asked_for(clock: FakeClock) -> None:
    feed, peer, times = throttled(4.0), Peer(), list[float]()
    peer.write = lambda data: times.append(clock())  # type: ignore[method-assign]
    feed.join(peer)
    for n in range(300):
        publish(feed, n)
        await asyncio.sleep(0.013)
    assert all(later - earlier >= 0.25 - 1e-6 for earlier, later in pairwise(times))
    assert len(times) > 12


async def test_who_joins_while_one_waits_is_let_in_after_it() -> None:
    feed, early, late, gone = throttled(), Peer(), Peer(), Peer()
    feed.join(early)
    publish(feed, 0)
    publish(feed, 1)
    feed.join(late)
    feed.join(gone)
    assert len(feed) == len(feed.members) == 3
    feed.leave(gone, settle=True)
    await asyncio.sleep(1.1)
    assert (received(early), received(late)) == ([0, 1], [])
    publish(feed, 2)
    await asyncio.sleep(1.1)
    assert (received(early), received(late), received(gone)) == ([0, 1, 2], [2], [])


async def test_who_joins_while_one_waits_gets_the_newer_one_that_replaces_it() -> None:
    feed, early, late = throttled(), Peer(), Peer()
    feed.join(early)
    publish(feed, 0)
    publish(feed, 1)
    feed.join(late)
    publish(feed, 2)
    await asyncio.sleep(1.1)
    assert (received(early), received(late)) == ([0, 2], [2])


async def test_a_rate_counts_what_passes_the_filter_alone() -> None:
    feed, peer = throttled(filtered=True), Peer()
    feed.join(peer)
    for n, parity in [(1, "odd"), (2, "even"), (4, "even"), (5, "odd")]:
        publish(feed, n, parity=parity)
    await asyncio.sleep(1.1)
    assert received(peer) == [2, 4]


@pytest.mark.parametrize("settle", [True, False])
async def test_a_member_that_left_a_throttled_feed_gets_nothing_more(settle: bool) -> None:
    feed, peer = throttled(), Peer()
    feed.join(peer)
    publish(feed, 0)
    await turn(3)
    publish(feed, 1)
    feed.leave(peer, settle=settle)
    await asyncio.sleep(1.1)
    assert received(peer) == [0]
    assert len(feed) == 0
