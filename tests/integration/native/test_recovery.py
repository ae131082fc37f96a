"""No gap and no repetition across cut sockets, as far as the history reaches; and an honest word beyond it."""

from typing import Any

import pytest

from vagus import ChannelRule, Hub, Last, Limits

from .conftest import ONLY_NODE, OpenPeer, OpenRaw, Serve
from .peers import Event, Peer
from .serving import Server
from .test_server_side import lose_one


def hub_with(size: int = 100, limits: Limits | None = None, **options: Any) -> Hub:
    rule = ChannelRule(pattern="{any*}", history=Last(size, hours=1), subscribe=("anyone",), **options)
    return Hub(allow_anonymous=True, rules=[rule], limits=limits)


async def followed(serve: Serve, open_peer: OpenPeer, hub: Hub, **options: Any) -> tuple[Server, Peer]:
    """A client that follows ``feed`` and has seen its first publication."""
    server = await serve(hub)
    peer = await open_peer(server)
    await peer.subscribe("feed", **(options or {"recoverable": True}))
    await server.publish("feed", 1)
    assert await peer.data("feed", 1) == [1]
    return server, peer


def outcome(subscribed: Event) -> tuple[bool, bool]:
    return subscribed["was_recovering"], subscribed["recovered"]


async def test_a_subscription_says_where_it_stands(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(hub_with())
    receipt = await server.publish("feed", 1)
    subscribed = await (await open_peer(server)).subscribe("feed", recoverable=True)
    assert subscribed["position"] == {"offset": 1, "epoch": receipt.position.epoch}
    assert (subscribed["recoverable"], subscribed["positioned"], *outcome(subscribed)) == (True, True, False, False)


async def test_all_that_was_missed_comes_once_and_in_order(serve: Serve, open_peer: OpenPeer) -> None:
    server, peer = await followed(serve, open_peer, hub_with())
    await server.cut(*(("feed", number) for number in range(2, 50)))
    assert outcome(await peer.expect("subscribed", "feed")) == (True, True)
    await server.publish("feed", 50)
    events = [await peer.expect("publication", "feed") for _ in range(49)]
    assert [(event["data"], event["offset"]) for event in events] == [(n, n) for n in range(2, 51)]


async def test_nothing_is_lost_or_repeated_while_sockets_are_cut_again_and_again(
    serve: Serve, open_peer: OpenPeer
) -> None:
    server, peer = await followed(serve, open_peer, hub_with(300))
    for number in range(2, 200):
        await server.publish("feed", number)
        if number % 20 == 0:
            await server.cut()
    assert await peer.data("feed", 198) == list(range(2, 200))
    await server.publish("feed", "end")
    assert await peer.data("feed", 1) == ["end"]


async def test_nothing_missed_is_recovered_too(serve: Serve, open_peer: OpenPeer) -> None:
    server, peer = await followed(serve, open_peer, hub_with())
    await server.cut()
    assert outcome(await peer.expect("subscribed", "feed")) == (True, True)
    await server.publish("feed", 2)
    assert await peer.data("feed", 1) == [2]


async def test_beyond_the_history_the_client_is_told(serve: Serve, open_peer: OpenPeer) -> None:
    server, peer = await followed(serve, open_peer, hub_with(size=3))
    await server.cut(*(("feed", number) for number in range(2, 6)))
    subscribed = await peer.expect("subscribed", "feed")
    assert (*outcome(subscribed), subscribed["position"]["offset"]) == (True, False, 5)
    await server.publish("feed", 6)
    assert await peer.data("feed", 1) == [6]


@pytest.mark.parametrize(("missed", "seen"), [([2, 3, 4], [2, 3, 4, "end"]), ([2, 3, 4, 5], ["end"])])
async def test_beyond_what_one_recovery_may_replay_the_client_is_told(
    serve: Serve, open_peer: OpenPeer, missed: list[int], seen: list[object]
) -> None:
    server, peer = await followed(serve, open_peer, hub_with(limits=Limits(history=3)))
    await server.cut(*(("feed", number) for number in missed))
    assert outcome(await peer.expect("subscribed", "feed")) == (True, len(seen) > 1)
    await server.publish("feed", "end")
    assert await peer.data("feed", len(seen)) == seen


async def test_another_server_is_another_epoch(serve: Serve, open_peer: OpenPeer) -> None:
    server, peer = await followed(serve, open_peer, hub_with())
    await server.stop()
    await server.start(hub_with())
    subscribed = await peer.expect("subscribed", "feed")
    assert (*outcome(subscribed), subscribed["position"]["offset"]) == (True, False, 0)
    await server.publish("feed", "new")
    assert await peer.data("feed", 1) == ["new"]


async def test_removed_history_cannot_be_recovered(serve: Serve, open_peer: OpenPeer) -> None:
    server, peer = await followed(serve, open_peer, hub_with())

    async def cut_and_remove() -> None:
        await server._cut((("feed", 2),))
        await server.hub.remove_history("feed")

    await server.on(cut_and_remove())
    assert outcome(await peer.expect("subscribed", "feed")) == (True, False)


async def test_who_loads_the_state_itself_is_asked_for_it_anew(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(hub_with(size=3))
    top = await server.publish_each("feed", range(1, 6))
    states = [{"offset": offset, "epoch": top.epoch} for offset in (3, 10)]
    peer = await open_peer(server)
    await peer.subscribe("feed", states=states)
    assert await peer.data("feed", 2) == [4, 5]
    await server.cut(*(("feed", number) for number in range(6, 11)))  # more than is kept: refused with 112
    await peer.expect("subscribed", "feed")
    await server.publish("feed", 11)
    assert await peer.data("feed", 1) == [11]
    assert len(peer.has_seen("state_asked", "feed")) == 2


async def test_a_gap_is_found_and_healed(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(hub_with())
    peer = await open_peer(server)
    await peer.subscribe("feed", recoverable=True)
    await lose_one(server)
    await peer.expect("subscribing", "feed", code=2500, reason="insufficient state")
    assert outcome(await peer.expect("subscribed", "feed")) == (True, True)
    assert await peer.data("feed", 2) == [1, 2]


async def test_a_gap_is_found_for_who_only_asked_for_its_position(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(hub_with())
    peer = await open_peer(server)
    assert (await peer.subscribe("feed", positioned=True))["positioned"]
    await lose_one(server)
    await peer.expect("subscribing", "feed", code=2500)
    await peer.expect("subscribed", "feed")


async def test_a_rule_without_recovery_gives_none(serve: Serve, open_peer: OpenPeer) -> None:
    peer = await open_peer(await serve(hub_with(recovery="off")))
    subscribed = await peer.subscribe("feed", positioned=True, recoverable=True)
    assert (subscribed["positioned"], subscribed["recoverable"]) == (True, False)


@pytest.mark.parametrize("when_slow", ["drop-oldest", "keep-latest"])
async def test_a_rule_that_leaves_gaps_promises_no_position(serve: Serve, open_peer: OpenPeer, when_slow: str) -> None:
    peer = await open_peer(await serve(hub_with(when_slow=when_slow)))
    subscribed = await peer.subscribe("feed", positioned=True, recoverable=True)
    assert (subscribed["positioned"], subscribed["recoverable"]) == (False, False)


@ONLY_NODE
async def test_a_first_subscription_may_start_in_the_past(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(hub_with())
    top = await server.publish_each("feed", range(1, 6))
    peer = await open_peer(server)
    await peer.subscribe("feed", since={"offset": 3, "epoch": top.epoch})
    assert await peer.data("feed", 2) == [4, 5]


async def test_who_did_not_ask_recovers_where_the_rule_forces_it(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(hub_with(force_recovery=True))
    peer = await open_peer(server)
    assert (await peer.subscribe("feed"))["recoverable"]
    await server.publish("feed", 1)
    assert await peer.data("feed", 1) == [1]
    await server.cut(("feed", 2))
    assert await peer.data("feed", 1) == [2]


async def test_who_did_not_ask_does_not_recover(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(hub_with())
    peer = await open_peer(server)
    assert not (await peer.subscribe("feed"))["recoverable"]
    await server.cut(("feed", "missed"))
    await peer.expect("subscribed", "feed")
    await server.publish("feed", "seen")
    assert await peer.data("feed", 1) == ["seen"]


async def test_a_cache_gives_the_latest_to_who_comes_back(serve: Serve, open_peer: OpenPeer) -> None:
    server, peer = await followed(serve, open_peer, hub_with(recovery="cache"))
    await server.cut(("feed", 2), ("feed", 3))
    assert outcome(await peer.expect("subscribed", "feed")) == (True, True)
    await server.publish("feed", 4)
    assert await peer.data("feed", 2) == [3, 4]


async def test_a_cache_gives_nothing_to_who_has_the_latest(serve: Serve, open_peer: OpenPeer) -> None:
    server, peer = await followed(serve, open_peer, hub_with(recovery="cache"))
    await server.cut()
    assert outcome(await peer.expect("subscribed", "feed")) == (True, True)
    await server.publish("feed", 2)
    assert await peer.data("feed", 1) == [2]


async def test_a_forced_cache_gives_the_latest_to_who_comes_first(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(hub_with(recovery="cache", force_recovery=True))
    for number in (1, 2):
        await server.publish("feed", number)
    peer = await open_peer(server)
    await peer.subscribe("feed")
    assert await peer.data("feed", 1) == [2]


async def test_filtered_publications_move_the_position_on(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(hub_with(tag_filter=True))
    peer = await open_peer(server)
    wish = {"key": "keep", "cmp": "eq", "val": "yes"}
    await peer.subscribe("feed", recoverable=True, tags_filter=wish)
    for number in range(1, 5):
        await server.publish("feed", number, tags={"keep": "yes" if number % 2 else "no"})
    assert await peer.data("feed", 2) == [1, 3]
    await server.cut()
    assert outcome(await peer.expect("subscribed", "feed")) == (True, True)
    await server.publish("feed", 5, tags={"keep": "yes"})
    assert await peer.data("feed", 1) == [5]


async def test_recovery_keeps_to_the_filter(serve: Serve, open_raw: OpenRaw) -> None:
    server = await serve(hub_with(tag_filter=True))
    for number in range(1, 5):
        await server.publish("feed", number, tags={"keep": "yes" if number % 2 else "no"})
    epoch = (await server.on(server.hub.history("feed"))).top.epoch
    raw = await open_raw(server)
    wish = {"key": "keep", "cmp": "eq", "val": "yes"}
    subscribed = await raw.ask("subscribe", channel="feed", recover=True, epoch=epoch, tf=wish, recoverable=True)
    assert subscribed["recovered"]
    assert [publication["data"] for publication in subscribed["publications"]] == [1, 3]


@pytest.mark.parametrize("offset", [1, 9], ids=["behind", "ahead"])
async def test_who_would_rather_fail_is_refused(serve: Serve, open_raw: OpenRaw, offset: int) -> None:
    server = await serve(hub_with(size=1))
    epoch = (await server.publish_each("feed", range(5))).epoch
    raw = await open_raw(server)
    wish = {"channel": "feed", "recover": True, "offset": offset, "epoch": epoch}
    assert await raw.error("subscribe", **wish, flag=2) == 112
    subscribed = await raw.ask("subscribe", **wish)
    assert (subscribed["was_recovering"], subscribed.get("recovered", False)) == (True, False)


async def test_recovery_starts_at_the_position_that_was_asked_for(serve: Serve, open_raw: OpenRaw) -> None:
    server = await serve(hub_with())
    epoch = (await server.publish_each("feed", range(1, 5))).epoch
    raw = await open_raw(server)
    subscribed = await raw.ask("subscribe", channel="feed", recover=True, offset=2, epoch=epoch)
    assert (subscribed["offset"], subscribed["epoch"], subscribed["recovered"]) == (2, epoch, True)
    assert [(each["data"], each["offset"]) for each in subscribed["publications"]] == [(3, 3), (4, 4)]
