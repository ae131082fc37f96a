"""Polls over connections that are kept: what a browser never sends wrong, byte by byte, and what is left to uvicorn."""

import asyncio
import gc
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import NamedTuple, Self

import pytest

from tests.integration.native.serving import Server
from tests.patience import DEADLINE_S
from vagus import Hub, Limits
from vagus.auth.origins import OriginRules
from vagus.gateway.direct_polls import DirectPolls
from vagus.gateway.socketio.requests import Fetch
from vagus.gateway.socketio.session import Session

from .conftest import Serve
from .test_engine import a_poll_waits
from .test_hostile import publish_until_one_is_slow, stubborn

UNKNOWN = {"code": 1, "message": "Session ID unknown"}
BAD_REQUEST = {"code": 3, "message": "Bad request"}


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: str


class Kept:
    """A connection of a client that polls. ``sid`` is that of its session."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, sid: str = "") -> None:
        self.reader = reader
        self.writer = writer
        self.sid = sid

    @classmethod
    async def to(cls, server: Server, sid: str = "") -> Self:
        return cls(*await asyncio.open_connection("127.0.0.1", server.port), sid)

    async def open(self) -> Self:
        self.sid = json.loads((await self.ask("GET")).body[1:])["sid"]
        return self

    async def join(self) -> Self:
        assert (await self.ask("POST", "40")).body == "ok"
        assert (await self.ask("GET")).body.startswith("40")
        return self

    async def subscribe(self, channel: str) -> Self:
        assert (await self.ask("POST", f'420["subscribe","{channel}"]')).body == "ok"
        assert (await self.ask("GET")).body == "430[{}]"
        return self

    def request(self, method: str, body: str = "", *fields: str, version: str = "1.1") -> bytes:
        sid = f"&sid={self.sid}" if self.sid else ""
        lines = [f"{method} /socket.io/?EIO=4&transport=polling{sid} HTTP/{version}", "Host: 127.0.0.1", *fields]
        lines += [f"Content-Length: {len(body)}"] if body else []
        return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def answer(self) -> Answer:
        async with asyncio.timeout(DEADLINE_S):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode().removesuffix("\r\n\r\n")
            first, *lines = head.split("\r\n")
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
            body = await self.reader.readexactly(int(headers.get("content-length", "0")))
        return Answer(int(first.split()[1]), headers, body.decode())

    async def ask(self, method: str, body: str = "", *fields: str) -> Answer:
        self.send(self.request(method, body, *fields))
        return await self.answer()

    async def is_closed(self) -> bool:
        """Wait for the server's end of the connection; whether it said nothing more before."""
        async with asyncio.timeout(DEADLINE_S):
            try:
                return await self.reader.read() == b""
            except ConnectionError:
                return True

    def close(self) -> None:
        self.writer.transport.abort()


Connect = Callable[..., Awaitable[Kept]]


@pytest.fixture
async def connect(serve: Serve) -> AsyncIterator[Connect]:
    """Make connections: ``await connect(server)``, with another one's session if need be."""
    connections: list[Kept] = []

    async def made(server: Server, sid: str = "") -> Kept:
        connections.append(await Kept.to(server, sid))
        return connections[-1]

    yield made
    for each in connections:
        each.close()
        await asyncio.wait({asyncio.ensure_future(each.writer.wait_closed())})


@pytest.fixture
async def server(serve: Serve) -> Server:
    return await serve(Hub(open_to_all=True))


def polls_of(server: Server) -> list[DirectPolls]:
    """The connections that uvicorn's protocol does not have."""
    assert server._running is not None
    return [each for each in list(server._running[0].server_state.connections) if isinstance(each, DirectPolls)]


async def until(server: Server, holds: Callable[[], bool]) -> None:
    async def wait() -> None:
        while not holds():  # noqa: ASYNC110 - what is asked has no event
            await asyncio.sleep(0)

    await server.on(wait())


async def test_requests_follow_one_another_on_a_connection(server: Server, connect: Connect) -> None:
    client = await (await (await connect(server)).open()).join()
    await client.subscribe("news")
    for number in range(3):
        client.send(client.request("GET"))
        await a_poll_waits(server)
        await server.publish("news", {"type": "tick", "data": number})
        answer = await client.answer()
        assert (answer.status, answer.headers["content-type"]) == (200, "text/plain; charset=UTF-8")
        assert answer.headers["cache-control"] == "no-store"
        assert json.loads(answer.body[2:])[0] == "tick"
    assert len(polls_of(server)) == 1


async def test_what_is_said_in_one_go_is_fetched_with_one_poll(server: Server, connect: Connect) -> None:
    client = await (await (await connect(server)).open()).join()
    assert (await client.ask("POST", '421["presence_stats","a"]\x1e422["presence_stats","b"]')).body == "ok"
    heard: list[str] = []
    while len(heard) < 2:
        heard += (await client.ask("GET")).body.split("\x1e")
    assert [packet[:3] for packet in heard] == ["431", "432"]


