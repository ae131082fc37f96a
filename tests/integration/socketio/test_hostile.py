"""Input that no client library sends gets the protocol's own refusal; bystanders notice nothing, and nothing leaks."""

import asyncio
import base64
import json
import socket
from collections.abc import AsyncIterator
from typing import NamedTuple

import pytest
from websockets.asyncio.client import connect

from tests.integration.native.rawsocket import RawSocket
from tests.integration.native.serving import Server
from tests.patience import DEADLINE_S
from vagus import Caller, Hub, Limits
from vagus.gateway.socketio import PATHS, SocketIo
from vagus.gateway.socketio.session import Session
from vagus.kernel.rates import Rate

from .conftest import OpenEngine, OpenPoller, Serve
from .engine_client import EngineSocket

PLACE = '{"_placeholder":true,"num":%d}'


class Facts(NamedTuple):
    """What the server holds."""

    clients: int
    topics: int
    sockets: int
    sessions: int
    timers: int
    tasks: int
    """Also those of the servers of other tests, which may be on their way out."""

    def is_no_more_than(self, before: "Facts") -> bool:
        return self[:-1] == before[:-1] and self.tasks <= before.tasks


async def facts_of(server: Server) -> Facts:
    async def looked() -> Facts:
        endpoint = server.gate.endpoints[PATHS[0]]
        assert isinstance(endpoint, SocketIo)
        return Facts(
            clients=len(server.hub.clients),
            topics=len(server.hub.topics),
            sockets=server.gate.open_sockets,
            sessions=len(endpoint._polling),
            timers=sum(map(len, server.hub.wheel._slots.values())),
            tasks=len(asyncio.all_tasks()),
        )

    return await server.on(looked())


class Scene:
    """A server with two bystanders, who hear every number that is published, and nothing else."""

    def __init__(self, server: Server, native: RawSocket, engine: EngineSocket) -> None:
        self.server = server
        self._native = native
        self._engine = engine
        self._number = 0

    async def is_calm(self) -> None:
        """The bystanders hear the next numbers in their order."""
        for _ in range(3):
            self._number += 1
            await self.server.publish("calm", self._number)
            assert (await self._native.line())["push"]["pub"]["data"] == self._number
            assert json.loads((await self._engine.hear())[2:])[1]["data"] == self._number


def house() -> Hub:
    hub = Hub(open_to_all=True, limits=Limits(queue_bytes=300_000))

    @hub.call("slow", allow=("anyone",))
    async def slow(caller: Caller) -> None:
        await asyncio.sleep(0.01)

    return hub


@pytest.fixture
async def scene(serve: Serve, open_engine: OpenEngine) -> AsyncIterator[Scene]:
    server = await serve(house())
    native = await RawSocket.opened(server.url)
    await native.ask("connect")
    await native.ask("subscribe", channel="calm")
    engine = await open_engine(server)
    await engine.ask("subscribe", "calm")
    scene = Scene(server, native, engine)
    await scene.is_calm()
    before = await facts_of(server)
    yield scene
    await scene.is_calm()
    async with asyncio.timeout(DEADLINE_S):
        while not (await facts_of(server)).is_no_more_than(before):  # noqa: ASYNC110 - it is asked what it holds
            await asyncio.sleep(0.02)
    await native.close()


