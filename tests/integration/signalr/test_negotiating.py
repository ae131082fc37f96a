"""Negotiation, and the status codes of every wrong request."""

import asyncio

import pytest
from websockets.exceptions import InvalidStatus

from tests.patience import PATIENCE
from vagus import Limits
from vagus.auth.origins import OriginRules
from vagus.gateway.signalr import Times
from vagus.kernel.rates import Rate

from .caller import END, HELLO, record
from .conftest import OpenCaller, Serve
from .furnished import furnished_hub

PAGE = "https://page.example"


async def status_of(opening: object) -> int:
    """The status with which a WebSocket is refused."""
    with pytest.raises(InvalidStatus) as refused:
        await opening  # type: ignore[misc]  # a coroutine
    return refused.value.response.status_code


async def test_what_is_offered(serve: Serve, open_caller: OpenCaller) -> None:
    caller = await open_caller(await serve(furnished_hub()))
    terms = (await caller.negotiate()).json()
    assert terms["connectionToken"] != terms["connectionId"]
    assert terms["negotiateVersion"] == 1
    assert "useStatefulReconnect" not in terms
    assert [(each["transport"], each["transferFormats"]) for each in terms["availableTransports"]] == [
        ("WebSockets", ["Text", "Binary"]),
        ("ServerSentEvents", ["Text"]),
        ("LongPolling", ["Text", "Binary"]),
    ]


@pytest.mark.parametrize("query", ["", "negotiateVersion=0", "negotiateVersion=x"])
async def test_version_0_knows_one_id(serve: Serve, open_caller: OpenCaller, query: str) -> None:
    caller = await open_caller(await serve(furnished_hub()))
    terms = (await caller.negotiate(query)).json()
    assert terms["negotiateVersion"] == 0
    assert "connectionToken" not in terms
    assert (await (await caller.greeted(f"id={terms['connectionId']}")).result("Echo", 1))["result"] == [1]


async def test_the_id_that_version_0_knows_is_not_shown_to_others(serve: Serve, open_caller: OpenCaller) -> None:
    server = await serve(furnished_hub())
    caller = await open_caller(server)
    secret = (await caller.negotiate("")).json()["connectionId"]
    await caller.greeted(f"id={secret}")
    assert secret not in server.hub.clients
    assert len(server.hub.clients) == 1


async def test_resuming_is_offered_to_who_asks_and_if_it_is_not_turned_off(
    serve: Serve, open_caller: OpenCaller
) -> None:
    query = "NegotiateVersion=1&UseStatefulReconnect=true"
    caller = await open_caller(await serve(furnished_hub()))
    assert (await caller.negotiate(query)).json()["useStatefulReconnect"] is True
    caller = await open_caller(await serve(furnished_hub(), resumes=False))
    assert "useStatefulReconnect" not in (await caller.negotiate(query)).json()


async def test_statuses_of_wrong_requests(serve: Serve, open_caller: OpenCaller) -> None:
    caller = await open_caller(await serve(furnished_hub()))
    negotiate = f"http://{caller.address}/negotiate"
    assert (await caller.http.get(negotiate)).status_code == 405
    assert (await caller.http.delete(negotiate)).status_code == 405
    assert (await caller.request("PUT")).status_code == 405
    for method in ("GET", "POST", "DELETE"):
        assert (await caller.request(method)).status_code == 400
        assert (await caller.request(method, "id=")).status_code == 400
        assert (await caller.request(method, "id=forged")).status_code == 404
    assert await status_of(caller.socket("id=forged")) == 404


@pytest.mark.parametrize("hub", ["unknown", "", "chat/more", "chat/negotiate/more", "%00", "..", "chat%2fnegotiate"])
async def test_a_hub_that_is_not_there_is_not_found(serve: Serve, open_caller: OpenCaller, hub: str) -> None:
    caller = await open_caller(await serve(furnished_hub()), hub)
    assert (await caller.negotiate()).status_code in (404, 405)
    assert await status_of(caller.socket()) in (404, 405)


async def test_a_session_is_of_one_hub(serve: Serve, open_caller: OpenCaller) -> None:
    server = await serve(furnished_hub())
    chat, root = await open_caller(server), await open_caller(server, "vagus")
    assert await status_of(root.socket(f"id={await chat.token()}")) == 404


async def test_requests_that_do_not_go_with_a_websocket(serve: Serve, open_caller: OpenCaller) -> None:
    caller = await open_caller(await serve(furnished_hub()))
    token = await caller.token()
    socket = await caller.greeted(f"id={token}")
    assert (await caller.request("POST", f"id={token}", content=HELLO)).status_code == 405
    assert (await caller.request("DELETE", f"id={token}")).status_code == 400
    assert (await caller.request("GET", f"id={token}")).status_code == 400
    assert await status_of(caller.socket(f"id={token}")) == 409
    assert (await socket.result("Echo", 1))["result"] == [1]


