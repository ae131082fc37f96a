"""What ``/events`` says to who may not listen: problem documents before the stream, 204 and patience on coming back."""

import asyncio
from typing import Any

import msgspec
import pytest

from tests.integration.native.tokens import EXPIRED, FORGED, token, verifier
from tests.integration.streams.incoming import Incoming
from vagus import ChannelRule, ConnectRequest, DisconnectError, Hub, Limits, RefusedError
from vagus.auth.origins import OriginRules
from vagus.kernel import codes
from vagus.kernel.codes import Closure, Fault
from vagus.kernel.rates import Rate

from .conftest import ONLY_DIRECT, Listen, Serve

OPEN = ChannelRule(pattern="open:{any}", subscribe=("anyone",))
CLOSED = ChannelRule(pattern="closed", subscribe=("@admin",))
PLAIN = ChannelRule(pattern="plain", subscribe=("anyone",))


async def problem(reader: Incoming) -> dict[str, Any]:
    assert reader.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = msgspec.json.decode(await reader.rest())
    assert document["status"] == reader.status
    return document


@pytest.mark.parametrize(
    ("channel", "headers", "status", "code"),
    [
        ("open:a", {}, 401, 3501),
        ("open:a", {"authorization": f"Bearer {FORGED}"}, 401, 3500),
        ("open:a", {"authorization": f"Bearer {EXPIRED}"}, 401, 109),
        ("closed", {"authorization": f"Bearer {token('1')}"}, 403, 103),
        ("nowhere", {"authorization": f"Bearer {token('1')}"}, 404, 102),
        ("$private", {"authorization": f"Bearer {token('1')}"}, 404, 102),
        ("x" * 300, {"authorization": f"Bearer {token('1')}"}, 400, 107),
    ],
)
async def test_who_may_not_reads_why(
    serve: Serve, listen: Listen, channel: str, headers: dict[str, str], status: int, code: int
) -> None:
    server = await serve(Hub(rules=[OPEN, CLOSED], verifier=verifier()))
    reader = await listen(server, channel, **headers)
    assert reader.status == status
    assert (await problem(reader))["code"] == code
    if status == 401:
        assert reader.headers["www-authenticate"] == "Bearer"
    await server.alone()
    assert not server.hub.clients and not server.hub.topics


async def test_one_channel_that_is_denied_refuses_all(serve: Serve, listen: Listen) -> None:
    server = await serve(Hub(rules=[OPEN, CLOSED], allow_anonymous=True))
    reader = await listen(server, "open:a", "closed", "open:b")
    assert reader.status == 403


@ONLY_DIRECT
@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ({"filter": "{"}, "filter: "),
        ({"filter": '{"cmp":"like"}'}, "bad request: tf: "),
        ({"filter": "[" * 5_000}, "filter: "),
        ({"tag": "region"}, "tag: "),
        ({"rate": "often"}, "rate: "),
        ({"rate": "nan"}, "rate: "),
        ({"rate": "0"}, "bad request: data: rate"),
        ({"x": list(range(600))}, "the query"),
        ({"channel": [str(n) for n in range(130)]}, "too many channels"),
    ],
)
async def test_what_makes_no_sense_is_said(serve: Serve, listen: Listen, query: dict[str, object], detail: str) -> None:
    reader = await listen(await serve(Hub(open_to_all=True)), "news", query=query)
    assert reader.status == 400
    assert detail in (await problem(reader))["detail"]


@ONLY_DIRECT
async def test_a_filter_needs_a_channel_that_takes_one(serve: Serve, listen: Listen) -> None:
    reader = await listen(await serve(Hub(rules=[PLAIN], allow_anonymous=True)), "plain", query={"tag": "a:b"})
    assert reader.status == 400


@ONLY_DIRECT
async def test_no_channel_is_no_request(serve: Serve, listen: Listen) -> None:
    server = await serve(Hub(open_to_all=True))
    assert (await listen(server)).status == 400
    assert (await listen(server, "")).status == 400


