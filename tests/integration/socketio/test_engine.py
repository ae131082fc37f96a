"""The transport layer: handshakes, requests, heartbeats, closing and the upgrade, said and heard packet by packet."""

import asyncio
import json
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from tests.integration.native.serving import Server
from tests.patience import DEADLINE_S, LEISURE
from vagus import Hub, Limits
from vagus.auth.origins import OriginRules
from vagus.gateway.socketio import PATHS, SocketIo
from vagus.gateway.socketio.session import Session
from vagus.kernel import codes

from .conftest import OpenEngine, OpenPoller, Serve
from .engine_client import EngineSocket, Poller

BRISK = Limits(ping_interval_s=0.5 * LEISURE, pong_timeout_s=0.4 * LEISURE)
STALE = Limits(stale_s=0.5 * LEISURE)


def problem(response: Any) -> tuple[int, dict[str, Any]]:
    return response.status_code, response.json()


UNKNOWN_TRANSPORT = (400, {"code": 0, "message": "Transport unknown"})
UNKNOWN_SESSION = (400, {"code": 1, "message": "Session ID unknown"})
BAD_METHOD = (400, {"code": 2, "message": "Bad handshake method"})
BAD_REQUEST = (400, {"code": 3, "message": "Bad request"})
FORBIDDEN = (403, {"code": 4, "message": "Forbidden"})
UNSUPPORTED = (400, {"code": 5, "message": "Unsupported protocol version"})


async def a_poll_waits(server: Server) -> None:
    """Return when a session holds a GET; it tells nobody, so it is asked."""
    sessions = [each for each in server.gate.sockets if isinstance(each, Session)]
    async with asyncio.timeout(DEADLINE_S):
        while not any(session.polling is not None and session.polling.is_polled for session in sessions):  # noqa: ASYNC110
            await asyncio.sleep(0)


# handshake


async def test_a_poll_opens_a_session(serve: Serve, poller: OpenPoller) -> None:
    client = await (await poller(await serve(Hub(open_to_all=True)))).open()
    assert len(client.sid) > 20
    assert client.handshake == {
        "sid": client.sid,
        "upgrades": ["websocket"],
        "pingInterval": 25000,
        "pingTimeout": 8000,
        "maxPayload": 1000000,
    }


async def test_a_websocket_opens_a_session(serve: Serve, open_engine: OpenEngine) -> None:
    server = await serve(Hub(open_to_all=True))
    socket = await EngineSocket.bare(server)
    packet = await socket.hear()
    handshake = json.loads(packet[1:])
    assert (packet[0], handshake["upgrades"]) == ("0", [])
    assert handshake.keys() == {"sid", "upgrades", "pingInterval", "pingTimeout", "maxPayload"}
    await socket.close()


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"transport": ""}, UNKNOWN_TRANSPORT),
        ({"transport": "carrier-pigeon"}, UNKNOWN_TRANSPORT),
        ({"transport": "websocket"}, BAD_REQUEST),
        ({"EIO": ""}, UNSUPPORTED),
        ({"EIO": "3"}, UNSUPPORTED),
        ({"EIO": "abc"}, UNSUPPORTED),
        ({"sid": "forged"}, UNKNOWN_SESSION),
        ({f"x{number}": "1" for number in range(40)}, UNKNOWN_TRANSPORT),
    ],
)
async def test_a_poll_with_a_wrong_query_is_refused(
    serve: Serve, poller: OpenPoller, query: dict[str, str], expected: object
) -> None:
    client = await poller(await serve(Hub(open_to_all=True)))
    assert problem(await client.get(**query)) == expected


@pytest.mark.parametrize(
    "query", ["", "transport=websocket", "EIO=3&transport=websocket", "EIO=4&transport=polling", "EIO=4&transport=x"]
)
async def test_a_websocket_with_a_wrong_query_is_refused(serve: Serve, query: str) -> None:
    server = await serve(Hub(open_to_all=True))
    with pytest.raises(InvalidStatus, match="400"):
        await EngineSocket.bare(server, query)


