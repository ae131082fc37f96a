"""What a reader of ``/events`` gets: the format, names of events, filters, rates, who joins and leaves, the end."""

import asyncio

import msgspec
import pytest

from tests.integration.native.serving import Server
from tests.integration.native.tokens import token, verifier
from tests.patience import DEADLINE_S
from vagus import ChannelRule, Hub, Last, Limits
from vagus.auth.origins import OriginRules
from vagus.gateway import events
from vagus.kernel.codes import INSUFFICIENT
from vagus.kernel.identity import Grant

from .conftest import Listen, Serve


@pytest.fixture
def open_hub() -> Hub:
    return Hub(open_to_all=True)


async def test_data_is_a_message_as_it_was_published(serve: Serve, listen: Listen, open_hub: Hub) -> None:
    server = await serve(open_hub)
    reader = await listen(server, "news")
    assert (reader.status, reader.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
    assert reader.headers["x-accel-buffering"] == "no" and "no-store" in reader.headers["cache-control"]
    assert 1_000 <= int((await reader.block())["retry"]) <= 3_000
    await server.publish("news", {"text": "Zähler €", "n": 1})
    event = await reader.event()
    assert event["data"] == '{"text":"Zähler €","n":1}'
    assert "event" not in event


async def test_an_event_has_its_type_as_its_name(serve: Serve, listen: Listen, open_hub: Hub) -> None:
    server = await serve(open_hub)
    reader = await listen(server, "orders")
    for data in (
        {"type": "paid", "id": "1", "at": 2, "payload": {"order": 42}},
        {"type": "moved", "arguments": [1, "two"]},
        {"type": "tick"},
        {"type": "error", "payload": 1},
        {"type": "a\nb", "payload": 1},
    ):
        await server.publish("orders", data)
    seen = [
        (event.get("event"), msgspec.json.decode(event["data"])) for event in [await reader.event() for _ in "12345"]
    ]
    assert seen == [
        ("paid", {"order": 42}),
        ("moved", [1, "two"]),
        ("tick", None),
        (None, {"type": "error", "payload": 1}),
        (None, {"type": "a\nb", "payload": 1}),
    ]


async def test_with_several_channels_each_event_says_where_it_comes_from(
    serve: Serve, listen: Listen, open_hub: Hub
) -> None:
    server = await serve(open_hub)
    reader = await listen(server, "a", "b")
    await server.publish("a", 1)
    await server.publish("b", {"type": "paid", "payload": 2})
    assert msgspec.json.decode((await reader.event())["data"]) == {"channel": "a", "data": 1}
    event = await reader.event()
    assert (event["event"], msgspec.json.decode(event["data"])) == ("paid", {"channel": "b", "data": 2})


async def test_a_channel_without_history_has_no_ids(serve: Serve, listen: Listen) -> None:
    server = await serve(Hub(rules=[ChannelRule(pattern="news", subscribe=("anyone",))], allow_anonymous=True))
    reader = await listen(server, "news")
    await server.publish("news", 1)
    assert await reader.event() == {"data": "1"}


async def test_what_is_published_to_many_comes_in_order(serve: Serve, listen: Listen, open_hub: Hub) -> None:
    server = await serve(open_hub)
    readers = [await listen(server, "news") for _ in range(3)]
    await server.publish_each("news", range(200))
    for reader in readers:
        assert await reader.data(200) == list(range(200))


async def test_a_filter_lets_through_what_matches(serve: Serve, listen: Listen, open_hub: Hub) -> None:
    server = await serve(open_hub)
    one = await listen(server, "news", query={"tag": ["region:eu", "kind:a:b"]})
    other = await listen(server, "news", query={"filter": '{"key":"n","cmp":"gt","val":"1"}', "tag": "region:eu"})
    for number, tags in enumerate(
        ({"region": "eu", "n": "1"}, {"region": "eu", "kind": "a:b"}, {"region": "eu", "n": "2"}, {"n": "3"})
    ):
        await server.publish("news", number, tags=tags)
    assert await one.data(1) == [1]
    assert await other.data(1) == [2]


async def test_a_rate_is_kept_and_the_newest_wins(serve: Serve, listen: Listen, open_hub: Hub) -> None:
    server = await serve(open_hub)
    reader = await listen(server, "news", query={"rate": "2"})
    await server.publish_each("news", range(50))
    assert await reader.data(2) == [0, 49]


async def test_coming_and_going_is_told_to_who_asks(serve: Serve, listen: Listen) -> None:
    server = await serve(Hub(open_to_all=True, verifier=verifier()))
    reader = await listen(server, "room", query={"join_leave": "1"})
    assert (await reader.event())["event"] == "join"  # its own
    visitor = await listen(server, "room", authorization=f"Bearer {token('7')}")
    joined = await reader.event()
    visitor.drop()
    left = await reader.event()
    assert (joined["event"], left["event"]) == ("join", "leave")
    assert msgspec.json.decode(left["data"])["info"]["user"] == "7"


async def test_messages_to_a_user_come_too(serve: Serve, listen: Listen) -> None:
    rule = ChannelRule(pattern="news", subscribe=("user",))
    server = await serve(Hub(rules=[rule], verifier=verifier()))
    reader = await listen(server, "news", query={"access_token": token("7")})
    await reader.block()
    await server.on(server.hub.send({"type": "hello", "payload": 1}, user="7"))
    assert await reader.event() == {"event": "hello", "data": "1"}


async def test_nothing_comes_of_channels_that_were_not_asked_for(serve: Serve, listen: Listen) -> None:
    rules = [ChannelRule(pattern="{any*}", history=Last(10, hours=1), subscribe=("user",))]
    server = await serve(Hub(rules=rules, verifier=verifier(), personal_channels="#"))
    reader = await listen(server, "news", query={"token": token("7")})
    await reader.block()
    await server.on(server.hub.subscribe("later", user="7", grant=Grant()))
    await server.publish("#7", "personal")
    await server.publish("later", "later")
    await server.publish("news", "news")
    assert await reader.data(1) == ["news"]


async def test_a_channel_that_the_server_subscribes_to_may_be_asked_for(serve: Serve, listen: Listen) -> None:
    rules = [ChannelRule(pattern="#{user}", history=Last(10, hours=1))]
    server = await serve(Hub(rules=rules, verifier=verifier(), personal_channels="#"))
    reader = await listen(server, "#7", query={"token": token("7")})
    await server.publish("#7", 1)
    event = await reader.event()
    assert event["data"] == "1"
    reader.drop()
    await server.publish("#7", 2)
    assert await (await listen(server, "#7", query={"token": token("7")}, last_event_id=event["id"])).data(1) == [2]


async def test_an_ended_subscription_is_told(serve: Serve, listen: Listen) -> None:
    rule = ChannelRule(pattern="{any}", subscribe=("user",))
    server = await serve(Hub(rules=[rule], verifier=verifier()))
    reader = await listen(server, "a", "b", query={"token": token("7")})
    await reader.block()
    await server.on(server.hub.unsubscribe("a", user="7"))
    assert await reader.event() == {
        "event": "unsubscribed",
        "data": '{"channel":"a","code":2000,"reason":"server unsubscribe"}',
    }
    await server.publish("a", 1)
    await server.publish("b", 2)
    assert await reader.data(1) == [{"channel": "b", "data": 2}]


async def test_who_is_to_subscribe_again_is_sent_off_to_come_back(serve: Serve, listen: Listen) -> None:
    rule = ChannelRule(pattern="{any}", subscribe=("user",))
    server = await serve(Hub(rules=[rule], verifier=verifier()))
    reader = await listen(server, "a", query={"token": token("7")})
    await reader.block()
    await server.on(server.hub.unsubscribe("a", user="7", ending=INSUFFICIENT))
    assert (await reader.event())["event"] == "unsubscribed"
    farewell = await reader.event()
    assert (farewell["event"], msgspec.json.decode(farewell["data"])["reconnect"]) == ("disconnect", True)
    assert (await reader.rest()).strip() == b""


async def test_a_server_that_stops_says_so(serve: Serve, listen: Listen, open_hub: Hub) -> None:
    server = await serve(open_hub)
    reader = await listen(server, "a", "b")
    await server.stop()
    farewell = await reader.event()
    assert farewell["data"] == '{"code":3001,"reason":"shutdown","reconnect":true}'
    assert (await reader.rest()).strip() == b""


async def test_comments_keep_the_connection_alive(
    serve: Serve, listen: Listen, open_hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "HEARTBEAT_S", 0.3)
    server = await serve(open_hub)
    for reader in (await listen(server, "a"), await listen(server, "a", "b")):
        await reader.block()
        await reader.block()
        assert await reader.block() == {"": ""}
        assert await reader.block() == {"": ""}


async def test_a_reader_that_goes_is_noticed_at_once(serve: Serve, listen: Listen, open_hub: Hub) -> None:
    gone = asyncio.Event()
    loop = asyncio.get_running_loop()
    open_hub.on_disconnect(lambda caller, closure: loop.call_soon_threadsafe(gone.set))
    server = await serve(open_hub)
    reader = await listen(server, "a")
    reader.drop()
    await asyncio.wait_for(gone.wait(), DEADLINE_S)
    assert await epochs_left(server) == 0


async def epochs_left(server: Server) -> int:
    async def count() -> int:
        endpoint = server.gate.endpoints[events.PATH]
        assert isinstance(endpoint, events.EventSources)
        while server.gate.open_sockets:  # noqa: ASYNC110 - the gate counts, and has no event
            await asyncio.sleep(0)
        return len(endpoint.epochs)

    return await server.on(count())


async def test_a_page_of_an_allowed_origin_may_listen(serve: Serve, listen: Listen, open_hub: Hub) -> None:
    page = "https://app.example.com"
    server = await serve(open_hub, origins=OriginRules([page]))
    reader = await listen(server, "a", origin=page)
    assert (reader.status, reader.headers["access-control-allow-origin"]) == (200, page)
    assert reader.headers["access-control-allow-credentials"] == "true"


async def test_a_slow_answer_of_the_application_is_waited_for(serve: Serve, listen: Listen) -> None:
    hub = Hub(allow_anonymous=True, limits=Limits(waiting_commands=1))

    @hub.channel("{name}")
    async def may_follow(name: str) -> bool:
        await asyncio.sleep(0)
        return True

    server = await serve(hub)
    reader = await listen(server, "a", "b", "c")
    assert reader.status == 200
    await server.publish("c", 1)
    assert await reader.data(1) == [{"channel": "c", "data": 1}]