async def test_only_get_is_taken(serve: Serve, listen: Listen) -> None:
    server = await serve(Hub(open_to_all=True))
    incoming = await Incoming.dial(server)
    await incoming.ask("POST", "/events?channel=a", body=b"x")
    assert (incoming.status, incoming.headers["allow"]) == (405, "GET, OPTIONS")
    incoming.drop()


async def test_a_page_from_elsewhere_is_refused(serve: Serve, listen: Listen) -> None:
    server = await serve(Hub(open_to_all=True))
    reader = await listen(server, "a", origin="https://elsewhere.example")
    assert reader.status == 403 and "access-control-allow-origin" not in reader.headers


async def test_a_refused_page_may_read_why(serve: Serve, listen: Listen) -> None:
    page = "https://app.example.com"
    server = await serve(Hub(rules=[CLOSED], allow_anonymous=True), origins=OriginRules([page]))
    reader = await listen(server, "closed", origin=page)
    assert (reader.status, reader.headers["access-control-allow-origin"]) == (403, page)


async def test_a_busy_server_says_when_to_come_back(serve: Serve, listen: Listen) -> None:
    server = await serve(Hub(open_to_all=True, limits=Limits(connecting=Rate(1 / 60, 1))))
    assert (await listen(server, "a")).status == 200
    reader = await listen(server, "a")
    assert (reader.status, reader.headers["retry-after"]) == (503, "1")


async def test_a_busy_server_does_not_stop_an_event_source_that_comes_back(serve: Serve, listen: Listen) -> None:
    server = await serve(Hub(open_to_all=True, limits=Limits(connecting=Rate(1 / 60, 1))))
    assert (await listen(server, "a")).status == 200
    reader = await listen(server, "a", accept="text/event-stream", last_event_id="x")
    assert (reader.status, reader.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
    assert await reader.rest() == b"retry: 5000\n\n"


async def test_a_full_server_says_so(serve: Serve, listen: Listen) -> None:
    server = await serve(Hub(open_to_all=True, limits=Limits(connections=1)))
    assert (await listen(server, "a")).status == 200
    reader = await listen(server, "a")
    assert (reader.status, reader.headers["retry-after"]) == (503, "5")


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (RefusedError(Fault(404, "not you")), 403),
        (RefusedError(Fault(400, "not now", temporary=True)), 503),
        (DisconnectError(Closure(4501, "not you")), 403),
        (DisconnectError(Closure(4000, "not now")), 503),
        (DisconnectError(codes.TOO_MANY), 429),
    ],
)
async def test_the_application_refuses_in_its_own_words(
    serve: Serve, listen: Listen, error: Exception, status: int
) -> None:
    hub = Hub(rules=[PLAIN])

    @hub.authenticate
    def who(request: ConnectRequest) -> None:
        raise error

    reader = await listen(await serve(hub), "plain")
    assert reader.status == status
    assert (await problem(reader))["detail"] in ("not you", "not now", "too many requests")


async def test_an_event_source_that_comes_back_in_vain_is_told_to_stop(serve: Serve, listen: Listen) -> None:
    server = await serve(Hub(rules=[OPEN], verifier=verifier()))
    reader = await listen(server, "open:a", authorization=f"Bearer {FORGED}", last_event_id="x")
    assert reader.status == 204


async def test_an_application_that_never_answers_is_not_waited_for(serve: Serve, listen: Listen) -> None:
    hub = Hub(allow_anonymous=True, limits=Limits(answer_s=0.2, stale_s=0.2))
    never = asyncio.Event()

    @hub.channel("{name}")
    async def may_follow(name: str) -> bool:
        return await never.wait()

    reader = await listen(await serve(hub), "a", "b", "c")
    assert reader.status == 503


async def test_a_later_request_of_a_connection_becomes_a_stream(serve: Serve) -> None:
    server = await serve(Hub(open_to_all=True))
    incoming = await Incoming.dial(server)
    for _ in range(2):
        await incoming.ask("GET", "/nothing")
        assert incoming.status == 404
    await incoming.ask("GET", "/events?channel=a")
    await server.publish("a", 1)
    assert await incoming.data(1) == [1]
    incoming.drop()