BAD_PACKETS = {
    "nothing": [""],
    "no such type": ["9"],
    "a handshake": ['0{"sid":"x"}'],
    "a ping": ["2"],
    "an upgrade": ["5"],
    "no packet": ["4"],
    "no such packet": ["47"],
    "cut off": ['42["a'],
    "no array": ['42{"a":1}'],
    "no name": ["42[]"],
    "a name that is none": ["42[{}]"],
    "a reserved name": ['42["disconnect"]'],
    "a bad id": ['421x["a"]'],
    "an id beyond bounds": ['429999999999999999["a"]'],
    "an ack without id": ["43[]"],
    "a server's packet": ['44{"message":"x"}'],
    "a namespace not joined": ['42/chat,["a"]'],
    "a namespace of JavaScript": ['42/__proto__,["a"]'],
    "an ack for a namespace not joined": ["43/chat,1[]"],
    "leaving what is not joined": ["41/chat,"],
    "joining twice": ["40"],
    "auth that is text": ['40/x,"text"'],
    "auth that is a list": ["40/x,[]"],
    "binary out of the blue": [b"abc"],
    "too many attachments": ["4511-[" + ",".join(['"a"'] + [PLACE % number for number in range(11)]) + "]"],
    "text in place of an attachment": [f'451-["a",{PLACE % 0}]', '42["b"]'],
    "one attachment too many": [f'451-["a",{PLACE % 0}]', b"x", b"y"],
    "an attachment without a place": ['451-["a"]', b"x"],
    "a place without attachment": [f'451-["a",{PLACE % 1}]', b"x"],
    "a negative place": [f'451-["a",{PLACE % -1}]', b"x"],
    "attachments beyond bounds": [f'452-["a",{PLACE % 0},{PLACE % 1}]', b"x" * 600_000, b"x" * 600_000],
    "nested too deep": ['42["a",' + "[" * 50_000 + "]" * 50_000 + "]"],
    "places nested too deep": ['451-["a",' + "[" * 2_000 + "]" * 2_000 + "]", b"x"],
}


@pytest.mark.parametrize("packets", BAD_PACKETS.values(), ids=BAD_PACKETS.keys())
async def test_a_bad_packet_closes_a_websocket(
    scene: Scene, open_engine: OpenEngine, packets: list[str | bytes]
) -> None:
    peer = await open_engine(scene.server)
    await peer.say(*packets)
    assert await peer.closed() == 3501


@pytest.mark.parametrize("packets", BAD_PACKETS.values(), ids=BAD_PACKETS.keys())
async def test_a_bad_packet_ends_a_session_that_polls(
    scene: Scene, poller: OpenPoller, packets: list[str | bytes]
) -> None:
    client = await (await poller(scene.server)).open()
    await client.join()
    packed = ["b" + base64.b64encode(each).decode() if isinstance(each, bytes) else each for each in packets]
    response = await client.post("\x1e".join(packed))
    if sum(map(len, packed)) > 1_000_000:
        assert response.status_code == 413
        await client.say("1")
        return
    assert (response.status_code, response.json()["code"]) == (400, 3)
    assert (await client.get()).json()["code"] == 1


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", "text/plain"),
        (b"\x1e", "text/plain"),
        (b"40\x1e", "text/plain"),
        (b"4\xff\xfe", "text/plain"),
        (b"b%%%", "text/plain"),
        (b"bAQID", "text/plain"),
        (b"\x00\x02\xff40", "application/octet-stream"),
        (b"40", "application/octet-stream; charset=x"),
    ],
)
async def test_a_bad_body_ends_a_session(scene: Scene, poller: OpenPoller, body: bytes, content_type: str) -> None:
    client = await (await poller(scene.server)).open()
    response = await client.post(body, {"content-type": content_type})
    assert (response.status_code, response.json()["code"]) == (400, 3)
    assert (await client.get()).json()["code"] == 1


async def test_packets_that_are_too_large_are_not_read(scene: Scene, open_engine: OpenEngine) -> None:
    peer = await open_engine(scene.server)
    await peer.say('42["' + "x" * 1_000_000 + '"]')
    assert await peer.closed() == 1009


async def test_bad_utf8_closes_a_websocket(scene: Scene, open_engine: OpenEngine) -> None:
    peer = await open_engine(scene.server)
    await peer.connection.send(b'42["\xff"]', text=True)
    assert await peer.closed() == 1007


async def test_namespaces_that_are_none_are_refused_one_by_one(scene: Scene, open_engine: OpenEngine) -> None:
    peer = await open_engine(scene.server)
    names = [f"n{number}" for number in range(1_000)] + ["__proto__", "constructor", "toString", "vagus", "../x", "a b"]
    await peer.say(*(f"40/{name}," for name in names))
    for name in names:
        assert await peer.hear() == f'44/{name},{{"message":"Invalid namespace"}}'
    assert await peer.ask("presence_stats", "a") == {"num_clients": 0, "num_users": 0}
    await peer.close()


