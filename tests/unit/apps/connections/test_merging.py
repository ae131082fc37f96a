"""Answers of several nodes put together: nothing twice, nothing skipped, and only what is certain."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vagus.apps.connections.channels import FoundChannels, Seen, put_together
from vagus.apps.connections.choosing import ChannelsWanted, ClientsWanted, Key
from vagus.apps.connections.clients import Found
from vagus.apps.connections.values import ClientRow
from vagus.apps.connections.views import _merged
from vagus.hub import Hub
from vagus.kernel.publications import Position

_ROW = msgspec.convert(
    {
        **dict.fromkeys("id node user dialect transport section address".split(), ""),
        **dict.fromkeys("connectedAt channels messagesIn messagesOut bytesIn bytesOut queueBytes".split(), 0),
        **dict.fromkeys((f"{name}PerSecond" for name in ("messagesIn", "messagesOut", "bytesIn", "bytesOut")), None),
        "roles": [],
        "firstChannels": [],
        "slow": False,
    },
    ClientRow,
)


def answer(keys: list[Key], wanted: ClientsWanted, told: int) -> Found:
    """What a node with clients in these places says, if it can tell of so many."""
    after = wanted.after
    left = [key for key in keys if after is None or (key < after if wanted.descending else key > after)]
    chosen = sorted(left, reverse=wanted.descending)[: min(told, wanted.limit)]
    return Found([(key, _ROW) for key in chosen], len(keys), len(chosen) < len(left))


@given(
    nodes=st.lists(st.lists(st.integers(0, 20), max_size=12), min_size=1, max_size=4),
    limit=st.integers(1, 8),
    told=st.integers(1, 8),
    descending=st.booleans(),
)
def test_pages_of_many_nodes_are_all_clients_once_and_in_order(
    nodes: list[list[int]], limit: int, told: int, *, descending: bool
) -> None:
    places: list[list[Key]] = [
        [(value, f"{n}-{i}") for i, value in enumerate(values)] for n, values in enumerate(nodes)
    ]
    wanted = ClientsWanted(order="channels", descending=descending, limit=limit)
    found: list[Key] = []
    more = True
    while more:
        rows, more = _merged([answer(keys, wanted, told) for keys in places], wanted)
        found += [key for key, _ in rows]
        assert rows or not more
        wanted = msgspec.structs.replace(wanted, after=found[-1] if found else None)
    assert found == sorted((key for keys in places for key in keys), reverse=descending)


async def test_a_channel_on_two_nodes_is_one_row() -> None:
    one = FoundChannels([Seen("a", 2, 7, 1.5, Position(7, "x")), Seen("b", 9, 1, None, None)], 2)
    other = FoundChannels([Seen("a", 3, 5, 1.0, Position(6, "x"))], 1)
    rows, total, whole = await put_together(Hub(), [one, other], ChannelsWanted())
    assert [(row.name, row.subscribers, row.nodes) for row in rows] == [("b", 9, 1), ("a", 5, 2)]
    assert (rows[1].publications, rows[1].publications_per_second, rows[1].position) == (7, 1.5, Position(7, "x"))
    assert (total, whole) == (2, True)


async def test_a_node_that_cannot_tell_of_all_its_channels_is_not_whole() -> None:
    rows, _, whole = await put_together(Hub(), [FoundChannels([Seen("a", 1, 0, None, None)], 2)], ChannelsWanted())
    assert len(rows) == 1
    assert not whole


@pytest.mark.parametrize(
    ("order", "names"),
    [("name", ["c", "b", "a"]), ("publications", ["b", "c", "a"]), ("publicationsPerSecond", ["c", "b", "a"])],
)
async def test_channels_have_orders(order: str, names: list[str]) -> None:
    found = FoundChannels([Seen("a", 1, 1, None, None), Seen("b", 1, 9, 1.0, None), Seen("c", 1, 5, 3.0, None)], 3)
    wanted = msgspec.convert({"order": order}, ChannelsWanted)
    rows, _, _ = await put_together(Hub(), [found], wanted)
    assert [row.name for row in rows] == names
