"""The native dialect over HTTP as it is on the wire: statuses, headers, sessions, both kinds of streams."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from urllib.parse import quote

import pytest

from tests.integration.native.serving import Server
from tests.integration.native.tokens import EXPIRED, FORGED, token, verifier
from tests.patience import DEADLINE_S, LEISURE
from vagus import Caller, ChannelRule, Hub, Limits
from vagus.auth.origins import OriginRules
from vagus.kernel import codes
from vagus.wire.centrifuge.schema import varint

from .conftest import ONLY_DIRECT, Serve
from .incoming import Incoming, Session

Get = Callable[..., Awaitable[Incoming]]
Join = Callable[..., Awaitable[Session]]

CONNECT = b'{"id":1,"connect":{}}'
HTTP_STREAM, SSE, EMULATION = "/connection/http_stream", "/connection/sse", "/emulation"


@pytest.fixture
def open_hub() -> Hub:
    return Hub(open_to_all=True)


async def test_lines_come_at_once_and_nobody_keeps_them(serve: Serve, post: Get, open_hub: Hub) -> None:
    stream = await post(await serve(open_hub), HTTP_STREAM, CONNECT, content_type="application/json")
    assert (stream.status, stream.headers["content-type"]) == (200, "text/plain; charset=utf-8")
    assert stream.headers["cache-control"] == "private, no-cache, no-store, must-revalidate, max-age=0"
    assert (stream.headers["x-accel-buffering"], stream.headers["pragma"]) == ("no", "no-cache")
    reply = await stream.json()
    assert reply["id"] == 1 and reply["connect"]["node"] == open_hub.node_id
    assert reply["connect"]["session"] != reply["connect"]["client"]


async def test_an_event_source_begins_with_an_empty_line(serve: Serve, get: Get, open_hub: Hub) -> None:
    stream = await get(await serve(open_hub), f"{SSE}?cf_connect={quote(CONNECT)}")
    assert stream.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert await stream.line() == b"\r"
    assert (await stream.line()).startswith(b'data: {"id":1,"connect":{"client":')
    assert await stream.line() == b""


async def test_an_event_source_may_be_posted(serve: Serve, post: Get, open_hub: Hub) -> None:
    stream = await post(await serve(open_hub), SSE, CONNECT)
    assert (await stream.event())["data"].startswith('{"id":1,"connect"')


async def test_commands_go_to_emulation_and_answers_come_over_the_stream(
    serve: Serve, join: Join, open_hub: Hub
) -> None:
    server = await serve(open_hub)
    session = await join(server)
    assert await session.say({"id": 2, "subscribe": {"channel": "news"}}) == 204
    assert (await session.next())["id"] == 2
    await server.publish("news", {"n": 1})
    assert (await session.next())["push"]["pub"]["data"] == {"n": 1}


async def test_several_commands_fit_into_one_request(serve: Serve, join: Join, open_hub: Hub) -> None:
    session = await join(await serve(open_hub))
    await session.say(
        {"id": 2, "presence_stats": {"channel": "a"}}, {"id": 3, "publish": {"channel": "a", "data": "ü\n"}}
    )
    assert [(await session.next())["id"] for _ in range(2)] == [2, 3]


async def test_protobuf_goes_both_ways(serve: Serve, post: Get, open_hub: Hub) -> None:
    server = await serve(open_hub)
    command = b"\x08\x01\x22\x00"
    stream = await post(server, HTTP_STREAM, varint(len(command)) + command, content_type="application/octet-stream")
    assert stream.headers["content-type"] == "application/octet-stream"
    client = next(iter(await server.on(wait_for_clients(open_hub))))
    assert client.encode() in await read_until(stream, client.encode())


async def wait_for_clients(hub: Hub) -> list[str]:
    while not hub.clients:  # noqa: ASYNC110 - the hub has no event for it
        await asyncio.sleep(0)
    return list(hub.clients)


async def read_until(stream: Incoming, wanted: bytes) -> bytes:
    async with asyncio.timeout(DEADLINE_S):
        while wanted not in stream._text:
            await stream._more()
    return stream._text


async def test_clients_are_listed_with_their_transport(serve: Serve, join: Join, kind: str, open_hub: Hub) -> None:
    server = await serve(open_hub)
    await join(server)
    assert [client.origin.transport for client in open_hub.clients.values()] == [kind]


async def test_pings_flow_and_are_answered_by_request(serve: Serve, join: Join) -> None:
    hub = Hub(open_to_all=True, limits=Limits(ping_interval_s=0.5 * LEISURE, pong_timeout_s=0.4 * LEISURE))
    session = await join(await serve(hub))
    for _ in range(2):
        assert await session.next() == {}
        assert await session.say({}) == 204
    assert len(hub.clients) == 1


async def test_who_does_not_answer_pings_is_told_and_the_response_ends(serve: Serve, join: Join) -> None:
    hub = Hub(open_to_all=True, limits=Limits(ping_interval_s=0.5, pong_timeout_s=0.3))
    session = await join(await serve(hub))
    assert await session.next() == {}
    assert (await session.next())["push"]["disconnect"] == {"code": 3012, "reason": "no pong", "reconnect": True}
    assert (await session.stream.rest()).strip() == b""


async def test_the_goodbye_of_a_server_that_stops_is_the_last_line(serve: Serve, join: Join, open_hub: Hub) -> None:
    server = await serve(open_hub)
    session = await join(server)
    await server.stop()
    assert (await session.next())["push"]["disconnect"]["code"] == 3001
    assert (await session.stream.rest()).strip() == b""


async def test_a_forged_token_is_refused_over_the_stream(serve: Serve, join: Join) -> None:
    server = await serve(Hub(verifier=verifier()))
    session = await join(server, {"id": 1, "connect": {"token": FORGED}})
    assert (await session.next())["push"]["disconnect"] == {"code": 3500, "reason": "invalid token", "reconnect": False}


async def test_an_expired_token_is_answered_with_an_error(serve: Serve, join: Join) -> None:
    session = await join(await serve(Hub(verifier=verifier())), {"id": 1, "connect": {"token": EXPIRED}})
    assert (await session.next())["error"]["code"] == 109


async def test_a_client_that_goes_is_noticed_at_once(serve: Serve, join: Join) -> None:
    hub, gone = Hub(open_to_all=True), asyncio.Event()
    loop = asyncio.get_running_loop()
    hub.on_disconnect(lambda caller, closure: loop.call_soon_threadsafe(gone.set))
    session = await join(await serve(hub))
    session.stream.drop()
    await asyncio.wait_for(gone.wait(), DEADLINE_S)
    assert await session.say({}) == 204


async def test_recovery_brings_what_was_missed(serve: Serve, join: Join, open_hub: Hub) -> None:
    server = await serve(open_hub)
    session = await join(server)
    await session.say({"id": 2, "subscribe": {"channel": "news", "recoverable": True}})
    epoch = (await session.next())["subscribe"]["epoch"]
    session.stream.drop()
    await server.publish_each("news", [1, 2])
    back = await join(server)
    await back.say({"id": 2, "subscribe": {"channel": "news", "recover": True, "offset": 0, "epoch": epoch}})
    subscribed = (await back.next())["subscribe"]
    assert subscribed["recovered"] and [each["data"] for each in subscribed["publications"]] == [1, 2]


async def test_requests_of_one_session_are_taken_in_their_order(serve: Serve, join: Join, kind: str) -> None:
    hub = Hub(open_to_all=True)
    may_go_on = asyncio.Event()

    @hub.call("slow")
    async def slow(caller: Caller) -> str:
        await may_go_on.wait()
        return "slow"

    @hub.call("quick")
    async def quick(caller: Caller) -> str:
        return "quick"

    server = await serve(hub)
    session = await join(server)
    assert await session.say({"id": 2, "rpc": {"method": "slow"}}) == 204
    assert await session.say({"id": 3, "rpc": {"method": "quick"}}) == 204
    server._thread.loop.call_soon_threadsafe(may_go_on.set)
    assert [(await session.next())["rpc"]["data"] for _ in range(2)] == ["slow", "quick"]


async def test_requests_wait_while_too_many_commands_do(serve: Serve, join: Join) -> None:
    hub = Hub(open_to_all=True, limits=Limits(waiting_commands=2))
    may_go_on = asyncio.Event()

    @hub.call("slow")
    async def slow(caller: Caller, number: int) -> int:
        await may_go_on.wait()
        return number

    server = await serve(hub)
    session = await join(server)
    await session.say(*({"id": n, "rpc": {"method": "slow", "data": n}} for n in (2, 3, 4)))
    waiting = [asyncio.ensure_future(session.say({"id": n, "rpc": {"method": "slow", "data": n}})) for n in (5, 6, 7)]
    await server.on(wait_for_held(server, 3))
    assert not any(each.done() for each in waiting)
    server._thread.loop.call_soon_threadsafe(may_go_on.set)
    answers = [(await session.next())["rpc"]["data"] for _ in range(6)]
    assert answers[:3] == [2, 3, 4] and sorted(answers[3:]) == [5, 6, 7]
    assert {await each for each in waiting} == {204}


async def wait_for_held(server: Server, number: int) -> None:
    emulation = server.gate.endpoints[EMULATION]
    (session,) = emulation._sessions._values.values()  # type: ignore[attr-defined]
    while session._held < number:  # noqa: ASYNC110 - it counts, and has no event
        await asyncio.sleep(0)


@ONLY_DIRECT
async def test_who_may_not_ask_reads_why_not(serve: Serve, get: Get, post: Get, open_hub: Hub) -> None:
    server = await serve(open_hub)
    assert (await get(server, HTTP_STREAM)).status == 405
    assert (await get(server, EMULATION)).headers["allow"] == "POST, OPTIONS"
    assert (await get(server, SSE)).status == 400
    assert (await post(server, EMULATION, b"[")).status == 400
    assert (await post(server, EMULATION, {"session": "x", "node": "elsewhere", "data": ""})).status == 404
    assert (await post(server, EMULATION, {"session": "x", "node": open_hub.node_id, "data": "["})).status == 204


async def test_a_foreign_page_gets_nothing(serve: Serve, get: Get, post: Get, open_hub: Hub) -> None:
    server = await serve(open_hub)
    for stream in (
        await post(server, HTTP_STREAM, CONNECT, origin="https://elsewhere.example"),
        await get(server, f"{SSE}?cf_connect={quote(CONNECT)}", origin="https://elsewhere.example"),
        await post(server, EMULATION, {"session": "", "node": "", "data": ""}, origin="https://elsewhere.example"),
    ):
        assert stream.status == 403
        assert "access-control-allow-origin" not in stream.headers
    assert not open_hub.clients


async def test_an_allowed_page_may_read_and_send(serve: Serve, get: Get, post: Get, open_hub: Hub) -> None:
    page = "https://app.example.com"
    server = await serve(open_hub, origins=OriginRules([page]))
    stream = await post(server, HTTP_STREAM, CONNECT, origin=page)
    assert stream.headers["access-control-allow-origin"] == page
    assert stream.headers["access-control-allow-credentials"] == "true"
    asking = await Incoming.dial(server)
    headers = {"access_control_request_method": "POST", "access_control_request_headers": "content-type"}
    await asking.ask("OPTIONS", EMULATION, origin=page, **headers)
    assert (asking.status, asking.headers["access-control-allow-methods"]) == (204, "POST, OPTIONS")
    assert asking.headers["access-control-allow-headers"] == "content-type"
    assert asking.headers["access-control-max-age"] == "300"
    asking.drop()


@pytest.mark.parametrize("target", [SSE + "?cf_connect=x", "/events?channel=a"])
async def test_a_name_that_was_made_to_point_here_is_refused(
    serve: Serve, get: Get, open_hub: Hub, target: str
) -> None:
    """DNS rebinding: a page's requests to its own origin bring no ``Origin``, but the name that they were meant for."""
    server = await serve(open_hub, hosts=lambda host: host == "localhost")
    assert (await get(server, target)).status == 421