async def test_requests_that_come_together_are_answered_in_order(server: Server, connect: Connect) -> None:
    client = await (await connect(server)).open()
    client.send(client.request("POST", "40") + client.request("GET") + client.request("POST", "1"))
    client.send(client.request("GET"))
    answers = [await client.answer() for _ in range(4)]
    assert [answer.status for answer in answers] == [200, 200, 200, 400]
    assert [answer.body[:2] for answer in answers[:3]] == ["ok", "40", "ok"]
    assert json.loads(answers[3].body) == UNKNOWN


async def test_a_request_behind_a_poll_waits_its_turn(server: Server, connect: Connect) -> None:
    client = await (await (await (await connect(server)).open()).join()).subscribe("news")
    client.send(client.request("GET"))
    await a_poll_waits(server)
    client.send(client.request("POST", "1"))
    await until(server, lambda: any(polls._early for polls in polls_of(server)))
    await server.publish("news", {"type": "tick"})
    assert (await client.answer()).body == '42["tick"]'
    assert (await client.answer()).body == "ok"


async def test_what_comes_behind_a_poll_has_a_bound(server: Server, connect: Connect) -> None:
    client = await (await (await (await connect(server)).open()).join()).subscribe("news")
    client.send(client.request("GET"))
    await a_poll_waits(server)
    client.send(client.request("POST", "6") * 2_000)
    (polls,) = polls_of(server)
    await until(server, lambda: polls._is_paused)
    assert len(polls._early) < 280_000
    await server.publish("news", {"type": "tick"})
    assert (await client.answer()).body == '42["tick"]'
    assert {(await client.answer()).body for _ in range(2_000)} == {"ok"}


async def test_two_polls_on_two_connections_end_the_session(server: Server, connect: Connect) -> None:
    client = await (await (await connect(server)).open()).join()
    second = await connect(server, client.sid)
    client.send(client.request("GET"))
    await a_poll_waits(server)
    assert json.loads((await second.ask("GET")).body) == BAD_REQUEST
    assert (await client.answer()).body == "1"
    assert json.loads((await second.ask("GET")).body) == UNKNOWN


async def test_who_leaves_while_it_polls_is_gone(server: Server, connect: Connect) -> None:
    client = await (await (await connect(server)).open()).join()
    client.send(client.request("GET"))
    await a_poll_waits(server)
    client.close()
    await server.alone()
    assert not server.hub.clients
    assert not polls_of(server)


async def test_who_is_gone_is_forgotten_at_once(server: Server, connect: Connect) -> None:
    others = held()  # by servers of other tests in this process
    client = await (await (await connect(server)).open()).join()
    client.send(client.request("GET"))
    await a_poll_waits(server)
    assert len(held()) > len(others)
    gc.disable()  # it would forget cycles too
    try:
        client.close()
        await until(server, lambda: all(any(each is other for other in others) for each in held()))
    finally:
        gc.enable()


def held() -> list[object]:
    """What is in memory for connections that poll, and for their sessions."""
    return [each for each in gc.get_objects() if type(each) in (DirectPolls, Fetch, Session)]


async def test_who_leaves_between_polls_stays_in_its_session(server: Server, connect: Connect) -> None:
    client = await (await (await connect(server)).open()).join()
    client.close()
    await until(server, lambda: not polls_of(server))
    second = await connect(server, client.sid)
    assert (await second.ask("POST", '421["presence_stats","a"]')).body == "ok"
    assert (await second.ask("GET")).body.startswith("431[")


@pytest.mark.parametrize(
    ("version", "fields"), [("1.0", ()), ("1.0", ("Connection: keep-alive",)), ("1.1", ("Connection: close",))]
)
async def test_the_last_answer_says_so(server: Server, connect: Connect, version: str, fields: tuple[str, ...]) -> None:
    client = await (await (await (await connect(server)).open()).join()).subscribe("news")
    last = await connect(server, client.sid)
    last.send(last.request("GET", "", *fields, version=version))
    await a_poll_waits(server)
    last.send(last.request("GET"))
    await server.publish("news", {"type": "tick"})
    answer = await last.answer()
    assert (answer.body, answer.headers["connection"]) == ('42["tick"]', "close")
    assert await last.is_closed()


