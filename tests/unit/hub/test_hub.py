"""The hub's public face: furnishing, hooks, orders, asking, bounds, and an orderly end."""

import asyncio
from typing import Any

import msgspec
import pytest
import structlog

from vagus.hub.hub import Hub, json_of
from vagus.hub.requests import Caller, ConnectRequest
from vagus.kernel import codes
from vagus.kernel.channels import ChannelRule, Last
from vagus.kernel.codes import Closure
from vagus.kernel.errors import DisconnectError, RefusedError, RuleError
from vagus.kernel.history import Query
from vagus.kernel.identity import Identity
from vagus.kernel.limits import Limits
from vagus.kernel.replies import Attached, Ended, Message
from vagus.testing import Received, in_memory
from vagus.testing.link import MemoryLink

NEWS = ChannelRule(pattern="news", subscribe=("anyone",), publish=("anyone",))
KEPT = ChannelRule(
    pattern="kept:{n}", history=Last(5, hours=1), presence=True, subscribe=("anyone",), read_history=("user",)
)


def new_hub(**options: Any) -> Hub:
    return Hub(rules=(NEWS, KEPT), allow_anonymous=True, **options)


def test_a_hub_that_is_not_started_says_how_to_start_it() -> None:
    with pytest.raises(RuntimeError, match="async with hub"):
        _ = Hub().loop


async def test_a_hub_starts_once() -> None:
    async with Hub() as hub:
        assert hub.is_started
        with pytest.raises(RuntimeError, match="started already"):
            await hub.start()


def test_a_channel_without_a_rule_has_no_function_for_publishing() -> None:
    with pytest.raises(ValueError, match="'orders' has no rule yet"):
        Hub().may_publish("orders")(lambda: True)


def test_a_name_has_one_function() -> None:
    hub = Hub()
    hub.call("x")(lambda caller: None)
    with pytest.raises(ValueError, match="'x' has a function already"):
        hub.call("x")(lambda caller: None)
    hub.event("x")(lambda caller: None)


def test_a_wrong_rule_is_refused_where_it_is_written() -> None:
    with pytest.raises(RuleError, match=r"^channel 'a': *|^channel 'a'\.throttle"):
        Hub().channel("a", throttle=-1)(lambda: True)
    with pytest.raises(TypeError):
        Hub().channel("a", hist=1)(lambda: True)  # type: ignore[call-arg]


async def test_a_hub_may_be_started_again_and_begins_anew() -> None:
    hub = Hub(rules=[ChannelRule(pattern="news", subscribe=("anyone",))], allow_anonymous=True)
    for _ in range(2):
        async with in_memory(hub) as world:
            client = await world.connect()
            await client.subscribe("news")
            assert len(hub.clients) == 1
        assert not hub.is_started
        assert not hub.clients


async def test_limits_set_before_the_start_hold() -> None:
    hub = Hub(allow_anonymous=True)
    hub.limits = Limits(connections_per_user=1)
    async with in_memory(hub) as world:
        await world.connect(user="ada")
        with pytest.raises(DisconnectError, match="connection limit"):
            await world.connect(user="ada")


async def test_a_history_longer_than_a_recovery_is_warned_of() -> None:
    hub = Hub(rules=[ChannelRule(pattern="news", history=Last(1000, hours=1))])
    with structlog.testing.capture_logs() as events:
        async with in_memory(hub):
            pass
    assert [event["channel"] for event in events if event["event"] == "history_exceeds_recovery"] == ["news"]


async def test_hooks_are_told_in_the_order_of_things() -> None:
    hub, told = new_hub(), list[Any]()

    @hub.on_connect
    async def connecting(request: ConnectRequest, identity: Identity) -> None:
        told.append(("connect", identity.user))

    @hub.on_subscribe
    def subscribed(caller: Caller, channel: str) -> None:
        told.append(("subscribe", caller.user, channel))

    @hub.on_unsubscribe
    def unsubscribed(caller: Caller, channel: str) -> None:
        told.append(("unsubscribe", caller.user, channel))

    @hub.on_disconnect
    def gone(caller: Caller, closure: Closure) -> None:
        told.append(("disconnect", caller.user, closure.code))

    async with in_memory(hub) as world:
        ada = await world.connect(user="ada")
        await ada.subscribe("news")
        await ada.unsubscribe("news")
        await ada.subscribe("kept:1")
        await hub.disconnect(user="ada")
        await world.settle()
    assert told == [
        ("connect", "ada"),
        ("subscribe", "ada", "news"),
        ("unsubscribe", "ada", "news"),
        ("subscribe", "ada", "kept:1"),
        ("unsubscribe", "ada", "kept:1"),
        ("disconnect", "ada", 3503),
    ]


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (RefusedError.because(401, "not today"), codes.Fault(401, "not today")),
        (DisconnectError.because(4501, "never"), Closure(4501, "never")),
    ],
)
async def test_a_connect_hook_refuses_in_its_own_words(error: Exception, expected: object) -> None:
    hub = new_hub()

    @hub.on_connect
    def refuse(request: ConnectRequest, identity: Identity) -> None:
        raise error

    async with in_memory(hub) as world:
        with pytest.raises((RefusedError, DisconnectError)) as caught:
            await world.connect()
        assert getattr(caught.value, "fault", None) == expected or getattr(caught.value, "closure", None) == expected
        assert hub.clients == {}


