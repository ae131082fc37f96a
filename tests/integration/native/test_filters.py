"""Subscribers choose publications by their tags; the server evaluates it."""

from typing import Any

import pytest

from vagus import ChannelRule, Hub

from .conftest import OpenPeer, OpenRaw, Serve

PUBLISHED = [
    {"ticker": "AAPL", "price": "99"},
    {"ticker": "AAPL", "price": "101"},
    {"ticker": "MSFT", "price": "101.5"},
    {"ticker": "MSFT", "price": "none"},
    {},
]


def leaf(key: str, cmp: str, val: str = "", vals: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"key": key, "cmp": cmp} | ({"val": val} if val else {}) | ({"vals": list(vals)} if vals else {})


@pytest.mark.parametrize(
    ("wish", "expected"),
    [
        (leaf("ticker", "eq", "AAPL"), [0, 1]),
        (leaf("ticker", "neq", "AAPL"), [2, 3, 4]),
        (leaf("ticker", "in", vals=("MSFT", "IBM")), [2, 3]),
        (leaf("ticker", "nin", vals=("MSFT", "IBM")), [0, 1, 4]),
        (leaf("ticker", "ex"), [0, 1, 2, 3]),
        (leaf("ticker", "nex"), [4]),
        (leaf("ticker", "sw", "AA"), [0, 1]),
        (leaf("ticker", "ew", "FT"), [2, 3]),
        (leaf("ticker", "ct", "AP"), [0, 1]),
        (leaf("price", "gt", "100"), [1, 2]),
        (leaf("price", "gte", "101"), [1, 2]),
        (leaf("price", "lt", "101"), [0]),
        (leaf("price", "lte", "101.5"), [0, 1, 2]),
        ({"op": "and", "nodes": [leaf("ticker", "eq", "AAPL"), leaf("price", "gt", "100")]}, [1]),
        ({"op": "or", "nodes": [leaf("ticker", "nex"), leaf("price", "eq", "99")]}, [0, 4]),
        ({"op": "not", "nodes": [leaf("ticker", "ex")]}, [4]),
    ],
    ids=lambda value: str(value.get("op") or value["cmp"]) if isinstance(value, dict) else "",
)
async def test_only_what_passes_arrives(
    serve: Serve, open_peer: OpenPeer, wish: dict[str, Any], expected: list[int]
) -> None:
    server = await serve(Hub(open_to_all=True))
    peer = await open_peer(server)
    await peer.subscribe("stocks", tags_filter=wish)
    for number, tags in enumerate(PUBLISHED * 2):  # what should not have passed would come before the second round
        await server.publish("stocks", number, tags=tags)
    assert await peer.data("stocks", 2 * len(expected)) == expected + [number + 5 for number in expected]


@pytest.mark.parametrize(
    "wish",
    [{"op": "xor", "nodes": []}, leaf("a", "like", "b"), {"op": "and"}, {"op": "not"}],
    ids=["operator", "comparison", "no nodes", "no node"],
)
async def test_a_filter_that_makes_no_sense_is_refused(serve: Serve, open_peer: OpenPeer, wish: dict[str, Any]) -> None:
    peer = await open_peer(await serve(Hub(open_to_all=True)))
    await peer.begin("stocks", tags_filter=wish)
    await peer.expect("unsubscribed", "stocks", code=107)


async def test_a_filter_needs_a_rule_that_allows_it(serve: Serve, open_peer: OpenPeer) -> None:
    rule = ChannelRule(pattern="stocks", subscribe=("anyone",))
    peer = await open_peer(await serve(Hub(allow_anonymous=True, rules=[rule])))
    await peer.begin("stocks", tags_filter=leaf("a", "ex"))
    await peer.expect("unsubscribed", "stocks", code=107)


async def test_a_filter_and_deltas_do_not_go_together(serve: Serve, open_raw: OpenRaw) -> None:
    raw = await open_raw(await serve(Hub(open_to_all=True)))
    assert await raw.error("subscribe", channel="stocks", delta="fossil", tf=leaf("a", "ex")) == 107


async def test_a_filter_works_with_a_rate(serve: Serve, open_peer: OpenPeer) -> None:
    server = await serve(Hub(open_to_all=True))
    peer = await open_peer(server)
    await peer.subscribe("stocks", tags_filter=leaf("a", "eq", "b"), data={"vagus": {"rate": 5}})

    async def burst() -> None:
        for number in range(20):
            await server.hub.publish("stocks", number, tags={"a": "b" if number % 2 else "c"})

    await server.on(burst())
    assert await peer.data("stocks", 2) == [1, 19]
