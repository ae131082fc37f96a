"""Who is here: how many may come, how fast, and from where."""

import pytest

from vagus.hub.hub import Hub
from vagus.hub.registry import Registry
from vagus.kernel import codes
from vagus.kernel.control import Target
from vagus.kernel.limits import Limits
from vagus.kernel.rates import Rate
from vagus.testing import in_memory


def test_connections_come_no_faster_than_the_node_takes_them() -> None:
    registry = Registry(Limits(connecting=Rate(1, 2)), 0.0)
    assert [registry.takes_connection("a", 0.0) for _ in range(3)] == [True, True, False]
    assert registry.takes_connection("b", 1.0)


def test_one_address_does_not_use_up_what_others_may() -> None:
    registry = Registry(Limits(connecting_per_address=Rate(1, 1), connecting=Rate(1, 2)), 0.0)
    assert [registry.takes_connection("a", 0.0) for _ in range(5)] == [True, False, False, False, False]
    assert registry.takes_connection("b", 0.0)


def test_without_bounds_everybody_comes() -> None:
    registry = Registry(Limits(), 0.0)
    assert all(registry.takes_connection("a", 0.0) for _ in range(1000))
    assert registry.check_room("a") is None


async def test_a_node_and_an_address_have_room_for_so_many() -> None:
    hub = Hub(allow_anonymous=True, limits=Limits(connections=3, connections_per_address=2))
    async with in_memory(hub) as world:
        first = await world.connect(address="10.0.0.1")
        await world.connect(address="10.0.0.1")
        assert hub.registry.check_room("10.0.0.1") is codes.CONNECTION_LIMIT
        assert hub.registry.check_room("10.0.0.2") is None
        await world.connect(address="10.0.0.2")
        assert hub.registry.check_room("10.0.0.3") is codes.CONNECTION_LIMIT
        first.drop()
        assert hub.registry.check_room("10.0.0.1") is None


def give_session(hub: Hub, client: str, session: str) -> None:
    """Let a client have a session, as those have whose transport takes several requests."""
    found = hub.clients[client]
    hub.registry.remove(found)
    found.session = session
    hub.registry.add(found)


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (Target("ada"), {"a1", "a2"}),
        (Target("ada", except_clients=("a1",)), {"a2"}),
        (Target("nobody"), set()),
        (Target(""), set()),
        (Target(client="b1"), {"b1"}),
        (Target("bob", "b1"), {"b1"}),
        (Target("ada", "b1"), set()),
        (Target(client="gone"), set()),
        (Target(session="secret of a1"), {"a1"}),
        (Target("ada", session="secret of a1"), {"a1"}),
        (Target("bob", session="secret of a1"), set()),
        (Target(client="a1", session="secret of a1"), {"a1"}),
        (Target(client="a2", session="secret of a1"), set()),
        (Target(session="secret of a1", except_clients=("a1",)), set()),
        (Target("ada", session="gone"), set()),
    ],
)
async def test_an_order_finds_those_whom_it_means(target: Target, expected: set[str]) -> None:
    """``a1`` and so on stand for the clients' ids."""
    hub = Hub()
    async with in_memory(hub) as world:
        names = {"a1": "ada", "a2": "ada", "b1": "bob"}
        ids = {name: (await world.connect(user=user)).id for name, user in names.items()}
        give_session(hub, ids["a1"], "secret of a1")
        meant = Target(
            target.user,
            ids.get(target.client, target.client),
            tuple(map(ids.__getitem__, target.except_clients)),
            target.session,
        )
        assert {client.id for client in hub.registry.targets(meant)} == {ids[name] for name in expected}


async def test_a_client_that_has_gone_is_found_by_its_session_no_more() -> None:
    hub = Hub()
    async with in_memory(hub) as world:
        ada = await world.connect(user="ada")
        give_session(hub, ada.id, "secret")
        assert hub.registry.single(Target(session="secret")) is not None
        ada.drop()
        assert hub.registry.single(Target(session="secret")) is None
