"""The hub as an ASGI application: first against the ASGI specification with a server played by the test, so that every
order of events can be had; then behind real servers, which differ in what they send, drop and answer.
"""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import hypercorn.asyncio
import hypercorn.config
import msgspec
import pytest
import uvicorn
from centrifuge import Client
from starlette.applications import Starlette
from starlette.routing import Mount
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.examples.driving import Follower, Wire, soon
from tests.patience import DEADLINE_S
from vagus import Caller, ChannelRule, Hub, Last, Limits, Rate, asgi_app
from vagus.asgi import Asgi
from vagus.auth.addresses import AddressRules, Networks
from vagus.auth.origins import OriginRules
from vagus.broker import Listener
from vagus.broker.memory import MemoryBroker
from vagus.gateway.native import PATH
from vagus.kernel import codes

Message = dict[str, Any]


def open_hub(**options: Any) -> Hub:
    return Hub(open_to_all=True, limits=Limits(**options))


class Played:
    """An ASGI server with one WebSocket, played by a test: it sees every message and decides when it is taken."""

    def __init__(self, app: Asgi, **scope: Any) -> None:
        self.sent: asyncio.Queue[Message] = asyncio.Queue()
        self.takes = asyncio.Event()
        self.takes.set()
        self.is_broken = False
        self._incoming: asyncio.Queue[Message] = asyncio.Queue()
        self._scope = {
            "type": "websocket",
            "path": "/",
            "query_string": b"",
            "headers": [],
            "subprotocols": [],
            **scope,
        }
        self._incoming.put_nowait({"type": "websocket.connect"})
        self.task = asyncio.create_task(self._run(app))

    async def _run(self, app: Asgi) -> None:
        await app(self._scope, self._incoming.get, self._send)

    async def _send(self, message: Any) -> None:
        await self.takes.wait()
        if self.is_broken:
            raise OSError("the client is gone")
        self.sent.put_nowait(dict(message))

    def feed(self, *commands: object) -> None:
        self.feed_text("\n".join(json.dumps(command) for command in commands))

    def feed_text(self, text: str) -> None:
        self._incoming.put_nowait({"type": "websocket.receive", "text": text})

    def leave(self, code: int = 1001) -> None:
        self._incoming.put_nowait({"type": "websocket.disconnect", "code": code})

    async def next(self) -> Message:
        message: Message = await soon(self.sent.get())
        return message

    async def connected(self, *commands: object) -> list[Any]:
        """Accept, connect and run commands; the replies."""
        assert (await self.next())["type"] == "websocket.accept"
        self.feed({"id": 1, "connect": {}}, *commands)
        lines: list[Any] = []
        while len(lines) < 1 + len(commands):
            lines += [json.loads(line) for line in (await self.next())["text"].split("\n")]
        return lines

    async def ended(self) -> None:
        await soon(self.task)


@pytest.fixture(autouse=True)
async def no_task_is_left() -> AsyncIterator[None]:
    before = asyncio.all_tasks()
    yield
    left = asyncio.all_tasks() - before - {asyncio.current_task()}
    if left:
        _, stuck = await asyncio.wait(left, timeout=DEADLINE_S)
        assert not stuck


# before the connection is accepted


async def test_a_foreign_origin_is_refused_before_it_is_accepted_with_status_where_the_server_can() -> None:
    async with open_hub() as hub:
        app = asgi_app(hub, origins=OriginRules(["https://app.example"]))
        headers = [(b"host", b"hub.example"), (b"origin", b"https://evil.example")]
        able = Played(app, headers=headers, extensions={"websocket.http.response": {}})
        assert (await able.next())["status"] == 403
        assert b"origin" in (await able.next())["body"]
        plain = Played(app, headers=headers)
        assert await plain.next() == {
            "type": "websocket.close",
            "code": 1008,
            "reason": "this origin may not connect here",
        }
        await able.ended()
        await plain.ended()


async def test_a_denied_address_is_refused_and_a_forged_header_does_not_help() -> None:
    rules = AddressRules(allow=Networks(), deny=Networks(["203.0.113.0/24"]))
    async with open_hub() as hub:
        app = asgi_app(hub, addresses=rules, proxies=Networks(["10.0.0.1"]))
        forged = Played(app, client=("203.0.113.7", 1), headers=[(b"x-forwarded-for", b"192.0.2.1")])
        assert (await forged.next())["type"] == "websocket.close"
        vouched = Played(app, client=("10.0.0.1", 1), headers=[(b"x-forwarded-for", b"203.0.113.7")])
        assert (await vouched.next())["type"] == "websocket.close"
        welcome = Played(app, client=("10.0.0.1", 1), headers=[(b"x-forwarded-for", b"192.0.2.1")])
        assert (await welcome.next())["type"] == "websocket.accept"
        welcome.leave()
        await welcome.ended()


