"""Members: nobody calls in whom the application could not turn away, and nobody is kept who is gone."""

from typing import Any

import pytest

from tests.unit.porting.guests import guest_of, trusting_hub
from vagus.hub.hub import Hub
from vagus.hub.requests import Caller, ConnectRequest, Origin
from vagus.kernel import codes
from vagus.kernel.codes import Closure
from vagus.kernel.errors import RefusedError
from vagus.kernel.identity import Identity
from vagus.kernel.limits import Limits
from vagus.kernel.publications import Json
from vagus.porting.members import Members
from vagus.porting.rooms import Rooms, section_of
from vagus.testing import in_memory


class House:
    """Keeps a diary, and turns away those whose names it is told."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.section = section_of(hub, "chat", ("user",))
        self.rooms = Rooms(hub, self.section, None, has_users=True)
        self.members: Members[str] = Members(self.section, self.rooms, self)
        self.diary: list[tuple[str, ...]] = []
        self.unwelcome: dict[str, str] = {}

        @self.section.call("knock")
        def knock(caller: Caller, *arguments: Any) -> Any:
            return self.members.call(caller, lambda member, *given: [member, *given], arguments)

    def member(self, client: str, identity: Identity, origin: Origin) -> str:
        return identity.user

    async def admit(self, member: str, data: Json) -> None:
        self.diary.append(("admit", member, bytes(data).decode()))
        self._check(member, "door")

    async def greet(self, member: str) -> None:
        self.diary.append(("greet", member))
        self._check(member, "hall")

    async def bid_farewell(self, member: str, closure: Closure) -> None:
        self.diary.append(("farewell", member, closure.reason))

    def _check(self, member: str, place: str) -> None:
        if self.unwelcome.get(member) == place:
            raise RefusedError.because(403, f"not beyond the {place}")


async def test_a_client_of_the_section_is_a_member_from_its_connection_to_its_end() -> None:
    house = House(trusting_hub())
    async with in_memory(house.hub) as world:
        ada = await guest_of(world, "chat", data={"from": "home"})
        assert house.members.here == {ada.id: "ada"}
        assert set(ada.client.subscriptions) == {"chat", "chat@ada"}
        ada.invoke("chat.knock", 1)
        await world.settle()
        assert ada.answers() == [(["ada", 1],)]
        ada.client.lost()
        assert house.members.here == {}
    assert house.diary == [
        ("admit", "ada", '{"from":"home"}'),
        ("greet", "ada"),
        ("farewell", "ada", "connection closed"),
    ]


async def test_who_came_for_another_section_is_a_member_from_its_first_call() -> None:
    house = House(trusting_hub())
    async with in_memory(house.hub) as world:
        ada = await world.connect(user="ada")
        assert house.members.here == {}
        assert await ada.call("chat.knock", [1]) == ["ada", 1]
        assert await ada.call("chat.knock") == ["ada"]
        assert house.members.here == {ada.id: "ada"}
        ada.drop()
        assert house.members.here == {}
    assert house.diary == [("admit", "ada", ""), ("greet", "ada"), ("farewell", "ada", "connection closed")]


@pytest.mark.parametrize("place", ["door", "hall"])
async def test_who_is_turned_away_does_not_call_in_either(place: str) -> None:
    house = House(trusting_hub())
    house.unwelcome["eve"] = place
    async with in_memory(house.hub) as world:
        eve = await world.connect(user="eve")
        for _ in range(2):
            with pytest.raises(RefusedError, match=f"not beyond the {place}"):
                await eve.call("chat.knock")
        assert house.members.here == {}
        assert house.rooms.of(eve.id) == set()
        assert not house.hub.clients[eve.id].subscriptions
    assert ("farewell", "eve", "connection closed") not in house.diary


async def test_who_is_turned_away_at_the_door_is_refused_and_in_the_hall_sent_away() -> None:
    house = House(trusting_hub())
    house.unwelcome.update(eve="door", joe="hall")
    async with in_memory(house.hub) as world:
        eve, joe = await guest_of(world, "chat", "eve"), await guest_of(world, "chat", "joe")
        assert (eve.answers(), eve.closure) == ([(403, "not beyond the door")], None)
        assert joe.closure is codes.CONNECTION_DENIED
        assert house.members.here == {}


async def test_nothing_is_kept_of_who_was_admitted_and_then_found_no_room() -> None:
    house = House(trusting_hub(limits=Limits(connections_per_user=1)))
    async with in_memory(house.hub) as world:
        await guest_of(world, "chat")
        second = await guest_of(world, "chat")
        assert second.closure is codes.CONNECTION_LIMIT
        assert len(house.members.here) == 1
        assert not house.members._greeting


async def test_who_goes_before_it_is_greeted_is_not_kept_nor_bidden_farewell() -> None:
    house = House(trusting_hub())

    @house.section.on_connecting
    def nothing(request: ConnectRequest, identity: Identity) -> None: ...

    @house.hub.on_subscribe
    def cut(caller: Caller, channel: str) -> None:
        house.hub.clients[caller.client].disconnect(codes.FORCE_RECONNECT)

    async with in_memory(house.hub) as world:
        ada = await guest_of(world, "chat")
        assert ada.closure is codes.FORCE_RECONNECT
        assert house.members.here == {}
    assert house.diary == [("admit", "ada", "")]


async def test_the_caller_of_a_stream_is_a_member_too() -> None:
    house = House(trusting_hub())
    async with in_memory(house.hub) as world:
        ada = await world.connect(user="ada")
        caller = house.hub.clients[ada.id].caller
        assert await house.members.of(caller) == "ada"
        assert await house.members.of(caller) == "ada"
        assert len(house.diary) == 2


async def test_whom_the_section_does_not_allow_never_reaches_the_application() -> None:
    house = House(trusting_hub())
    async with in_memory(house.hub) as world:
        nobody = await world.connect()
        with pytest.raises(RefusedError, match="permission denied"):
            await nobody.call("chat.knock")
        assert (await guest_of(world, "chat", "")).answers() == [(103, "permission denied")]
    assert house.diary == []


async def test_a_caller_that_is_gone_already_leaves_nothing_behind() -> None:
    house = House(trusting_hub())
    async with in_memory(house.hub):
        assert await house.members.of(Caller("gone", Identity(user="ada"))) == "ada"
        assert house.members.here == {}
