"""The server under attack and those who meet it: a hub on uvicorn and uvloop in a thread of its own, reached over real
sockets alone; ``Peer`` says whatever bytes a test wants, ``Bystander`` is the well-behaved client who must not notice.
"""

import asyncio
import base64
import json
import os
import socket
import threading
import weakref
from collections.abc import Callable, Coroutine
from typing import Any, Final, NamedTuple, TypeVar

import msgspec
import uvicorn
import uvloop

from tests.integration.native.serving import answering
from tests.patience import DEADLINE_S
from vagus import ChannelRule, Hub, Last
from vagus.gateway.doorway import doorway
from vagus.gateway.furnishing import open_gate

T = TypeVar("T")


ANYTHING_GOES: Final = ChannelRule(
    pattern="{name*}",
    history=Last(1000, minutes=5),
    presence=True,
    subscribe=("anyone",),
    publish=("anyone",),
    read_presence=("anyone",),
    read_history=("anyone",),
)

FIN, RSV1, RSV2, RSV3 = 0x80, 0x40, 0x20, 0x10
CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA


class Facts(NamedTuple):
    """What the server holds: must be the same after an attack as before."""

    clients: int
    topics: int
    sockets: int
    timers: int
    tasks: int
    requests: int
    """Connections that uvicorn's own HTTP protocol holds."""
    files: int


class House:
    """A running server. ``run`` carries a coroutine over to its loop and waits for what it returns."""

    def __init__(self, hub: Hub, **gate: Any) -> None:
        self.hub = hub
        self.gate = open_gate(hub, **gate)
        self.port = 0
        self.loop: asyncio.AbstractEventLoop
        self._server: uvicorn.Server
        self._is_up = threading.Event()
        self._over: asyncio.Event
        self._thread = threading.Thread(target=self._main, name="house")

    def __enter__(self) -> "House":
        self._thread.start()
        assert self._is_up.wait(DEADLINE_S)
        return self

    def __exit__(self, *_: object) -> None:
        for peer in [peer for peer in _PEERS if peer.port == self.port]:
            peer.socket.close()  # of a test that failed: a server waits for its connections
        self.loop.call_soon_threadsafe(self._over.set)
        self._thread.join(DEADLINE_S)
        assert not self._thread.is_alive()

    def _main(self) -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(self._live())

    async def _live(self) -> None:
        self.loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        config = uvicorn.Config(
            answering(self.gate, _nothing_here),
            http=doorway(self.gate),
            log_level="warning",
            lifespan="off",
            backlog=16384,
        )
        self._server = uvicorn.Server(config)
        listener = socket.create_server(("127.0.0.1", 0), backlog=16384)
        self.port = listener.getsockname()[1]
        async with self.hub:
            serving = asyncio.create_task(self._server.serve([listener]))
            while not self._server.started:  # noqa: ASYNC110 - uvicorn sets a flag, and has no event
                await asyncio.sleep(0.01)
            self._is_up.set()
            await self._over.wait()
            self._server.should_exit = True
            self._server.force_exit = True
            await serving

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(DEADLINE_S)

    def publish(self, channel: str, data: object) -> None:
        self.run(_publish(self.hub, channel, data))

    def facts(self) -> Facts:
        return self.run(self._facts())

    async def _facts(self) -> Facts:
        return self.facts_now()

    def facts_now(self) -> Facts:
        """The facts, asked on the server's own loop."""
        me = asyncio.current_task()
        return Facts(
            clients=len(self.hub.clients),
            topics=len(self.hub.topics),
            sockets=self.gate.open_sockets,
            timers=sum(map(len, self.hub.wheel._slots.values())),
            tasks=sum(task is not me and not task.done() for task in asyncio.all_tasks()),
            requests=len(self._server.server_state.connections),
            files=len(os.listdir("/proc/self/fd")),
        )

    def until(self, condition: Callable[[], object]) -> None:
        """Wait until something is so in the server's thread."""

        async def holds() -> object:
            return condition()

        for _ in range(int(DEADLINE_S * 100)):
            if self.run(holds()):
                return
            threading.Event().wait(0.01)
        raise AssertionError("it never came true")

    def comes_back_to(self, before: Facts, *, with_files: bool = True) -> None:
        """Wait until the server holds what it held before, and nothing more. Files are those of the test's own too."""
        now = before
        for _ in range(int(DEADLINE_S * 50)):
            now = self.facts()
            if now == (before if with_files else before._replace(files=now.files)):
                return
            threading.Event().wait(0.02)
        raise AssertionError(f"leaked: {before} became {now}")


async def _publish(hub: Hub, channel: str, data: object) -> None:
    await hub.publish(channel, data)


