"""The chat that was a Socket.IO server, with the clients that it had."""

import pytest

from examples.ported_chat import hub
from tests.integration.native.serving import Server
from vagus.gateway.furnishing import Dialects

from .conftest import NODE, PYTHON, OpenSocket, Serve

BOTH = pytest.mark.parametrize("library", [NODE, PYTHON])


@pytest.fixture
async def server(serve: Serve) -> Server:
    return await serve(hub)


@BOTH
async def test_what_is_said_in_a_room_is_heard_there_and_acknowledged(
    server: Server, open_socket: OpenSocket, library: str
) -> None:
    ann = await open_socket(server, "/chat", "token-of-ann", library=library)
    ben = await open_socket(server, "/chat", "token-of-ben", library=library)
    assert await ann.event("joined") == ["ben"]
    assert await ann.ask("message", "hi") == "delivered"
    assert await ben.event("message") == ["ann", "hi"]
    assert await ben.ask("message", "hi yourself") == "delivered"
    assert await ann.event("message") == ["ben", "hi yourself"]


@BOTH
async def test_binary_values_go_both_ways(server: Server, open_socket: OpenSocket, library: str) -> None:
    ann = await open_socket(server, "/chat", "token-of-ann", library=library)
    ben = await open_socket(server, "/chat", "token-of-ben", library=library)
    content = bytes(range(256))
    assert await ann.ask("photo", "me.png", content) == 256
    assert await ben.event("photo") == ["ann", "me.png", content]


@BOTH
async def test_who_is_banned_is_told_why(server: Server, open_socket: OpenSocket, library: str) -> None:
    eve = await open_socket(server, "/chat", "token-of-eve", library=library, connect=False)
    await eve.start()
    refused = await eve.expect("connect_error")
    assert (refused["message"], refused["data"]) == ("you are banned", {"reason": "be kinder"})


async def test_a_server_asks_and_a_socket_moves_to_another_room(server: Server, open_socket: OpenSocket) -> None:
    ann = await open_socket(server, "/chat", "token-of-ann")
    ben = await open_socket(server, "/chat", "token-of-ben")
    assert len(await ben.ask("who")) == 2
    answer = await ann.ask("move", "garden")
    assert answer == {"error": {"code": 409, "message": "not confirmed"}}  # the client echoes what it is asked
    assert (await ann.expect("event", name="confirm"))["arguments"] == ["leave lobby?"]
    assert len(await ben.ask("who")) == 2


async def test_rooms_are_apart(server: Server, open_socket: OpenSocket) -> None:
    ann = await open_socket(server, "/chat", "token-of-ann", room="garden")
    ben = await open_socket(server, "/chat", "token-of-ben", room="cellar")
    joe = await open_socket(server, "/chat", "token-of-ben", room="garden")
    assert await ann.event("joined") == ["ben"]
    await ben.ask("message", "in the dark")
    await ann.ask("message", "in the sun")
    assert await joe.event("message") == ["ann", "in the sun"]
    assert ann.has_seen("event") == ben.has_seen("event") == []


async def test_an_argument_that_does_not_fit_is_refused_in_the_ack(server: Server, open_socket: OpenSocket) -> None:
    ann = await open_socket(server, "/chat", "token-of-ann")
    assert (await ann.ask("message", 7))["error"]["message"] == "bad request: argument 1: Expected `str`, got `int`"
    assert (await ann.ask("dance"))["error"]["message"] == "method not found"


@BOTH
async def test_others_hear_that_a_socket_is_gone(server: Server, open_socket: OpenSocket, library: str) -> None:
    ann = await open_socket(server, "/chat", "token-of-ann")
    ben = await open_socket(server, "/chat", "token-of-ben", library=library)
    await ben.stop()
    who, _reason = await ann.event("left")
    assert who == "ben"
    assert len(await ann.ask("who")) == 1


async def test_a_socket_that_comes_back_in_time_is_still_where_it_was(serve: Serve, open_socket: OpenSocket) -> None:
    """With recovery, an offset is the last argument of every event, as the client library expects it."""
    server = await serve(hub, dialects=Dialects(socketio_recovery_s=30))
    ann = await open_socket(server, "/chat", "token-of-ann", room="garden")
    ben = await open_socket(server, "/chat", "token-of-ben", room="garden")
    assert (await ann.event("joined"))[:-1] == ["ben"]
    await ann.run("cut")
    await ann.expect("disconnect")
    await ben.ask("message", "are you there?")
    assert (await ann.expect("connect"))["recovered"] is True
    assert (await ann.event("message"))[:-1] == ["ben", "are you there?"]
    assert await ann.ask("message", "I am") == "delivered"
    assert (await ben.event("message"))[:-1] == ["ann", "I am"]
    assert ben.has_seen("event") == []


async def test_a_socket_that_comes_back_to_a_new_server_comes_in_anew(serve: Serve, open_socket: OpenSocket) -> None:
    server = await serve(hub)
    ann = await open_socket(server, "/chat", "token-of-ann", room="garden")
    await server.stop()
    await ann.expect("disconnect")
    await server.start(hub)
    assert (await ann.expect("connect"))["recovered"] is False
    assert len(await ann.ask("who")) == 1
