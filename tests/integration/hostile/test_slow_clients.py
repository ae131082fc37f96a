"""Clients that stop reading: the channel's rule decides what becomes of them, and nobody else waits for them."""

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from tests.integration.hostile.house import (
    ANYTHING_GOES,
    FIN,
    PING,
    Bystander,
    House,
    Peer,
    client_frame,
    commands,
    text,
)
from vagus import ChannelRule, Hub, Last, Limits

Build = Callable[..., House]

QUEUE = 300_000
PAD = "x" * 50_000


def hub_with(**options: Any) -> Hub:
    rule = ChannelRule(pattern="feed:{name}", history=Last(1000, minutes=5), subscribe=("anyone",), **options)
    news = ChannelRule(pattern="news:{name}", subscribe=("anyone",), urgent=True)
    limits = Limits(queue_bytes=QUEUE)
    return Hub(rules=[rule, news, ANYTHING_GOES], allow_anonymous=True, limits=limits)


def lazy_peer(house: House) -> Peer:
    """It follows the feed and the news, and reads no more."""
    peer = Peer(house.port, receive_buffer=4096).connected()
    assert "subscribe" in peer.ask(subscribe={"channel": "feed:a", "recoverable": True})
    assert "subscribe" in peer.ask(subscribe={"channel": "news:a"})
    return peer


def fill(house: House, until: Callable[[], object], start: int = 0) -> int:
    """Publish until something is so, never more than 2,000 times; what is held stays within the bound throughout."""

    async def publish() -> int:
        for number in range(start, start + 2000):
            if until():
                return number
            await house.hub.publish("feed:a", msgspec.Raw(msgspec.json.encode({"n": number, "pad": PAD})))
            await asyncio.sleep(0.001)  # a tick or two: a pile of many is one message
            assert all(client.queue_bytes <= QUEUE for client in house.hub.clients.values())
        raise AssertionError("it never came true")

    return house.run(publish())


def numbers_until(peer: Peer, last: int) -> list[int]:
    """The feed's numbers as the peer reads them, up to the last one."""
    seen: list[int] = []
    while not seen or seen[-1] != last:
        for line in peer.lines():
            push = line.get("push", {})
            if push.get("channel") == "feed:a":
                seen.append(push["pub"]["data"]["n"])
            if not line:
                peer.send(text("{}"))
    return seen


def test_by_default_it_is_closed_and_recovers_everything_when_it_comes_back(build: Build) -> None:
    house = build(hub_with())
    bystander = Bystander(house)
    with lazy_peer(house) as lazy:
        before = house.facts()
        count = fill(house, until=lambda: house.hub.figures.slow)
        house.until(lambda: house.gate.open_sockets == before.sockets - 1)
        read = lazy.rest().count(b'"push"')
    assert read < count
    with Peer(house.port).connected() as back:
        reply = back.ask(subscribe={"channel": "feed:a", "recover": True, "offset": 0})["subscribe"]
        assert reply["recovered"] is True
        assert [publication["data"]["n"] for publication in reply["publications"]] == list(range(count))
    bystander.saw_everything()


@pytest.mark.parametrize("when_slow", ["drop-oldest", "keep-latest"])
def test_a_feed_that_may_have_gaps_goes_on_with_the_newest(build: Build, when_slow: str) -> None:
    house = build(hub_with(when_slow=when_slow))
    bystander = Bystander(house)
    with lazy_peer(house) as lazy:
        reached = fill(house, until=lambda: house.hub.figures.dropped > 10)
        last = fill(house, until=iter([*[False] * 10, True]).__next__, start=reached) - 1
        seen = numbers_until(lazy, last)
        assert seen == sorted(set(seen))
        assert len(seen) < last
        assert "publish" in lazy.ask(publish={"channel": "x", "data": 1})
    assert house.hub.figures.slow == 0
    bystander.saw_everything()


def test_urgent_publications_overtake_what_is_held(build: Build) -> None:
    house = build(hub_with(when_slow="drop-oldest"))
    with lazy_peer(house) as lazy:
        last = fill(house, until=lambda: any(client.queue_bytes > QUEUE / 2 for client in house.hub.clients.values()))
        house.publish("news:a", "fire")
        order: list[Any] = []
        while not order or order[-1] != last - 1:
            for line in lazy.lines():
                if "push" in line:
                    data = line["push"]["pub"]["data"]
                    order.append(data if data == "fire" else data["n"])
    assert "fire" in order[:-2]


def test_a_reply_to_who_reads_nothing_is_held_within_the_bound_too(build: Build) -> None:
    house = build(hub_with())
    for n in range(20):
        house.publish("feed:big", {"n": n, "pad": PAD})
    with Peer(house.port, receive_buffer=4096).connected() as greedy:
        assert "subscribe" in greedy.ask(subscribe={"channel": "feed:big"})
        greedy.socket.settimeout(1)
        try:
            for _ in range(200):
                greedy.send(commands({"id": 2, "history": {"channel": "feed:big", "limit": 20}}))
        except TimeoutError:
            pass
        house.until(lambda: house.hub.figures.slow == 1 and not house.hub.clients)
    house.until(lambda: not house.gate.open_sockets)


def test_pings_to_who_reads_nothing_do_not_pile_up(build: Build) -> None:
    house = build(Hub(rules=[ANYTHING_GOES], allow_anonymous=True, limits=Limits(queue_bytes=QUEUE)))
    ping = client_frame(FIN | PING, b"x" * 125) * 500
    with Peer(house.port, receive_buffer=4096).connected() as peer:
        peer.socket.settimeout(1)
        try:
            for _ in range(300):
                peer.send(ping)
        except TimeoutError:
            pass
        (client,) = house.hub.clients.values()
        assert client.queue_bytes <= QUEUE
        assert house.run(_buffered(client)) <= 2 * QUEUE
    house.until(lambda: not house.gate.open_sockets)


async def _buffered(client: Any) -> int:
    size: int = client.transport.get_write_buffer_size()
    return size


@pytest.mark.parametrize("when_slow", ["drop-oldest", "keep-latest"])
def test_an_urgent_feed_that_may_have_gaps_does_not_close_who_reads_slowly(build: Build, when_slow: str) -> None:
    house = build(hub_with(when_slow=when_slow, urgent=True))
    with lazy_peer(house) as lazy:
        reached = fill(house, until=lambda: house.hub.figures.dropped > 10 or house.hub.figures.slow)
        assert house.hub.figures.slow == 0
        last = fill(house, until=iter([False, False, True]).__next__, start=reached) - 1
        assert numbers_until(lazy, last)[-1] == last


@pytest.mark.parametrize("when_slow", ["drop-oldest", "keep-latest"])
def test_a_burst_larger_than_the_queue_leaves_the_newest_to_a_feed_that_may_have_gaps(
    build: Build, when_slow: str
) -> None:
    house = build(hub_with(when_slow=when_slow))
    with lazy_peer(house) as lazy:
        reached = fill(house, until=lambda: house.hub.figures.dropped)
        house.run(_burst(house.hub, range(reached, reached + 20)))
        assert house.hub.figures.slow == 0
        last = fill(house, until=iter([False, True]).__next__, start=reached + 20) - 1
        assert numbers_until(lazy, last)[-1] == last


async def _burst(hub: Hub, numbers: range) -> None:
    for number in numbers:
        await hub.publish("feed:a", msgspec.Raw(msgspec.json.encode({"n": number, "pad": PAD})))
    await asyncio.sleep(0.05)  # the end of the tick, and the rest of the audience
