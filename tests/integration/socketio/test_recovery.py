"""Connection state recovery: what a client missed while its connection was lost, and who gets nothing."""

import asyncio
import json
from typing import Any

import msgspec
import pytest

from tests.integration.native.serving import Server
from tests.integration.native.tokens import token, verifier
from tests.patience import LEISURE
from vagus import ChannelRule, Hub, Limits
from vagus.gateway.furnishing import Dialects
from vagus.gateway.socketio import PATHS, SocketIo
from vagus.gateway.socketio.recovery import RECORD_EVENTS, Parking
from vagus.gateway.socketio.session import Session
from vagus.kernel import codes

from .conftest import ONLY_NODE, OpenEngine, OpenPoller, OpenSocket, Serve
from .engine_client import EngineSocket

KEPT = Dialects(socketio_recovery_s=30)


def parking_of(server: Server) -> Parking:
    endpoint = server.gate.endpoints[PATHS[0]]
    assert isinstance(endpoint, SocketIo)
    assert endpoint.parking is not None
    return endpoint.parking


async def parked(server: Server, number: int = 1) -> None:
    """Return when as many clients are parked; the lot tells nobody, so it is asked."""

    async def wait() -> None:
        while len(parking_of(server)) != number:  # noqa: ASYNC110
            await asyncio.sleep(0)

    await server.on(wait())


class Member:
    """A WebSocket in the root namespace that follows a channel, and remembers what recovery needs."""

    def __init__(self, socket: EngineSocket, joined: dict[str, Any]) -> None:
        self.socket = socket
        self.sid, self.pid = joined["sid"], joined["pid"]
        self.offset = ""

    @classmethod
    async def of(cls, server: Server, open_engine: OpenEngine, channel: str = "news", **auth: object) -> "Member":
        socket = await open_engine(server, join=False)
        member = cls(socket, await socket.join(auth=auth or None))
        assert await socket.ask("subscribe", channel) == {}
        return member

    async def data(self) -> Any:
        """The data of the next publication."""
        name, publication, self.offset = json.loads((await self.socket.hear())[2:])
        assert name == "publication"
        return publication["data"]

    def shown(self) -> str:
        return json.dumps({"pid": self.pid, "offset": self.offset} if self.offset else {"pid": self.pid})

    async def back(self, server: Server, open_engine: OpenEngine) -> tuple[list[Any], dict[str, Any]]:
        """What is heard up to the answer to CONNECT, and that answer."""
        self.socket = await open_engine(server, join=False)
        await self.socket.say("40" + self.shown())
        missed: list[Any] = []
        while not (packet := await self.socket.hear()).startswith("40"):
            missed.append(json.loads(packet[2:]))
        return missed, json.loads(packet[2:])


async def test_without_recovery_a_client_is_told_its_id_alone(serve: Serve, open_engine: OpenEngine) -> None:
    socket = await open_engine(await serve(Hub(open_to_all=True)), join=False)
    assert (await socket.join()).keys() == {"sid"}
    assert await socket.ask("subscribe", "news") == {}


async def test_what_was_missed_comes_first_and_then_what_is_new(serve: Serve, open_engine: OpenEngine) -> None:
    server = await serve(Hub(open_to_all=True), dialects=KEPT)
    member = await Member.of(server, open_engine)
    await server.publish("news", 1)
    assert await member.data() == 1
    await member.socket.close()
    await parked(server)
    await server.publish_each("news", [2, 3])
    missed, answer = await member.back(server, open_engine)
    assert [event[1]["data"] for event in missed] == [2, 3]
    assert answer == {"sid": member.sid, "pid": member.pid}
    await server.publish("news", 4)
    assert await member.data() == 4
    assert list(server.hub.clients) == [member.sid]


async def test_what_was_on_its_way_when_the_connection_went_is_sent_again(
    serve: Serve, open_engine: OpenEngine
) -> None:
    server = await serve(Hub(open_to_all=True), dialects=KEPT)
    member = await Member.of(server, open_engine)
    await server.publish_each("news", [1, 2, 3])
    assert await member.data() == 1
    await member.socket.close()
    missed, answer = await member.back(server, open_engine)
    assert [event[1]["data"] for event in missed] == [2, 3]
    assert answer["sid"] == member.sid