async def test_a_websocket_for_a_session_that_is_none_is_refused(serve: Serve) -> None:
    server = await serve(Hub(open_to_all=True))
    with pytest.raises(InvalidStatus, match="400"):
        await EngineSocket.probing(server, "forged")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "HEAD"])
async def test_a_handshake_is_a_get(serve: Serve, poller: OpenPoller, method: str) -> None:
    client = await poller(await serve(Hub(open_to_all=True)))
    response = await client.request(method)
    assert response.status_code == 400
    if method != "HEAD":
        assert problem(response) == BAD_METHOD


async def test_other_methods_are_refused_in_a_session(serve: Serve, poller: OpenPoller) -> None:
    client = await (await poller(await serve(Hub(open_to_all=True)))).open()
    assert problem(await client.request("PUT", b"4")) == BAD_REQUEST
    await client.join()


async def test_the_path_may_go_without_its_slash(serve: Serve, poller: OpenPoller) -> None:
    server = await serve(Hub(open_to_all=True))
    client = await poller(server)
    response = await client._http.get("/socket.io", params=client.query())
    assert response.text[0] == "0"


async def test_who_never_joins_a_namespace_is_closed(serve: Serve, poller: OpenPoller, open_engine: OpenEngine) -> None:
    server = await serve(Hub(open_to_all=True, limits=STALE))
    client = await (await poller(server)).open()
    socket = await open_engine(server, join=False)
    assert await client.poll() == "1"
    assert await socket.closed() == 3502
    await server.alone()


async def test_who_has_left_every_namespace_is_closed(serve: Serve, open_engine: OpenEngine) -> None:
    server = await serve(Hub(open_to_all=True, limits=STALE))
    socket = await open_engine(server)
    await socket.say("41")
    assert await socket.closed() == 3502


# polling


async def test_packets_of_a_body_are_taken_in_order(serve: Serve, poller: OpenPoller) -> None:
    client = await (await poller(await serve(Hub(open_to_all=True)))).open()
    await client.say("40", '420["nothing"]', '421["presence","a"]', '422["publish","a",1]')
    heard = ""
    while heard.count("\x1e") < 3:
        heard += "\x1e" * bool(heard) + await client.poll()
    assert [packet[:3] for packet in heard.split("\x1e")] == ["40{", "430", "431", "432"]


async def test_a_poll_waits_for_something_to_say(serve: Serve, poller: OpenPoller) -> None:
    server = await serve(Hub(open_to_all=True))
    client = await (await poller(server)).open()
    await client.join()
    await client.say('420["subscribe","news"]')
    assert await client.poll() == "430[{}]"
    poll = asyncio.create_task(client.poll())
    await a_poll_waits(server)
    await server.publish("news", {"type": "tick"})
    assert await poll == '42["tick"]'


async def test_two_polls_at_a_time_end_the_session(serve: Serve, poller: OpenPoller) -> None:
    server = await serve(Hub(open_to_all=True))
    client = await (await poller(server)).open()
    one, two = await asyncio.gather(client.get(), client.get())
    if one.status_code != 200:
        one, two = two, one
    assert (one.status_code, one.text) == (200, "1")
    assert problem(two) == BAD_REQUEST
    assert problem(await client.get()) == UNKNOWN_SESSION
    assert server.gate.open_sockets == 0


async def test_two_posts_at_a_time_end_the_session(serve: Serve, poller: OpenPoller) -> None:
    server = await serve(Hub(open_to_all=True))
    client = await (await poller(server)).open()
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slowly() -> Any:
        yield b"4"
        begun.set()
        await go_on.wait()
        yield b"0"

    headers = {"content-type": "text/plain", "content-length": "2"}
    first = asyncio.create_task(client.request("POST", slowly(), headers))
    await begun.wait()
    statuses: list[tuple[int, Any]] = []
    while not statuses or statuses[-1][0] == 200:
        statuses.append(problem_of(await client.post("3")))
    go_on.set()
    await first
    assert statuses[-1] in (BAD_REQUEST, UNKNOWN_SESSION)
    assert problem(await client.get()) == UNKNOWN_SESSION