async def test_a_full_node_says_goodbye_over_the_stream(serve: Serve, join: Join) -> None:
    server = await serve(Hub(open_to_all=True, limits=Limits(connections=1)))
    await join(server)
    late = await join(server, {"id": 1, "connect": {}})
    assert (await late.next())["push"]["disconnect"]["code"] == codes.CONNECTION_LIMIT.code


async def test_permissions_hold_as_over_a_websocket(serve: Serve, join: Join) -> None:
    rule = ChannelRule(pattern="news", subscribe=("@admin",))
    session = await join(
        await serve(Hub(rules=[rule], verifier=verifier())), {"id": 1, "connect": {"token": token("1")}}
    )
    await session.connected()
    await session.say({"id": 2, "subscribe": {"channel": "news"}}, {"id": 3, "subscribe": {"channel": "none"}})
    assert [(await session.next())["error"]["code"] for _ in range(2)] == [103, 102]


async def test_a_later_request_of_a_connection_becomes_a_stream(serve: Serve, open_hub: Hub) -> None:
    incoming = await Incoming.dial(await serve(open_hub))
    await incoming.ask("GET", "/nothing")
    assert incoming.status == 404
    await incoming.ask("POST", HTTP_STREAM, body=CONNECT)
    assert (await incoming.json())["connect"]["node"] == open_hub.node_id
    incoming.drop()