async def _nothing_here(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1000})
        return
    await send({"type": "http.response.start", "status": 404, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


def client_frame(first_byte: int, payload: bytes = b"", *, mask: bytes = b"\x37\xfa\x21\x3d") -> bytes:
    size = len(payload)
    if size < 126:
        head = bytes((first_byte, 0x80 | size))
    elif size < 65_536:
        head = bytes((first_byte, 0xFE)) + size.to_bytes(2, "big")
    else:
        head = bytes((first_byte, 0xFF)) + size.to_bytes(8, "big")
    stretched = (mask * (size // 4 + 1))[:size]
    masked = (int.from_bytes(payload, "big") ^ int.from_bytes(stretched, "big")).to_bytes(size, "big")
    return head + mask + masked


def text(payload: str | bytes) -> bytes:
    return client_frame(FIN | TEXT, payload.encode() if isinstance(payload, str) else payload)


def commands(*objects: object) -> bytes:
    return text(b"\n".join(msgspec.json.encode(item) for item in objects))


HANDSHAKE: Final = (
    b"GET /connection/websocket HTTP/1.1\r\nHost: hub.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + base64.b64encode(b"sixteen bytes ok") + b"\r\n"
)
"""A valid handshake but for its last empty line, so that headers can be added."""

END: Final = b"\r\n"


class Closed(NamedTuple):
    code: int | None
    """``None`` when the connection ended without a close frame."""
    reason: str


_PEERS: "weakref.WeakSet[Peer]" = weakref.WeakSet()


class Peer:
    """A raw socket to the server."""

    def __init__(self, port: int, *, receive_buffer: int = 0) -> None:
        self.port = port
        self.socket = socket.socket()
        _PEERS.add(self)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(DEADLINE_S)
        self.socket.connect(("127.0.0.1", port))
        self._buffer = b""

    def __enter__(self) -> "Peer":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> "Peer":
        """Send, unless the server has had enough already: then what it answered is still to be read."""
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass
        return self

    def _more(self) -> bool:
        try:
            data = self.socket.recv(65_536)
        except ConnectionResetError:
            data = b""
        self._buffer += data
        return bool(data)

    def rest(self) -> bytes:
        """Everything up to the end of the connection."""
        while self._more():
            pass
        return self._buffer

    def response(self) -> tuple[int, bytes]:
        """The status of the response, and all of its head."""
        while b"\r\n\r\n" not in self._buffer:
            if not self._more():
                return 0, self._buffer
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        return int(head.split(b" ", 2)[1]), head

    def upgraded(self, *headers: bytes) -> "Peer":
        self.send(HANDSHAKE + b"".join(header + b"\r\n" for header in headers) + END)
        status, head = self.response()
        assert status == 101, head
        return self

    def frame(self) -> tuple[int, bytes] | None:
        """The next frame's opcode and payload; ``None`` at the end of the connection."""
        while True:
            taken = _server_frame(self._buffer)
            if taken is not None:
                opcode, payload, self._buffer = taken
                return opcode, payload
            if not self._more():
                return None

    def lines(self) -> list[Any]:
        """The replies and pushes of the next message."""
        frame = self.frame()
        assert frame is not None, "the connection ended"
        opcode, payload = frame
        assert opcode == TEXT, (opcode, payload)
        return [json.loads(line) for line in payload.split(b"\n")]

    def closed(self) -> Closed:
        """Read to the end; what came before the close frame is dropped."""
        closed = Closed(None, "")
        while (frame := self.frame()) is not None:
            opcode, payload = frame
            if opcode == CLOSE:
                closed = Closed(int.from_bytes(payload[:2], "big") if payload else 1005, payload[2:].decode())
                self.send(client_frame(FIN | CLOSE, payload[:2]))
        return closed

    def connected(self, **request: object) -> "Peer":
        self.upgraded().send(commands({"id": 1, "connect": request}))
        (reply,) = self.lines()
        assert "connect" in reply, reply
        return self

    def ask(self, **command: object) -> Any:
        """Send a command as number 9 and return its reply; what comes before it is dropped."""
        self.send(commands({"id": 9, **command}))
        while True:
            for line in self.lines():
                if line.get("id") == 9:
                    return line


def _server_frame(data: bytes) -> tuple[int, bytes, bytes] | None:
    if len(data) < 2:
        return None
    assert data[0] & FIN, "the server never fragments"
    assert not data[1] & 0x80, "the server never masks"
    size, start = data[1] & 0x7F, 2
    if size > 125:
        start = 4 if size == 126 else 10
        if len(data) < start:
            return None
        size = int.from_bytes(data[2:start], "big")
    if len(data) < start + size:
        return None
    return data[0] & 0x0F, data[start : start + size], data[start + size :]


class Bystander:
    """A client that does everything right, and a source that publishes numbers to it all the while."""

    CHANNEL: Final = "steady"

    def __init__(self, house: House) -> None:
        self._house = house
        self._peer = Peer(house.port).connected()
        assert "error" not in self._peer.ask(subscribe={"channel": self.CHANNEL})
        self._seen: list[int] = []
        self._end = -1
        self._reader = threading.Thread(target=self._read, name="bystander")
        self._source = asyncio.run_coroutine_threadsafe(self._publish(), house.loop)
        self._reader.start()

    async def _publish(self) -> int:
        number = 0
        while self._end < 0:
            await self._house.hub.publish(self.CHANNEL, number)
            number += 1
            await asyncio.sleep(0.003)
        await self._house.hub.publish(self.CHANNEL, -1)
        return number

    def _read(self) -> None:
        while not self._seen or self._seen[-1] >= 0:
            for line in self._peer.lines():
                if not line:
                    self._peer.send(text("{}"))
                else:
                    self._seen.append(line["push"]["pub"]["data"])

    def saw_everything(self) -> int:
        """End, and check that every publication came in order; how many they were."""
        self._end = 1
        count = self._source.result(DEADLINE_S)
        self._reader.join(DEADLINE_S)
        assert not self._reader.is_alive(), f"the bystander still waits after {self._seen[-3:]} of {count}"
        self._peer.socket.close()
        assert self._seen == [*range(count), -1]
        return count
