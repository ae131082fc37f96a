"""Invocations, streams both ways and client results, over every transport and in both notations."""

import pytest

from tests.integration.native.peers import Refused

from .conftest import ONE_WAY, OpenPeer, Serve
from .furnished import furnished_hub

VALUES = [None, True, 0, -1, 2**53, 1.5, "", "Zähler €\n\u2028", [], {}, {"a": [{"b": None}]}, [[1], [[2]]]]


async def test_values_come_back_as_they_went(serve: Serve, open_peer: OpenPeer) -> None:
    peer = await open_peer(await serve(furnished_hub()))
    assert await peer.invoke("Echo", *VALUES) == VALUES


async def test_binary_values_stay_binary_where_the_notation_has_them(
    serve: Serve, way: str, open_peer: OpenPeer
) -> None:
    peer = await open_peer(await serve(furnished_hub()))
    sent = {"$bytes": "AAEC/w=="}
    if way.startswith("messagepack"):
        assert await peer.invoke("Echo", sent, [sent]) == [sent, [sent]]
        assert await peer.invoke("Echo", {"$date": "2026-01-02T03:04:05.000Z"}) == ["2026-01-02T03:04:05Z"]
    else:
        assert await peer.invoke("Echo", "AAEC/w==") == ["AAEC/w=="]


async def test_a_large_value_passes(serve: Serve, open_peer: OpenPeer) -> None:
    peer = await open_peer(await serve(furnished_hub()))
    large = "ü" * 30_000
    assert await peer.invoke("Echo", large) == [large]


@pytest.mark.parametrize(
    ("target", "text"),
    [
        ("Fail", "An unexpected error occurred invoking 'Fail' on the server."),
        ("SoldOut", "sold out"),
        ("Unknown", "Unknown hub method 'Unknown'"),
        ("Count", "The client attempted to invoke the streaming 'Count' method with a non-streaming invocation."),
    ],
)
@ONE_WAY
async def test_errors_have_the_texts_that_clients_expect(
    serve: Serve, open_peer: OpenPeer, target: str, text: str
) -> None:
    peer = await open_peer(await serve(furnished_hub()))
    arguments = [1] if target == "Count" else []
    with pytest.raises(Refused, match=text):
        await peer.invoke(target, *arguments)
    assert await peer.invoke("Echo") == []


async def test_thousands_of_calls_at_once_are_all_answered(serve: Serve, open_peer: OpenPeer) -> None:
    peer = await open_peer(await serve(furnished_hub()))
    assert await peer.run("burst", target="Think", size=3_000) == list(range(3_000))


async def test_who_wants_no_answer_gets_none(serve: Serve, open_peer: OpenPeer) -> None:
    peer = await open_peer(await serve(furnished_hub()))
    await peer.send("Fail")
    await peer.send("Unknown")
    assert await peer.invoke("Echo", 1) == [1]


async def test_a_stream_of_results_comes_whole_and_in_order(serve: Serve, open_peer: OpenPeer) -> None:
    peer = await open_peer(await serve(furnished_hub()))
    assert await peer.whole(await peer.stream("Count", 500)) == list(range(500))


async def test_a_stream_that_breaks_off_says_why(serve: Serve, open_peer: OpenPeer) -> None:
    peer = await open_peer(await serve(furnished_hub()))
    name = await peer.stream("Broken")
    assert (await peer.expect("failed", name=name))["error"] == "no more"
    assert await peer.items(name, 1) == [1]


async def test_a_stream_that_is_cancelled_ends_on_the_server(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(furnished_hub())
    peer = await open_peer(server)
    name = await peer.stream("Clock")
    await peer.items(name, 3)
    await peer.run("dispose", name=name)
    assert await peer.invoke("Echo", 1) == [1]
    (client,) = server.hub.clients.values()
    while client.exchanges._results:  # the server's thread ends it
        await peer.invoke("Echo")


async def test_a_stream_and_its_cancellation_in_one_go(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(furnished_hub())
    peer = await open_peer(server)
    await peer.stream("Clock", op="glimpse")
    await peer.invoke("Echo")
    (client,) = server.hub.clients.values()
    while client.exchanges._results:  # the server's thread ends it
        await peer.invoke("Echo")


async def test_a_client_feeds_a_call(serve: Serve, open_peer: OpenPeer) -> None:
    peer = await open_peer(await serve(furnished_hub()))
    name, (numbers,) = await peer.upload("Sum", 100)
    await peer.feed(numbers, *range(50))
    await peer.feed(numbers, 5, last=True)
    assert (await peer.expect("result", name=name))["result"] == 100 + sum(range(50)) + 5


async def test_a_feed_that_breaks_off_fails_a_call_that_does_not_expect_it(serve: Serve, open_peer: OpenPeer) -> None:
    peer = await open_peer(await serve(furnished_hub()))
    name, (numbers,) = await peer.upload("Sum", 0)
    await peer.feed(numbers, 1, error="the disk is full")
    assert "the disk is full" in (await peer.expect("failed", name=name))["error"]


async def test_streams_go_both_ways_at_once(serve: Serve, open_peer: OpenPeer) -> None:
    peer = await open_peer(await serve(furnished_hub()))
    await peer.run("stream", target="Double", args=[], name="results", feeds=["numbers"])
    for number in range(5):
        await peer.feed("numbers", number)
        assert await peer.items("results", 1) == [2 * number]
    await peer.feed("numbers", last=True)
    await peer.expect("completed", name="results")


async def test_the_server_asks_a_client(serve: Serve, open_peer: OpenPeer) -> None:
    peer = await open_peer(await serve(furnished_hub()))
    await peer.run("answer", target="where")
    await peer.run("answer", target="fails", error="lost")
    assert await peer.invoke("Ask", "Where", {"x": 1}) == [{"x": 1}]
    assert "lost" in await peer.invoke("Ask", "fails", 1)
    assert await peer.invoke("Ask", "nobody", 1) == "error: Client didn't provide a result."