async def test_who_got_nothing_yet_gets_everything(serve: Serve, open_engine: OpenEngine) -> None:
    server = await serve(Hub(open_to_all=True), dialects=KEPT)
    member = await Member.of(server, open_engine)
    await member.socket.close()
    await parked(server)
    await server.publish("news", 1)
    missed, answer = await member.back(server, open_engine)
    assert [event[1]["data"] for event in missed] == [1]
    assert answer["sid"] == member.sid


async def test_a_client_comes_back_again_and_again(serve: Serve, open_engine: OpenEngine) -> None:
    server = await serve(Hub(open_to_all=True), dialects=KEPT)
    member = await Member.of(server, open_engine)
    await server.publish("news", 0)
    assert await member.data() == 0
    for number in range(1, 5):
        await member.socket.close()
        await parked(server)
        await server.publish("news", number)
        missed, answer = await member.back(server, open_engine)
        assert [event[1]["data"] for event in missed] == [number]
        assert answer["sid"] == member.sid
        if number % 2:
            member.offset = missed[-1][-1]
            continue
        await member.socket.close()  # before it has read what it missed
        await parked(server)
        missed, _ = await member.back(server, open_engine)
        assert [event[1]["data"] for event in missed] == [number]
        member.offset = missed[-1][-1]


async def test_a_connection_that_the_server_still_believes_in_is_taken_over(
    serve: Serve, open_engine: OpenEngine
) -> None:
    server = await serve(Hub(open_to_all=True), dialects=KEPT)
    member = await Member.of(server, open_engine)
    await server.publish("news", 1)
    assert await member.data() == 1
    old = member.socket
    missed, answer = await member.back(server, open_engine)
    assert (missed, answer["sid"]) == ([], member.sid)
    assert await old.closed() == codes.FORCE_RECONNECT.code
    await server.publish("news", 2)
    assert await member.data() == 2
    assert list(server.hub.clients) == [member.sid]


async def test_binary_events_and_messages_to_one_client_are_recovered_too(
    serve: Serve, open_engine: OpenEngine
) -> None:
    server = await serve(Hub(open_to_all=True), dialects=KEPT)
    member = await Member.of(server, open_engine)
    await member.socket.close()
    await parked(server)
    file = {"type": "file", "arguments": [{"_placeholder": True, "num": 0}], "attachments": ["YWJj"]}
    await server.publish("news", file)
    await server.on(server.hub.send({"type": "alert", "payload": 1}, client=member.sid))
    socket = await open_engine(server, join=False)
    await socket.say("40" + member.shown())
    assert (await socket.hear()).startswith('451-["file",{"_placeholder":true,"num":0},"')
    assert await socket.hear_binary() == b"abc"
    assert (await socket.hear()).startswith('42["alert",1,"')
    assert (await socket.hear()).startswith('40{"sid":"' + member.sid)


async def test_who_polled_before_may_come_back_over_a_websocket(
    serve: Serve, poller: OpenPoller, open_engine: OpenEngine
) -> None:
    server = await serve(Hub(open_to_all=True), dialects=KEPT)
    client = await (await poller(server)).open()
    await client.say("40", '420["subscribe","news"]')
    heard = await client.poll()
    joined = json.loads(heard.partition("\x1e")[0][2:])
    file = {"type": "file", "arguments": [{"_placeholder": True, "num": 0}], "attachments": ["YWJj"]}
    await server.publish("news", file)
    await server.publish("news", 1)
    await server.on(ended(server))
    member = Member(await open_engine(server, join=False), joined)
    await member.socket.say("40" + member.shown())
    assert (await member.socket.hear()).startswith("451-")
    assert await member.socket.hear_binary() == b"abc"
    assert await member.data() == 1
    assert (await member.socket.hear()).startswith('40{"sid":"' + joined["sid"])


async def ended(server: Server) -> None:
    for session in [each for each in server.gate.sockets if isinstance(each, Session)]:
        session.lost()


@pytest.mark.parametrize("shown", [{"pid": "forged"}, {"pid": "forged", "offset": "1"}, {"pid": 7, "offset": []}])
async def test_a_forged_secret_is_worth_nothing(serve: Serve, open_engine: OpenEngine, shown: dict[str, Any]) -> None:
    server = await serve(Hub(open_to_all=True), dialects=KEPT)
    member = await Member.of(server, open_engine)
    await server.publish("news", 1)
    await member.socket.close()
    await parked(server)
    socket = await open_engine(server, join=False)
    assert (await socket.join(auth=shown))["sid"] != member.sid
    assert len(parking_of(server)) == 1