async def test_a_busy_hub_refuses_with_503_and_a_full_one_closes_after_accepting() -> None:
    async with open_hub(connecting=Rate(0.001, 1)) as hub:
        app = asgi_app(hub)
        first = Played(app)
        await first.connected()
        second = Played(app, extensions={"websocket.http.response": {}})
        assert (await second.next())["status"] == 503
        first.leave()
    async with open_hub(connections=1) as hub:
        app = asgi_app(hub)
        first = Played(app)
        await first.connected()
        second = Played(app)
        assert (await second.next())["type"] == "websocket.accept"
        assert (await second.next())["code"] == codes.CONNECTION_LIMIT.code
        second.leave()
        first.leave()
        await second.ended()


async def test_the_subprotocol_is_confirmed_only_where_it_is_known() -> None:
    async with open_hub() as hub:
        app = asgi_app(hub)
        for offered, chosen in (
            (["centrifuge-json"], "centrifuge-json"),
            (["mqtt", "centrifuge-protobuf"],) * 2,
            (["mqtt"], None),
        ):
            played = Played(app, subprotocols=offered)
            expected = chosen if isinstance(chosen, str) or chosen is None else "centrifuge-protobuf"
            assert (await played.next())["subprotocol"] == expected
            played.leave()
            await played.ended()


async def test_plain_http_is_told_to_upgrade() -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async with open_hub() as hub:
        await asgi_app(hub)({"type": "http", "path": PATH, "headers": []}, asyncio.Queue[Any]().get, send)
    assert sent[0]["status"] == 426
    assert (b"upgrade", b"websocket") in sent[0]["headers"]


async def test_every_dialect_answers_below_where_it_is_mounted() -> None:
    hub = open_hub()
    site = Starlette(routes=[Mount("/live", asgi_app(hub))])
    async with hub, httpx.AsyncClient(transport=httpx.ASGITransport(app=site), base_url="http://here") as http:
        assert (await http.get("/live/socket.io/?EIO=4&transport=polling")).text.startswith('0{"sid":')
        assert (await http.post("/live/hubs/vagus/negotiate?negotiateVersion=1")).json()["negotiateVersion"] == 1
        assert (await http.get("/live/events")).json()["detail"] == "name a channel to listen to: ?channel=…"
        assert (await http.get("/live/connection/http_stream")).status_code == 405
        assert (await http.get("/live/elsewhere")).status_code == 404


# how the hub is started


class SlowlyStarting(MemoryBroker):
    """A broker whose server takes its time."""

    def __init__(self) -> None:
        super().__init__()
        self.may_start = asyncio.Event()
        self.is_up = False

    async def start(self, listener: Listener) -> None:
        await self.may_start.wait()
        await super().start(listener)
        self.is_up = True


async def test_the_first_connection_starts_the_hub_and_the_second_waits_until_it_is_up() -> None:
    broker = SlowlyStarting()
    hub = Hub(open_to_all=True, broker=broker)
    app = asgi_app(hub)
    first, second = Played(app), Played(app)
    await asyncio.sleep(0)
    assert hub.is_started
    assert first.sent.empty()
    assert second.sent.empty()
    broker.may_start.set()
    for played in (first, second):
        assert (await played.connected())[0]["id"] == 1
        assert broker.is_up
    await hub.stop()
    for played in (first, second):
        assert (await played.next()) == {"type": "websocket.close", "code": 3001, "reason": "shutdown"}
        played.leave()
        await played.ended()


async def _lifespan(app: Asgi) -> tuple[asyncio.Queue[Message], list[Message], asyncio.Task[None]]:
    told: asyncio.Queue[Message] = asyncio.Queue()
    heard: list[Message] = []

    async def send(message: Any) -> None:
        heard.append(dict(message))

    async def run() -> None:
        await app({"type": "lifespan"}, told.get, send)

    return told, heard, asyncio.create_task(run())


async def test_as_the_root_application_it_lives_with_the_servers_lifespan() -> None:
    hub = open_hub()
    app = asgi_app(hub)
    told, heard, task = await _lifespan(app)
    told.put_nowait({"type": "lifespan.startup"})
    played = Played(app)
    await played.connected()
    assert heard == [{"type": "lifespan.startup.complete"}]
    told.put_nowait({"type": "lifespan.shutdown"})
    assert (await played.next())["code"] == codes.SHUTDOWN.code
    played.leave()
    await played.ended()
    await soon(task)
    assert heard[-1] == {"type": "lifespan.shutdown.complete"}


