"""Sections: their names, who may come for them and call them, and what they are told of their clients."""

import asyncio
from typing import Any

import msgspec
import pytest

from vagus.hub.hub import Hub
from vagus.hub.requests import Caller, ConnectRequest
from vagus.kernel import codes
from vagus.kernel.codes import Closure
from vagus.kernel.errors import DisconnectError, RefusedError, RuleError
from vagus.kernel.identity import Identity
from vagus.testing import in_memory

from .talking import Talker


def open_hub() -> Hub:
    """Whose clients need no token."""
    return Hub(allow_anonymous=True)


@pytest.mark.parametrize("name", ["/chat", "a b", "chat:x", "vagus", "Vagus", ".", "x" * 65, "größe"])
def test_a_name_that_no_address_can_hold_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="section"):
        Hub().section(name)


def test_sections_differ_in_more_than_case() -> None:
    hub = Hub()
    hub.section("chat")
    with pytest.raises(ValueError, match="there is a section 'CHAT' already"):
        hub.section("CHAT")


def test_the_root_section_is_there_from_the_start() -> None:
    hub = Hub()
    with pytest.raises(ValueError, match="already"):
        hub.section("")
    assert hub.sections[""].target("ping") == "ping"


def test_who_may_come_is_said_in_known_words() -> None:
    with pytest.raises(RuleError, match="section 'chat': allow: 'friends'"):
        Hub().section("chat", allow=("friends",))


def test_a_call_is_one_of_the_hub_with_the_name_of_its_section() -> None:
    hub = Hub()
    chat = hub.section("chat")

    @chat.call("Say")
    def say(caller: Caller, text: str) -> None: ...

    assert chat.names == {"Say"}
    assert hub.find_call("chat.Say") is hub.calls["chat.Say"]


def test_a_call_is_found_by_its_exact_name_first_and_then_by_any_case() -> None:
    hub = Hub()
    chat = hub.section("chat")
    for name in ("Say", "say"):
        chat.call(name)(lambda caller: None)
    assert hub.find_call("chat.say") is hub.calls["chat.say"]
    assert hub.find_call("CHAT.SAY") is hub.calls["chat.Say"]
    assert hub.find_call("chat.sing") is None


def test_a_name_that_is_taken_is_not_given_twice() -> None:
    hub = Hub()
    hub.call("chat.say")(lambda caller: None)
    chat = hub.section("chat")
    with pytest.raises(ValueError, match=r"'chat\.say' has a function already"):
        chat.call("say")(lambda caller: None)
    assert chat.names == set()


async def test_whom_a_section_does_not_allow_may_neither_come_nor_call() -> None:
    hub = open_hub()
    hub.section("chat", allow=("@operator",)).call("say")(lambda caller: "said")
    async with in_memory(hub) as world:
        talker = Talker(hub, "chat")
        talker.connect()
        await world.settle()
        assert talker.said == [("fault", 1, codes.PERMISSION_DENIED.code, codes.PERMISSION_DENIED.message)]
        ada = await world.connect(user="ada")
        with pytest.raises(RefusedError, match="permission denied"):
            await ada.call("chat.say")


async def test_a_call_may_say_itself_who_calls() -> None:
    hub = open_hub()
    hub.section("chat").call("ping", allow=("anyone",))(lambda caller: "pong")
    async with in_memory(hub) as world:
        assert await (await world.connect()).call("chat.ping") == "pong"


async def test_a_client_of_the_native_dialect_calls_with_one_argument_or_a_list_of_them() -> None:
    hub = open_hub()

    @hub.section("chat").call("say")
    def say(caller: Caller, *words: str) -> str:
        return " ".join(words)

    async with in_memory(hub) as world:
        ada = await world.connect(user="ada")
        assert await ada.call("chat.say", "hi") == "hi"
        assert await ada.call("chat.say", ["hi", "there"]) == "hi there"
        assert await ada.call("chat.say") == ""


async def test_a_section_hears_of_its_clients_alone_and_in_order() -> None:
    hub = open_hub()
    chat = hub.section("chat", allow=("anyone",))
    heard: list[Any] = []

    @chat.on_connecting
    def connecting(request: ConnectRequest, identity: Identity) -> None:
        heard.append(("connecting", request.section, msgspec.json.decode(request.data)))

    @chat.on_connected
    async def connected(caller: Caller, request: ConnectRequest) -> None:
        heard.append(("connected", caller.client in hub.clients))

    @chat.on_disconnected
    def disconnected(caller: Caller, closure: Closure) -> None:
        heard.append(("disconnected", closure))

    async with in_memory(hub) as world:
        (await world.connect()).drop()
        talker = Talker(hub, "chat")
        talker.connect(msgspec.Raw(b'{"name":"ada"}'))
        await world.settle()
        talker.client.lost()
    assert heard == [
        ("connecting", "chat", {"name": "ada"}),
        ("connected", True),
        ("disconnected", codes.CONNECTION_CLOSED),
    ]


async def test_what_is_raised_before_a_client_is_let_in_refuses_it_with_details() -> None:
    hub = open_hub()
    chat = hub.section("chat", allow=("anyone",))
    gone: list[Caller] = []
    chat.on_disconnected(lambda caller, closure: gone.append(caller))

    @chat.on_connecting
    def refuse(request: ConnectRequest, identity: Identity) -> None:
        raise RefusedError.because(401, "who are you?", data={"try": "again"})

    async with in_memory(hub) as world:
        talker = Talker(hub, "chat")
        talker.connect()
        await world.settle()
        assert talker.said == [("fault", 1, 401, "who are you?")]
        assert hub.clients == {}
    assert gone == []


async def test_commands_wait_until_the_section_has_met_its_client() -> None:
    hub = open_hub()
    chat = hub.section("chat", allow=("anyone",))
    met = asyncio.Event()
    order: list[str] = []

    @chat.on_connected
    async def meet(caller: Caller, request: ConnectRequest) -> None:
        await met.wait()
        order.append("met")

    @chat.call("say")
    def say(caller: Caller) -> None:
        order.append("said")

    async with in_memory(hub) as world:
        talker = Talker(hub, "chat")
        talker.connect()
        talker.invoke("chat.say")
        await world.settle()
        assert talker.said == [("connected", 1)]
        met.set()
        await world.settle()
        assert talker.said == [("connected", 1), ("result", 2, None)]
    assert order == ["met", "said"]


@pytest.mark.parametrize(
    ("error", "closure"),
    [
        (RefusedError(codes.PERMISSION_DENIED), codes.CONNECTION_DENIED),
        (DisconnectError(codes.FORCE_RECONNECT), codes.FORCE_RECONNECT),
        (KeyError("x"), codes.SERVER_ERROR),
    ],
)
async def test_a_client_whose_section_cannot_serve_it_is_sent_away(error: Exception, closure: Closure) -> None:
    hub = open_hub()

    def fail(caller: Caller, request: ConnectRequest) -> None:
        raise error

    hub.section("chat", allow=("anyone",)).on_connected(fail)
    async with in_memory(hub) as world:
        talker = Talker(hub, "chat")
        talker.connect()
        await world.settle()
        assert (talker.said, talker.closure) == ([("connected", 1)], closure)