def problem_of(response: Any) -> tuple[int, Any]:
    return response.status_code, response.json() if response.status_code != 200 else response.text


async def test_a_poll_that_is_given_up_ends_the_session(serve: Serve, poller: OpenPoller) -> None:
    server = await serve(Hub(open_to_all=True))
    client = await (await poller(server)).open()
    await client.join()
    poll = asyncio.create_task(client.get())
    await a_poll_waits(server)
    poll.cancel()
    await asyncio.wait({poll})
    await server.alone()
    assert not server.hub.clients


async def test_a_client_that_says_goodbye_is_gone(serve: Serve, poller: OpenPoller) -> None:
    server = await serve(Hub(open_to_all=True))
    client = await (await poller(server)).open()
    await client.join()
    poll = asyncio.create_task(client.poll())
    await a_poll_waits(server)
    await client.say("1")
    assert await poll == "6"
    assert problem(await client.get()) == UNKNOWN_SESSION
    assert not server.hub.clients


async def test_the_bound_that_is_told_holds(serve: Serve, poller: OpenPoller, open_engine: OpenEngine) -> None:
    server = await serve(Hub(open_to_all=True))
    endpoint = SocketIo(server.gate, max_payload=1000)
    for path in PATHS:
        server.gate.serve(path, endpoint)
    client = await (await poller(server)).open()
    assert client.handshake["maxPayload"] == 1000
    assert (await client.post("4" * 1001)).status_code == 413
    await client.join()
    await client.say('42["' + "x" * 990 + '"]')
    socket = await open_engine(server)
    await socket.say('42["' + "x" * 990 + '"]')
    assert await socket.ask("presence_stats", "a") == {"num_clients": 0, "num_users": 0}
    await socket.say('42["' + "x" * 997 + '"]')
    assert await socket.closed() == 1009


async def test_binary_messages_in_a_body_are_base64(serve: Serve, poller: OpenPoller) -> None:
    server = await serve(Hub(open_to_all=True))
    client = await (await poller(server)).open()
    await client.join()
    await client.say('451-7["publish","a",{"_placeholder":true,"num":0}]', "bAQID")
    assert await client.poll() == "437[{}]"
    assert [bytes(each.data) for each in (await server.on(server.hub.history("a"))).publications] == [b'"AQID"']


# pages of other origins


async def test_a_page_from_elsewhere_is_forbidden(serve: Serve, poller: OpenPoller) -> None:
    client = await poller(await serve(Hub(open_to_all=True)))
    response = await client.request("GET", headers={"origin": "https://evil.example"})
    assert problem(response) == FORBIDDEN
    assert "access-control-allow-origin" not in response.headers


async def test_a_page_that_is_allowed_may_read_the_answers(serve: Serve, poller: OpenPoller) -> None:
    server = await serve(Hub(open_to_all=True), origins=OriginRules(["https://app.example"]))
    client = await poller(server)
    headers = {"origin": "https://app.example"}
    for response in (
        await client.request("GET", headers=headers),
        await client.request("GET", headers=headers, sid="forged"),
        await client.request("OPTIONS", headers={**headers, "access-control-request-method": "POST"}),
    ):
        assert response.headers["access-control-allow-origin"] == "https://app.example"
        assert response.headers["access-control-allow-credentials"] == "true"


# heartbeats


async def test_a_client_that_answers_pings_stays(serve: Serve, poller: OpenPoller, open_engine: OpenEngine) -> None:
    server = await serve(Hub(open_to_all=True, limits=BRISK))
    client, socket = await (await poller(server)).open(), await open_engine(server)
    await client.join()
    for _ in range(3):
        assert await client.poll() == "2"
        assert await socket.hear() == "2"
        await client.say("3")
        await socket.say("3")
    assert len(server.hub.clients) == 2


async def test_a_client_that_does_not_answer_is_closed(
    serve: Serve, poller: OpenPoller, open_engine: OpenEngine
) -> None:
    server = await serve(Hub(open_to_all=True, limits=BRISK))
    client, socket = await (await poller(server)).open(), await open_engine(server)
    await client.join()
    assert await client.poll() == "2"
    assert problem(await client.get()) == UNKNOWN_SESSION
    assert await socket.closed() == 3012
    await server.alone()


