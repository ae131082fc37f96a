"""Connections that go home, by hand: what is handed over is whole, what cannot be is answered, nodes come and go."""

import asyncio
import json
import socket
import stat
from pathlib import Path
from typing import Any, Final, Self

import pytest

from tests.integration.native.serving import LoopThread
from tests.patience import DEADLINE_S
from vagus.auth.addresses import AddressRules, Networks
from vagus.gateway.siblings import GONE

from .conftest import Family
from .house import SiblingServer, furnished_hub

POLL: Final = "/socket.io/?EIO=4&transport=polling"
UNKNOWN_SESSION: Final = (400, b'{"code":1,"message":"Session ID unknown"}')
NOBODY: Final = "0123456789ab"


class Line:
    """One connection to a server that is kept from request to request."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def to(cls, server: SiblingServer, source: str = "127.0.0.1") -> Self:
        return cls(*await asyncio.open_connection("127.0.0.1", server.port, local_addr=(source, 0)))

    async def ask(self, method: str, target: str, body: bytes = b"") -> tuple[int, bytes]:
        self.write(request(method, target, body))
        return await self.answer()

    def write(self, data: bytes) -> None:
        self._writer.write(data)

    async def answer(self) -> tuple[int, bytes]:
        async with asyncio.timeout(DEADLINE_S):
            head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
            length = int(head.partition(b"content-length: ")[2].split(b"\r\n")[0] or 0)
            return int(head.split(b" ")[1]), await self._reader.readexactly(length)

    async def has_ended(self) -> bool:
        async with asyncio.timeout(DEADLINE_S):
            return await self._reader.read() == b""

    async def begin(self) -> str:
        """Begin a session of Socket.IO; its id."""
        status, body = await self.ask("GET", POLL)
        assert status == 200
        return str(json.loads(body[1:])["sid"])

    async def joined(self) -> str:
        """Begin a session that is in ``/chat``."""
        sid = await self.begin()
        assert await self.ask("POST", poll(sid), b"40/chat,") == (200, b"ok")
        assert (await self.ask("GET", poll(sid)))[1].startswith(b"40/chat,{")
        return sid

    async def call(self, sid: str, *call: object) -> Any:
        """What is answered to a call."""
        assert await self.ask("POST", poll(sid), b"42/chat,1" + json.dumps(call).encode()) == (200, b"ok")
        status, body = await self.ask("GET", poll(sid))
        assert (status, body[:9]) == (200, b"43/chat,1")
        return json.loads(body[9:])[0]

    async def sent(self) -> None:
        """Let what was written go out as a piece of its own."""
        await self._writer.drain()
        await asyncio.sleep(0.005)

    def close(self) -> None:
        self._writer.transport.abort()


def request(method: str, target: str, body: bytes = b"") -> bytes:
    length = f"Content-Length: {len(body)}\r\n" if body else ""
    return f"{method} {target} HTTP/1.1\r\nHost: here\r\n{length}\r\n".encode() + body


def poll(sid: str) -> str:
    return f"{POLL}&sid={sid}"


async def test_a_session_begins_with_the_name_of_its_home(family: Family) -> None:
    (server,) = await family(1)
    line = await Line.to(server)
    sid = await line.begin()
    assert sid.startswith(server.hub.node_id[:12])
    assert len(sid) == 12 + 32
    line.close()


async def test_one_connection_goes_from_home_to_home(family: Family) -> None:
    servers = await family(3)
    lines = [await Line.to(server) for server in servers]
    sids = [await line.joined() for line in lines]
    for turn in range(9):
        sid, server = sids[turn % 3], servers[turn % 3]
        assert await lines[0].call(sid, "node") == server.hub.node_id
    assert servers[1].siblings.received >= 3
    for line in lines:
        line.close()


async def test_what_was_sent_together_is_answered_in_order(family: Family) -> None:
    here, there = await family()
    line, other = await Line.to(here), await Line.to(there)
    near, far = await line.joined(), await other.joined()
    line.write(request("POST", poll(near), b'42/chat,1["node"]') + request("POST", poll(far), b'42/chat,1["node"]'))
    assert [await line.answer(), await line.answer()] == [(200, b"ok"), (200, b"ok")]
    line.close()
    other.close()


async def test_a_request_in_pieces_arrives_whole(family: Family) -> None:
    here, there = await family()
    line, other = await Line.to(here), await Line.to(there)
    sid = await other.joined()
    text = "ä" * 400_000
    whole = request("POST", poll(sid), f'42/chat,1["echo","{text}"]'.encode())
    for cut in (10, 100, 5_000, 300_000):
        line.write(whole[:cut])
        await line.sent()
        whole = whole[cut:]
    line.write(whole)
    assert await line.answer() == (200, b"ok")
    status, body = await other.ask("GET", poll(sid))
    assert (status, body.decode()) == (200, f'43/chat,1["{text}"]')
    line.close()
    other.close()


@pytest.mark.parametrize(
    "sid",
    [
        NOBODY + "x" * 32,
        NOBODY + "x" * 70,
        NOBODY,
        "../../../../tmp/",
        "%2e%2e%2f" + "x" * 32,
        "A" * 44,
        "0" * 4_000,
    ],
)
async def test_who_names_nobody_is_answered_here_and_goes_on(family: Family, sid: str) -> None:
    here, _ = await family()
    line = await Line.to(here)
    assert await line.ask("GET", poll(sid)) == UNKNOWN_SESSION
    assert await line.ask("POST", poll(NOBODY + "x" * 32), b"2") == UNKNOWN_SESSION
    assert await line.call(await line.joined(), "node") == here.hub.node_id
    line.close()


async def test_names_that_are_made_up_are_not_remembered_without_bound(family: Family) -> None:
    here, _ = await family()
    lines = [await Line.to(here) for _ in range(20)]

    async def make_up(start: int) -> None:
        for number in range(start, start + 60):
            assert await lines[start // 60].ask("GET", poll(f"{number:012x}" + "x" * 32)) == UNKNOWN_SESSION

    await asyncio.gather(*(make_up(60 * each) for each in range(20)))
    assert len(here.siblings._gone) <= GONE
    for line in lines:
        line.close()


async def test_a_session_that_a_sibling_does_not_know_is_refused_there(family: Family) -> None:
    here, there = await family()
    lines = [await Line.to(here) for _ in range(200)]
    target = poll(there.siblings.name + "x" * 32)
    assert set(await asyncio.gather(*(line.ask("GET", target) for line in lines))) == {UNKNOWN_SESSION}
    assert there.siblings.received == 200
    for line in lines:
        line.close()


async def test_the_home_sees_where_the_client_is(family: Family) -> None:
    rules = AddressRules(allow=Networks(), deny=Networks(["127.0.0.2"]))
    here, there = await family(2, addresses=rules)
    welcome = await Line.to(there)
    sid = await welcome.joined()
    line = await Line.to(here, source="127.0.0.2")
    assert (await line.ask("POST", poll(sid), b"2"))[0] == 403
    assert there.siblings.received == 1
    line.close()
    welcome.close()


async def test_nobody_notices_when_the_node_that_handed_over_stops(family: Family) -> None:
    here, there = await family()
    other, line = await Line.to(there), await Line.to(here)
    sid = await other.joined()
    line.write(request("GET", poll(sid)))
    await there.on(_given(there, 1))
    await here.stop()
    assert await other.ask("POST", poll(sid), b'42/chat,7["node"]') == (200, b"ok")
    assert await line.answer() == (200, f'43/chat,7["{there.hub.node_id}"]'.encode())
    line.close()
    other.close()


async def _given(server: SiblingServer, number: int) -> None:
    while server.siblings.received < number:  # noqa: ASYNC110 - it counts, and has no event
        await asyncio.sleep(0)


async def test_a_home_that_was_stopped_is_unknown(family: Family) -> None:
    here, there = await family()
    line, other = await Line.to(here), await Line.to(there)
    sid = await other.begin()
    other.close()
    await there.stop()
    assert await line.ask("GET", poll(sid)) == UNKNOWN_SESSION
    line.close()


async def test_a_home_that_does_not_take_connections_is_busy(family: Family, tmp_path: Path) -> None:
    (here,) = await family(1)
    line = await Line.to(here)
    with socket.socket(socket.AF_UNIX) as stuck:
        stuck.bind(str(tmp_path / "nodes" / f"{NOBODY}.sock"))
        stuck.listen(0)
        waiting = _fill(str(tmp_path / "nodes" / f"{NOBODY}.sock"))
        status, _ = await line.ask("GET", poll(NOBODY + "x" * 32))
        assert (status, await line.has_ended()) == (503, True)
        for each in waiting:
            each.close()
    line.close()


def _fill(path: str) -> list[socket.socket]:
    """Connect until nothing more fits into the queue."""
    waiting: list[socket.socket] = []
    while True:
        way = socket.socket(socket.AF_UNIX)
        way.setblocking(False)
        try:
            way.connect(path)
        except BlockingIOError:
            way.close()
            return waiting
        waiting.append(way)


async def test_what_killed_nodes_left_behind_is_swept(family: Family, tmp_path: Path) -> None:
    folder = tmp_path / "nodes"
    (alive,) = await family(1)
    left = folder / f"{NOBODY}.sock"
    with socket.socket(socket.AF_UNIX) as killed:
        killed.bind(str(left))
        killed.listen()
    (new,) = await family(1)
    assert {path.name for path in folder.iterdir()} == {f"{each.siblings.name}.sock" for each in (alive, new)}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    await alive.stop()
    assert [path.name for path in folder.iterdir()] == [f"{new.siblings.name}.sock"]


async def test_the_folder_may_lie_deep(server_thread: LoopThread, tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 100) / "nodes"
    here, there = (SiblingServer(server_thread, deep) for _ in range(2))
    for server in (here, there):
        await server.start(furnished_hub())
    line, other = await Line.to(here), await Line.to(there)
    assert await line.call(await other.joined(), "node") == there.hub.node_id
    line.close()
    other.close()
    for server in (here, there):
        await server.stop()


async def test_no_descriptor_is_left(server_thread: LoopThread, tmp_path: Path) -> None:
    before = _descriptors()
    here, there = (SiblingServer(server_thread, tmp_path / "nodes") for _ in range(2))
    for server in (here, there):
        await server.start(furnished_hub())
    for sid in (there.siblings.name + "x" * 32, NOBODY + "x" * 32):
        line = await Line.to(here)
        assert await line.ask("GET", poll(sid)) == UNKNOWN_SESSION
        line.close()
    for server in (here, there):
        await server.stop()
    await asyncio.sleep(0)
    assert _descriptors() == before


def _descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_a_connection_of_which_only_a_part_is_told_is_let_go(family: Family, tmp_path: Path) -> None:
    (here,) = await family(1)
    ours, given = socket.socketpair()
    with ours, socket.socket(socket.AF_UNIX) as way:
        way.connect(str(tmp_path / "nodes" / f"{here.siblings.name}.sock"))
        with given:
            socket.send_fds(way, [(1_000).to_bytes(4) + b"GET / HTTP/1.1\r\n"], [given.fileno()])
        way.shutdown(socket.SHUT_WR)
        ours.setblocking(False)
        async with asyncio.timeout(DEADLINE_S):
            assert await asyncio.get_running_loop().sock_recv(ours, 100) == b""
    assert here.siblings.received == 0


async def test_garbage_at_the_socket_of_a_node_is_ignored(family: Family, tmp_path: Path) -> None:
    here, there = await family()
    for garbage in (b"", b"x", b"GET / HTTP/1.1\r\n\r\n" * 10_000):
        _, writer = await asyncio.open_unix_connection(tmp_path / "nodes" / f"{there.siblings.name}.sock")
        writer.write(garbage)
        writer.close()
    line, other = await Line.to(here), await Line.to(there)
    assert await line.call(await other.joined(), "node") == there.hub.node_id
    line.close()
    other.close()


async def test_who_waits_to_be_taken_when_the_home_closes_is_still_taken(family: Family, tmp_path: Path) -> None:
    (home,) = await family(1)
    asked = request("GET", POLL)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ours = socket.create_connection(listener.getsockname())
        given, _ = listener.accept()

    async def close_with_one_waiting() -> None:
        with socket.socket(socket.AF_UNIX) as way, given:
            way.connect(str(tmp_path / "nodes" / f"{home.siblings.name}.sock"))
            socket.send_fds(way, [len(asked).to_bytes(4) + asked], [given.fileno()])
        await home.siblings.close()

    await home.on(close_with_one_waiting())
    line = Line(*await asyncio.open_connection(sock=ours))
    assert (await line.answer())[0] == 200
    line.close()
