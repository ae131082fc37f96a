"""What a channel keeps, read from any end."""

from typing import Any

import pytest

from vagus import ChannelRule, Hub, Last, Limits

from .conftest import OpenPeer, Serve
from .peers import Peer, refusal
from .serving import Server


async def filled(serve: Serve, open_peer: OpenPeer, **limits: Any) -> tuple[Server, Peer]:
    """A channel ``news`` with five publications, and a client."""
    server = await serve(Hub(open_to_all=True, limits=Limits(**limits)))
    for number in range(1, 6):
        await server.publish("news", number)
    return server, await open_peer(server)


def numbers(page: dict[str, Any]) -> list[int]:
    return [publication["data"] for publication in page["publications"]]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, []),
        ({"limit": 2}, [1, 2]),
        ({"limit": -1}, [1, 2, 3, 4, 5]),
        ({"limit": 2, "reverse": True}, [5, 4]),
    ],
    ids=["position alone", "limit", "all", "reverse"],
)
async def test_history_is_read(serve: Serve, open_peer: OpenPeer, options: dict[str, Any], expected: list[int]) -> None:
    _, peer = await filled(serve, open_peer)
    page = await peer.history("news", **options)
    assert (numbers(page), page["offset"]) == (expected, 5)
    assert page["epoch"]


async def test_history_is_read_page_by_page(serve: Serve, open_peer: OpenPeer) -> None:
    _, peer = await filled(serve, open_peer)
    since, read = {"offset": 0, "epoch": (await peer.history("news"))["epoch"]}, []
    while (page := await peer.history("news", limit=2, since=since))["publications"]:
        read += numbers(page)
        since["offset"] = page["publications"][-1]["offset"]
    assert read == [1, 2, 3, 4, 5]


async def test_history_is_read_backwards_from_a_position(serve: Serve, open_peer: OpenPeer) -> None:
    _, peer = await filled(serve, open_peer)
    epoch = (await peer.history("news"))["epoch"]
    page = await peer.history("news", limit=10, since={"offset": 4, "epoch": epoch}, reverse=True)
    assert numbers(page) == [3, 2, 1]


async def test_a_position_of_another_epoch_is_refused(serve: Serve, open_peer: OpenPeer) -> None:
    _, peer = await filled(serve, open_peer)
    assert await refusal(peer.history("news", limit=1, since={"offset": 1, "epoch": "elsewhere"})) == 112


async def test_there_is_nothing_before_the_beginning(serve: Serve, open_peer: OpenPeer) -> None:
    _, peer = await filled(serve, open_peer)
    epoch = (await peer.history("news"))["epoch"]
    answer = peer.history("news", limit=1, since={"offset": 0, "epoch": epoch}, reverse=True)
    assert await refusal(answer) == 107


@pytest.mark.parametrize("limit", [-1, 1000])
async def test_one_answer_has_its_bound(serve: Serve, open_peer: OpenPeer, limit: int) -> None:
    _, peer = await filled(serve, open_peer, history=3)
    assert numbers(await peer.history("news", limit=limit)) == [1, 2, 3]


async def test_only_the_last_are_kept(serve: Serve, open_peer: OpenPeer) -> None:
    rule = ChannelRule(pattern="news", history=Last(2, hours=1))
    server = await serve(Hub(open_to_all=True, rules=[rule]))
    for number in range(1, 6):
        await server.publish("news", number)
    page = await (await open_peer(server)).history("news", limit=-1)
    assert (numbers(page), page["offset"]) == ([4, 5], 5)


async def test_what_skips_history_is_not_in_it(serve: Serve, open_peer: OpenPeer) -> None:
    server, peer = await filled(serve, open_peer)
    await peer.subscribe("news")
    await server.publish("news", "passing", skip_history=True)
    assert await peer.data("news", 1) == ["passing"]
    assert numbers(await peer.history("news", limit=-1)) == [1, 2, 3, 4, 5]


async def test_removed_history_leaves_the_position(serve: Serve, open_peer: OpenPeer) -> None:
    server, peer = await filled(serve, open_peer)
    await server.on(server.hub.remove_history("news"))
    page = await peer.history("news", limit=-1)
    assert (numbers(page), page["offset"]) == ([], 5)


async def test_history_that_is_not_kept_is_not_available(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(Hub(open_to_all=True, rules=[ChannelRule(pattern="passing")]))
    assert await refusal((await open_peer(server)).history("passing", limit=1)) == 108


async def test_history_is_for_those_whom_the_rule_names(serve: Serve, open_peer: OpenPeer) -> None:
    rule = ChannelRule(pattern="news", history=Last(9, hours=1), subscribe=("anyone",))
    peer = await open_peer(await serve(Hub(allow_anonymous=True, rules=[rule])))
    assert await refusal(peer.history("news", limit=1)) == 103
    await peer.subscribe("news")
    assert numbers(await peer.history("news", limit=1)) == []