async def test_a_connection_that_is_not_used_is_closed(
    server: Server, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vagus.gateway.doorway.Doorway.keep_alive_s", 0.2)
    client = await (await connect(server)).open()
    assert await client.is_closed()
    assert not polls_of(server)


async def test_half_a_head_is_not_waited_for(serve: Serve, connect: Connect) -> None:
    server = await serve(Hub(open_to_all=True, limits=Limits(stale_s=0.3)))
    client = await (await connect(server)).open()
    client.send(client.request("GET")[:-2])
    assert await client.is_closed()


async def test_a_head_in_pieces_is_read(server: Server, connect: Connect) -> None:
    client = await (await connect(server)).open()
    request = client.request("POST", "40")
    middle = request.index(b"Host")
    client.send(request[:middle])
    await until(server, lambda: not polls_of(server))
    client.send(request[middle:])
    assert (await client.answer()).body == "ok"
    assert (await client.ask("GET")).body.startswith("40")


async def test_a_body_in_pieces_is_uvicorns_and_the_next_poll_is_not(server: Server, connect: Connect) -> None:
    client = await (await connect(server)).open()
    client.send(client.request("POST", "40")[:-1])
    await until(server, lambda: not polls_of(server))
    client.send(b"0")
    assert (await client.answer()).body == "ok"
    assert (await client.ask("GET")).body.startswith("40")
    assert len(polls_of(server)) == 1


async def test_a_body_in_chunks_is_read(server: Server, connect: Connect) -> None:
    client = await (await connect(server)).open()
    client.send(client.request("POST", "", "Transfer-Encoding: chunked") + b"2\r\n40\r\n0\r\n\r\n")
    assert (await client.answer()).body == "ok"
    assert (await client.ask("GET")).body.startswith("40")


async def test_a_body_that_is_too_large_is_not_taken(server: Server, connect: Connect) -> None:
    client = await (await connect(server)).open()
    client.send(client.request("POST", "x" * 1_000_001))
    assert (await client.answer()).status == 413


async def test_a_head_that_is_too_long_is_refused(server: Server, connect: Connect) -> None:
    client = await (await connect(server)).open()
    assert (await client.ask("GET", "", "X-Long: " + "x" * 20_000)).status == 431
    assert await client.is_closed()


@pytest.mark.parametrize("field", ["Ho st: x", "X: \x00", "Content-Length : 5", "X: a\rb"])
async def test_what_is_not_http_ends_the_connection(server: Server, connect: Connect, field: str) -> None:
    client = await (await connect(server)).open()
    assert (await client.ask("GET", "", field)).status == 400
    assert await client.is_closed()


async def test_a_bad_body_is_refused_and_the_connection_stays(server: Server, connect: Connect) -> None:
    client = await (await connect(server)).open()
    assert json.loads((await client.ask("POST", "9")).body) == BAD_REQUEST
    assert json.loads((await client.ask("GET")).body) == UNKNOWN
    assert len(polls_of(server)) == 1


async def test_other_requests_on_the_connection_are_served_too(server: Server, connect: Connect) -> None:
    client = await (await connect(server)).open()
    client.send(b"GET /elsewhere HTTP/1.1\r\nHost: x\r\n\r\n")
    assert (await client.answer()).status == 404
    assert not polls_of(server)
    assert (await client.ask("POST", "40")).body == "ok"
    assert len(polls_of(server)) == 1


async def test_a_connection_that_polled_may_become_a_websocket(server: Server, connect: Connect) -> None:
    client = await (await (await connect(server)).open()).join()
    upgrade = ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"]
    upgrade.append("Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==")
    client.send(client.request("GET", "", *upgrade).replace(b"transport=polling", b"transport=websocket"))
    assert (await client.answer()).status == 101


async def test_a_page_that_is_allowed_may_read_the_answers(serve: Serve, connect: Connect) -> None:
    server = await serve(Hub(open_to_all=True), origins=OriginRules(("https://page.example",)))
    client = await (await connect(server)).open()
    page = "Origin: https://page.example"
    preflight = await client.ask("OPTIONS", "", page, "Access-Control-Request-Method: POST")
    for answer in (preflight, await client.ask("POST", "40", page), await client.ask("GET", "", page)):
        assert answer.status in (200, 204)
        assert answer.headers["access-control-allow-origin"] == "https://page.example"
    assert (await client.ask("GET", "", "Origin: https://other.example")).status == 403


async def test_each_request_is_judged_by_its_own_fields(serve: Serve, connect: Connect) -> None:
    server = await serve(Hub(open_to_all=True), origins=OriginRules(("https://page.example",)))
    client = await (await connect(server)).open()
    for _ in range(2):
        assert (await client.ask("GET", "", "Origin: https://other.example")).status == 403
        assert "access-control-allow-origin" not in (await client.ask("POST", "6")).headers


async def test_who_does_not_read_its_answers_is_cut_off(
    server: Server, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vagus.gateway.direct_polls.BODY_S", 0.3)
    client = await (await (await (await connect(server)).open()).join()).subscribe("feed")
    with stubborn(server) as peer:
        peer.sendall(client.request("GET") * 200)
        await publish_until_one_is_slow(server, bound=server.hub.limits.queue_bytes)
        await until(server, lambda: len(polls_of(server)) == 1)


async def test_a_server_that_stops_answers_polls_and_closes_what_waits(server: Server, connect: Connect) -> None:
    client = await (await (await connect(server)).open()).join()
    idle = await (await connect(server)).open()
    client.send(client.request("GET"))
    await a_poll_waits(server)
    await server.stop()
    assert json.loads((await client.answer()).body) == UNKNOWN
    assert await client.is_closed()
    assert await idle.is_closed()
