"""Hostile clients of responses that go on: too much, too little, out of order, in others' names, and never reading."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from urllib.parse import quote

import msgspec
import pytest
import structlog

from tests.integration.native.serving import Server
from tests.patience import DEADLINE_S
from vagus import Caller, ChannelRule, Hub, Last, Limits
from vagus.gateway.streams import HTTP_STREAM_PATH, NativeStreams

from .conftest import ONLY_DIRECT, Serve
from .incoming import Incoming, Session

Get = Callable[..., Awaitable[Incoming]]
Join = Callable[..., Awaitable[Session]]

CONNECT = b'{"id":1,"connect":{}}'
HTTP_STREAM, SSE, EMULATION = "/connection/http_stream", "/connection/sse", "/emulation"
ONE_KIND = pytest.mark.parametrize("kind", ["http_stream"], indirect=True)


@pytest.fixture
def open_hub() -> Hub:
    return Hub(open_to_all=True)


# bodies


async def test_a_body_that_is_too_large_is_refused_unread(serve: Serve, open_hub: Hub) -> None:
    incoming = await Incoming.dial(await serve(open_hub))
    incoming.writer.write(b"POST /connection/http_stream HTTP/1.1\r\nHost: x\r\nContent-Length: 65537\r\n\r\n")
    await incoming.read_head()
    assert incoming.status == 413
    incoming.drop()


async def test_a_body_that_says_no_length_is_bounded_too(serve: Serve, open_hub: Hub) -> None:
    incoming = await Incoming.dial(await serve(open_hub))
    incoming.writer.write(b"POST /emulation HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in range(20):
        incoming.writer.write(b"4000\r\n" + b" " * 0x4000 + b"\r\n")
    await incoming.read_head()
    assert incoming.status == 413
    incoming.drop()


@ONE_KIND
async def test_commands_are_bounded_as_in_a_websocket(serve: Serve, join: Join, open_hub: Hub) -> None:
    session = await join(await serve(open_hub))
    assert await session.say({"id": 2, "publish": {"channel": "a", "data": "x" * 65_000}}) == 204
    assert await session.say({"id": 3, "publish": {"channel": "a", "data": "x" * 66_000}}) == 413
    assert (await session.next())["id"] == 2


@pytest.mark.parametrize("length", [b"-1", b"x", b"1, 1", b"99999999999999999999", b"2\r\nContent-Length: 3"])
async def test_lengths_that_are_none_are_refused(serve: Serve, open_hub: Hub, length: bytes) -> None:
    incoming = await Incoming.dial(await serve(open_hub))
    incoming.writer.write(b"POST /connection/http_stream HTTP/1.1\r\nHost: x\r\nContent-Length: %b\r\n\r\n{}" % length)
    await incoming.read_head()
    assert incoming.status in (400, 413)
    incoming.drop()


@ONLY_DIRECT
@pytest.mark.parametrize("missing", [b"POST /connection/sse HTTP/1.1\r\nHost: x\r\n", b"", b"G"])
async def test_a_request_that_never_ends_is_given_up(serve: Serve, missing: bytes) -> None:
    server = await serve(Hub(open_to_all=True, limits=Limits(stale_s=0.2)))
    incoming = await Incoming.dial(server)
    incoming.writer.write(missing or b"POST /connection/http_stream HTTP/1.1\r\nContent-Length: 20\r\n\r\n{")
    assert await incoming.has_ended()


@ONLY_DIRECT
async def test_a_head_that_is_too_long_is_refused(serve: Serve, open_hub: Hub) -> None:
    incoming = await Incoming.dial(await serve(open_hub))
    incoming.writer.write(b"GET /events?channel=a HTTP/1.1\r\nLast-Event-ID: %b\r\n\r\n" % (b"x" * 17_000))
    await incoming.read_head()
    assert incoming.status == 431
    incoming.drop()


@pytest.mark.parametrize(
    "body", [b"x", b"{", b"[]", b"{}", b'{"id":1}', b'{"id":1,"subscribe":{"channel":"a"}}', b"\xff", b"[" * 60_000]
)
async def test_who_does_not_begin_with_connect_is_told_and_left(
    serve: Serve, post: Get, open_hub: Hub, body: bytes
) -> None:
    stream = await post(await serve(open_hub), HTTP_STREAM, body)
    assert (await stream.json())["push"]["disconnect"]["code"] == 3501
    assert (await stream.rest()).strip() == b""
    assert not open_hub.clients


async def test_json_that_claims_to_be_protobuf_is_left(serve: Serve, post: Get, open_hub: Hub) -> None:
    server = await serve(open_hub)
    stream = await post(server, HTTP_STREAM, CONNECT, content_type="application/octet-stream")
    assert b"bad request" in await stream.rest()
    answer = await post(server, EMULATION, {"session": "", "node": ""}, content_type="application/octet-stream")
    assert answer.status == 400


@pytest.mark.parametrize(
    "query", ["", "?cf_connect=", "?cf_connect=%ff%fe", f"?cf_connect={quote('{}')}", "?cf_connect"]
)
async def test_an_event_source_without_a_connect_command_gets_none(
    serve: Serve, get: Get, open_hub: Hub, query: str
) -> None:
    stream = await get(await serve(open_hub), SSE + query)
    if stream.status == 200:
        assert '"code":3501' in (await stream.event())["data"]
    else:
        assert stream.status == 400
    assert not open_hub.clients


async def test_a_second_connect_command_ends_it(serve: Serve, join: Join, open_hub: Hub) -> None:
    session = await join(await serve(open_hub))
    assert await session.say({"id": 2, "connect": {}}) == 204
    assert (await session.next())["push"]["disconnect"]["code"] == 3501


# sessions


@ONE_KIND
async def test_a_forged_session_does_nothing(serve: Serve, join: Join, post: Get, open_hub: Hub) -> None:
    server = await serve(open_hub)
    session = await join(server)
    client = next(iter(open_hub.clients))
    for secret in (client, "", session.secret[:-1], session.secret.swapcase(), "x" * 60_000):
        request = {"session": secret, "node": session.node, "data": '{"id":9,"publish":{"channel":"a","data":1}}'}
        assert (await post(server, EMULATION, request)).status in (204, 413)
    assert open_hub.figures.published == 0
    await session.say({"id": 2, "presence_stats": {"channel": "a"}})
    assert (await session.next())["id"] == 2


@ONE_KIND
async def test_two_requests_at_once_are_taken_in_their_order(serve: Serve, join: Join) -> None:
    hub = Hub(open_to_all=True)

    @hub.call("echo")
    async def echo(caller: Caller, number: int) -> int:
        await asyncio.sleep(0)
        return number

    server = await serve(hub)
    session = await join(server)
    incoming = await Incoming.dial(server)
    for first in range(2, 42, 4):
        data = "\n".join(f'{{"id":{n},"rpc":{{"method":"echo","data":{n}}}}}' for n in range(first, first + 4))
        body = msgspec.json.encode({"session": session.secret, "node": session.node, "data": data})
        incoming.writer.write(
            b"POST /emulation HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
        )
    assert [(await session.next())["rpc"]["data"] for _ in range(40)] == list(range(2, 42))
    incoming.drop()


@ONE_KIND
async def test_there_is_a_bound_on_requests_that_wait(serve: Serve, join: Join) -> None:
    hub = Hub(open_to_all=True, limits=Limits(waiting_commands=1))
    may_go_on = asyncio.Event()

    @hub.call("slow")
    async def slow(caller: Caller) -> None:
        await may_go_on.wait()

    server = await serve(hub)
    session = await join(server)
    await session.say({"id": 2, "rpc": {"method": "slow"}}, {"id": 3, "rpc": {"method": "slow"}})
    waiting = [asyncio.ensure_future(session.say({"id": n, "rpc": {"method": "slow"}})) for n in range(4, 30)]
    async with asyncio.timeout(DEADLINE_S):
        while sum(each.done() for each in waiting) < 10:
            await asyncio.wait([each for each in waiting if not each.done()], return_when=asyncio.FIRST_COMPLETED)
    assert {each.result() for each in waiting if each.done()} == {429}
    server._thread.loop.call_soon_threadsafe(may_go_on.set)
    assert sorted([await each for each in waiting]) == [204] * 16 + [429] * 10


@ONE_KIND
async def test_there_is_a_bound_on_sessions(serve: Serve, join: Join, post: Get, open_hub: Hub) -> None:
    server = await serve(open_hub)
    endpoint = server.gate.endpoints[HTTP_STREAM_PATH]
    assert isinstance(endpoint, NativeStreams)
    endpoint._sessions._bound = 2
    first, _ = await join(server), await join(server)
    late = await post(server, HTTP_STREAM, CONNECT)
    assert (late.status, late.headers["retry-after"]) == (503, "5")
    first.stream.drop()
    await server.on(fewer_sockets_than(server, 2))
    await join(server)


async def fewer_sockets_than(server: Server, number: int) -> None:
    while server.gate.open_sockets >= number:  # noqa: ASYNC110 - the gate counts, and has no event
        await asyncio.sleep(0)


async def test_secrets_are_not_logged(serve: Serve, join: Join, open_hub: Hub) -> None:
    with structlog.testing.capture_logs() as events:
        server = await serve(open_hub)
        session = await join(server)
        await session.say({"id": 2, "connect": {}})
        await session.stream.rest()
    assert events
    assert session.secret not in str(events)


# readers that do not read


async def deaf(server: Server, request: bytes) -> socket.socket:
    """A connection that sends a request and reads nothing."""
    deaf = socket.socket()
    deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    deaf.setblocking(False)
    await asyncio.get_running_loop().sock_connect(deaf, ("127.0.0.1", server.port))
    await asyncio.get_running_loop().sock_sendall(deaf, request)
    return deaf


@pytest.mark.parametrize("target", ["/events?channel=bulk", "/events?channel=bulk&channel=other"])
async def test_who_never_reads_is_closed_as_slow_and_nobody_else_notices(serve: Serve, get: Get, target: str) -> None:
    rule = ChannelRule(pattern="{any}", history=Last(10, hours=1), subscribe=("anyone",))
    hub = Hub(rules=[rule], allow_anonymous=True, limits=Limits(queue_bytes=200_000))
    server = await serve(hub)
    reader = await get(server, "/events?channel=bulk")
    lazy = await deaf(server, f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    await server.on(until(lambda: len(hub.clients) == 2 and len(hub.topics) == target.count("channel")))
    sent = 0
    while not hub.figures.slow:
        await server.publish("bulk", f"{sent:08}" + "x" * 50_000)
        sent += 1
        assert (await reader.event())["data"].startswith(f'"{sent - 1:08}')
    await server.on(until(lambda: len(hub.clients) == 1))
    lazy.close()


async def until(holds: Callable[[], bool]) -> None:
    while not holds():  # noqa: ASYNC110 - what is asked has no event
        await asyncio.sleep(0)


@ONLY_DIRECT
async def test_who_does_not_read_its_goodbye_is_cut_off(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, open_hub: Hub
) -> None:
    monkeypatch.setattr("vagus.gateway.direct.CLOSING_S", 0.3)
    server = await serve(open_hub)
    lazy = await deaf(server, b"GET /events?channel=bulk HTTP/1.1\r\nHost: x\r\n\r\n")
    await server.on(until(lambda: len(open_hub.clients) == 1))
    for _ in range(60):
        await server.publish("bulk", "x" * 60_000)
    client = next(iter(open_hub.clients))
    await server.on(open_hub.disconnect(client=client))
    await server.on(fewer_sockets_than(server, 1))
    lazy.close()


@ONLY_DIRECT
async def test_what_is_sent_on_a_stream_is_ignored(serve: Serve, join: Join, open_hub: Hub) -> None:
    server = await serve(open_hub)
    session = await join(server)
    session.stream.writer.write(b"x" * 300_000)
    await session.say({"id": 2, "presence_stats": {"channel": "a"}})
    assert (await session.next())["id"] == 2