class NeverStarting(MemoryBroker):
    async def start(self, listener: Listener) -> None:
        raise ConnectionRefusedError("nobody listens")


async def test_a_hub_that_cannot_start_fails_the_servers_start_by_name() -> None:
    told, heard, task = await _lifespan(asgi_app(Hub(broker=NeverStarting())))
    told.put_nowait({"type": "lifespan.startup"})
    with pytest.raises(ConnectionRefusedError):
        await soon(task)
    assert heard[0]["type"] == "lifespan.startup.failed"
    assert "nobody listens" in heard[0]["message"]


async def test_a_hub_that_could_not_start_is_tried_again_by_the_next_connection() -> None:
    broker = SlowlyStarting()
    broker.may_start.set()
    fails = iter([True, False])
    start = broker.start

    async def start_at_second_try(listener: Listener) -> None:
        if next(fails):
            raise ConnectionRefusedError("nobody listens yet")
        await start(listener)

    broker.start = start_at_second_try  # type: ignore[method-assign]  # a server that is late
    app = asgi_app(Hub(open_to_all=True, broker=broker))
    first = Played(app)
    with pytest.raises(ConnectionRefusedError):
        await first.ended()
    second = Played(app)
    await second.connected()
    second.leave()
    await second.ended()
    assert broker.is_up


# while it is connected


async def test_a_message_over_the_limit_closes_with_1009_and_nothing_more_is_read() -> None:
    async with open_hub(message_bytes=1000) as hub:
        played = Played(asgi_app(hub))
        await played.connected()
        played.feed({"id": 2, "publish": {"channel": "a", "data": "x" * 1000}})
        played.feed({"id": 3, "publish": {"channel": "a", "data": 1}})
        assert await played.next() == {"type": "websocket.close", "code": 1009, "reason": "message too big"}
        assert not hub.clients
        played.leave()
        await played.ended()
        assert hub.figures.published == 0


async def test_a_message_just_within_the_limit_is_taken() -> None:
    async with open_hub() as hub:
        played = Played(asgi_app(hub))
        await played.connected()
        head, tail = '{"id":2,"publish":{"channel":"a","data":"', '"}}'
        played.feed_text(head + "x" * (65_536 - len(head) - len(tail)) + tail)
        assert json.loads((await played.next())["text"]) == {"id": 2, "publish": {}}
        played.leave()
        await played.ended()


async def test_binary_messages_are_json_too_and_answers_are_text() -> None:
    async with open_hub() as hub:
        played = Played(asgi_app(hub))
        await played.next()
        played._incoming.put_nowait({"type": "websocket.receive", "bytes": b'{"id":1,"connect":{}}', "text": None})
        assert json.loads((await played.next())["text"])["id"] == 1
        played.leave()
        await played.ended()


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("", 3501),
        ("{", 3501),
        ('{"id":2,"ping":{}}', 3501),
        ("{}", 3501),
        ('{"id":2,"connect":{}}', 3501),
        ("\n\n", 3501),
    ],
)
async def test_what_is_malformed_is_closed_with_the_code_of_the_protocol(line: str, code: int) -> None:
    async with open_hub() as hub:
        played = Played(asgi_app(hub))
        await played.connected()
        played.feed_text(line)
        assert (await played.next())["code"] == code
        played.leave(code)
        await played.ended()


async def test_leaving_frees_everything() -> None:
    async with open_hub() as hub:
        played = Played(asgi_app(hub))
        await played.connected({"id": 2, "subscribe": {"channel": "a"}})
        assert list(hub.topics) == ["a"]
        played.leave()
        await played.ended()
        assert not hub.clients
        assert not hub.topics


async def test_cancelling_the_servers_task_frees_everything_even_while_a_message_is_stuck() -> None:
    async with open_hub() as hub:
        played = Played(asgi_app(hub))
        await played.connected({"id": 2, "subscribe": {"channel": "a"}})
        played.takes.clear()
        await hub.publish("a", "stuck")
        await asyncio.sleep(0)
        played.task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await played.ended()
        assert not hub.clients
        assert not hub.topics


async def test_a_server_that_lost_the_connection_under_our_hands_ends_the_client() -> None:
    async with open_hub() as hub:
        played = Played(asgi_app(hub))
        await played.connected({"id": 2, "subscribe": {"channel": "a"}})
        played.is_broken = True
        await hub.publish("a", 1)
        await _until(lambda: not hub.clients)
        played.leave(1006)
        await played.ended()


