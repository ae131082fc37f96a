"""Coming back to ``/events`` with ``Last-Event-ID``: nothing lost, nothing repeated, and an honest word where it is."""

import asyncio
from typing import Any

import msgspec
import pytest

from tests.integration.native.serving import Server
from vagus import ChannelRule, Hub, Last
from vagus.wire.eventsource import fingerprint

from .conftest import Listen, Serve

EVERYBODY = ("anyone",)


@pytest.fixture
def open_hub() -> Hub:
    return Hub(open_to_all=True)


async def last_id(reader: Any) -> str:
    """Where a reader stands that has seen nothing yet."""
    while "id" not in (block := await reader.block()):
        pass
    return str(block["id"])


async def test_what_was_missed_comes_first(serve: Serve, listen: Listen, open_hub: Hub) -> None:
    server = await serve(open_hub)
    reader = await listen(server, "news")
    await server.publish_each("news", range(3))
    ids = [(await reader.event())["id"] for _ in range(3)]
    reader.drop()
    await server.publish_each("news", range(3, 6))
    back = await listen(server, "news", last_event_id=ids[1])
    await server.publish("news", 6)
    assert await back.data(5) == [2, 3, 4, 5, 6]


async def test_who_saw_nothing_yet_has_an_id_too(serve: Serve, listen: Listen, open_hub: Hub) -> None:
    server = await serve(open_hub)
    reader = await listen(server, "news")
    at = await last_id(reader)
    reader.drop()
    await server.publish("news", 1)
    assert await (await listen(server, "news", last_event_id=at)).data(1) == [1]


@pytest.mark.parametrize("name", ["last_event_id", "lastEventId"])
async def test_the_id_may_be_in_the_query(serve: Serve, listen: Listen, open_hub: Hub, name: str) -> None:
    server = await serve(open_hub)
    at = await last_id(await listen(server, "news"))
    await server.publish("news", 1)
    assert await (await listen(server, "news", query={name: at})).data(1) == [1]


async def test_an_id_of_several_channels_holds_them_all(serve: Serve, listen: Listen, open_hub: Hub) -> None:
    server = await serve(open_hub)
    reader = await listen(server, "a", "b", "c")
    await server.publish("a", 1)
    await server.publish("b", 2)
    await reader.event()
    at = (await reader.event())["id"]
    reader.drop()
    for channel in "cab":
        await server.publish(channel, f"missed in {channel}")
    back = await listen(server, "c", "b", "a", last_event_id=at)
    missed = await back.data(3)
    assert sorted(each["data"] for each in missed) == ["missed in a", "missed in b", "missed in c"]
    await server.publish("a", "live")
    assert await back.data(1) == [{"channel": "a", "data": "live"}]


async def test_every_id_on_the_way_resumes_exactly(serve: Serve, listen: Listen, open_hub: Hub) -> None:
    """Wherever the connection is cut: each publication is either before the id or comes after it."""
    server = await serve(open_hub)
    reader = await listen(server, "a", "b")
    for number in range(6):
        await server.publish("a" if number % 3 else "b", number)
    seen: list[tuple[str, int]] = []
    for _ in range(6):
        event = await reader.event()
        seen.append((event["id"], msgspec.json.decode(event["data"])["data"]))
    for done, (at, _) in enumerate(seen, 1):
        back = await listen(server, "a", "b", last_event_id=at)
        assert sorted(each["data"] for each in await back.data(6 - done)) == sorted(n for _, n in seen[done:])
        back.drop()


async def test_the_first_id_after_coming_back_forgets_no_channel(serve: Serve, listen: Listen, open_hub: Hub) -> None:
    """Cut among what it missed in one channel, a reader must still get what it missed in the others."""
    server = await serve(open_hub)
    at = await last_id(await listen(server, "a", "b", "c"))
    for channel in "abc":
        await server.publish_each(channel, range(2))
    seen = []
    for _ in range(6):
        back = await listen(server, "a", "b", "c", last_event_id=at)
        event = await back.event()
        at = event["id"]
        seen.append(msgspec.json.decode(event["data"]))
        back.drop()
    assert sorted((each["channel"], each["data"]) for each in seen) == [(c, n) for c in "abc" for n in range(2)]


async def test_a_notice_that_was_cut_off_comes_again(serve: Serve, listen: Listen) -> None:
    rule = ChannelRule(pattern="{any}", history=Last(2, hours=1), subscribe=EVERYBODY)
    server = await serve(Hub(rules=[rule], allow_anonymous=True))
    at = await last_id(await listen(server, "a", "b"))
    await server.publish("a", "kept")
    await server.publish_each("b", range(5))
    back = await listen(server, "a", "b", last_event_id=at)
    at = (await back.event())["id"]  # of what was kept in "a"; what follows about "b" is not read
    back.drop()
    again = await listen(server, "a", "b", last_event_id=at)
    assert await again.event() == {"event": "unrecovered", "data": '{"channel":"b"}'}


async def test_one_channel_may_become_several(serve: Serve, listen: Listen, open_hub: Hub) -> None:
    server = await serve(open_hub)
    at = await last_id(await listen(server, "a"))
    await server.publish("a", 1)
    await server.publish("b", 2)
    assert await (await listen(server, "a", "b", last_event_id=at)).data(1) == [{"channel": "a", "data": 1}]


