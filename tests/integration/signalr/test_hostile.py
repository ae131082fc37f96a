"""Those who break the protocol or lean on it: each gets the protocol's own refusal, a bystander notices nothing, and

nothing is left behind.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import msgspec
import pytest

from tests.integration.native.serving import Server
from vagus import Limits
from vagus.gateway.signalr import PREFIX, SignalR, Times
from vagus.wire.signalr.records import prefixed

from .caller import END, HELLO, Caller, Socket, record
from .conftest import OpenCaller, Serve
from .furnished import furnished_hub

HELLO_PACKED = '{"protocol":"messagepack","version":1}' + END
BAD_REQUEST = {"type": 7, "error": "bad request"}
TOO_MANY = {"type": 7, "error": "too many requests", "allowReconnect": True}
BOUND = 4_096
QUEUE = 200_000


class Scene:
    """A server, an attacker, and a bystander who asks and is told something before and after."""

    def __init__(self, server: Server, caller: Caller, bystander: Socket) -> None:
        self.server = server
        self.caller = caller
        self._bystander = bystander

    async def greeted(self, hello: str = HELLO) -> Socket:
        socket = await self.caller.socket()
        await socket.send(hello)
        await socket.record()
        return socket

    async def is_calm(self) -> None:
        """The bystander is served, and nothing of anybody else is left."""
        assert (await self._bystander.result("Echo", 1))["result"] == [1]
        await self.server.publish("room", "news")
        while (await self._bystander.record()).get("target") != "publication":
            pass
        endpoint = self.server.gate.endpoints[PREFIX]
        assert isinstance(endpoint, SignalR)

        async def alone() -> None:
            while self.server.gate.open_sockets > 1 or len(self.server.hub.clients) > 1:  # noqa: ASYNC110 - both are only counted
                await asyncio.sleep(0)

        await self.server.on(alone())
        assert not endpoint.house.opened
        assert set(self.server.hub.topics) == {"room"}


Enter = Callable[..., Awaitable[Scene]]


@pytest.fixture
async def enter(serve: Serve, open_caller: OpenCaller) -> AsyncIterator[Enter]:
    async def scene(**times: float) -> Scene:
        limits = Limits(message_bytes=BOUND, queue_bytes=QUEUE)
        server = await serve(furnished_hub(limits=limits), times=Times(**times))
        caller = await open_caller(server)
        bystander = await caller.greeted()
        await bystander.result("Subscribe", "room")
        return Scene(server, caller, bystander)

    yield scene


def padded(size: int) -> str:
    return record(type=1, target="Echo", arguments=["x" * size])


@pytest.mark.parametrize(
    "data",
    [
        END,
        "{}" + END,
        "nonsense" + END,
        "[]" + END,
        '{"type":1}' + END,
        '{"type":1,"target":"Echo","arguments":{}}' + END,
        '{"type":4,"target":"Count","arguments":[1]}' + END,
        '{"type":1,"target":"Echo","arguments":[]}' + END + END,
        '{"type":1,"target":"Echo","arguments":' + "[" * 1_500 + "]" * 1_500 + "}" + END,
        '{"type":9,"sequenceId":-5}' + END,
        record(type=1, target="Sum", arguments=[0], streamIds=["1", "1"]),
    ],
)
async def test_records_that_are_none_end_the_connection(enter: Enter, data: str) -> None:
    scene = await enter()
    socket = await scene.greeted()
    await socket.send(data)
    assert await socket.last_words() == ([BAD_REQUEST], 1000)
    await scene.is_calm()


@pytest.mark.parametrize(
    "data",
    [
        b"\x00",
        b"\x01\xc1",
        b"\x80\x80\x80\x80\x80\x01",
        b"\xff\xff\xff\xff\xff",
        b"\xff\xff\xff\xff\x07",
        b"\x06\xdd\xff\xff\xff\xff\xff",
        b"\x03\x91\x81\x80",
        prefixed(b"\x91" * 3_000),
        prefixed(msgspec.msgpack.encode([1, {}, None, "Echo"])),
        prefixed(msgspec.msgpack.encode([1, {}, 5, "Echo", []])),
        prefixed(msgspec.msgpack.encode([4, {}, None, "Count", [1]])),
    ],
)
async def test_packed_records_that_are_none_end_the_connection(enter: Enter, data: bytes) -> None:
    scene = await enter()
    socket = await scene.greeted(HELLO_PACKED)
    await socket.send(data)
    frames = [frame async for frame in socket.connection]
    assert frames == [prefixed(msgspec.msgpack.encode([7, "bad request", False]))]
    assert socket.connection.close_code == 1000
    await scene.is_calm()


async def test_a_record_in_parts_that_grows_too_large_ends_the_connection(enter: Enter) -> None:
    scene = await enter()
    socket = await scene.greeted()
    for _ in range(BOUND // 1_000 + 1):
        await socket.send("x" * 1_000)
    said, _ = await socket.last_words()
    assert said == [BAD_REQUEST]
    await scene.is_calm()


async def test_a_record_that_is_never_finished_keeps_nobody(enter: Enter) -> None:
    scene = await enter()
    socket = await scene.greeted()
    await socket.send('{"type":1,"target":"Echo","argum')
    await socket.connection.close()
    await scene.is_calm()


async def test_a_frame_that_is_too_large_ends_the_connection(enter: Enter) -> None:
    scene = await enter()
    socket = await scene.greeted()
    await socket.send(padded(100) * (16 * BOUND // 100))
    assert (await socket.last_words())[1] == 1009
    await scene.is_calm()


async def test_a_frame_may_be_large_but_not_its_records(enter: Enter) -> None:
    scene = await enter()
    socket = await scene.greeted()
    await socket.send(padded(100) * (5 * BOUND // 100))
    assert (await socket.result("Echo", 1))["result"] == [1]
    await socket.send(padded(BOUND))
    assert await socket.last_words() == ([BAD_REQUEST], 1000)
    await scene.is_calm()


async def test_a_post_may_be_large_but_not_its_records(enter: Enter) -> None:
    scene = await enter()
    token = await scene.caller.polled()
    many = padded(100) * (5 * BOUND // 100)
    assert (await scene.caller.request("POST", f"id={token}", content=many)).status_code == 200
    await scene.caller.request("POST", f"id={token}", content=padded(BOUND))
    assert '"error":"bad request"' in (await scene.caller.request("GET", f"id={token}")).text
    assert (await scene.caller.request("GET", f"id={token}")).status_code == 204
    await scene.is_calm()


@pytest.mark.parametrize(
    ("hello", "text"),
    [
        ("x" * 4_097, "The handshake is malformed."),
        ("x" * 100 + END, "The handshake is malformed."),
        ("{}" + END, "The handshake is malformed."),
        (END, "The handshake is malformed."),
        ('{"protocol":"json","version":9}' + END, "The server does not support this version of the protocol."),
        ('{"protocol":"' + "p" * 100 + '","version":1}' + END, f"The protocol '{'p' * 32}' is not supported."),
    ],
)
async def test_handshakes_that_are_none_are_refused_in_words(enter: Enter, hello: str, text: str) -> None:
    scene = await enter()
    socket = await scene.caller.socket()
    for start in range(0, len(hello), 3_000):
        await socket.send(hello[start : start + 3_000])
    assert await socket.last_words() == ([{"error": text}], 1000)
    await scene.is_calm()


async def test_a_handshake_that_never_comes_is_not_waited_for(enter: Enter) -> None:
    scene = await enter(handshake_s=0.2)
    sockets = [await scene.caller.socket() for _ in range(20)]
    for socket in sockets:
        assert (await socket.last_words())[1] == 1000
    await scene.is_calm()


async def test_negotiating_without_end_leaves_nothing(enter: Enter) -> None:
    scene = await enter(disconnect_s=0.2)
    for _ in range(300):
        assert (await scene.caller.negotiate()).status_code == 200
    endpoint = scene.server.gate.endpoints[PREFIX]
    assert isinstance(endpoint, SignalR)

    async def forgotten() -> None:
        while len(endpoint.house.promised):  # noqa: ASYNC110 - sessions are only counted
            await asyncio.sleep(0.01)

    await scene.server.on(forgotten())
    await scene.is_calm()


async def test_forged_ids_are_found_nowhere(enter: Enter) -> None:
    scene = await enter()
    token = await scene.caller.token()
    for forged in ("", "..", "%00", token[:-1], token.swapcase(), "x" * 5_000):
        for method in ("GET", "POST", "DELETE"):
            assert (await scene.caller.request(method, f"id={forged}")).status_code in (400, 404)
    socket = await scene.caller.greeted(f"id={token}")
    await socket.connection.close()
    await scene.is_calm()


async def test_a_public_id_is_no_key(enter: Enter) -> None:
    scene = await enter()
    terms = (await scene.caller.negotiate()).json()
    assert (await scene.caller.request("GET", f"id={terms['connectionId']}")).status_code == 404
    await scene.is_calm()


async def test_a_flood_of_invocations_is_read_up_to_a_bound(enter: Enter) -> None:
    scene = await enter()
    hub = scene.server.hub
    never = asyncio.Event()

    @hub.sections["chat"].call("Wait")
    async def wait(caller: Any) -> None:
        await never.wait()

    before = set(hub.clients)
    socket = await scene.greeted()
    calls = "".join(record(type=1, invocationId=str(number), target="Wait", arguments=[]) for number in range(50))
    for _ in range(200):
        await socket.send(calls)
    (attacker,) = (client for name, client in hub.clients.items() if name not in before)
    while not attacker._is_unread:
        await scene.caller.negotiate()
    await scene.caller.negotiate()
    assert len(attacker._waiting or ()) == hub.limits.waiting_commands

    async def let_go() -> None:
        never.set()

    await scene.server.on(let_go())
    socket.connection.transport.abort()
    await scene.is_calm()


async def test_a_flood_of_streams_is_bounded(enter: Enter) -> None:
    scene = await enter()
    socket = await scene.greeted()
    for number in range(40):
        await socket.say(type=4, invocationId=str(number), target="Clock", arguments=[])
    failed: set[str] = set()
    while len(failed) < 8:
        said = await socket.record()
        if said["type"] == 3:
            assert said["error"] == "limit exceeded"
            failed.add(said["invocationId"])
    socket.connection.transport.abort()
    await scene.is_calm()


async def test_a_flood_of_streams_to_feed_ends_the_connection(enter: Enter) -> None:
    scene = await enter()
    socket = await scene.greeted()
    for number in range(40):
        await socket.say(type=1, target="Sum", arguments=[0], streamIds=[str(number)])
    said, code = await socket.last_words()
    assert (said, code) == ([TOO_MANY], 1000)
    await scene.is_calm()


async def test_items_for_streams_that_nobody_knows_are_ignored(enter: Enter) -> None:
    scene = await enter()
    socket = await scene.greeted()
    for number in range(100):
        await socket.say(type=2, invocationId=str(number), item=1)
        await socket.say(type=3, invocationId=f"s{number}", result=1)
        await socket.say(type=5, invocationId=str(number))
    assert (await socket.result("Echo", 1))["result"] == [1]
    await socket.connection.close()
    await scene.is_calm()


SUBSCRIBE = record(type=1, invocationId="1", target="Subscribe", arguments=["flood"])


async def flood(scene: Scene) -> None:
    """Publish to who does not read until it is let go."""
    while "flood" not in scene.server.hub.topics:
        await scene.caller.negotiate()
    while "flood" in scene.server.hub.topics:
        await scene.server.publish("flood", "x" * 50_000)


async def test_who_does_not_read_its_socket_is_let_go_when_the_queue_is_full(enter: Enter) -> None:
    scene = await enter()
    socket = await scene.caller.socket()
    await socket.send(HELLO + SUBSCRIBE)
    await socket.record()
    socket.connection.transport.pause_reading()
    await flood(scene)
    socket.connection.transport.abort()
    await scene.is_calm()


async def test_who_does_not_poll_is_let_go_when_the_queue_is_full(enter: Enter) -> None:
    scene = await enter()
    token = await scene.caller.token()
    await scene.caller.request("GET", f"id={token}")
    await scene.caller.request("POST", f"id={token}", content=HELLO + SUBSCRIBE)
    await flood(scene)
    assert (await scene.caller.request("GET", f"id={token}")).status_code == 204
    await scene.is_calm()


async def test_who_does_not_read_its_stream_is_let_go_when_the_queue_is_full(enter: Enter) -> None:
    scene = await enter()
    token = await scene.caller.token()
    http = scene.caller.http
    headers = {"accept": "text/event-stream"}
    request = http.build_request("GET", f"http://{scene.caller.address}?id={token}", headers=headers)
    answer = await http.send(request, stream=True)
    await scene.caller.request("POST", f"id={token}", content=HELLO + SUBSCRIBE)
    await flood(scene)
    await answer.aclose()
    await scene.is_calm()


async def test_slow_polling_loses_nothing_below_the_bound(enter: Enter) -> None:
    scene = await enter()
    token = await scene.caller.polled()
    stream = record(type=4, invocationId="1", target="Count", arguments=[2_000])
    await scene.caller.request("POST", f"id={token}", content=stream)
    text = ""
    while '"type":3' not in text:
        text += (await scene.caller.request("GET", f"id={token}")).text
    items = [msgspec.json.decode(each)["item"] for each in text.split(END)[:-2]]
    assert items == list(range(2_000))
    assert (await scene.caller.request("DELETE", f"id={token}")).status_code == 202
    assert (await scene.caller.request("GET", f"id={token}")).status_code == 204
    await scene.is_calm()


async def test_confirmations_of_what_was_never_sent_are_harmless(enter: Enter) -> None:
    scene = await enter()
    token = await scene.caller.token("negotiateVersion=1&useStatefulReconnect=true")
    socket = await scene.caller.socket(f"id={token}")
    await socket.send('{"protocol":"json","version":2}' + END)
    await socket.record()
    await socket.say(type=8, sequenceId=10**15)
    assert (await socket.result("Echo", 1))["result"] == [1]
    await socket.connection.close()
    await scene.is_calm()