async def test_a_hook_that_fails_is_logged_and_stops_nothing(logs: list[Any]) -> None:
    hub = new_hub()

    @hub.on_subscribe
    def fail(caller: Caller, channel: str) -> None:
        raise ZeroDivisionError

    @hub.on_disconnect
    async def fail_later(caller: Caller, closure: Closure) -> None:
        await asyncio.sleep(1)
        raise ZeroDivisionError

    async with in_memory(hub) as world:
        ada = await world.connect(user="ada")
        await ada.subscribe("news")
        ada.drop()
        await asyncio.sleep(2)
    assert [entry["event"] for entry in logs] == ["background_failed"] * 2


async def test_orders_reach_the_clients_that_they_mean() -> None:
    hub = new_hub()
    async with in_memory(hub) as world:
        one, other, bob = [await world.connect(user=user) for user in ("ada", "ada", "bob")]
        await hub.send({"n": 1}, user="ada")
        await hub.send({"n": 2}, client=bob.id)
        await hub.send({"n": 3}, user="ada", client=bob.id)
        assert [await client.heard() for client in (one, other, bob)] == [
            [Message(msgspec.Raw(b'{"n":1}'))],
            [Message(msgspec.Raw(b'{"n":1}'))],
            [Message(msgspec.Raw(b'{"n":2}'))],
        ]
        await hub.disconnect(user="ada", spare=[other.id])
        assert await one.closure() is codes.FORCE_DISCONNECT
        assert (other.is_open, bob.is_open) == (True, True)


async def test_the_server_subscribes_and_unsubscribes_clients() -> None:
    hub = new_hub()
    async with in_memory(hub) as world:
        ada = await world.connect(user="ada")
        await hub.subscribe("news", user="ada")
        await hub.subscribe("news", user="ada")
        await hub.publish("news", 1)
        await hub.unsubscribe("news", user="ada")
        await hub.unsubscribe("news", user="ada")
        await hub.publish("news", 2)
        assert [type(heard) for heard in await ada.heard()] == [Attached, Received, Ended]
        with pytest.raises(RefusedError, match="unknown channel"):
            await hub.subscribe("nowhere", user="ada")


async def test_broadcast_gives_each_channel_its_own_answer() -> None:
    async with in_memory(new_hub()) as world:
        results = await world.hub.broadcast(["kept:1", "nowhere", "kept:2"], {"a": 1})
        assert list(results) == ["kept:1", "nowhere", "kept:2"]
        assert isinstance(results["nowhere"], RefusedError)


@pytest.mark.parametrize(
    ("verb", "channel", "fault"),
    [
        ("history", "news", codes.NOT_AVAILABLE),
        ("remove_history", "news", codes.NOT_AVAILABLE),
        ("presence", "news", codes.NOT_AVAILABLE),
        ("presence_stats", "news", codes.NOT_AVAILABLE),
        ("history", "nowhere", codes.UNKNOWN_CHANNEL),
        ("presence", "", codes.BAD_REQUEST),
        ("presence", "n" * 256, codes.BAD_REQUEST),
    ],
)
async def test_what_a_channel_does_not_have_cannot_be_asked(verb: str, channel: str, fault: codes.Fault) -> None:
    async with in_memory(new_hub()) as world:
        with pytest.raises(RefusedError) as caught:
            await getattr(world.hub, verb)(channel)
        assert caught.value.fault is fault


async def test_history_is_all_that_is_kept_unless_asked_otherwise() -> None:
    async with in_memory(new_hub()) as world:
        for n in range(7):
            await world.hub.publish("kept:1", n)
        everything = await world.hub.history("kept:1")
        assert [publication.offset for publication in everything.publications] == [3, 4, 5, 6, 7]
        newest = await world.hub.history("kept:1", Query(1, reverse=True))
        assert [publication.offset for publication in newest.publications] == [7]


async def test_channels_are_those_followed_here_chosen_by_a_glob() -> None:
    hub = new_hub()
    async with in_memory(hub) as world:
        ada, bob = await world.connect(user="ada"), await world.connect(user="bob")
        for channel in ("news", "kept:1"):
            await ada.subscribe(channel)
        await bob.subscribe("kept:1")
        assert {(channel.name, channel.num_clients) for channel in hub.channels()} == {("news", 1), ("kept:1", 2)}
        assert [channel.name for channel in hub.channels("kept:*")] == ["kept:1"]
        assert (hub.num_users, hub.num_subscriptions) == (2, 3)