async def test_who_leaves_while_an_answer_is_awaited_is_forgotten() -> None:
    hub = open_hub()
    may_end = asyncio.Event()

    @hub.call("wait", allow=("anyone",))
    async def wait(caller: Caller) -> None:
        await may_end.wait()

    async with hub:
        played = Played(asgi_app(hub))
        await played.connected()
        played.feed({"id": 2, "rpc": {"method": "wait"}})
        played.leave()
        await played.ended()
        assert not hub.clients
        may_end.set()


# who reads slowly


def chunk(number: int, size: int = 10_000) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode({"n": number, "pad": "x" * size}))


async def test_a_client_that_takes_nothing_is_dropped_as_slow_and_others_get_everything() -> None:
    hub = Hub(
        rules=[ChannelRule(pattern="{c*}", subscribe=("anyone",))],
        allow_anonymous=True,
        limits=Limits(queue_bytes=200_000),
    )
    async with hub:
        app = asgi_app(hub)
        stuck, brisk = Played(app), Played(app)
        for played in (stuck, brisk):
            await played.connected({"id": 2, "subscribe": {"channel": "a"}})
        stuck.takes.clear()
        seen: list[int] = []
        for number in range(60):
            await hub.publish("a", chunk(number))
            while not seen or seen[-1] < number:
                seen += [
                    json.loads(line)["push"]["pub"]["data"]["n"] for line in (await brisk.next())["text"].split("\n")
                ]
            for client in hub.clients.values():
                assert client.queue_bytes <= 200_000
        assert seen == list(range(60))
        await stuck.ended()  # although the server still holds a message of it
        assert len(hub.clients) == 1
        assert hub.figures.slow == 1
        brisk.leave()
        await brisk.ended()


async def test_a_client_that_keeps_the_latest_catches_up_with_it() -> None:
    rule = ChannelRule(pattern="{c*}", subscribe=("anyone",), when_slow="keep-latest")
    async with Hub(rules=[rule], allow_anonymous=True, limits=Limits(queue_bytes=200_000)) as hub:
        played = Played(asgi_app(hub))
        await played.connected({"id": 2, "subscribe": {"channel": "a"}})
        played.takes.clear()
        for number in range(60):
            await hub.publish("a", chunk(number))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        played.takes.set()
        seen = [-1]
        while seen[-1] != 59:
            seen += [json.loads(line)["push"]["pub"]["data"]["n"] for line in (await played.next())["text"].split("\n")]
        assert seen == sorted(seen)
        assert len(seen) < 60
        played.leave()
        await played.ended()


async def test_a_client_that_is_closed_while_the_server_is_stuck_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vagus.gateway.asgi.CLOSING_S", 0.05)
    async with open_hub() as hub:
        played = Played(asgi_app(hub))
        await played.connected({"id": 2, "subscribe": {"channel": "a"}})
        played.takes.clear()
        await hub.publish("a", "stuck")
        await asyncio.sleep(0)
        await hub.disconnect(client=next(iter(hub.clients)))
        await played.ended()


# behind real servers

Serving = Callable[[Asgi], Any]


def _free_socket() -> socket.socket:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(100)
    listener.setblocking(False)
    return listener


def _uvicorn(websockets: Any) -> Serving:
    @asynccontextmanager
    async def serving(app: Asgi) -> AsyncIterator[int]:
        listener = _free_socket()
        port: int = listener.getsockname()[1]
        config = uvicorn.Config(app, ws=websockets, log_level="warning", timeout_graceful_shutdown=5)
        server = uvicorn.Server(config)
        task = asyncio.create_task(server.serve([listener]))
        try:
            yield port
        finally:
            server.should_exit = True
            await soon(task)
            listener.close()

    return serving


@asynccontextmanager
async def _hypercorn(app: Asgi) -> AsyncIterator[int]:
    listener = _free_socket()
    port: int = listener.getsockname()[1]
    config = hypercorn.config.Config()
    config.bind = [f"fd://{listener.fileno()}"]
    config.graceful_timeout = 5
    over = asyncio.Event()
    task = asyncio.create_task(hypercorn.asyncio.serve(app, config, shutdown_trigger=over.wait))  # type: ignore[arg-type]
    try:
        yield port
    finally:
        over.set()
        await soon(task)
        listener.detach()


