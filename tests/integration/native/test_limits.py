"""How long, how many, who alone: the bounds of channels and of the names in them."""

import asyncio
import time
from itertools import count

import msgspec
import pytest

from tests.patience import DEADLINE_S
from vagus import ChannelRule, Grant, Hub, Identity, Last, Limits

from .conftest import OpenPeer, OpenRaw, Serve
from .peers import refusal
from .tokens import token, verifier


async def test_a_channels_name_has_255_characters_at_most(serve: Serve, open_peer: OpenPeer) -> None:
    peer = await open_peer(await serve(Hub(open_to_all=True)))
    await peer.subscribe("c" * 255)
    await peer.begin("c" * 256)
    await peer.expect("unsubscribed", "c" * 256, code=107)
    assert await refusal(peer.publish("c" * 256, 1)) == 107


async def test_a_channel_may_have_any_letters(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(Hub(open_to_all=True))
    peer = await open_peer(server)
    name = 'Zürich "€" \\ 😀\u2028\t'
    await peer.subscribe(name)
    await server.publish(name, 1)
    assert await peer.data(name, 1) == [1]


async def test_one_subscription_too_many_is_refused(serve: Serve, open_peer: OpenPeer) -> None:
    peer = await open_peer(await serve(Hub(open_to_all=True, limits=Limits(channels=2))))
    for channel in ("a", "b"):
        await peer.subscribe(channel)
    await peer.begin("c")
    await peer.expect("unsubscribed", "c", code=106)
    await peer.unsubscribe("a")
    await peer.subscribe("c")


@pytest.mark.parametrize(("channel", "enters"), [("talk#42", True), ("talk#41,42", True), ("talk#4", False)])
async def test_a_channel_for_certain_users_admits_them_alone(
    serve: Serve, open_peer: OpenPeer, channel: str, enters: bool
) -> None:
    rule = ChannelRule(pattern="talk{users*}", user_limited=True)
    peer = await open_peer(await serve(Hub(verifier=verifier(), rules=[rule])), token=token("42"))
    await peer.begin(channel)
    if enters:
        await peer.expect("subscribed", channel)
    else:
        await peer.expect("unsubscribed", channel, code=103)


async def test_a_client_may_not_subscribe_where_the_rule_does_not_name_it(serve: Serve, open_peer: OpenPeer) -> None:
    rule = ChannelRule(pattern="news", subscribe=("user",))
    peer = await open_peer(await serve(Hub(allow_anonymous=True, rules=[rule])))
    await peer.begin("news")
    await peer.expect("unsubscribed", "news", code=103)


@pytest.mark.parametrize(("role", "enters"), [("operator", True), ("viewer", False)])
async def test_a_role_from_the_token_opens_a_channel(
    serve: Serve, open_peer: OpenPeer, role: str, enters: bool
) -> None:
    hub = Hub(verifier=verifier(), rules=[ChannelRule(pattern="ops", subscribe=("@operator",))])
    peer = await open_peer(await serve(hub), token=token(roles=frozenset({role})))
    await peer.begin("ops")
    await peer.expect("subscribed" if enters else "unsubscribed", "ops")


async def test_a_function_decides_by_the_places_of_the_name(serve: Serve, open_peer: OpenPeer) -> None:
    hub = Hub(verifier=verifier())

    @hub.channel("orders:{order_id}")
    async def may_follow(order_id: int) -> bool:
        return order_id == 7

    peer = await open_peer(await serve(hub), token=token())
    await peer.subscribe("orders:7")
    for channel, code in (("orders:8", 103), ("orders:seven", 102)):
        await peer.begin(channel)
        await peer.expect("unsubscribed", channel, code=code)


async def test_the_same_channel_twice_is_refused(serve: Serve, open_raw: OpenRaw) -> None:
    raw = await open_raw(await serve(Hub(open_to_all=True)))
    await raw.ask("subscribe", channel="news")
    assert await raw.error("subscribe", channel="news") == 105


async def test_the_end_of_no_subscription_is_no_error(serve: Serve, open_raw: OpenRaw) -> None:
    raw = await open_raw(await serve(Hub(open_to_all=True)))
    assert await raw.ask("unsubscribe", channel="news") == {}


@pytest.mark.parametrize("kind", [1, 2, 3, 4])
async def test_maps_and_polls_are_not_available(serve: Serve, open_raw: OpenRaw, kind: int) -> None:
    raw = await open_raw(await serve(Hub(open_to_all=True)))
    assert await raw.error("subscribe", channel="news", type=kind) == 108


@pytest.mark.parametrize("command", ["subscribe", "unsubscribe"])
async def test_a_subscription_without_a_name_closes(serve: Serve, open_raw: OpenRaw, command: str) -> None:
    raw = await open_raw(await serve(Hub(open_to_all=True)))
    await raw.send({"id": 2, command: {}})
    assert await raw.closed() == (3501, "bad request")


@pytest.mark.parametrize("command", ["publish", "presence", "presence_stats", "history"])
async def test_a_question_without_a_channel_is_refused(serve: Serve, open_raw: OpenRaw, command: str) -> None:
    raw = await open_raw(await serve(Hub(open_to_all=True)))
    assert await raw.error(command, data={}) == 107


async def test_a_function_grants_more_than_yes(serve: Serve, open_peer: OpenPeer) -> None:
    hub = Hub(verifier=verifier())

    @hub.channel("room", presence=True)
    async def may_follow(identity: Identity) -> Grant:
        return Grant(data=msgspec.Raw(b'{"welcome":1}'), info=msgspec.Raw(b'{"seat":7}'))

    peer = await open_peer(await serve(hub), token=token())
    assert (await peer.subscribe("room"))["data"] == {"welcome": 1}
    assert [info["chan_info"] for info in (await peer.presence("room")).values()] == [{"seat": 7}]


async def test_what_a_function_grants_for_a_while_ends(serve: Serve, open_peer: OpenPeer) -> None:
    hub, asked = Hub(verifier=verifier()), count()

    @hub.channel("room")
    async def may_follow(identity: Identity) -> Grant:
        return Grant(expires_at=None if next(asked) else time.time() + 0.3)

    peer = await open_peer(await serve(hub), token=token())
    await peer.subscribe("room")
    await peer.expect("subscribing", "room", code=2501)
    await peer.expect("subscribed", "room")


async def test_the_application_is_told_who_comes_and_goes(serve: Serve, open_peer: OpenPeer) -> None:
    hub, told = Hub(open_to_all=True, verifier=verifier()), []
    hub.on_subscribe(lambda caller, channel: told.append(("in", caller.user, channel)))
    hub.on_unsubscribe(lambda caller, channel: told.append(("out", caller.user, channel)))
    hub.on_disconnect(lambda caller, closure: told.append(("gone", caller.user, closure.code)))
    server = await serve(hub)
    peer = await open_peer(server, token=token("42"))
    for channel in ("a", "b"):
        await peer.subscribe(channel)
    await peer.unsubscribe("a")
    await peer.presence("a")  # answered after that was done
    await server.stop()
    assert told == [("in", "42", "a"), ("in", "42", "b"), ("out", "42", "a"), ("out", "42", "b"), ("gone", "42", 3001)]


async def test_who_leaves_while_the_application_thinks_leaves_nothing(serve: Serve, open_raw: OpenRaw) -> None:
    hub, asked, decided = Hub(allow_anonymous=True), asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    @hub.channel("room", presence=True, history=Last(9, hours=1))
    async def may_follow() -> bool:
        loop.call_soon_threadsafe(asked.set)
        await decided.wait()
        return True

    server = await serve(hub)
    raw = await open_raw(server)
    await raw.send({"id": 2, "subscribe": {"channel": "room"}})
    await asyncio.wait_for(asked.wait(), DEADLINE_S)
    await raw.close()
    await server.alone()
    hub.loop.call_soon_threadsafe(decided.set)
    await server.stop()  # waits for what still runs
    assert (hub.channels(), await server.on(hub.presence("room"))) == ([], {})