async def test_other_packets_do_not_replace_a_pong(serve: Serve, open_engine: OpenEngine) -> None:
    server = await serve(Hub(open_to_all=True, limits=BRISK))
    socket = await open_engine(server)
    assert await socket.hear() == "2"

    async def talk() -> None:
        while True:
            await socket.say('42["nothing"]')
            await asyncio.sleep(0.02)

    talking = asyncio.create_task(talk())
    assert await socket.closed() == 3012
    talking.cancel()
    await asyncio.wait({talking})


async def test_pongs_that_nobody_asked_for_change_nothing(serve: Serve, open_engine: OpenEngine) -> None:
    server = await serve(Hub(open_to_all=True, limits=BRISK))
    socket = await open_engine(server)
    await socket.say("3", "3", "6", "3")
    assert await socket.hear() == "2"
    assert await socket.closed() == 3012


# closing


async def test_a_websocket_that_closes_is_gone(serve: Serve, open_engine: OpenEngine) -> None:
    server = await serve(Hub(open_to_all=True))
    socket = await open_engine(server)
    await socket.connection.close()
    await server.alone()
    assert not server.hub.clients


async def test_a_websocket_that_says_goodbye_is_closed(serve: Serve, open_engine: OpenEngine) -> None:
    server = await serve(Hub(open_to_all=True))
    socket = await open_engine(server)
    await socket.say("1")
    assert await socket.closed() == 3000
    await server.alone()


async def test_a_server_that_stops_ends_every_session(
    serve: Serve, poller: OpenPoller, open_engine: OpenEngine
) -> None:
    server = await serve(Hub(open_to_all=True))
    client, socket = await (await poller(server)).open(), await open_engine(server)
    await client.join()
    poll = asyncio.create_task(client.get())
    await a_poll_waits(server)
    await server.on(all_closed(server))
    assert problem(await poll) == UNKNOWN_SESSION
    assert await socket.closed() == 3001
    await server.alone()


async def all_closed(server: Server) -> None:
    server.gate.close_all(codes.SHUTDOWN)


# the upgrade


async def probed(client: Poller, open_engine: OpenEngine, server: Server) -> EngineSocket:
    socket = await open_engine(server, probe=client.sid)
    await socket.say("2probe")
    assert await socket.hear() == "3probe"
    return socket


async def test_a_session_is_upgraded(serve: Serve, poller: OpenPoller, open_engine: OpenEngine) -> None:
    server = await serve(Hub(open_to_all=True))
    client = await (await poller(server)).open()
    me = await client.join()
    poll = asyncio.create_task(client.poll())
    await a_poll_waits(server)
    socket = await probed(client, open_engine, server)
    assert await poll == "6"
    await socket.say("5", '429["subscribe","news"]')
    assert await socket.hear() == "439[{}]"
    await server.publish("news", {"type": "tick"})
    assert await socket.hear() == '42["tick"]'
    assert list(server.hub.clients) == [me]
    assert server.gate.open_sockets == 1


async def test_a_poll_during_an_upgrade_does_not_wait(
    serve: Serve, poller: OpenPoller, open_engine: OpenEngine
) -> None:
    server = await serve(Hub(open_to_all=True))
    client = await (await poller(server)).open()
    await client.join()
    await probed(client, open_engine, server)
    assert await client.poll() == "6"
    await client.say('429["presence_stats","a"]')
    while (answer := await client.poll()) == "6":
        pass
    assert answer.startswith("439[")