async def test_joining_counts_like_connecting(serve: Serve, open_engine: OpenEngine) -> None:
    hub = Hub(open_to_all=True, limits=Limits(connecting=Rate(0.001, 3)))
    hub.section("chat", allow=("anyone",))
    peer = await open_engine(await serve(hub))
    for _ in range(2):
        await peer.join("chat")
        await peer.say("41/chat,")
    await peer.say("40/chat,")
    refusal = '{"message":"too many requests","data":{"code":111,"temporary":true}}'
    assert await peer.hear() == "44/chat," + refusal
    assert await peer.ask("presence_stats", "a") == {"num_clients": 0, "num_users": 0}


async def test_names_of_prototypes_are_calls_that_nobody_has(scene: Scene, open_engine: OpenEngine) -> None:
    peer = await open_engine(scene.server)
    for name in ("__proto__", "constructor", "toString", "__init__", "hasOwnProperty", "_own", "\x00", "x" * 10_000):
        assert (await peer.ask(name))["error"]["code"] in (103, 104)
    await peer.close()


async def test_a_flood_of_acks_is_nothing(scene: Scene, open_engine: OpenEngine) -> None:
    peer = await open_engine(scene.server)
    await peer.say(*(f'43{number}["a"]' for number in range(5_000)))
    assert await peer.ask("presence_stats", "a") == {"num_clients": 0, "num_users": 0}
    await peer.close()


async def test_a_flood_of_calls_waits_its_turn(scene: Scene, open_engine: OpenEngine) -> None:
    peer = await open_engine(scene.server)
    await peer.say(
        *(f'42{number}["slow"]' for number in range(100)),
        *(f'42{number}["presence_stats","a"]' for number in range(100, 3_000)),
    )
    for number in range(3_000):
        assert (await peer.hear()).startswith(f"43{number}[")
    await peer.close()


async def test_a_flood_of_calls_in_one_body_waits_its_turn(scene: Scene, poller: OpenPoller) -> None:
    client = await (await poller(scene.server)).open()
    await client.join()
    calls = [f'42{number}["slow"]' for number in range(100)]
    calls += [f'42{number}["presence_stats","a"]' for number in range(100, 3_000)]
    posting = asyncio.create_task(client.say(*calls))
    heard: list[str] = []
    while len(heard) < 3_000:
        heard += (await client.poll()).split("\x1e")
    await posting
    assert [packet.partition("[")[0] for packet in heard] == [f"43{number}" for number in range(3_000)]
    await client.say("1")


async def test_a_session_cannot_be_guessed(scene: Scene, poller: OpenPoller) -> None:
    victim, thief = await (await poller(scene.server)).open(), await poller(scene.server)
    for sid in (victim.sid[:-1], victim.sid + "A", victim.sid.swapcase(), "0", "__proto__", "\x00", "%00", "x" * 5_000):
        assert (await thief.get(sid=sid)).json()["code"] == 1
        assert (await thief.post("40", sid=sid)).json()["code"] == 1
    await victim.join()
    await victim.say("1")


def stubborn(server: Server) -> socket.socket:
    """A connection that takes next to nothing before it is full."""
    peer = socket.socket()
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    peer.settimeout(DEADLINE_S)
    peer.connect(("127.0.0.1", server.port))
    return peer


async def publish_until_one_is_slow(server: Server, bound: int = 300_000) -> None:
    """Publish until a client is closed for that, and never more than 2,000 times."""

    async def publish() -> None:
        slow = server.hub.figures.slow
        for number in range(2_000):
            if server.hub.figures.slow > slow:
                return
            await server.hub.publish("feed", [number, "x" * 50_000])
            await asyncio.sleep(0.001)
            assert all(client.queue_bytes <= bound for client in server.hub.clients.values())
        raise AssertionError("nobody was slow")

    await server.on(publish())


async def test_who_never_polls_is_let_go(scene: Scene, poller: OpenPoller) -> None:
    client = await (await poller(scene.server)).open()
    await client.join()
    await client.say('421["subscribe","feed"]')
    assert await client.poll() == "431[{}]"
    await publish_until_one_is_slow(scene.server)
    assert (await client.get()).json()["code"] == 1