async def test_a_secret_is_for_its_own_namespace(serve: Serve, open_engine: OpenEngine) -> None:
    hub = Hub(open_to_all=True)
    hub.section("chat", allow=("anyone",))
    server = await serve(hub, dialects=KEPT)
    member = await Member.of(server, open_engine)
    await member.socket.close()
    await parked(server)
    socket = await open_engine(server, join=False)
    assert (await socket.join("chat", json.loads(member.shown())))["sid"] != member.sid
    _, answer = await member.back(server, open_engine)
    assert answer["sid"] == member.sid


async def test_an_offset_that_is_not_in_the_record_begins_anew(serve: Serve, open_engine: OpenEngine) -> None:
    server = await serve(Hub(open_to_all=True), dialects=KEPT)
    member = await Member.of(server, open_engine)
    await server.publish_each("news", range(RECORD_EVENTS + 5))
    offsets = []
    for _ in range(10):
        await member.data()
        offsets.append(member.offset)
    for _ in range(RECORD_EVENTS - 5):
        await member.data()
    await member.socket.close()
    await parked(server)
    member.offset = offsets[3]
    missed, answer = await member.back(server, open_engine)
    assert missed == []
    assert answer["sid"] != member.sid
    assert answer["pid"] != member.pid
    assert list(server.hub.clients) == [answer["sid"]]


async def test_who_misses_too_much_is_let_go(serve: Serve, open_engine: OpenEngine) -> None:
    server = await serve(Hub(open_to_all=True), dialects=KEPT)
    member = await Member.of(server, open_engine)
    await server.publish("news", 0)
    await member.data()
    await member.socket.close()
    await parked(server)
    await server.publish_each("news", range(RECORD_EVENTS + 1))
    await parked(server, 0)
    assert not server.hub.clients
    assert not server.hub.topics
    missed, answer = await member.back(server, open_engine)
    assert (missed, answer["sid"] == member.sid) == ([], False)


async def test_large_events_are_too_much_as_well(serve: Serve, open_engine: OpenEngine) -> None:
    server = await serve(Hub(open_to_all=True), dialects=KEPT)
    member = await Member.of(server, open_engine)
    await server.publish("news", 0)
    await member.data()
    await member.socket.close()
    await parked(server)
    await server.publish_each("news", ["x" * 60_000] * 5)
    await parked(server, 0)
    assert not server.hub.clients


async def test_time_is_bounded(serve: Serve, open_engine: OpenEngine) -> None:
    server = await serve(Hub(open_to_all=True), dialects=Dialects(socketio_recovery_s=0.1))
    member = await Member.of(server, open_engine)
    await member.socket.close()
    await parked(server)
    await parked(server, 0)
    assert not server.hub.clients
    _, answer = await member.back(server, open_engine)
    assert answer["sid"] != member.sid


async def test_the_number_of_parked_clients_is_bounded(serve: Serve, open_engine: OpenEngine) -> None:
    server = await serve(Hub(open_to_all=True), dialects=KEPT)
    parking_of(server)._bound = 2
    members = [await Member.of(server, open_engine) for _ in range(3)]
    for number, member in enumerate(members):
        await member.socket.close()
        await parked(server, min(2, number + 1))
    while len(server.hub.clients) > 2:  # noqa: ASYNC110 - the last one is on its way out
        await asyncio.sleep(0)
    assert set(server.hub.clients) == {member.sid for member in members[1:]}


async def test_who_leaves_the_namespace_is_not_kept(serve: Serve, open_engine: OpenEngine) -> None:
    server = await serve(Hub(open_to_all=True), dialects=KEPT)
    member = await Member.of(server, open_engine)
    await member.socket.say("41")
    _, answer = await member.back(server, open_engine)
    assert answer["sid"] != member.sid


async def test_who_breaks_the_protocol_is_not_kept(serve: Serve, open_engine: OpenEngine) -> None:
    server = await serve(Hub(open_to_all=True), dialects=KEPT)
    member = await Member.of(server, open_engine)
    await member.socket.say("42nonsense")
    assert await member.socket.closed() == 3501
    assert len(parking_of(server)) == 0
    assert not server.hub.clients


async def test_who_is_sent_away_while_parked_does_not_come_back(serve: Serve, open_engine: OpenEngine) -> None:
    server = await serve(
        Hub(verifier=verifier(), rules=[ChannelRule(pattern="news", subscribe=("user",))]), dialects=KEPT
    )
    member = await Member.of(server, open_engine, token=token("42"))
    await member.socket.close()
    await parked(server)
    await server.on(server.hub.disconnect(user="42"))
    assert len(parking_of(server)) == 0
    assert not server.hub.clients
    socket = await open_engine(server, join=False)
    await socket.say("40" + member.shown())
    assert (await socket.hear()).startswith("44{")