async def test_events_reach_their_function_and_others_nobody() -> None:
    hub, seen = new_hub(), list[Any]()

    @hub.event("typing")
    def typing(caller: Caller, payload: dict[str, str]) -> None:
        seen.append((caller.user, payload))

    async with in_memory(hub) as world:
        ada, nobody = await world.connect(user="ada"), await world.connect()
        ada.send("typing", {"in": "news"})
        ada.send("other")
        ada.say('{"send":{"data":[1]}}')
        nobody.send("typing", {"in": "x"})
        await world.settle()
        assert seen == [("ada", {"in": "news"})]
        assert ada.is_open


async def test_a_call_that_takes_too_long_is_an_internal_error(logs: list[Any]) -> None:
    hub = new_hub(limits=Limits(answer_s=2))

    @hub.call("forever", allow=("anyone",))
    async def forever(caller: Caller) -> None:
        await asyncio.sleep(1e6)

    async with in_memory(hub) as world:
        client = await world.connect()
        with pytest.raises(RefusedError) as caught:
            await client.call("forever")
        assert caught.value.fault == codes.INTERNAL
        assert logs[0]["event"] == "command_failed"


async def test_calls_are_for_those_whom_they_allow() -> None:
    hub = new_hub()
    hub.call("secret", allow=("@admin",))(lambda caller: caller.user)
    async with in_memory(hub) as world:
        ada, root = await world.connect(user="ada"), await world.connect(user="root", roles=["admin"])
        with pytest.raises(RefusedError, match="permission denied"):
            await ada.call("secret")
        assert await root.call("secret", returns=str) == "root"


async def test_a_method_that_nobody_registered_is_not_found() -> None:
    async with in_memory(new_hub()) as world:
        with pytest.raises(RefusedError, match="method not found"):
            await (await world.connect()).call("x")


async def test_a_user_has_no_more_connections_than_allowed() -> None:
    async with in_memory(new_hub(limits=Limits(connections_per_user=1))) as world:
        first = await world.connect(user="ada")
        with pytest.raises(DisconnectError) as caught:
            await world.connect(user="ada")
        assert caught.value.closure is codes.CONNECTION_LIMIT
        await world.connect(user="bob")
        first.drop()
        await world.connect(user="ada")


async def test_a_stop_closes_every_client_and_finishes_what_runs() -> None:
    hub, finished = new_hub(), list[str]()

    @hub.on_disconnect
    async def tidy(caller: Caller, closure: Closure) -> None:
        await asyncio.sleep(1)
        finished.append(caller.user)

    await hub.start()
    async with in_memory(hub) as world:
        clients = [await world.connect(user=user) for user in ("ada", "bob")]
        await hub.stop()
        assert [await client.closure() for client in clients] == [codes.SHUTDOWN] * 2
    assert sorted(finished) == ["ada", "bob"]


async def test_a_hub_that_is_not_started_may_be_stopped() -> None:
    hub = Hub()
    await hub.stop()
    async with hub:
        await hub.stop()
        await hub.stop()
    assert not hub.is_started


async def test_a_stop_closes_clients_that_have_not_said_who_they_are() -> None:
    hub, asked = new_hub(), asyncio.Event()

    @hub.authenticate
    async def who(request: ConnectRequest) -> Identity:
        asked.set()
        await asyncio.Event().wait()
        raise AssertionError

    await hub.start()
    silent, asking = MemoryLink(hub, lambda _: None), MemoryLink(hub, lambda _: None)
    asking.say('{"id":1,"connect":{}}')
    await asked.wait()
    await hub.stop()
    assert [silent.closure, asking.closure] == [codes.SHUTDOWN] * 2


async def test_nobody_is_let_in_while_a_hub_stops() -> None:
    hub, stopping = new_hub(), asyncio.Event()

    @hub.on_disconnect
    async def tidy(caller: Caller, closure: Closure) -> None:
        stopping.set()
        await asyncio.sleep(1)

    await hub.start()
    MemoryLink(hub, lambda _: None).say('{"id":1,"connect":{}}')

    async def come() -> MemoryLink:
        await stopping.wait()
        late = MemoryLink(hub, lambda _: None)
        late.say('{"id":1,"connect":{}}')
        assert late.closure is codes.SHUTDOWN
        return MemoryLink(hub, lambda _: None)

    coming = asyncio.ensure_future(come())
    await hub.stop()
    silent = await coming
    assert (silent.closure, len(hub.clients)) == (codes.SHUTDOWN, 0)


def test_an_open_hub_takes_a_rule_for_everything_as_it_is() -> None:
    rule = ChannelRule(pattern="{rest*}", presence=True)
    assert Hub(rules=[rule], open_to_all=True).rule_of("anything") is rule


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({"a": [1, None]}, b'{"a":[1,null]}'),
        (msgspec.Raw(b'{"a": 1}'), b'{"a": 1}'),
        (msgspec.Raw(b'{"a":\n1}'), b'{"a":1}'),
        ("a\nb", b'"a\\nb"'),
    ],
)
def test_data_becomes_json_on_one_line(data: object, text: bytes) -> None:
    assert bytes(json_of(data)) == text


def test_data_that_cannot_be_json_is_a_bug_of_the_caller() -> None:
    with pytest.raises(TypeError):
        json_of(object())