async def test_two_transports_for_one_session(serve: Serve, open_caller: OpenCaller) -> None:
    caller = await open_caller(await serve(furnished_hub()))
    token = await caller.polled()
    stream = {"accept": "text/event-stream"}
    assert (await caller.request("GET", f"id={token}", headers=stream)).status_code == 400
    assert await status_of(caller.socket(f"id={token}")) == 400
    await caller.request("POST", f"id={token}", content=record(type=1, invocationId="1", target="Echo", arguments=[]))
    assert '"result":[]' in (await caller.request("GET", f"id={token}")).text


async def test_a_promise_is_kept_for_a_while_only(serve: Serve, open_caller: OpenCaller) -> None:
    server = await serve(furnished_hub(), times=Times(disconnect_s=0.1))
    caller = await open_caller(server)
    token = await caller.token()
    while (await caller.request("DELETE", f"id={token}")).status_code != 404:
        pass
    assert await status_of(caller.socket(f"id={token}")) == 404


async def test_promises_are_bounded(serve: Serve, open_caller: OpenCaller) -> None:
    caller = await open_caller(await serve(furnished_hub(), promises=3))
    statuses = [(await caller.negotiate()).status_code for _ in range(5)]
    assert statuses == [200, 200, 200, 503, 503]
    assert (await caller.negotiate()).headers["retry-after"] == "1"
    assert (await (await caller.greeted()).result("Echo", 1))["result"] == [1]


async def test_negotiating_counts_as_connecting_and_opening_what_was_negotiated_does_not(
    serve: Serve, open_caller: OpenCaller
) -> None:
    limits = Limits(connecting_per_address=Rate(0.001, 2))
    caller = await open_caller(await serve(furnished_hub(limits=limits)))
    socket = await caller.greeted(f"id={await caller.token()}")
    assert (await caller.negotiate()).status_code == 200
    assert (await caller.negotiate()).status_code == 503
    assert await status_of(caller.socket()) == 503
    assert (await socket.result("Echo", 1))["result"] == [1]


async def test_a_page_that_may_come_is_told_so_with_all_that_clients_send(
    serve: Serve, open_caller: OpenCaller
) -> None:
    caller = await open_caller(await serve(furnished_hub(), gate={"origins": OriginRules([PAGE])}))
    asked = "x-requested-with,x-signalr-user-agent,authorization,content-type"
    headers = {"origin": PAGE, "access-control-request-method": "POST", "access-control-request-headers": asked}
    answer = await caller.http.options(f"http://{caller.address}/negotiate", headers=headers)
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-headers"] == asked
    assert answer.headers["access-control-allow-credentials"] == "true"
    answer = await caller.negotiate(headers={"origin": PAGE})
    assert answer.headers["access-control-allow-origin"] == PAGE


async def test_a_page_from_elsewhere_may_not_even_negotiate(serve: Serve, open_caller: OpenCaller) -> None:
    caller = await open_caller(await serve(furnished_hub(), gate={"origins": OriginRules([PAGE])}))
    headers = {"origin": "https://elsewhere.example"}
    assert (await caller.negotiate(headers=headers)).status_code == 403
    token = await caller.token()
    for method in ("GET", "POST", "DELETE"):
        assert (await caller.request(method, f"id={token}", headers=headers)).status_code == 403


async def test_a_later_poll_takes_the_place_of_an_earlier_one(serve: Serve, open_caller: OpenCaller) -> None:
    caller = await open_caller(await serve(furnished_hub()))
    token = await caller.polled()
    first = asyncio.ensure_future(caller.request("GET", f"id={token}"))
    second = asyncio.ensure_future(caller.request("GET", f"id={token}"))
    done, _ = await asyncio.wait({first, second}, return_when=asyncio.FIRST_COMPLETED)
    assert done.pop().result().status_code == 204
    await caller.request("POST", f"id={token}", content=record(type=1, invocationId="1", target="Echo", arguments=[]))
    answers = sorted([await first, await second], key=lambda answer: answer.status_code)
    assert [answer.status_code for answer in answers] == [200, 204]
    assert '"result":[]' in answers[0].text


async def test_a_poll_that_has_nothing_to_say_ends_empty(serve: Serve, open_caller: OpenCaller) -> None:
    caller = await open_caller(await serve(furnished_hub(), times=Times(poll_s=0.05)))
    token = await caller.polled()
    answer = await caller.request("GET", f"id={token}")
    assert (answer.status_code, answer.content) == (200, b"")


async def test_a_session_that_is_not_polled_ends(serve: Serve, open_caller: OpenCaller) -> None:
    server = await serve(furnished_hub(), times=Times(disconnect_s=PATIENCE))
    caller = await open_caller(server)
    token = await caller.polled()
    await server.alone()
    assert not server.hub.clients
    assert (await caller.request("POST", f"id={token}", content=HELLO)).status_code == 404