@pytest.mark.parametrize("at", ["1c291ca3.42.nobody", "nonsense", "%s.99999999999999999999.x" % ("0" * 8), "~", "é"])
async def test_who_cannot_be_helped_is_told_and_goes_on(serve: Serve, listen: Listen, open_hub: Hub, at: str) -> None:
    server = await serve(open_hub)
    await server.publish("news", 1)
    reader = await listen(server, "news", last_event_id=at.replace("1c291ca3", fingerprint("news")))
    assert await reader.event() == {"event": "unrecovered", "data": '{"channel":"news"}'}
    await server.publish("news", 2)
    assert await reader.data(1) == [2]


async def test_with_several_channels_each_one_is_told_of_alone(serve: Serve, listen: Listen) -> None:
    rule = ChannelRule(pattern="{any}", history=Last(2, hours=1), subscribe=EVERYBODY)
    server = await serve(Hub(rules=[rule], allow_anonymous=True))
    at = await last_id(await listen(server, "a", "b"))
    await server.publish_each("a", range(5))
    await server.publish("b", "kept")
    back = await listen(server, "a", "b", last_event_id=at)
    assert await back.event() == {"event": "unrecovered", "data": '{"channel":"a"}'}
    assert await back.data(1) == [{"channel": "b", "data": "kept"}]


async def test_another_server_is_another_epoch(serve: Serve, listen: Listen, open_hub: Hub) -> None:
    server = await serve(open_hub)
    reader = await listen(server, "news")
    await server.publish("news", 1)
    at = (await reader.event())["id"]
    await server.stop()
    await server.start(Hub(open_to_all=True))
    await server.publish_each("news", [1, 2])
    assert (await (await listen(server, "news", last_event_id=at)).event())["event"] == "unrecovered"


async def test_a_cache_brings_the_newest(serve: Serve, listen: Listen) -> None:
    rule = ChannelRule(pattern="state", history=Last(1, hours=1), recovery="cache", subscribe=EVERYBODY)
    server = await serve(Hub(rules=[rule], allow_anonymous=True))
    at = await last_id(await listen(server, "state"))
    await server.publish_each("state", range(5))
    back = await listen(server, "state", last_event_id=at)
    await server.publish("state", 5)
    assert await back.data(2) == [4, 5]


async def test_much_that_was_missed_comes_through_a_slow_line(serve: Serve, listen: Listen, open_hub: Hub) -> None:
    """More than is held for a client that lags: it must not be closed for what it asked for."""
    server = await serve(open_hub)
    at = await last_id(await listen(server, "news"))
    await server.publish_each("news", ["x" * 30_000] * 80)
    back = await listen(server, "news", last_event_id=at)
    assert [len(each) for each in await back.data(80)] == [30_000] * 80


async def test_what_overtakes_does_not_claim_what_it_overtook(serve: Serve, listen: Listen) -> None:
    """An urgent event comes before what is still held; its id says that the held ones are yet to come."""
    rules = [
        ChannelRule(pattern="bulk", history=Last(100, hours=1), subscribe=EVERYBODY),
        ChannelRule(pattern="alerts", history=Last(100, hours=1), subscribe=EVERYBODY, urgent=True),
    ]
    server = await serve(Hub(rules=rules, allow_anonymous=True))
    reader = await listen(server, "bulk", "alerts")
    await last_id(reader)
    await server.on(publish_to_a_paused_reader(server))
    seen: list[tuple[str, int, str]] = []
    for _ in range(7):
        event = await reader.event()
        said = msgspec.json.decode(event["data"])
        seen.append((said["channel"], said["data"], event["id"]))
    assert [each[:2] for each in seen] == [*(("alerts", n) for n in range(3)), *(("bulk", n) for n in range(4))]
    back = await listen(server, "bulk", "alerts", last_event_id=seen[1][2])
    rest = [(each["channel"], each["data"]) for each in await back.data(5)]
    assert sorted(rest) == [("alerts", 2), *(("bulk", n) for n in range(4))]


async def publish_to_a_paused_reader(server: Server) -> None:
    (client,) = server.hub.clients.values()
    client.pause()
    for number in range(4):
        await server.hub.publish("bulk", number)
    for number in range(3):
        await server.hub.publish("alerts", number)
    for _ in range(10):
        await asyncio.sleep(0)
    client.resume()


@pytest.mark.parametrize("channels", [("a",), ("a", "b", "c")], ids=["one", "several"])
async def test_what_is_published_while_somebody_comes_back_is_neither_lost_nor_repeated(
    serve: Serve, listen: Listen, open_hub: Hub, channels: tuple[str, ...]
) -> None:
    server = await serve(open_hub)
    at = await last_id(await listen(server, *channels))
    publishing = asyncio.gather(*(server.publish_each(channel, range(60)) for channel in channels))
    seen: dict[str, list[int]] = {channel: [] for channel in channels}
    left = 60 * len(channels)
    while left:
        reader = await listen(server, *channels, last_event_id=at)
        for _ in range(min(17, left)):
            event = await reader.event()
            at, said = event["id"], msgspec.json.decode(event["data"])
            channel, number = ("a", said) if len(channels) == 1 else (said["channel"], said["data"])
            seen[channel].append(number)
            left -= 1
        reader.drop()
    await publishing
    assert seen == {channel: list(range(60)) for channel in channels}