async def test_a_parked_client_expires(serve: Serve, open_engine: OpenEngine) -> None:
    hub = Hub(open_to_all=True, limits=Limits(expiry_grace_s=0))
    server = await serve(hub, dialects=KEPT)
    member = await Member.of(server, open_engine)
    await member.socket.close()
    await parked(server)
    await server.on(hub.refresh(client=member.sid, expires_at=hub.now() - 1))
    await parked(server, 0)
    assert not hub.clients


async def test_a_parked_client_is_still_present(serve: Serve, open_engine: OpenEngine) -> None:
    server = await serve(Hub(open_to_all=True), dialects=KEPT)
    member = await Member.of(server, open_engine)
    await member.socket.close()
    await parked(server)
    assert list(await server.on(server.hub.presence("news"))) == [member.sid]


@ONLY_NODE
async def test_the_library_is_recovered_and_sees_everything_once(serve: Serve, open_socket: OpenSocket) -> None:
    server = await serve(Hub(open_to_all=True), dialects=KEPT)
    socket = await open_socket(server, connect=False)
    first = await socket.connected()
    await socket.ask("subscribe", "news")
    number = 0
    for _ in range(5):
        await server.publish_each("news", range(number, number + 20))
        await server.on(cut_all(server))
        await server.publish_each("news", range(number + 20, number + 40))
        number += 40
        again = await socket.expect("connect")
        assert (again["recovered"], again["id"]) == (True, first["id"])
    seen = [(await socket.event("publication"))[0]["data"] for _ in range(number)]
    assert seen == list(range(number))
    assert len(server.hub.clients) == 1


async def cut_all(server: Server) -> None:
    """Cut every connection without a word."""
    for socket in list(server.gate.sockets):
        if isinstance(socket, Session):
            socket.abort(codes.CONNECTION_CLOSED)
        else:
            socket._transport.abort()  # type: ignore[attr-defined]  # what a network does, no server would


@ONLY_NODE
async def test_cuts_in_mid_flow_lose_and_repeat_nothing(serve: Serve, open_socket: OpenSocket) -> None:
    # Cut in the middle of an upgrade, the library may find out by the missing ping alone.
    limits = Limits(ping_interval_s=0.8 * LEISURE, pong_timeout_s=0.4 * LEISURE)
    server = await serve(Hub(open_to_all=True, limits=limits), dialects=KEPT)
    socket = await open_socket(server)
    await socket.ask("subscribe", "news")
    total = 0
    for _ in range(6):
        await server.on(cut_in_mid_flow(server, total))
        total += 60
        assert (await socket.expect("connect"))["recovered"] is True
    assert [(await socket.event("publication"))[0]["data"] for _ in range(total)] == list(range(total))
    assert len(server.hub.clients) == 1


async def cut_in_mid_flow(server: Server, start: int) -> None:
    """Publish, cut before any of it is written, and publish more before the cut is known."""
    for number in range(start, start + 40):
        await server.hub.publish("news", number)
        if number % 7 == 0:
            await asyncio.sleep(0)
    await cut_all(server)
    for number in range(start + 40, start + 60):
        await server.hub.publish("news", number)


@ONLY_NODE
async def test_a_client_that_was_let_go_is_told_so(serve: Serve, open_socket: OpenSocket) -> None:
    server = await serve(Hub(open_to_all=True), dialects=KEPT)
    socket = await open_socket(server, connect=False)
    first = await socket.connected()
    await server.on(server.hub.disconnect(client=first["id"], closure=codes.FORCE_RECONNECT))
    again = await socket.expect("connect")
    assert (again["recovered"], again["id"] == first["id"]) == (False, False)


async def test_nothing_is_left_behind(serve: Serve, open_engine: OpenEngine) -> None:
    server = await serve(Hub(open_to_all=True), dialects=Dialects(socketio_recovery_s=LEISURE))
    for _ in range(3):
        member = await Member.of(server, open_engine)
        await member.socket.close()
        await parked(server)
        await member.back(server, open_engine)
        await member.socket.close()
        await parked(server)
        await parked(server, 0)
    assert not parking_of(server)._by_pid
    assert not server.hub.clients
    assert not server.hub.topics
    assert msgspec.json.encode(server.gate.open_sockets) == b"0"