async def test_a_session_whose_client_goes_in_the_middle_of_a_poll_ends(serve: Serve, open_caller: OpenCaller) -> None:
    server = await serve(furnished_hub(), times=Times(disconnect_s=PATIENCE))
    caller = await open_caller(server)
    token = await caller.polled()
    first = asyncio.ensure_future(caller.request("GET", f"id={token}"))
    second = asyncio.ensure_future(caller.request("GET", f"id={token}"))
    _, waiting = await asyncio.wait({first, second}, return_when=asyncio.FIRST_COMPLETED)
    for poll in waiting:  # it has superseded the other one, so the server holds it
        poll.cancel()
    await server.alone()
    assert not server.hub.clients


async def test_delete_ends_a_session_that_is_polled(serve: Serve, open_caller: OpenCaller) -> None:
    server = await serve(furnished_hub())
    caller = await open_caller(server)
    token = await caller.polled()
    poll = asyncio.ensure_future(caller.request("GET", f"id={token}"))
    assert (await caller.request("DELETE", f"id={token}")).status_code == 202
    answer = await poll
    assert answer.status_code == 204
    assert not server.hub.clients
    assert (await caller.request("GET", f"id={token}")).status_code in (204, 404)
    assert (await caller.request("GET", f"id={token}")).status_code == 404


async def test_the_last_poll_brings_the_goodbye_and_the_next_one_the_end(serve: Serve, open_caller: OpenCaller) -> None:
    server = await serve(furnished_hub())
    caller = await open_caller(server)
    token = await caller.polled()
    answer = await caller.request("POST", f"id={token}", content='{"type":4}' + END)
    assert answer.status_code == 200
    assert (await caller.request("GET", f"id={token}")).text == '{"type":7,"error":"bad request"}' + END
    assert (await caller.request("GET", f"id={token}")).status_code == 204
    assert (await caller.request("GET", f"id={token}")).status_code == 404
    await server.alone()


async def test_posts_are_taken_in_their_order_and_records_may_span_them(serve: Serve, open_caller: OpenCaller) -> None:
    caller = await open_caller(await serve(furnished_hub()))
    token = await caller.polled()
    whole = record(type=1, invocationId="1", target="Echo", arguments=["x" * 1_000])
    for start in range(0, len(whole), 100):
        await caller.request("POST", f"id={token}", content=whole[start : start + 100])
    assert "x" * 1_000 in (await caller.request("GET", f"id={token}")).text


async def test_a_stream_of_events_begins_at_once(serve: Serve, open_caller: OpenCaller) -> None:
    caller = await open_caller(await serve(furnished_hub()))
    token = await caller.token()
    headers = {"accept": "text/event-stream"}
    async with caller.http.stream("GET", f"http://{caller.address}?id={token}", headers=headers) as answer:
        pieces = answer.aiter_bytes()
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"].startswith("no-cache")
        assert await anext(pieces) == b":\r\n\r\n"
        await caller.request("POST", f"id={token}", content=HELLO)
        assert await anext(pieces) == b"data: {}\x1e\r\n\r\n"
        again = await caller.request("GET", f"id={token}", headers=headers)
        assert again.status_code == 409


async def test_a_binary_protocol_is_refused_in_a_stream_of_events(serve: Serve, open_caller: OpenCaller) -> None:
    server = await serve(furnished_hub())
    caller = await open_caller(server)
    token = await caller.token()
    headers = {"accept": "text/event-stream"}
    async with caller.http.stream("GET", f"http://{caller.address}?id={token}", headers=headers) as answer:
        pieces = answer.aiter_bytes()
        await anext(pieces)
        hello = '{"protocol":"messagepack","version":1}' + END
        await caller.request("POST", f"id={token}", content=hello)
        assert b'"error":"This transport does not carry' in await anext(pieces)
        assert [piece async for piece in pieces] == []
    await server.alone()


async def test_a_stream_of_events_whose_client_goes_is_over_at_once(serve: Serve, open_caller: OpenCaller) -> None:
    server = await serve(furnished_hub())
    caller = await open_caller(server)
    token = await caller.token()
    headers = {"accept": "text/event-stream"}
    async with caller.http.stream("GET", f"http://{caller.address}?id={token}", headers=headers) as answer:
        await anext(answer.aiter_bytes())
        await caller.request("POST", f"id={token}", content=HELLO)
    await server.alone()
    assert not server.hub.clients


async def test_a_websocket_that_is_closed_without_a_code_is_answered_with_1000(
    serve: Serve, open_caller: OpenCaller
) -> None:
    caller = await open_caller(await serve(furnished_hub()))
    socket = await caller.greeted()
    socket.connection.protocol.send_close()
    socket.connection.transport.write(b"".join(socket.connection.protocol.data_to_send()))
    _, code = await socket.last_words()
    assert code == 1000
