"""The board that was a SignalR hub, with the clients that it had, in both notations."""

import pytest

from examples.ported_hub import announce, hub
from tests.integration.native.peers import Refused
from tests.integration.native.serving import Server

from .conftest import OpenHub, Serve

METHODS = ("Joined", "Left", "CardMoved", "CardDeleted", "Announced")
BOTH = pytest.mark.parametrize("protocol", ["json", "messagepack"])


@pytest.fixture
async def server(serve: Serve) -> Server:
    return await serve(hub)


@BOTH
async def test_a_card_that_is_moved_moves_for_the_others(server: Server, open_hub: OpenHub, protocol: str) -> None:
    ann = await open_hub(server, "board", "token-of-ann", protocol, methods=METHODS)
    ben = await open_hub(server, "board", "token-of-ben", protocol, methods=METHODS)
    assert await ann.called("Joined") == ["ben"]
    for peer in (ann, ben):
        assert await peer.invoke("OpenBoard", "kitchen") == ["to do", "doing", "done"]
    assert await ann.invoke("MoveCard", {"title": "tiles", "column": "doing"}) == "doing"
    assert await ben.called("CardMoved") == [{"title": "tiles", "column": "doing"}]
    assert ann.has_seen("called") == []


@BOTH
async def test_the_text_of_a_hub_error_reaches_the_client(server: Server, open_hub: OpenHub, protocol: str) -> None:
    ann = await open_hub(server, "board", "token-of-ann", protocol)
    with pytest.raises(Refused, match="there is no column 'gone'"):
        await ann.invoke("MoveCard", {"title": "tiles", "column": "gone"})
    with pytest.raises(Refused, match="open a board first"):
        await ann.invoke("movecard", {"title": "tiles"})


@BOTH
async def test_a_client_is_asked_for_a_result(server: Server, open_hub: OpenHub, protocol: str) -> None:
    ann = await open_hub(server, "board", "token-of-ann", protocol, methods=("CardDeleted",))
    await ann.run("answer", target="Confirm")
    await ann.invoke("OpenBoard", "kitchen")
    assert await ann.invoke("DeleteCard", "tiles") is True
    assert await ann.called("CardDeleted") == ["tiles"]


@BOTH
async def test_only_editors_delete(server: Server, open_hub: OpenHub, protocol: str) -> None:
    ben = await open_hub(server, "board", "token-of-ben", protocol)
    with pytest.raises(Refused, match="permission denied"):
        await ben.invoke("DeleteCard", "tiles")


@BOTH
async def test_streams_go_both_ways(server: Server, open_hub: OpenHub, protocol: str) -> None:
    ann = await open_hub(server, "board", "token-of-ann", protocol, methods=("CardMoved",))
    await ann.invoke("OpenBoard", "kitchen")
    assert await ann.whole(await ann.stream("Countdown", 3)) == [3, 2, 1]
    upload, (feed,) = await ann.upload("ImportCards")
    await ann.feed(feed, {"title": "tiles"}, {"title": "taps", "column": "done"}, last=True)
    assert (await ann.expect("result", name=upload))["result"] == 2
    assert await ann.called("CardMoved") == [{"title": "tiles", "column": "to do"}]
    assert await ann.called("CardMoved") == [{"title": "taps", "column": "done"}]


async def test_the_application_announces_from_outside_and_both_notations_hear(
    server: Server, open_hub: OpenHub
) -> None:
    ann = await open_hub(server, "board", "token-of-ann", "json", methods=METHODS)
    ben = await open_hub(server, "board", "token-of-ben", "messagepack", methods=METHODS)
    await server.on(announce("lunch"))
    for peer in (ann, ben):
        assert await peer.called("Announced") == ["lunch"]


@BOTH
async def test_others_hear_that_a_connection_is_gone(server: Server, open_hub: OpenHub, protocol: str) -> None:
    ann = await open_hub(server, "board", "token-of-ann", protocol, methods=METHODS)
    ben = await open_hub(server, "board", "token-of-ben", protocol)
    await ben.run("stop")
    assert await ann.called("Left") == ["ben"]
