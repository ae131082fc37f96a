"""Hub classes, clients, groups and contexts, as those who have SignalR hubs write them."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.unit.porting.guests import Guest, guest_of, trusting_hub
from vagus.hub.hub import Hub
from vagus.kernel import codes
from vagus.kernel.errors import AnswerError, RefusedError
from vagus.kernel.identity import Identity
from vagus.porting.signalr import Context, HubContext, HubError, SignalRHub, authorize, pascal_case, serve
from vagus.testing import World, in_memory

DIARY: list[tuple[Any, ...]] = []


class Chat(SignalRHub):
    welcome = "hello"

    async def on_connected(self) -> None:
        if self.context.user_identifier == "eve":
            raise HubError("not you")
        self.context.items["joined"] = 0
        DIARY.append(("connected", self.context.user_identifier))

    async def on_disconnected(self, error: str | None) -> None:
        DIARY.append(("disconnected", self.context.user_identifier, error))

    async def join(self, group: str) -> int:
        await self.groups.add(self.context.connection_id, group)
        self.context.items["joined"] += 1
        return int(self.context.items["joined"])

    async def leave(self, group: str) -> None:
        await self.groups.remove(self.context.connection_id, group)

    async def send_message(self, group: str, text: str) -> None:
        await self.clients.group(group).send("Receive", self.context.user_identifier, text)

    async def Tell(self, whom: str, *names: str) -> None:
        match whom:
            case "groups":
                proxy = self.clients.groups(names)
            case "users":
                proxy = self.clients.users(names)
            case "others_in_group" | "user":
                proxy = getattr(self.clients, whom)(names[0])
            case _:
                proxy = getattr(self.clients, whom)
        await proxy.send("told", whom)

    def double(self, value: int) -> int:
        return value * 2

    async def fail(self, how: str) -> None:
        raise HubError("sold out") if how == "told" else KeyError(how)

    async def ask(self, question: str) -> Any:
        return await self.clients.caller.invoke("Answer", question, timeout_s=5)

    async def count(self, to: int) -> AsyncIterator[int]:
        for number in range(to):
            yield number
            await asyncio.sleep(1)

    async def total(self, start: int, numbers: AsyncIterator[int]) -> int:
        return start + sum([number async for number in numbers])

    async def quit(self) -> None:
        await self.context.abort()

    @authorize("@admin")
    def reset(self) -> None: ...

    @staticmethod
    def _secret() -> None: ...


@pytest.fixture(autouse=True)
def fresh_diary() -> None:
    DIARY.clear()


def chat_of(**options: Any) -> tuple[Hub, HubContext]:
    hub = trusting_hub()
    return hub, serve(hub, "chat", Chat, **options)


async def crowd(world: World, *users: str) -> list[Guest]:
    return [await guest_of(world, "chat", user) for user in users]


async def invoked(world: World, guest: Guest, method: str, *arguments: Any) -> Any:
    """The only answer to an invocation: a value, or a code and a message."""
    guest.invoke(f"chat.{method}", *arguments)
    await world.settle()
    (answer,) = guest.answers()
    return answer[0] if len(answer) == 1 else answer


@pytest.mark.parametrize(
    ("name", "pascal"), [("send", "send"), ("send_text", "SendText"), ("SendText", "SendText"), ("to_URL", "ToURL")]
)
def test_names_of_methods_are_those_of_dotnet(name: str, pascal: str) -> None:
    assert pascal_case(name) == pascal


def test_public_methods_of_the_class_alone_can_be_invoked() -> None:
    hub, _ = chat_of()
    assert hub.sections["chat"].names == {
        *("join", "leave", "SendMessage", "Tell", "double", "fail", "ask", "count", "total", "quit", "reset"),
    }


def test_methods_of_a_parent_are_inherited() -> None:
    class Louder(Chat):
        def shout(self) -> None: ...

    hub = Hub()
    serve(hub, "loud", Louder)
    assert {"shout", "SendMessage"} <= hub.sections["loud"].names


def test_a_method_that_cannot_be_invoked_by_place_is_refused_at_once() -> None:
    class Wrong(SignalRHub):
        def send(self, *, text: str) -> None: ...

    with pytest.raises(TypeError, match="'text' cannot be given by its place"):
        serve(Hub(), "wrong", Wrong)


def test_a_name_is_given_once() -> None:
    hub, _ = chat_of()
    with pytest.raises(ValueError, match="there is a section 'Chat' already"):
        serve(hub, "Chat", Chat)


# methods


async def test_a_method_is_invoked_in_any_case_and_gives_its_result() -> None:
    hub, _ = chat_of()
    async with in_memory(hub) as world:
        (ada,) = await crowd(world, "ada")
        assert await invoked(world, ada, "DOUBLE", 21) == 42
        assert await invoked(world, ada, "Join", "a") == 1
        assert await invoked(world, ada, "join", "b") == 2


async def test_the_text_of_a_hub_error_reaches_the_client_and_no_other() -> None:
    hub, _ = chat_of()
    async with in_memory(hub) as world:
        (ada,) = await crowd(world, "ada")
        assert await invoked(world, ada, "Fail", "told") == (400, "sold out")
        assert await invoked(world, ada, "Fail", "untold") == (100, "internal server error")
        assert await invoked(world, ada, "Double", "x") == (107, "bad request: argument 1: Expected `int`, got `str`")
        assert await invoked(world, ada, "_secret") == (104, "method not found")
        assert await invoked(world, ada, "OnConnected") == (104, "method not found")


async def test_a_method_may_be_for_some_only() -> None:
    hub, _ = chat_of()
    async with in_memory(hub) as world:
        (ada,) = await crowd(world, "ada")
        assert await invoked(world, ada, "Reset") == (103, "permission denied")
        admin = await world.connect(identity=Identity(user="root", roles=frozenset({"admin"})))
        assert await admin.call("chat.reset") is None


async def test_a_method_asks_its_caller() -> None:
    hub, _ = chat_of()
    async with in_memory(hub) as world:
        (ada,) = await crowd(world, "ada")
        for answers, result in (([7], 7), ([], None)):
            ada.invoke("chat.Ask", "?")
            await world.settle()
            question = ada.said.pop()
            assert question[0::2] == ("question", "Answer")
            ada.answer(question[1], *answers)
            await world.settle()
            assert ada.answers() == [(result,)]


async def test_an_error_of_the_client_is_raised_where_it_was_asked() -> None:
    hub, chat = chat_of()
    async with in_memory(hub) as world:
        (ada,) = await crowd(world, "ada")
        asked = asyncio.ensure_future(chat.clients.client(ada.id).invoke("Answer"))
        await world.settle()
        ada.answer(1, error="no idea")
        with pytest.raises(AnswerError, match="no idea"):
            await asked
        with pytest.raises(RefusedError, match="not available"):
            await chat.clients.client("nobody").invoke("Answer")


async def test_an_async_generator_is_a_stream() -> None:
    hub, _ = chat_of()
    async with in_memory(hub) as world:
        (ada,) = await crowd(world, "ada")
        number = ada.invoke("chat.Count", 2, wants_stream=True)
        await asyncio.sleep(3)
        assert ada.said[-3:] == [("item", number, 0), ("item", number, 1), ("end", number, None)]
        cancelled = ada.invoke("chat.Count", 1000, wants_stream=True)
        await world.settle()
        ada.cancel(cancelled)
        await world.settle()
        assert ada.said[-2:] == [("item", cancelled, 0), ("end", cancelled, None)]


async def test_an_argument_may_be_a_stream() -> None:
    hub, _ = chat_of()
    async with in_memory(hub) as world:
        (ada,) = await crowd(world, "ada")
        ada.invoke("chat.Total", 10, streams=(1,))
        ada.feed(1, 1, 2)
        ada.end_feed(1)
        await world.settle()
        assert ada.answers() == [(13,)]


async def test_a_native_client_invokes_methods_too() -> None:
    hub, _ = chat_of()
    async with in_memory(hub) as world:
        ben = await world.connect(user="ben")
        assert await ben.call("chat.join", "lobby") == 1
        ben.drop()
        await world.settle()
    assert DIARY == [("connected", "ben"), ("disconnected", "ben", None)]


async def test_who_asks_for_two_streams_at_once_comes_in_once() -> None:
    hub, _ = chat_of()
    async with in_memory(hub) as world:
        guest = Guest(hub)
        guest.connect(token="ben")
        await world.settle()
        numbers = [guest.invoke("chat.Count", 1, wants_stream=True) for _ in range(2)]
        await asyncio.sleep(2)
        assert sorted(said[1] for said in guest.said if said[0] == "end") == numbers
        assert DIARY == [("connected", "ben")]


# connections


async def test_a_hub_hears_of_its_connections() -> None:
    hub, _ = chat_of()
    async with in_memory(hub) as world:
        ada, ben = await crowd(world, "ada", "ben")
        ada.client.lost()
        ben.client.disconnect(codes.NO_PONG)
        await world.settle()
    assert DIARY == [
        ("connected", "ada"),
        ("connected", "ben"),
        ("disconnected", "ada", None),
        ("disconnected", "ben", "no pong"),
    ]


async def test_who_is_not_wanted_is_sent_away() -> None:
    hub, _ = chat_of()
    async with in_memory(hub) as world:
        (eve,) = await crowd(world, "eve")
        assert eve.closure is codes.CONNECTION_DENIED
    assert DIARY == []


async def test_a_connection_ends_when_it_is_aborted() -> None:
    hub, _ = chat_of()
    async with in_memory(hub) as world:
        (ada,) = await crowd(world, "ada")
        ada.invoke("chat.Quit")
        await world.settle()
        assert ada.closure is codes.FORCE_DISCONNECT


async def test_a_context_knows_who_it_is_for() -> None:
    async with trusting_hub() as hub:
        context = Context(hub, "c", Identity(), None)  # type: ignore[arg-type]  # no origin is looked at
        assert (context.user_identifier, context.identity) == (None, Identity())


async def test_a_hub_without_a_word_for_beginnings_and_ends_has_none() -> None:
    class Quiet(SignalRHub):
        def ping(self) -> str:
            return "pong"

    hub = trusting_hub()
    serve(hub, "vagus", Quiet)
    async with in_memory(hub) as world:
        ada = await world.connect(user="ada")
        assert await ada.call("ping") == "pong"
        ada.drop()


async def test_nobody_follows_what_is_sent_to_another_user() -> None:
    hub, chat = chat_of(groups={"subscribe": ("user",)})
    async with in_memory(hub) as world:
        eve = await world.connect(user="ben")
        await eve.subscribe("chat:lobby")
        for channel in ("chat@ada", "chat@ben"):
            with pytest.raises(RefusedError, match="permission denied"):
                await eve.subscribe(channel)
        await chat.clients.user("ada").send("secret")
        assert [entry for entry in await eve.heard() if hasattr(entry, "data")] == []


# whom something is sent to


@pytest.mark.parametrize(
    ("arguments", "hearers"),
    [
        (("all",), "ada ben eva eva2"),
        (("caller",), "ada"),
        (("others",), "ben eva eva2"),
        (("others_in_group", "a"), "ben"),
        (("groups", "a", "b"), "ada ben eva"),
        (("user", "eva"), "eva eva2"),
        (("users", "eva", "ben", "eva"), "ben eva eva2"),
        (("users",), ""),
    ],
)
async def test_a_method_sends_to_whom_it_names(arguments: tuple[str, ...], hearers: str) -> None:
    hub, _ = chat_of()
    async with in_memory(hub) as world:
        guests = await crowd(world, "ada", "ben", "eva", "eva")
        for guest, groups in zip(guests, ("a", "ab", "b", ""), strict=True):
            for group in groups:
                await invoked(world, guest, "Join", group)
        guests[0].invoke("chat.Tell", *arguments)
        await world.settle()
        heard = {name: guest.heard() for name, guest in zip(("ada", "ben", "eva", "eva2"), guests, strict=True)}
        assert heard == {name: [("told", [arguments[0]])] if name in hearers.split() else [] for name in heard}


async def test_groups_are_joined_left_and_sent_to() -> None:
    hub, _ = chat_of()
    async with in_memory(hub) as world:
        ada, ben = await crowd(world, "ada", "ben")
        await invoked(world, ada, "Join", "lobby")
        await invoked(world, ben, "SendMessage", "lobby", "hi")
        assert (ada.heard(), ben.heard()) == ([("Receive", ["ben", "hi"])], [])
        await invoked(world, ada, "Leave", "lobby")
        await invoked(world, ben, "SendMessage", "lobby", "still there?")
        assert ada.heard() == []
        assert await invoked(world, ada, "Join", "") == (107, "bad request")


async def test_the_context_of_a_hub_sends_from_outside() -> None:
    hub, chat = chat_of()
    async with in_memory(hub) as world:
        ada, ben, eva = await crowd(world, "ada", "ben", "eva")
        await chat.groups.add(ada.id, "lobby")
        await chat.groups.add(ben.id, "lobby")
        await chat.clients.group_except("lobby", [ben.id]).send("one")
        await chat.clients.all_except([ada.id, ben.id]).send("two", b"\x00")
        await world.settle()
        assert (ada.heard(), ben.heard(), eva.heard()) == ([("one", [])], [], [("two", [b"\x00"])])
        await chat.groups.remove(ada.id, "lobby")
        await chat.clients.group("lobby").send("three")
        await world.settle()
        assert (ada.heard(), ben.heard()) == ([], [("three", [])])
