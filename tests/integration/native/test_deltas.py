"""Fossil patches: what arrives is what was published, over many publications and after a recovery."""

import pytest

from vagus import ChannelRule, Hub, Last

from .conftest import ONLY_NODE, OpenPeer, OpenRaw, Serve
from .tokens import token, verifier


def hub_with_deltas() -> Hub:
    rule = ChannelRule(
        pattern="{any*}", history=Last(100, hours=1), subscribe=("anyone",), publish=("anyone",), delta=True
    )
    return Hub(allow_anonymous=True, verifier=verifier(), rules=[rule])


def document(number: int) -> dict[str, object]:
    """Long, and much like the one before; with letters that take several bytes."""
    rows = [{"row": row, "name": f"Zähler {row}", "value": row * number % 97} for row in range(20)]
    return {"number": number, "rows": rows, "note": "€" * (number % 5)}


async def test_what_arrives_is_what_was_published(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(hub_with_deltas())
    peer = await open_peer(server)
    await peer.subscribe("feed", delta="fossil")
    documents = [document(number) for number in range(60)]
    for each in documents:
        await server.publish("feed", each)
    assert await peer.data("feed", 60) == documents


@ONLY_NODE
async def test_patches_are_sent_where_they_are_shorter(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(hub_with_deltas())
    peer = await open_peer(server)
    await peer.subscribe("feed", delta="fossil")
    for each in [*(document(number) for number in range(5)), "short", document(9), document(9)]:
        await server.publish("feed", each)
    await peer.data("feed", 8)
    assert await peer.run("patches", channel="feed") == 5


@pytest.mark.parametrize("missed", [0, 1, 10])
async def test_a_recovery_goes_on_with_patches(serve: Serve, open_peer: OpenPeer, missed: int) -> None:
    server = await serve(hub_with_deltas())
    peer = await open_peer(server)
    await peer.subscribe("feed", delta="fossil", recoverable=True)
    documents = [document(number) for number in range(20)]
    await server.publish_each("feed", documents[:5])
    await peer.expect("publication", "feed", offset=5)
    await server.cut(*(("feed", each) for each in documents[5 : 5 + missed]))
    assert (await peer.expect("subscribed", "feed"))["recovered"]
    await server.publish_each("feed", documents[5 + missed :])
    assert await peer.data("feed", 19) == [*documents[:4], *documents[5:]]


async def test_a_throttled_subscriber_gets_whole_ones(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(hub_with_deltas())
    peer = await open_peer(server)
    await peer.subscribe("feed", delta="fossil", data={"vagus": {"rate": 1000}})
    for number in range(3):
        await server.publish("feed", document(number))
        assert await peer.data("feed", 1) == [document(number)]


async def test_who_comes_later_starts_with_a_whole_one(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(hub_with_deltas())
    first, second, plain = [await open_peer(server) for _ in range(3)]
    await first.subscribe("feed", delta="fossil")
    await server.publish("feed", document(0))
    await second.subscribe("feed", delta="fossil")
    await plain.subscribe("feed")
    for number in (1, 2):
        await server.publish("feed", document(number))
    assert await first.data("feed", 3) == [document(number) for number in range(3)]
    for peer in (second, plain):
        assert await peer.data("feed", 2) == [document(1), document(2)]


async def test_a_sender_that_was_left_out_is_not_confused(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(hub_with_deltas())
    peer = await open_peer(server, connect=False)
    client = (await peer.connect())["client"]
    await peer.subscribe("feed", delta="fossil")
    for number in range(6):
        await server.publish("feed", document(number), exclude=client if number % 3 == 1 else "")
    assert await peer.data("feed", 4) == [document(number) for number in (0, 2, 3, 5)]


async def test_a_client_publishes_into_a_channel_with_deltas(serve: Serve, open_peer: OpenPeer) -> None:
    peer = await open_peer(await serve(hub_with_deltas()), token=token("42"))
    await peer.subscribe("feed", delta="fossil")
    for number in range(5):
        await peer.publish("feed", document(number))
    assert await peer.data("feed", 5) == [document(number) for number in range(5)]


async def test_history_is_never_patched(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(hub_with_deltas())
    peer = await open_peer(server)
    await peer.subscribe("feed", delta="fossil")
    for number in range(3):
        await server.publish("feed", document(number))
    page = await peer.history("feed", limit=-1)
    assert [publication["data"] for publication in page["publications"]] == [document(number) for number in range(3)]


async def test_a_channel_without_deltas_sends_whole_ones(serve: Serve, open_peer: OpenPeer) -> None:
    rule = ChannelRule(pattern="feed", history=Last(9, hours=1), subscribe=("anyone",))
    server = await serve(Hub(allow_anonymous=True, rules=[rule]))
    peer = await open_peer(server)
    await peer.subscribe("feed", delta="fossil")
    for number in range(3):
        await server.publish("feed", document(number))
    assert await peer.data("feed", 3) == [document(number) for number in range(3)]


@pytest.mark.parametrize("history", [Last(9, hours=1), None], ids=["kept", "not kept"])
async def test_patches_look_as_the_protocol_says(serve: Serve, open_raw: OpenRaw, history: Last | None) -> None:
    rule = ChannelRule(pattern="feed", history=history, subscribe=("anyone",), delta=True)
    server = await serve(Hub(allow_anonymous=True, rules=[rule]))
    raw = await open_raw(server)
    assert (await raw.ask("subscribe", channel="feed", delta="fossil"))["delta"] is True
    for number in (1, 2):
        await server.publish("feed", {"a" * 40: number})
    first, second = [(await raw.line())["push"]["pub"] for _ in range(2)]
    assert (first["data"], "delta" in first) == ('{"%s":1}' % ("a" * 40), False)
    assert (second["delta"], len(second["data"]) < 30) == (True, True)


async def test_an_unknown_kind_of_delta_closes(serve: Serve, open_raw: OpenRaw) -> None:
    raw = await open_raw(await serve(hub_with_deltas()))
    await raw.send({"id": 2, "subscribe": {"channel": "feed", "delta": "xor"}})
    assert await raw.closed() == (3501, "bad request")