async def test_what_waits_for_a_poll_comes_over_the_websocket_first(
    serve: Serve, poller: OpenPoller, open_engine: OpenEngine
) -> None:
    server = await serve(Hub(open_to_all=True))
    client = await (await poller(server)).open()
    await client.join()
    await client.say('420["subscribe","news"]')
    assert await client.poll() == "430[{}]"
    file = {"type": "file", "arguments": [{"_placeholder": True, "num": 0}], "attachments": ["YWJj"]}
    for number in range(500):
        await server.publish("news", {"type": "n", "payload": [number, "x" * 1000]})
    await server.publish("news", file)
    socket = await probed(client, open_engine, server)
    await socket.say("5")
    await server.publish("news", {"type": "last"})
    numbers = [json.loads((await socket.hear())[2:])[1][0] for _ in range(500)]
    assert numbers == list(range(500))
    assert await socket.hear() == '451-["file",{"_placeholder":true,"num":0}]'
    assert await socket.hear_binary() == b"abc"
    assert await socket.hear() == '42["last"]'


async def test_a_websocket_that_does_not_ask_properly_is_closed_alone(
    serve: Serve, poller: OpenPoller, open_engine: OpenEngine
) -> None:
    server = await serve(Hub(open_to_all=True))
    client = await (await poller(server)).open()
    await client.join()
    for first in ("2", "5", '42["a"]', "probe", b"2probe"):
        socket = await open_engine(server, probe=client.sid)
        await socket.say(first)
        assert await socket.closed() == 3501
    socket = await probed(client, open_engine, server)
    await socket.say('42["a"]')
    assert await socket.closed() == 3501
    await client.say('429["presence_stats","a"]')
    assert (await client.poll()).startswith("439[")


async def test_only_one_websocket_may_ask_at_a_time(serve: Serve, poller: OpenPoller, open_engine: OpenEngine) -> None:
    server = await serve(Hub(open_to_all=True))
    client = await (await poller(server)).open()
    await client.join()
    socket = await probed(client, open_engine, server)
    with pytest.raises(InvalidStatus, match="400"):
        await EngineSocket.probing(server, client.sid)
    await socket.say("5")
    assert await socket.ask("presence_stats", "a") == {"num_clients": 0, "num_users": 0}
    with pytest.raises(InvalidStatus, match="400"):
        await EngineSocket.probing(server, client.sid)
    assert await socket.ask("presence_stats", "a") == {"num_clients": 0, "num_users": 0}


async def test_a_websocket_that_gives_up_lets_another_one_try(
    serve: Serve, poller: OpenPoller, open_engine: OpenEngine
) -> None:
    server = await serve(Hub(open_to_all=True))
    client = await (await poller(server)).open()
    await client.join()
    socket = await probed(client, open_engine, server)
    await socket.connection.close()
    socket = await probed(client, open_engine, server)
    await socket.say("5")
    assert await socket.ask("presence_stats", "a") == {"num_clients": 0, "num_users": 0}


async def test_a_session_that_ends_takes_the_websocket_that_asks_along(
    serve: Serve, poller: OpenPoller, open_engine: OpenEngine
) -> None:
    server = await serve(Hub(open_to_all=True))
    client = await (await poller(server)).open()
    await client.join()
    socket = await probed(client, open_engine, server)
    await client.say("1")
    assert await socket.closed() == 3000
    await server.alone()


async def test_requests_after_the_upgrade_are_refused_and_the_websocket_stays(
    serve: Serve, poller: OpenPoller, open_engine: OpenEngine
) -> None:
    server = await serve(Hub(open_to_all=True))
    client = await (await poller(server)).open()
    await client.join()
    socket = await probed(client, open_engine, server)
    await socket.say("5")
    assert await socket.ask("presence_stats", "a") == {"num_clients": 0, "num_users": 0}
    assert problem(await client.get()) == UNKNOWN_SESSION
    assert problem(await client.post("41")) == UNKNOWN_SESSION
    assert await socket.ask("presence_stats", "a") == {"num_clients": 0, "num_users": 0}


async def test_an_upgraded_session_goes_on_with_its_heartbeats(
    serve: Serve, poller: OpenPoller, open_engine: OpenEngine
) -> None:
    server = await serve(Hub(open_to_all=True, limits=BRISK))
    client = await (await poller(server)).open()
    await client.join()
    socket = await probed(client, open_engine, server)
    await socket.say("5")
    for _ in range(2):
        assert await socket.hear() == "2"
        await socket.say("3")
    assert await socket.closed() == 3012
    await server.alone()