async def test_who_polls_and_never_reads_is_let_go(scene: Scene, poller: OpenPoller) -> None:
    client = await (await poller(scene.server)).open()
    await client.join()
    await client.say('421["subscribe","feed"]')
    assert await client.poll() == "431[{}]"
    request = f"GET /socket.io/?EIO=4&transport=polling&sid={client.sid} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    with stubborn(scene.server) as peer:
        peer.sendall(request * 50)
        await publish_until_one_is_slow(scene.server)


async def test_a_websocket_that_never_reads_is_let_go(scene: Scene, open_engine: OpenEngine) -> None:
    peer = await open_engine(scene.server)
    await peer.ask("subscribe", "feed")
    peer.connection.transport.pause_reading()
    await publish_until_one_is_slow(scene.server)
    await peer.close()


async def test_who_never_reads_refusals_is_let_go(scene: Scene) -> None:
    with stubborn(scene.server) as sock:
        url = f"ws://127.0.0.1:{scene.server.port}/socket.io/?EIO=4&transport=websocket"
        connection = await connect(url, sock=sock, proxy=None, ping_interval=None, max_queue=1)
        try:
            async with asyncio.timeout(DEADLINE_S):
                while True:
                    await connection.send("40/" + "x" * 200 + ",")
        except Exception:
            assert scene.server.hub.figures is not None
        connection.transport.abort()
        await connection.wait_closed()


async def test_an_upgrade_that_never_ends_costs_a_websocket_alone(
    scene: Scene, poller: OpenPoller, open_engine: OpenEngine
) -> None:
    client = await (await poller(scene.server)).open()
    await client.join()
    probe = await open_engine(scene.server, probe=client.sid)
    await probe.say("2probe")
    assert await probe.hear() == "3probe"
    await scene.server.on(due_now(scene.server))
    assert await probe.closed() == 3502
    await client.say('421["presence_stats","a"]')
    assert (await client.poll()).startswith("431[")
    await client.say("1")


async def test_an_upgrade_does_not_overtake_a_body(scene: Scene, poller: OpenPoller, open_engine: OpenEngine) -> None:
    client = await (await poller(scene.server)).open()
    await client.join()
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield b"42"
        begun.set()
        await go_on.wait()
        yield b'7["presence_stats","a"]'

    headers = {"content-type": "text/plain", "content-length": "25"}
    posting = asyncio.create_task(client.request("POST", slowly(), headers))
    await begun.wait()
    await scene.server.on(body_begun(scene.server))
    probe = await open_engine(scene.server, probe=client.sid)
    await probe.say("2probe", "5")
    assert await probe.closed() == 3501
    go_on.set()
    assert (await posting).text == "ok"
    assert (await client.poll()).startswith("437[")
    await client.say("1")


async def body_begun(server: Server) -> None:
    (session,) = [each for each in server.gate.sockets if isinstance(each, Session) and each.polling is not None]
    assert session.polling is not None
    while not session.polling.is_posting:  # noqa: ASYNC110 - nobody is told of it
        await asyncio.sleep(0)


async def due_now(server: Server) -> None:
    """Let the WebSocket that asks to take over run out of time."""
    for session in [each for each in server.gate.sockets if isinstance(each, Session)]:
        assert session.polling is not None
        assert session.polling.probe is not None
        session.polling.probe.on_due(0)


async def test_half_a_body_that_is_given_up_ends_the_session(scene: Scene, poller: OpenPoller) -> None:
    client = await (await poller(scene.server)).open()
    head = f"POST /socket.io/?EIO=4&transport=polling&sid={client.sid} HTTP/1.1\r\nHost: x\r\n"
    with stubborn(scene.server) as peer:
        peer.sendall(head.encode() + b"Content-Length: 100\r\n\r\n40")
    response = await client.get()
    assert response.status_code == 400


async def test_sessions_have_a_bound(scene: Scene, poller: OpenPoller) -> None:
    endpoint = scene.server.gate.endpoints[PATHS[0]]
    assert isinstance(endpoint, SocketIo)
    endpoint._polling._bound = 5
    clients = [await (await poller(scene.server)).open() for _ in range(5)]
    response = await (await poller(scene.server)).get()
    assert response.status_code == 503
    assert response.headers["retry-after"] == "1"
    for client in clients:
        await client.say("1")