@ONLY_DIRECT
async def test_http_1_0_gets_no_chunks(serve: Serve, post: Get, open_hub: Hub) -> None:
    stream = await post(await serve(open_hub), HTTP_STREAM, CONNECT, version="1.0")
    assert "transfer-encoding" not in stream.headers and stream.headers["connection"] == "close"
    assert (await stream.json())["id"] == 1


async def test_a_body_may_come_in_pieces(serve: Serve, open_hub: Hub) -> None:
    incoming = await Incoming.dial(await serve(open_hub))
    head = b"POST /connection/http_stream HTTP/1.1\r\nHost: here\r\nContent-Length: 21\r\n\r\n"
    for piece in (head[:30], head[30:] + CONNECT[:5], CONNECT[5:]):
        incoming.writer.write(piece)
        await incoming.writer.drain()
    await incoming.read_head()
    assert (await incoming.json())["id"] == 1
    with suppress(RuntimeError):
        incoming.drop()


async def test_a_body_in_chunks_is_read_too(serve: Serve, open_hub: Hub) -> None:
    incoming = await Incoming.dial(await serve(open_hub))
    head = b"POST /connection/http_stream HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n"
    incoming.writer.write(head + b"15\r\n" + CONNECT + b"\r\n0\r\n\r\n")
    await incoming.read_head()
    assert (await incoming.json())["id"] == 1
    incoming.drop()
