"""Rooms: their channels, who is in them, and that an event reaches each recipient once."""

import pytest

from tests.unit.porting.guests import Guest, guest_of, trusting_hub
from vagus.hub.hub import Hub
from vagus.kernel import codes
from vagus.kernel.channels import ChannelOptions
from vagus.kernel.errors import RefusedError, RuleError
from vagus.kernel.events import event
from vagus.kernel.limits import Limits
from vagus.kernel.publications import Position
from vagus.porting.rooms import Recipients, Rooms, section_of
from vagus.testing import World, in_memory

HELLO = event("hello", 1)
HEARD = ("hello", [1])


def new_rooms(options: ChannelOptions | None = None, limits: Limits | None = None) -> Rooms:
    hub = trusting_hub(limits=limits)
    return Rooms(hub, section_of(hub, "chat", ("anyone",)), options)


async def crowd(world: World, rooms: Rooms, *places: str) -> list[Guest]:
    """Guests, each in the rooms that a string of letters names."""
    guests = [await guest_of(world, "chat") for _ in places]
    for guest, letters in zip(guests, places, strict=True):
        for letter in letters:
            await rooms.enter(guest.id, rooms.channel(letter))
    return guests


async def tell(world: World, rooms: Rooms, letters: str, *left_out: Guest) -> None:
    await rooms.tell(Recipients(rooms.channels(letters), frozenset(guest.id for guest in left_out)), HELLO)
    await world.settle()


def test_a_room_is_a_channel_below_that_of_its_section() -> None:
    rooms = new_rooms()
    assert (rooms.everybody, rooms.channel("a:b"), rooms.channel_of_user("ada")) == ("chat", "chat:a:b", "chat@ada")
    assert Rooms(Hub(), section_of(Hub(), "", ()), None).channel("a") == "root:a"


@pytest.mark.parametrize("room", ["", "x" * 251])
def test_a_name_that_no_channel_has_is_refused(room: str) -> None:
    with pytest.raises(RefusedError) as caught:
        new_rooms().channel(room)
    assert caught.value.fault is codes.BAD_REQUEST


def test_rooms_whose_channels_have_a_rule_already_are_refused() -> None:
    hub = Hub()
    hub.channel("chat:{room*}")(lambda: True)
    with pytest.raises(RuleError, match="has a rule already"):
        Rooms(hub, section_of(hub, "chat", ()), None)


async def test_nobody_follows_a_room_or_publishes_to_it_of_their_own_accord() -> None:
    rooms = new_rooms()
    async with in_memory(rooms.hub) as world:
        ada = await world.connect(user="ada")
        for refused in (ada.subscribe("chat:a"), ada.subscribe("chat"), ada.publish("chat:a", 1)):
            with pytest.raises(RefusedError, match="permission denied"):
                await refused


async def test_options_of_the_rule_let_others_follow_and_recover() -> None:
    rooms = new_rooms({"subscribe": ("user",)})
    async with in_memory(rooms.hub) as world:
        ada = await world.connect(user="ada")
        before = await ada.subscribe("chat:a")
        await tell(world, rooms, "a")
        assert (await ada.next_publication()).data == {"type": "hello", "payload": 1}
        await ada.unsubscribe("chat:a")
        again = await ada.subscribe("chat:a", since=Position(0, before.epoch))
        assert again.recovered
        assert len(again.publications) == 1


async def test_who_is_in_a_room_is_known() -> None:
    rooms = new_rooms()
    async with in_memory(rooms.hub) as world:
        ada, ben = await crowd(world, rooms, "ab", "a")
        assert set(await rooms.members(rooms.channel("a"))) == {ada.id, ben.id}
        assert rooms.of(ada.id) == {"a", "b"}
        await rooms.leave(ada.id, rooms.channel("a"))
        ben.client.lost()
        assert not await rooms.members(rooms.channel("a"))
        assert rooms.of(ada.id) == {"b"}
        assert not rooms.of(ben.id)


async def test_a_client_is_in_no_more_rooms_than_it_may_follow_channels() -> None:
    rooms = new_rooms(limits=Limits(channels=2))
    async with in_memory(rooms.hub) as world:
        (ada,) = await crowd(world, rooms, "ab")
        await rooms.enter(ada.id, rooms.channel("a"))
        with pytest.raises(RefusedError) as caught:
            await rooms.enter(ada.id, rooms.channel("c"))
        assert caught.value.fault is codes.LIMIT_EXCEEDED


async def test_an_event_for_a_room_is_one_publication() -> None:
    rooms = new_rooms()
    async with in_memory(rooms.hub) as world:
        ada, ben, eve = await crowd(world, rooms, "a", "a", "b")
        await tell(world, rooms, "a")
        assert (ada.heard(), ben.heard(), eve.heard()) == ([HEARD], [HEARD], [])
        await tell(world, rooms, "a", ada)
        assert (ada.heard(), ben.heard(), eve.heard()) == ([], [HEARD], [])
        assert len((await rooms.hub.history("chat:a")).publications) == 2


@pytest.mark.parametrize(
    ("places", "to", "expected"),
    [
        (["a", "b", "c"], "ab", [1, 1, 0]),
        (["ab", "a", "b"], "ab", [1, 1, 1]),
        (["ab", "ab", "b", "c"], "ab", [1, 1, 1, 0]),
        (["abc", "abc", "abc"], "abc", [1, 1, 1]),
        (["ac", "ab", "bc", "c"], "cab", [1, 1, 1, 1]),
        (["a"], "aa", [1]),
        ([], "ab", []),
    ],
)
async def test_who_is_in_several_of_the_rooms_is_told_once(places: list[str], to: str, expected: list[int]) -> None:
    rooms = new_rooms()
    async with in_memory(rooms.hub) as world:
        guests = await crowd(world, rooms, *places)
        await tell(world, rooms, to)
        assert [guest.heard() for guest in guests] == [[HEARD] * times for times in expected]


async def test_several_clients_may_be_left_out() -> None:
    rooms = new_rooms()
    async with in_memory(rooms.hub) as world:
        ada, ben, eve, joe = await crowd(world, rooms, "ab", "a", "b", "ab")
        await tell(world, rooms, "a", ada, ben)
        assert [guest.heard() for guest in (ada, ben, eve, joe)] == [[], [], [], [HEARD]]
        await tell(world, rooms, "ab", ada, ben)
        assert [guest.heard() for guest in (ada, ben, eve, joe)] == [[], [], [HEARD], [HEARD]]