SERVERS = {
    "uvicorn, websockets": _uvicorn("websockets-sansio"),
    "uvicorn, wsproto": _uvicorn("wsproto"),
    "hypercorn": _hypercorn,
}


@pytest.fixture(params=SERVERS)
def serving(request: pytest.FixtureRequest) -> Serving:
    return SERVERS[request.param]


def url(port: int) -> str:
    return f"ws://127.0.0.1:{port}/connection/websocket"


async def _until(condition: Callable[[], object]) -> None:
    for _ in range(1500):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never came true")


async def test_the_unmodified_client_follows_publishes_and_recovers(serving: Serving) -> None:
    hub = open_hub()
    follower = Follower()
    async with serving(asgi_app(hub)) as port, Wire(port) as wire:
        client = Client(wire.websocket_url, proxy=None, max_reconnect_delay=0.2)
        await client.connect()
        await follower.follow(client, "news")
        await soon(follower.subscribed.get())
        big = "ü" * 200_000
        await hub.publish("news", big)
        assert await soon(follower.data.get()) == big
        wire.cut()
        await hub.publish("news", "missed")
        wire.mend()
        assert await soon(follower.data.get()) == "missed"
        await client.disconnect()
        await _until(lambda: not hub.clients)
    assert not hub.topics


async def test_a_foreign_origin_gets_403_behind_every_server(serving: Serving) -> None:
    async with serving(asgi_app(open_hub())) as port:
        with pytest.raises(InvalidStatus) as refused:
            await connect(url(port), proxy=None, origin="https://evil.example")  # type: ignore[arg-type]
    assert refused.value.response.status_code == 403


async def test_close_codes_and_reasons_arrive_behind_every_server(serving: Serving) -> None:
    hub = open_hub()
    async with serving(asgi_app(hub)) as port:
        for text, code, reason in (("{", 3501, "bad request"), ("x" * 65_537, 1009, "message too big")):
            async with connect(url(port), proxy=None) as client:
                await client.send(text)
                with pytest.raises(ConnectionClosed):
                    await soon(client.recv())
                assert (client.close_code, client.close_reason) == (code, reason)
        async with connect(url(port), proxy=None) as client:
            await client.send('{"id":1,"connect":{}}')
            await soon(client.recv())
            await hub.disconnect(client=next(iter(hub.clients)))
            with pytest.raises(ConnectionClosed):
                await soon(client.recv())
            assert (client.close_code, client.close_reason) == (3503, "force disconnect")


async def test_stopping_the_server_says_shutdown_to_everybody(serving: Serving) -> None:
    hub = open_hub()
    clients = []
    async with serving(asgi_app(hub)) as port:
        for _ in range(5):
            clients.append(await connect(url(port), proxy=None))
            await clients[-1].send('{"id":1,"connect":{}}')
            await soon(clients[-1].recv())
    for client in clients:
        with pytest.raises(ConnectionClosed):
            await soon(client.recv())
    assert not hub.clients
    # uvicorn closes with 1012 itself before the lifespan ends, hypercorn ends the application and closes with 1011
    assert {client.close_code for client in clients} <= {codes.SHUTDOWN.code, 1011, 1012}


async def test_a_client_that_reads_nothing_is_dropped_behind_every_server_and_recovers(serving: Serving) -> None:
    rule = ChannelRule(pattern="{c*}", subscribe=("anyone",), history=Last(300, minutes=1))
    hub = Hub(rules=[rule], allow_anonymous=True, limits=Limits(queue_bytes=300_000))
    async with serving(asgi_app(hub)) as port:
        stuck = socket.socket()
        stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stuck.connect(("127.0.0.1", port))
        stuck.setblocking(False)
        lazy = await connect(url(port), proxy=None, sock=stuck, max_queue=1, compression=None)
        await lazy.send('{"id":1,"connect":{}}\n{"id":2,"subscribe":{"channel":"a","recoverable":true}}')
        await _until(lambda: hub.num_subscriptions == 1)
        lazy.transport.pause_reading()
        number = 0
        while not hub.figures.slow:  # the buffers of the operating system take several megabytes first
            number += 1
            await hub.publish("a", chunk(number, size=100_000))
            await asyncio.sleep(0)
        await _until(lambda: hub.figures.slow == 1 and not hub.clients)
        lazy.transport.abort()
        again = await connect(url(port), proxy=None, max_size=None)
        await again.send('{"id":1,"connect":{}}\n{"id":2,"subscribe":{"channel":"a","recover":true,"offset":0}}')
        reply = ""
        while '"recovered":true' not in reply:
            reply = str(await soon(again.recv()))
        await again.close()
