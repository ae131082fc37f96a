"""Nodes that share a broker and nothing else, as on several machines: what finds its way between them by itself."""

import asyncio
from collections import Counter
from typing import Any, Final

import pytest

from tests.integration.native.serving import Server
from tests.integration.redis.servers import RedisServer
from tests.integration.streams.incoming import Incoming, Session
from vagus.gateway.emulation import HANDING_OF_ONE, SUBJECT
from vagus.kernel import codes
from vagus.kernel.errors import RefusedError

from .conftest import Nodes, OpenNative, OpenSocket
from .house import Door

WEBSOCKET, HTTP_STREAM = "/connection/websocket", "/connection/http_stream"
WAYS: Final = pytest.mark.parametrize(
    ("blocked", "encoding"),
    [([WEBSOCKET], "json"), ([WEBSOCKET], "protobuf"), ([WEBSOCKET, HTTP_STREAM], "json")],
    ids=["http_stream", "http_stream-protobuf", "sse"],
)
KINDS: Final = pytest.mark.parametrize("kind", ["http_stream", "sse"])


@WAYS
async def test_a_native_client_needs_no_balancer_that_knows_it(
    nodes: Nodes, door: Door, open_native: OpenNative, blocked: list[str], encoding: str
) -> None:
    servers = await nodes(3)
    await door.open(*servers)
    peers = [await open_native(blocked, encoding) for _ in range(2)]
    for peer in peers:
        await peer.subscribe("news", recoverable=True)
    for number in range(20):
        await peers[number % 2].publish("news", {"number": number, "text": "Zähler €\n"})
    for peer in peers:
        assert await peer.data("news", 20) == [{"number": number, "text": "Zähler €\n"} for number in range(20)]
        assert await peer.rpc("double", 21) == 42


async def at_another(here: Server, there: Server, kind: str) -> Session:
    """A session of one node whose requests go to another."""
    session = await Session.open(there, kind)
    await session.connected()
    session.server = here
    return session


@KINDS
async def test_commands_are_taken_by_any_node(nodes: Nodes, kind: str) -> None:
    here, there = await nodes()
    session = await at_another(here, there, kind)
    publish = {"channel": "a", "data": 1}
    assert await session.say({"id": 2, "publish": publish}, {"id": 3, "publish": publish}) == 204
    assert [(await session.next())["id"] for _ in range(2)] == [2, 3]
    session.stream.drop()


@KINDS
async def test_there_is_no_other_answer_than_from_the_node_itself(nodes: Nodes, kind: str) -> None:
    here, there = await nodes()
    session = await at_another(here, there, kind)
    large = {"id": 2, "publish": {"channel": "a", "data": "x" * 66_000}}
    assert await session.say(large) == 413
    session.secret = "x" * 32
    assert await session.say({"id": 3, "send": {}}) == 204
    session.secret = "\n"
    assert await session.say({"id": 3, "send": {}}) == 204
    session.stream.drop()


@pytest.mark.parametrize("node", ["", "x", "0" * 32, "0" * 31 + "\n", "{" * 32, "0" * 4_000])
async def test_a_node_that_nobody_knows_is_not_found_at_once(nodes: Nodes, node: str) -> None:
    (here,) = await nodes(1)
    answers = await asyncio.gather(*(emulate(here, "x" * 32, node) for _ in range(HANDING_OF_ONE)))
    assert set(answers) == {404}


async def emulate(server: Server, session: str, node: str) -> int:
    body = {"session": session, "node": node, "data": "{}"}
    answer = await Incoming.post(server, "/emulation", body, content_type="application/json")
    answer.drop()
    return answer.status


async def test_a_node_that_was_stopped_is_not_found(nodes: Nodes) -> None:
    here, there = await nodes()
    await there.stop()
    assert await emulate(here, "x" * 32, there.hub.node_id) == 404


async def test_requests_for_a_node_that_hangs_are_bounded(nodes: Nodes) -> None:
    here, there = await nodes()

    async def hang(content: bytes) -> bytes | None:
        await asyncio.Event().wait()
        return None

    there.hub.answers[SUBJECT] = hang
    emulated = [emulate(here, "x" * 32, there.hub.node_id) for _ in range(HANDING_OF_ONE + 10)]
    answers = Counter(await asyncio.gather(*emulated))
    assert (answers[404], answers[429]) == (HANDING_OF_ONE, 10)
    assert await emulate(here, "x" * 32, here.hub.node_id) == 204


async def test_a_session_that_reads_nothing_holds_a_bound_of_what_others_hand_over(nodes: Nodes) -> None:
    here, there = await nodes()
    session = await at_another(here, there, "http_stream")
    (held,) = [client.link for client in there.hub.clients.values()]
    await there.on(_call(held.pause_reading))
    said = [session.say({"id": number, "rpc": {"method": "double", "data": 1}}) for number in range(2, 22)]
    assert sorted(await asyncio.gather(*said)) == [204] * 16 + [429] * 4
    await there.on(_call(held.resume_reading))
    answered = [(await session.next())["id"] for _ in range(16)]
    assert len(set(answered)) == 16
    session.stream.drop()


async def _call(function: Any) -> None:
    function()


@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_a_client_is_asked_from_any_node(
    nodes: Nodes, door: Door, open_socket: OpenSocket, transport: str
) -> None:
    here, there = await nodes()
    await door.open(there)
    socket = await open_socket(transport)
    me = (await socket.connected())["id"]
    assert await here.on(here.hub.ask(me, "ready?", {"a": b"blob"}, 1)) == [{"a": b"blob"}, 1]
    with pytest.raises(TimeoutError):
        await here.on(here.hub.ask(me, "ignored", timeout_s=0.3))
    await socket.stop()
    await there.alone()
    with pytest.raises(RefusedError) as refused:
        await here.on(here.hub.ask(me, "ready?"))
    assert refused.value.fault == codes.NOT_AVAILABLE


async def test_without_the_broker_only_what_is_here_is_served(nodes: Nodes, redis_server: RedisServer) -> None:
    here, there = await nodes()
    session = await at_another(here, there, "http_stream")
    redis_server.kill()
    try:
        assert await session.say({"id": 2, "send": {}}) == 503
    finally:
        redis_server.start()
    session.server = there
    assert await session.say({"id": 3, "rpc": {"method": "double", "data": 21}}) == 204
    assert (await session.next())["rpc"] == {"data": 42}
    session.stream.drop()
