"""Many publications in one call: in order, each once, up to the first that may succeed later."""

from typing import Any

import msgspec
import pytest

from vagus.broker.memory import MemoryBroker
from vagus.hub.hub import Hub
from vagus.hub.publishing import MOST, PUBLISH
from vagus.kernel.channels import ChannelRule, Last
from vagus.kernel.errors import BrokerError, RefusedError
from vagus.kernel.limits import Limits
from vagus.kernel.publications import Draft, Receipt
from vagus.kernel.rates import Rate
from vagus.testing import FakeClock, MemoryClient, in_memory

ORDERS = ChannelRule(pattern="orders:{n}", history=Last(100, hours=1), subscribe=("anyone",), publish=("user",))
READ_ONLY = ChannelRule(pattern="news", subscribe=("anyone",))


async def make(client: MemoryClient, *publications: dict[str, Any]) -> list[dict[str, Any]]:
    answer = await client.call(PUBLISH, {"publications": publications})
    results: list[dict[str, Any]] = answer["results"]
    return results


def order(number: int, **more: object) -> dict[str, Any]:
    return {"channel": "orders:1", "data": {"n": number}, **more}


async def test_publications_of_one_call_are_made_in_their_order() -> None:
    async with in_memory(Hub(rules=[ORDERS])) as world:
        ada, bob = await world.connect(user="ada"), await world.connect(user="bob")
        await bob.subscribe("orders:1")
        results = await make(ada, *map(order, range(5)))
        assert [result["offset"] for result in results] == [1, 2, 3, 4, 5]
        assert [(await bob.next_publication()).data["n"] for _ in range(5)] == [0, 1, 2, 3, 4]


async def test_what_is_sent_again_with_its_key_is_made_once() -> None:
    async with in_memory(Hub(rules=[ORDERS])) as world:
        ada = await world.connect(user="ada")
        first = await make(ada, order(1, key="a"))
        again = await make(await world.connect(user="ada"), order(1, key="a"), order(2, key="b"))
        assert [first[0]["offset"], *(result["offset"] for result in again)] == [1, 1, 2]
        assert [result.get("repeated", False) for result in again] == [True, False]


async def test_a_key_belongs_to_its_user() -> None:
    async with in_memory(Hub(rules=[ORDERS])) as world:
        await make(await world.connect(user="ada"), order(1, key="a"))
        (result,) = await make(await world.connect(user="eve"), order(2, key="a"))
        assert result["offset"] == 2


async def test_one_that_is_refused_keeps_none_of_the_others_back() -> None:
    async with in_memory(Hub(rules=[ORDERS, READ_ONLY])) as world:
        ada = await world.connect(user="ada")
        forbidden, unknown = {"channel": "news", "data": 1}, {"channel": "elsewhere", "data": 1}
        results = await make(ada, forbidden, unknown, {"channel": "orders:1"}, order(1))
        assert [result.get("error", {}).get("code") for result in results] == [103, 102, 107, None]


async def test_the_channels_rule_decides_also_for_a_call() -> None:
    async with in_memory(Hub(rules=[ORDERS], allow_anonymous=True)) as world:
        nobody = world.client()
        await nobody.connect()
        (result,) = await make(nobody, order(1))
        assert result["error"]["code"] == 103


async def test_tags_and_the_publisher_go_along() -> None:
    async with in_memory(Hub(rules=[ORDERS])) as world:
        ada, bob = await world.connect(user="ada"), await world.connect(user="bob")
        await bob.subscribe("orders:1")
        await make(ada, order(1, tags={"kind": "tea"}))
        heard = await bob.next_publication()
        assert heard.tags == {"kind": "tea"}
        assert heard.info is not None
        assert heard.info.user == "ada"


class FailingBroker(MemoryBroker):
    """A broker that cannot be reached for the publications with certain numbers."""

    failing: frozenset[int] = frozenset()

    async def publish(self, channel: str, draft: Draft, keep: Last | None) -> Receipt:
        if msgspec.json.decode(draft.data)["n"] in self.failing:
            raise BrokerError("away")
        return await super().publish(channel, draft, keep)


async def test_what_comes_after_one_that_may_succeed_later_is_not_tried(clock: FakeClock) -> None:
    broker = FailingBroker(clock)
    async with in_memory(Hub(rules=[ORDERS], broker=broker)) as world:
        ada = await world.connect(user="ada")
        broker.failing = frozenset({2})
        results = await make(ada, *map(order, range(5)))
        assert [result.get("offset") for result in results] == [1, 2, None]
        assert results[-1]["error"] == {"code": 120, "message": "temporarily unavailable", "temporary": True}


async def test_each_publication_counts_against_the_clients_rate() -> None:
    limits = Limits(commands=Rate(per_s=1, burst=4))
    async with in_memory(Hub(rules=[ORDERS], limits=limits)) as world:
        ada = await world.connect(user="ada")
        results = await make(ada, *map(order, range(10)))
        assert [result.get("error", {}).get("code") for result in results][-1] == 111
        assert len(results) < 10


@pytest.mark.parametrize(
    "publications",
    [
        [],
        [order(n) for n in range(MOST + 1)],
        [order(1, key="k" * 65)],
        [order(1, tags={"k": "v" * 257})],
        [order(1, tags={str(n): "" for n in range(17)})],
        [{"data": 1}],
        "orders",
    ],
    ids=["none", "too many", "a long key", "a long tag", "many tags", "no channel", "no list"],
)
async def test_what_is_out_of_bounds_is_refused_as_a_whole(publications: object) -> None:
    async with in_memory(Hub(rules=[ORDERS])) as world:
        ada = await world.connect(user="ada")
        with pytest.raises(RefusedError, match="bad request"):
            await ada.call(PUBLISH, {"publications": publications})
        assert (await world.hub.history("orders:1")).publications == ()
